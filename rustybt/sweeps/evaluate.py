"""Variants of one strategy on one panel, evaluated together: the one way in for a sweep, a search or a walk-forward."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from rustybt.engine import RunConfig, configure
from rustybt.model import Panel
from rustybt.model.panel import Ints
from rustybt.spec import StrategyFunction
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.measure import columns, measure_variant
from rustybt.sweeps.registry import Trial

PIECE = 4
"""Variants that a thread of `evaluate` takes at a time."""


@dataclass(frozen=True)
class Rows:
    """Evaluated variants.

    Attributes:
        frame: one row per variant, in order; the columns of `rustybt.sweeps.measure.columns`.
        trials: what the registry counts, one per variant that ran.
        curves: (variants, bars) Int64 equity in money units, 0 where a variant failed; None unless asked for.
    """

    frame: pl.DataFrame
    trials: tuple[Trial, ...] = ()
    curves: Ints | None = None


def evaluate(
    strategy: StrategyFunction,
    panel: Panel,
    variants: Iterable[Mapping[str, Any]],
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> pl.DataFrame:
    """Run variants of a strategy on a panel.

    Args:
        strategy: a ``@strategy`` function.
        panel: bars.
        variants: parameter values of each variant; what is left out keeps its default.
        threads: workers; None = one per core.
        progress: called with (done, total) for each variant.
        **settings: of the run: ``cash``, ``costs``, ``fill`` ... as in `rustybt.run`.

    Returns:
        One row per variant in the order given: the parameters, final_equity (Decimal), total_return, cagr, volatility, sharpe,
        max_drawdown, skew, kurtosis, periods_per_year (Float64), returns (number of session returns), orders, fills (Int64), error (text,
        null when it ran).

    Raises:
        ConfigError: no variants, or a setting that is wrong. A variant that fails is a row with its error.

    Example:
        >>> import rustybt as rbt
        >>> @rbt.strategy
        ... def share(weight: float = 0.1) -> rbt.Strategy:
        ...     return rbt.Strategy(target=rbt.weight(weight))
        >>> evaluate(share, rbt.load("demo"), [{"weight": 0.1}, {"weight": 0.19}])["fills"].to_list()
        [5, 5]
    """
    given, config, found = Assignments.of_rows(variants), configure(**settings), []
    pieces = [range(first, min(first + PIECE, given.count)) for first in range(0, given.count, PIECE)]
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for piece, rows in zip(pieces, pool.map(lambda at: evaluate_all(strategy, panel, config, given.taken(at)), pieces), strict=True):
            found.append(rows.frame)
            for at in piece if progress is not None else ():
                progress(at + 1, given.count)
    return pl.concat([given.frame(), pl.concat(found)], how="horizontal")


def evaluate_all(strategy: StrategyFunction, panel: Panel, config: RunConfig, variants: Assignments, *, curves: bool = False) -> Rows:
    """The same with everything checked already."""
    found = [measure_variant(strategy, variants[at], panel, config, curve=curves) for at in range(variants.count)]
    frame = pl.DataFrame([measured.row for measured in found], schema=columns(config.money_scale))
    kept = None
    if curves:
        kept = np.zeros((variants.count, panel.bars), dtype=np.int64)
        for at, measured in enumerate(found):
            if measured.curve is not None:
                kept[at] = measured.curve
    return Rows(frame, tuple(measured.trial for measured in found if measured.trial is not None), kept)
