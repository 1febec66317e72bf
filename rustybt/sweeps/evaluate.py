"""Variants of one strategy on one panel, evaluated together: the one way in for a sweep, a search or a walk-forward."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from rustybt.engine import RunConfig, configure
from rustybt.engine.begin import begun
from rustybt.errors import RustyBTError
from rustybt.ledger.money import decimal_column
from rustybt.model import Panel
from rustybt.model.panel import Ints
from rustybt.spec import StrategyFunction
from rustybt.spec.strategy import stamped
from rustybt.sweeps.batch import Batches, Found
from rustybt.sweeps.forms import Filled
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.learn import Learner
from rustybt.sweeps.measure import FOR_JUDGING, METRICS, Measured, columns, measure_variant
from rustybt.sweeps.moments import metrics_of
from rustybt.sweeps.options import chunk_size
from rustybt.sweeps.registry import Trial, trial_under, written
from rustybt.sweeps.sketch import Sketch, Sketcher, quietly

ROOM = 2**28
"""Bytes for features where no budget is given."""


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
    given, evaluator, found = Assignments.of_rows(variants), evaluator_of(panel, configure(**settings)), []
    workers = threads or os.cpu_count() or 1
    size = chunk_size(given.count, workers, [panel])
    pieces = [range(first, min(first + size, given.count)) for first in range(0, given.count, size)]
    with ThreadPoolExecutor(workers) as pool:
        rows = pool.map(lambda at: evaluator.rows(strategy, given.taken(at), counting=False), pieces)
        for piece, part in zip(pieces, rows, strict=True):
            found.append(part.frame)
            for at in piece:
                if progress is not None:
                    progress(at + 1, given.count)
    return pl.concat([given.frame(), pl.concat(found)], how="horizontal")


_recent: deque[Evaluator] = deque(maxlen=2)


def evaluator_of(panel: Panel, config: RunConfig) -> Evaluator:
    """An evaluator, the one before where nothing has changed: a search asks for batch after batch of the same data."""
    settings = written(config)
    for one in _recent:
        if one.given is panel and one.settings == settings and one.config == config:
            return one
    made = Evaluator(panel, config, ROOM)
    _recent.append(made)
    return made


class Evaluator:
    """What evaluations on one panel share: rules, desks, features.

    Args:
        panel: bars.
        config: settings of the runs.
        room: bytes for features.
    """

    def __init__(self, panel: Panel, config: RunConfig, room: int) -> None:
        self.given, self.config = panel, config
        try:
            self.panel, begins = begun(panel, config), True
        except RustyBTError:  # every variant says so
            self.panel, begins = panel, False
        self.batches = Batches(self.panel, config, room)
        self.batches.can &= begins
        self.learners: dict[StrategyFunction, Learner] = {}
        self.settings = written(config)

    def rows(self, strategy: StrategyFunction, variants: Assignments, *, curves: bool = False, counting: bool = True) -> Rows:
        """Evaluate variants.

        Args:
            strategy: their family.
            variants: parameter values.
            curves: whether to keep equity curves.
            counting: whether to name the trials.
        """
        found, sketches, filled = Found(), dict[int, Sketch](), list[Filled]()
        if self.batches.can:
            learner = self.learners.setdefault(strategy, Learner(Sketcher(strategy)))
            filled, left = learner.fill(variants)
            for form in filled:
                left += self.batches.fill(form, found, curves=curves).tolist()
            with quietly(strategy):
                read = [learner.sketcher.read(at, variants[at]) for at in left]
            sketches = {sketch.at: sketch for sketch in read if sketch is not None}
            self.batches.evaluate(list(sketches.values()), found, curves=curves)
        frame = frame_of(found, len(self.batches.last), self.batches.periods, self.config.money_scale)
        trials = self._trials(strategy, variants, found, frame, (sketches, filled)) if counting else []
        alone = sorted(set(range(variants.count)) - set(found.at))
        measured = [measure_variant(strategy, variants[at], self.given, self.config, curve=curves) for at in alone]
        trials += [one.trial for one in measured if one.trial is not None]
        order = np.argsort(np.array([*found.at, *alone]), kind="stable")
        if measured:
            frame = frame.vstack(pl.DataFrame([one.row for one in measured], schema=columns(self.config.money_scale)))
        if measured or not bool((np.diff(order) == 1).all()):
            frame = frame[order]
        return Rows(frame, tuple(trials), self._curves(found, measured)[order] if curves else None)

    def _trials(
        self,
        strategy: StrategyFunction,
        variants: Assignments,
        found: Found,
        frame: pl.DataFrame,
        read: tuple[Mapping[int, Sketch], Sequence[Filled]],
    ) -> list[Trial]:
        """What the registry counts of the variants that were evaluated together."""
        if not found.at:
            return []
        sketches, filled = read
        given, ran = self.learners[strategy].sketcher.table(variants), set(found.at)
        names = {at: stamped(one.strategy, strategy.name, one.params).spec_id for at, one in sketches.items() if at in ran}
        for one in filled:
            assert one.form.names is not None
            own = [at for at in one.at.tolist() if at in ran and at not in names]
            names |= dict(zip(own, one.form.names.of([given[at] for at in own]), strict=True))
        year, family, settings = self.batches.periods**0.5, strategy.name, self.settings
        return [
            Trial(trial_under(f'"{names[at]}"', settings), family, None if sharpe is None else sharpe / year)
            for at, sharpe in zip(found.at, frame["sharpe"].to_list(), strict=True)
        ]

    def _curves(self, found: Found, measured: list[Measured]) -> Ints:
        blank = np.zeros((0, self.panel.bars), dtype=np.int64)
        alone = [blank[:1] if one.curve is None else one.curve[None, :] for one in measured]
        alone = [np.zeros((1, self.panel.bars), dtype=np.int64) if not len(curve) else curve for curve in alone]
        return np.concatenate([blank, *found.curves, *alone])


def frame_of(found: Found, points: int, periods: float, money_scale: int) -> pl.DataFrame:
    """Rows of what was evaluated together, in the order it was found."""
    schema = columns(money_scale)
    if not found.at:
        return pl.DataFrame(schema=schema)
    numbers = metrics_of(np.concatenate(found.reduced), points, periods)
    held: dict[str, pl.Series] = {"final_equity": decimal_column("final_equity", np.concatenate(found.final), money_scale)}
    for name in (*METRICS, *FOR_JUDGING):
        values = np.where(np.isfinite(numbers[name]), numbers[name], np.nan)
        held[name] = pl.Series(name, values, nan_to_null=True)
    count = len(found.at)
    held["returns"] = pl.Series("returns", [points], dtype=pl.Int64).new_from_index(0, count)
    held |= {name: pl.Series(name, np.concatenate(part)) for name, part in (("orders", found.orders), ("fills", found.fills))}
    held["error"] = pl.Series("error", [None], dtype=pl.String).new_from_index(0, count)
    return pl.DataFrame([held[name] for name in schema])
