"""How a metric depends on the parameters: curves, surfaces, and whether the best stands on a plateau or on a needle.

Everything here takes a plain frame with one row per variant (parameters and metrics), such as `Sweep.frame`; nulls and NaN in the metric
are left out. Numeric parameters are neighbours by the order of the values that were tried, so a logarithmic grid is
as good as a linear one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from rustybt.errors import ConfigError
from rustybt.model.arguments import flag, kind

FEWEST = 3
"""Neighbours of a plateau's middle, itself included, below which nothing can be said."""
MOST_DIAGONAL = 5
"""Parameters beyond which a neighbour differs in one of them only: three to their number would be too many directions."""


@dataclass(frozen=True)
class Pick:
    """Two ways to choose a variant.

    Attributes:
        peak: the row with the best metric.
        plateau: the row whose neighbourhood is best: the highest median of the metric over itself and its neighbours.
        stability: how alike neighbours are over the whole frame; see `stability`.
        surroundings: the frame with ``neighbours`` (UInt32, how many) and ``neighbourhood`` (Float64, the median) of each row.
    """

    peak: dict[str, object]
    plateau: dict[str, object]
    stability: float | None
    surroundings: pl.DataFrame


def curve(frame: pl.DataFrame, parameter: str, metric: str = "sharpe") -> pl.DataFrame:
    """A metric along one parameter, over all values of the others.

    Returns:
        By value of the parameter: the parameter, variants (UInt32), low, q25, median, q75, high (Float64).

    Raises:
        ConfigError: no such column, or nothing was measured.

    Example:
        >>> frame = pl.DataFrame({"fast": [5, 5, 10, 10], "slow": [20, 40, 20, 40], "sharpe": [0.1, 0.3, 0.2, 0.6]})
        >>> curve(frame, "fast").select("fast", "variants", "median").rows()
        [(5, 2, 0.2), (10, 2, 0.4)]
    """
    known = _measured(frame, (parameter,), metric)
    value = pl.col(metric)
    return (
        known.group_by(parameter)
        .agg(
            pl.len().cast(pl.UInt32).alias("variants"),
            value.min().alias("low"),
            value.quantile(0.25, "linear").alias("q25"),
            value.median().alias("median"),
            value.quantile(0.75, "linear").alias("q75"),
            value.max().alias("high"),
        )
        .sort(parameter)
    )


def surface(frame: pl.DataFrame, x: str, y: str, metric: str = "sharpe") -> pl.DataFrame:
    """A metric over two parameters, the median over the others.

    Returns:
        One row per value of ``y``, one column per value of ``x`` (named by it), null where nothing was measured.

    Raises:
        ConfigError: no such column, twice the same parameter, or nothing was measured.

    Example:
        >>> frame = pl.DataFrame({"fast": [5, 5, 10], "slow": [20, 40, 40], "sharpe": [0.1, 0.3, 0.6]})
        >>> surface(frame, "fast", "slow").rows()
        [(20, 0.1, None), (40, 0.3, 0.6)]
    """
    known = _measured(frame, (x, y), metric)
    if x == y:
        raise ConfigError(f"both sides are {x!r}", where="surface", do="name two parameters")
    known = known.sort(x)
    return known.pivot(on=x, index=y, values=metric, aggregate_function="median").sort(y)


def stability(frame: pl.DataFrame, parameters: Sequence[str], metric: str = "sharpe") -> float | None:
    """How alike neighbours are: 1 when a step changes nothing, 0 when neighbours differ like any two variants, below 0 when more.

    One less the mean absolute difference of the metric between neighbours over that between any two variants. Multiplying the metric or
    adding to it changes nothing, nor does stretching a parameter's scale. Source: the idea of Geary's contiguity ratio (The Incorporated
    Statistician 5(3), 1954) with absolute differences, so that one wild variant weighs less.

    Returns:
        None where no two variants are neighbours or all are equal.

    Raises:
        ConfigError: no such column, or nothing was measured.

    Example:
        >>> frame = pl.DataFrame({"n": [1, 2, 3, 4, 5], "sharpe": [0.1, 0.2, 0.3, 0.4, 0.5]})
        >>> stability(frame, ["n"])
        0.5
    """
    known = _measured(frame, parameters, metric)
    pairs = _neighbours(known, parameters)
    values = known[metric].to_numpy()
    overall = _mean_difference(values)
    if not len(pairs) or overall == 0.0:
        return None
    return round(float(1.0 - np.abs(values[pairs[:, 0]] - values[pairs[:, 1]]).mean() / overall), 12)


