"""Signal frames for the planner's tests: dense or ragged, with ties, nulls and NaN in an extra column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model import Asset

DAY = 86_400_000_000


@dataclass(frozen=True)
class Shape:
    """What a made frame looks like: share of rows that are missing, share of nulls in ``factor``, tick sizes by asset in turn."""

    missing: float = 0.0
    nulls: float = 0.0
    ticks: tuple[str, ...] = ("0.01",)


@dataclass(frozen=True)
class Made:
    """A frame with its assets."""

    frame: pl.DataFrame
    assets: tuple[Asset, ...]

    @property
    def whole_bars(self) -> npt.NDArray[np.bool_]:
        """A schedule: every third instant."""
        bar = self.frame["ts"].dt.epoch("d").to_numpy()
        held: npt.NDArray[np.bool_] = bar % 3 == 1
        return held


def made(assets: int, bars: int, seed: int = 0, shape: Shape | None = None) -> Made:
    """A random frame: walks of few ticks, so that ties happen; prices are the nearest doubles of the ticks."""
    shape = shape or Shape()
    rng = np.random.default_rng(seed)
    names = [f"A{i:02d}" for i in range(assets)]
    held = tuple(Asset.of(name, tick_size=shape.ticks[i % len(shape.ticks)]) for i, name in enumerate(names))
    walk = 500 + np.cumsum(rng.integers(-3, 4, (assets, bars)), axis=1)
    ticks: dict[str, Any] = {"close": walk, "open": walk + rng.integers(-2, 3, walk.shape)}
    ticks["high"] = np.maximum(ticks["close"], ticks["open"]) + rng.integers(0, 3, walk.shape)
    ticks["low"] = np.minimum(ticks["close"], ticks["open"]) - rng.integers(0, 3, walk.shape)
    ticks["volume"] = rng.integers(0, 50, walk.shape) * 100
    factor = np.round(rng.normal(size=walk.shape), 1)
    columns = {
        "ts": pl.Series(np.tile(np.arange(bars) * DAY + 21 * 3_600_000_000, assets)).cast(pl.Datetime("us", "UTC")),
        "asset": pl.Series(np.repeat(np.arange(assets, dtype=np.uint32), bars)).replace_strict(
            list(range(assets)), names, return_dtype=pl.Enum(names)
        ),
        "factor": pl.Series(factor.ravel()),
        "sector": pl.Series(np.repeat(np.arange(assets) % 2, bars)),
    }
    for name, values in ticks.items():
        scale = [float(1 / a.tick_size) if name != "volume" else 1.0 for a in held]
        columns[f"ticks_{name}"] = pl.Series(values.ravel().astype(np.int64))
        columns[name] = pl.Series((values / np.array(scale)[:, None]).ravel())
    frame = pl.DataFrame(columns)
    if shape.nulls:
        odd = rng.random(frame.height)
        gone, nan = pl.Series(odd < shape.nulls), pl.Series(odd > 1 - shape.nulls / 3)
        frame = frame.with_columns(factor=pl.when(gone).then(None).when(nan).then(float("nan")).otherwise("factor"))
    if shape.missing:
        frame = frame.filter(pl.Series(rng.random(frame.height) >= shape.missing))
    return Made(frame, held)
