"""Seeded prices: geometric Brownian motion in whole cents. numpy only, so that every column's environment can read them.

The seeds of ``daily_1`` and ``minute_1`` are chosen so that SMA(20/50) is flat on the last bar. The order in which random numbers are
drawn is part of the definition: final equities of the workloads are known to the digit.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOLDER = Path(os.environ.get("RUSTYBT_BENCH_DATA", Path(__file__).resolve().parent / "data"))
DAY, MINUTE = 86_400_000_000, 60_000_000
FIELDS = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Market:
    """What determines the prices.

    Attributes:
        seed: of the random numbers.
        assets: how many; bars: of each.
        drift: of a bar's log price; volatility: its deviation.
        first: price before the first bar.
        daily: weekdays from 2014-01-01; else minutes from 2021-01-01.
    """

    seed: int
    assets: int
    bars: int
    drift: float
    volatility: float
    first: float
    daily: bool


MARKETS = {
    "daily_1": Market(19, 1, 2_520, 0.08 / 252, 0.015, 100.0, daily=True),
    "daily_500": Market(12, 500, 2_520, 0.08 / 252, 0.020, 100.0, daily=True),
    "minute_1": Market(14, 1, 1_500_000, 0.0, 0.0005, 1000.0, daily=False),
    "stops_1": Market(15, 1, 500_000, 4.5e-6, 0.003, 1000.0, daily=False),
}


@dataclass(frozen=True)
class Bars:
    """Prices in memory.

    Attributes:
        ts: (bars,) Int64 UTC microseconds.
        open, high, low, close: (assets, bars) Int64 cents.
        volume: (assets, bars) Int64 shares.
    """

    ts: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints

    def part(self, assets: int | None, bars: int | None) -> Bars:
        """The first assets and bars."""
        cut = (slice(assets), slice(bars))
        return Bars(self.ts[:bars], *(np.ascontiguousarray(getattr(self, name)[cut]) for name in (*FIELDS, "volume")))

    def price(self, name: str) -> Floats:
        """A field in currency: (bars,) for one asset, (bars, assets) for several."""
        prices: Floats = getattr(self, name) / 100.0
        return prices[0].copy() if len(prices) == 1 else np.ascontiguousarray(prices.T)


def draw(market: Market) -> Bars:
    """The bars of a market."""
    rng = np.random.default_rng(market.seed)
    shape, deviation = (market.assets, market.bars), market.volatility
    overnight = rng.normal(0, deviation * 0.3, shape)
    within = rng.normal(market.drift - deviation**2 / 2, deviation * 0.95, shape)
    own = rng.normal(0, 0.0003, (market.assets, 1)) if market.assets > 1 else np.zeros((1, 1))
    level = np.log(market.first) + np.cumsum(overnight + within + own, axis=1)
    close, opened = np.exp(level), np.exp(level - within - own)
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, deviation * 0.4, shape)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, deviation * 0.4, shape)))
    o, h, lo, c = (_cents(prices) for prices in (opened, high, low, close))
    volume = rng.integers(1_000_000, 5_000_000, shape)
    return Bars(instants(market), o, np.maximum.reduce([o, h, lo, c]), np.minimum.reduce([o, h, lo, c]), c, volume)


def _cents(prices: Floats) -> Ints:
    return np.maximum(np.rint(prices * 100), 1).astype(np.int64)


def instants(market: Market) -> Ints:
    """(bars,) Int64 UTC microseconds."""
    steps = np.arange(market.bars)
    if not market.daily:
        return np.datetime64("2021-01-01T00:00", "us").astype(np.int64) + steps * MINUTE
    days: Ints = np.busday_offset("2014-01-01", steps, roll="forward").astype(np.int64) * DAY
    return days


def stored(name: str) -> Path:
    """The file of a market in `MARKETS`, drawn when it is missing."""
    path = FOLDER / f"{name}.npz"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        bars = draw(MARKETS[name])
        part = path.with_suffix(f".{os.getpid()}.npz")
        prices = np.stack([getattr(bars, field) for field in FIELDS])
        np.savez(part, ts=bars.ts, prices=prices.astype(np.int32), volume=bars.volume.astype(np.int32))
        part.replace(path)
    return path


def read(name: str) -> Bars:
    """A market in `MARKETS`, from its file."""
    with np.load(stored(name)) as found:
        prices, volume, ts = found["prices"].astype(np.int64), found["volume"].astype(np.int64), found["ts"]
    opened, high, low, close = prices
    return Bars(ts, opened, high, low, close, volume)