def pick(frame: pl.DataFrame, parameters: Sequence[str], metric: str = "sharpe", *, largest: bool = True) -> Pick:
    """The peak and the middle of the best plateau.

    Neighbours differ by one step in one or more parameters (the diagonal ones too, for up to five parameters). Rows with fewer than three
    of them, themselves included, cannot be the plateau; equal neighbourhoods are decided by more neighbours, then the better metric, then
    the first row.

    Args:
        frame: one row per variant.
        parameters: names of the columns that were varied.
        metric: what to judge by.
        largest: whether more is better.

    Raises:
        ConfigError: no such column, nothing was measured, or no variant has neighbours.

    Example:
        >>> frame = pl.DataFrame({"n": [1, 2, 3, 4, 5, 6], "sharpe": [0.0, 2.0, 0.1, 0.9, 1.0, 0.9]})
        >>> found = pick(frame, ["n"])
        >>> found.peak["n"], found.plateau["n"]
        (2, 5)
    """
    flag(largest, "pick, largest")
    known = _measured(frame, parameters, metric)
    values = known[metric].to_numpy() * (1.0 if largest else -1.0)
    pairs = _neighbours(known, parameters, diagonal=True)
    at = np.concatenate([pairs, pairs[:, ::-1], np.repeat(np.arange(len(values)), 2).reshape(-1, 2)])
    around = (
        pl.DataFrame({"row": at[:, 0], "value": values[at[:, 1]]})
        .group_by("row")
        .agg(pl.len().cast(pl.UInt32).alias("neighbours"), pl.col("value").median().alias("neighbourhood"))
        .sort("row")
    )
    if around["neighbours"].max() < FEWEST:  # type: ignore[operator]
        raise ConfigError(
            "no variant has two neighbours", where=f"pick, {', '.join(parameters)}", do="try at least three values of a parameter"
        )
    shown = known.with_columns(around["neighbours"], around["neighbourhood"] * (1.0 if largest else -1.0))
    order = around.with_columns(pl.Series("own", values)).filter(pl.col("neighbours") >= FEWEST)
    middle = order.sort("neighbourhood", "neighbours", "own", "row", descending=[True, True, True, False])["row"][0]
    return Pick(shown.row(int(values.argmax()), named=True), shown.row(middle, named=True), stability(frame, parameters, metric), shown)


def _measured(frame: pl.DataFrame, parameters: Sequence[str], metric: str) -> pl.DataFrame:
    """The rows with a metric, which becomes Float64."""
    kind(frame, pl.DataFrame, "sensitivity, frame", "give the rows of a sweep, such as Sweep.frame", what=f"{frame!r} is no frame")
    if isinstance(parameters, str) or not isinstance(parameters, Sequence):
        do = 'give a list such as ["fast", "slow"]'
        raise ConfigError(f"{parameters!r} is no list of parameters", where="sensitivity, parameters", do=do)
    if not parameters:
        raise ConfigError("no parameters are named", where="sensitivity", do="name the columns that were varied")
    missing = [name for name in (*parameters, metric) if not isinstance(name, str) or name not in frame.columns]
    if missing:
        raise ConfigError(f"there is no column {missing[0]!r}", where="sensitivity", do=f"use one of {', '.join(frame.columns)}")
    if not (frame[metric].dtype.is_numeric() or frame[metric].dtype == pl.Null):
        raise ConfigError(f"{metric!r} holds {frame[metric].dtype}, not numbers", where="sensitivity", do="name a metric")
    known = frame.with_columns(pl.col(metric).cast(pl.Float64)).filter(pl.col(metric).is_finite())
    if not known.height:
        raise ConfigError(f"no variant has a {metric!r}", where="sensitivity", do="look at the column 'error' of the sweep")
    return known


def _neighbours(
    frame: pl.DataFrame, parameters: Sequence[str], *, diagonal: bool = False
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """(pairs, 2) rows that lie one step apart, each pair once. Parameters that are no numbers have to be equal."""
    ranks = frame.select(
        (pl.col(name).rank("dense") if frame[name].dtype.is_numeric() else pl.col(name).cast(pl.String).rank("dense") * 2)
        .cast(pl.Int64)
        .alias(name)
        for name in parameters
    )
    rows = ranks.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    found = []
    count = len(parameters)
    if diagonal and count <= MOST_DIAGONAL:
        steps = [step for step in product((-1, 0, 1), repeat=count) if step > (0,) * count]
    else:
        steps = [tuple(int(i == j) for j in range(count)) for i in range(count)]
    for step in steps:
        shifted = rows.with_columns(pl.col(name) + by for name, by in zip(parameters, step, strict=True))
        found.append(shifted.join(rows, on=list(parameters), how="inner").select("row", "row_right").to_numpy())
    pairs = np.concatenate(found).astype(np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _mean_difference(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Mean absolute difference between any two (Gini's)."""
    n = len(values)
    if n < 2:
        return 0.0
    ordered = np.sort(values)
    return float(2.0 * ((2 * np.arange(1, n + 1) - n - 1) @ ordered) / (n * (n - 1)))
