"""Small markets that make leaks show: intraday sessions, a late listing, a delisting, a suspension, long null runs and many ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model import Asset

HOUR = 3_600_000_000
FIELDS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Market:
    """A signal frame sorted by (asset, ts) with its assets."""

    frame: pl.DataFrame
    assets: tuple[Asset, ...]


@dataclass(frozen=True)
class Shape:
    """How big and how ragged: share of bars missing at random, share of nulls in ``vendor``."""

    assets: int = 4
    days: int = 12
    hours: int = 5
    missing: float = 0.0
    nulls: float = 0.1


def market(seed: int = 0, shape: Shape | None = None) -> Market:
    """A random market: bars, ``vendor`` (with nulls), ``n`` (small whole numbers), ``sector`` and ``label`` (text), ``flag``."""
    shape = shape or Shape()
    rng = np.random.default_rng(seed)
    bars, names = shape.days * shape.hours, [f"A{at}" for at in range(shape.assets)]
    size = (shape.assets, bars)
    close = 1000 + np.cumsum(rng.integers(-4, 5, size), axis=1)
    opened = close + rng.integers(-3, 4, size)
    ticks = {
        "open": opened,
        "high": np.maximum(close, opened) + rng.integers(0, 4, size),
        "low": np.minimum(close, opened) - rng.integers(0, 4, size),
        "close": close,
        "volume": rng.integers(1, 40, size) * 100,
    }
    day, hour = np.divmod(np.arange(bars), shape.hours)
    ts = day * 24 * HOUR + (14 + hour) * HOUR
    columns: dict[str, pl.Series] = {
        "ts": pl.Series(np.tile(ts, shape.assets)).cast(pl.Datetime("us", "UTC")),
        "asset": pl.Series(np.repeat(names, bars)).cast(pl.Enum(names)),
        "session": pl.Series(np.tile(day, shape.assets).astype(np.int32)).cast(pl.Date),
    }
    for field in FIELDS:
        scale = 1.0 if field == "volume" else 100.0
        whole = pl.Series(ticks[field].ravel().astype(np.int64))
        columns |= {field: whole / scale, f"adj_{field}": whole / scale, f"ticks_{field}": whole, f"ticks_adj_{field}": whole}
    columns |= _extra(rng, size, shape)
    frame = pl.DataFrame(columns).filter(pl.Series(_listed(rng, size, shape)))
    return Market(frame, tuple(Asset.of(name, tick_size="0.01") for name in names))


def _extra(rng: np.random.Generator, size: tuple[int, int], shape: Shape) -> dict[str, pl.Series]:
    """Columns of a vendor: nulls at random and in one run of a third of the bars per asset, and text."""
    count = size[0] * size[1]
    vendor = np.round(rng.normal(size=count), 1)
    gone = rng.random(count) < shape.nulls
    long = size[1] // 3
    for at in range(size[0]):
        start = at * size[1] + int(rng.integers(1, size[1] - long))
        gone[start : start + long] = True
    text = np.array(["up", "down", "flat"])[rng.integers(0, 3, count)]
    return {
        "vendor": pl.Series(vendor).set(pl.Series(gone), None),
        "n": pl.Series(rng.integers(1, 4, count)),
        "sector": pl.Series(np.array(["tech", "bank"])[np.repeat(np.arange(size[0]) % 2, size[1])]),
        "label": pl.Series(text).set(pl.Series(rng.random(count) < shape.nulls), None),
        "flag": pl.Series(rng.random(count) < 0.5),
    }


def _listed(rng: np.random.Generator, size: tuple[int, int], shape: Shape) -> npt.NDArray[np.bool_]:
    """Which bars exist: asset 1 is listed late, 2 delisted early, 3 suspended for a quarter of the time, 4 trades rarely."""
    here = rng.random(size) >= shape.missing
    if size[0] > 3:
        here[1, : size[1] // 5] = False
        here[2, -size[1] // 5 :] = False
        start = size[1] // 3
        here[3, start : start + size[1] // 4] = False
    if size[0] > 4:
        here[4] &= rng.random(size[1]) < 0.25
    return here.ravel()
