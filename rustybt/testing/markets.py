"""Seeded synthetic markets: the seed and the traits determine the bars.

Prices walk at random on a grid of cents. Traits ask for what makes real data hard: missing bars, halts, listings, delistings, unchanged
prices, splits and dividends.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import NamedTuple, TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data import load
from rustybt.errors import ConfigError
from rustybt.model import Panel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
DAY = 86_400_000_000
LENGTHS = {"1s": 1, "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "4h": 14_400, "1d": 86_400}
RATIOS = ((2, 1), (3, 1), (3, 2), (7, 1), (1, 10))
"""Splits that are drawn: new for old."""
YIELD = 0.005
"""Part of the price that a dividend pays."""
QUARTER = 63
"""Sessions between two dividends."""


class Traits(TypedDict, total=False):
    """What else a market can be told; see `Recipe` for the meaning and the defaults."""

    gaps: float
    halts: float
    listings: float
    delistings: float
    ties: float
    splits: float
    dividends: float
    volatility: float
    start: date | datetime


class Market(NamedTuple):
    """What `market` gives.

    Attributes:
        bars: ts, asset, open, high, low, close, volume, sorted by (asset, ts); ts is the instant at which the bar is complete.
        events: asset, ts (ex-date), kind, value.
    """

    bars: pl.DataFrame
    events: pl.DataFrame


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a market.

    Args:
        assets: how many.
        bars: how many instants.
        seed: of the random numbers.
        frequency: ``1d`` (weekdays, complete at 21:00 UTC) or ``1s``, ``1m``, ``5m``, ``15m``, ``30m``, ``1h``, ``4h`` (round the clock).
        gaps: chance of each bar to be missing.
        halts: chance of each asset to be halted once, for up to a tenth of the bars.
        listings: chance of each asset to begin after the first bar, in the first half.
        delistings: chance of each asset to end before the last bar, in the second half.
        ties: chance of each bar to repeat the last close in all four prices.
        splits: chance of each asset to be split once.
        dividends: chance of each asset to pay half a percent every 63 sessions.
        volatility: standard deviation of a bar's log return.
        start: day, or UTC time for intraday bars, of the first bar.

    Raises:
        ConfigError: a number is out of its range.
    """

    assets: int = 5
    bars: int = 500
    seed: int = 0
    frequency: str = "1d"
    gaps: float = 0.0
    halts: float = 0.0
    listings: float = 0.0
    delistings: float = 0.0
    ties: float = 0.0
    splits: float = 0.0
    dividends: float = 0.0
    volatility: float = 0.02
    start: date | datetime = date(2020, 1, 1)

    def __post_init__(self) -> None:
        if self.assets < 1 or self.bars < 1:
            raise ConfigError(
                f"{self.assets} assets and {self.bars} bars make no market", where="market", do="ask for at least one of each"
            )
        if self.frequency not in LENGTHS:
            raise ConfigError(f"unknown frequency {self.frequency!r}", where="market", do=f"use one of {', '.join(LENGTHS)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "float" and not 0 <= value <= 1:
                raise ConfigError(f"{field.name} {value} is out of range", where="market", do="give a number from 0 to 1")


def market(assets: int = 5, bars: int = 500, seed: int = 0, frequency: str = "1d", **traits: Unpack[Traits]) -> Market:
    """A random market.

    Args:
        assets: how many; they are called A0, A1, ...
        bars: how many instants.
        seed: of the random numbers.
        frequency: see `Recipe`.
        **traits: gaps, halts, listings, delistings, ties, splits, dividends, volatility, start; see `Recipe`.

    Returns:
        Bars and events. Prices lie on cents, low <= open, close <= high, volumes are whole and positive, and every asset has a bar.

    Raises:
        ConfigError: a number is out of its range.

    Example:
        >>> bars, events = market(assets=2, bars=3, seed=7)
        >>> bars.height, events.height
        (6, 0)
    """
    recipe = Recipe(assets, bars, seed, frequency, **traits)
    rng = np.random.default_rng(seed)
    ts = instants(recipe)
    present = _present(recipe, rng)
    actions = _actions(recipe, rng, ts, present)
    columns = _prices(recipe, rng, actions)
    names = _symbols(assets)
    keep = present.ravel()
    frame = pl.DataFrame(
        {
            "ts": pl.Series(np.tile(ts, assets)[keep]).cast(pl.Datetime("us", "UTC")),
            "asset": pl.Series(names)[np.repeat(np.arange(assets), bars)[keep]],
            **{name: column.ravel()[keep] for name, column in columns.items()},
        }
    )
    return Market(frame, _event_frame(actions, columns["close"], ts, names))


def panel(assets: int = 5, bars: int = 500, seed: int = 0, frequency: str = "1d", **traits: Unpack[Traits]) -> Panel:
    """The same market behind the door.

    Args:
        assets: how many.
        bars: how many instants.
        seed: of the random numbers.
        frequency: see `Recipe`.
        **traits: see `Recipe`.

    Example:
        >>> panel(assets=3, bars=100, gaps=0.1).dense
        False
    """
    made = market(assets, bars, seed, frequency, **traits)
    return load(made.bars, stamp="close", events=made.events)


def instants(recipe: Recipe) -> Ints:
    """(bars,) UTC microseconds at which bars are complete.

    Example:
        >>> instants(Recipe(bars=3, start=date(2020, 1, 3))).astype("datetime64[us]").astype("datetime64[D]").astype(str).tolist()
        ['2020-01-03', '2020-01-06', '2020-01-07']
    """
    start = recipe.start
    if recipe.frequency == "1d":
        first = np.datetime64(start.date() if isinstance(start, datetime) else start, "D")
        days = np.busday_offset(first, np.arange(recipe.bars), roll="forward")
        return days.astype("datetime64[us]").astype(np.int64) + 21 * 3_600_000_000
    if not isinstance(start, datetime):
        start = datetime(start.year, start.month, start.day, tzinfo=UTC)
    begin = round((start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    ends: Ints = begin + (np.arange(recipe.bars, dtype=np.int64) + 1) * LENGTHS[recipe.frequency] * 1_000_000
    return ends


@dataclass(frozen=True)
class _Actions:
    """Splits and dividends as arrays: asset, bar, and the ratio of a split (0 / 1 for a dividend)."""

    asset: Ints
    bar: Ints
    up: Ints
    down: Ints

    @property
    def split(self) -> Mask:
        return self.up > 0


def _present(recipe: Recipe, rng: np.random.Generator) -> Mask:
    """(assets, bars): where a bar exists. Every asset keeps the first bar of its life."""
    assets, bars = recipe.assets, recipe.bars
    at = np.arange(bars)
    first = np.where(rng.random(assets) < recipe.listings, rng.integers(1, max(2, bars // 2 + 1), assets), 0).clip(max=bars - 1)
    last = np.where(rng.random(assets) < recipe.delistings, bars - 1 - rng.integers(1, max(2, bars // 2), assets), bars - 1)
    last = np.maximum(last, first)
    halted = rng.random(assets) < recipe.halts
    begin = first + 1 + (rng.random(assets) * np.maximum(last - first, 1)).astype(np.int64)
    length = rng.integers(1, max(2, bars // 10 + 1), assets)
    alive = (at >= first[:, None]) & (at <= last[:, None])
    halt = halted[:, None] & (at >= begin[:, None]) & (at < (begin + length)[:, None])
    present: Mask = alive & ~halt & (rng.random((assets, bars)) >= recipe.gaps)
    present[np.arange(assets), first] = True
    return present


def _actions(recipe: Recipe, rng: np.random.Generator, ts: Ints, present: Mask) -> _Actions:
    """Where splits and dividends happen: at the first bar of a session, after the asset's first bar and not after its last."""
    sessions = (ts - 1) // DAY
    opens = np.flatnonzero(np.diff(sessions, prepend=sessions[0] - 1) > 0)
    rows: list[tuple[int, int, int, int]] = []
    splits, payers = rng.random(recipe.assets) < recipe.splits, rng.random(recipe.assets) < recipe.dividends
    spots, kinds, phases = rng.random(recipe.assets), rng.integers(0, len(RATIOS), recipe.assets), rng.integers(0, QUARTER, recipe.assets)
    for asset in np.flatnonzero(splits | payers).tolist():
        alive = np.flatnonzero(present[asset])
        inside = opens[(opens > alive[0]) & (opens <= alive[-1])]
        if splits[asset] and len(inside):
            rows.append((asset, int(inside[int(spots[asset] * len(inside))]), *RATIOS[kinds[asset]]))
        if payers[asset] and len(inside):
            phase = int(phases[asset]) % min(QUARTER, len(inside))
            rows += [(asset, int(bar), 0, 1) for bar in inside[phase::QUARTER]]
    table = np.array(sorted(rows, key=lambda row: (row[0], row[1], row[2] == 0)), dtype=np.int64).reshape(-1, 4)
    return _Actions(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def _prices(recipe: Recipe, rng: np.random.Generator, actions: _Actions) -> dict[str, Floats]:
    """(assets, bars) columns. Each price is a whole number of cents."""
    shape = (recipe.assets, recipe.bars)
    still = rng.random(shape) < recipe.ties
    still[:, 0] = False
    still[actions.asset, actions.bar] = False
    steps = np.where(still, 0.0, rng.normal(0.0, recipe.volatility, shape))
    drop, growth = np.zeros(shape), np.zeros(shape)
    split = actions.split
    np.add.at(drop, (actions.asset[split], actions.bar[split]), np.log(actions.down[split] / actions.up[split]))
    np.add.at(growth, (actions.asset[split], actions.bar[split]), -np.log(actions.down[split] / actions.up[split]))
    np.add.at(drop, (actions.asset[~split], actions.bar[~split]), np.log(1 - YIELD))
    level = np.log(rng.uniform(2_000, 20_000, recipe.assets))[:, None]
    close = _cents(level + np.cumsum(steps + drop, axis=1))
    before = np.concatenate([_cents(level), close[:, :-1]], axis=1)
    jump = np.where(still, 0.0, rng.normal(0.0, recipe.volatility / 4, shape))
    opened = np.where(still, before, _cents(np.log(before) + drop + jump))
    reach = np.where(still, 0.0, recipe.volatility / 2)
    high = np.maximum(opened, close) + np.floor(np.abs(rng.normal(0.0, 1.0, shape)) * reach * close)
    low = np.minimum(opened, close) - np.floor(np.abs(rng.normal(0.0, 1.0, shape)) * reach * close)
    volume = np.rint(np.exp(rng.normal(12.0, 0.5, shape) + np.cumsum(growth, axis=1))).clip(1)
    return {"open": opened / 100, "high": high / 100, "low": low.clip(1) / 100, "close": close / 100, "volume": volume}


def _cents(logs: Floats) -> Floats:
    whole: Floats = np.rint(np.exp(logs)).clip(1, 1e12)
    return whole


def _event_frame(actions: _Actions, close: Floats, ts: Ints, names: list[str]) -> pl.DataFrame:
    """Events with what they pay: a dividend is the yield on the close before it, to a hundredth of a cent."""
    ratio = np.where(actions.split, actions.up / actions.down, 0.0)
    paid = np.maximum(np.rint(close[actions.asset, np.maximum(actions.bar - 1, 0)] * YIELD * 10_000), 1) / 10_000
    return pl.DataFrame(
        {
            "asset": pl.Series([names[i] for i in actions.asset], dtype=pl.String),
            "ts": pl.Series((ts[actions.bar] - 1) // DAY).cast(pl.Int32).cast(pl.Date),
            "kind": pl.Series(np.where(actions.split, "split", "dividend").tolist(), dtype=pl.String),
            "value": pl.Series(np.where(actions.split, ratio, paid), dtype=pl.Float64),
        }
    )


def _symbols(assets: int) -> list[str]:
    """A0 .. A9, or A00 .. A99: byte order is numeric order."""
    width = len(str(assets - 1))
    return [f"A{i:0{width}d}" for i in range(assets)]
