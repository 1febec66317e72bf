"""Variants of one strategy on one panel, evaluated together: the one way in for a sweep, a search or a walk-forward."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.engine import RunConfig, configure
from rustybt.engine.begin import begun
from rustybt.errors import ConfigError, RustyBTError
from rustybt.ledger.money import decimal_column
from rustybt.model import Panel
from rustybt.model.arguments import kind, whole
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
from rustybt.sweeps.progress import showing
from rustybt.sweeps.registry import Trial, trial_under, written
from rustybt.sweeps.sketch import Sketch, Sketcher, quietly

ROOM = 2**28
"""Bytes for features where no budget is given."""
MEASURED = (*METRICS, *FOR_JUDGING)


@dataclass(frozen=True)
class Numbers:
    """What was found of variants that were evaluated together, in their order.

    Attributes:
        measured: (metrics, variants) Float64 in the order of `MEASURED`, NaN where there is none.
        counted: (3, variants) equity after the last bar in money units, orders, fills.
        points: returns of a curve.
        money_scale: digits of the money.
    """

    measured: npt.NDArray[np.float64]
    counted: Ints
    points: int
    money_scale: int

    def of(self, order: Ints) -> Numbers:
        """These in another order."""
        return replace(self, measured=self.measured[:, order], counted=self.counted[:, order])

    @property
    def sharpes(self) -> list[float | None]:
        """Of each its Sharpe ratio."""
        return [None if sharpe != sharpe else sharpe for sharpe in self.measured[MEASURED.index("sharpe")].tolist()]

    def frame(self) -> pl.DataFrame:
        """A row for each."""
        schema, count = columns(self.money_scale), self.counted.shape[1]
        if not count:
            return pl.DataFrame(schema=schema)
        final, orders, fills = self.counted
        held: dict[str, pl.Series] = {"final_equity": decimal_column("final_equity", final, self.money_scale)}
        held |= {name: pl.Series(name, values, nan_to_null=True) for name, values in zip(MEASURED, self.measured, strict=True)}
        held["returns"] = pl.Series("returns", [self.points], dtype=pl.Int64).new_from_index(0, count)
        held |= {"orders": pl.Series("orders", orders), "fills": pl.Series("fills", fills)}
        held["error"] = pl.Series("error", [None], dtype=pl.String).new_from_index(0, count)
        return pl.DataFrame([held[name] for name in schema])


@dataclass(frozen=True)
class Rows:
    """Evaluated variants.

    Attributes:
        found: one row per variant, in order; the columns of `rustybt.sweeps.measure.columns`. Or the numbers of which it is made: for many
            chunks at once that is cheaper.
        trials: what the registry counts, one per variant that ran.
        curves: (variants, bars) Int64 equity in money units, 0 where a variant failed; None unless asked for.
    """

    found: pl.DataFrame | Numbers
    trials: tuple[Trial, ...] = ()
    curves: Ints | None = None

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows."""
        return self.found if isinstance(self.found, pl.DataFrame) else self.found.frame()

    @property
    def count(self) -> int:
        """Number of variants."""
        return self.found.height if isinstance(self.found, pl.DataFrame) else self.found.counted.shape[1]


def frame_of(parts: Sequence[Rows]) -> pl.DataFrame:
    """The rows of chunks that follow each other, in one piece."""
    numbers = [rows.found for rows in parts if isinstance(rows.found, Numbers) and "frame" not in vars(rows)]
    if len(numbers) < len(parts):
        return pl.concat([rows.frame for rows in parts], rechunk=True)
    begun = list[list[Numbers]]()
    for one in numbers:  # of one dataset
        if begun and begun[-1][0].points == one.points:
            begun[-1].append(one)
        else:
            begun.append([one])
    joined = (
        replace(same[0], measured=np.hstack([one.measured for one in same]), counted=np.hstack([one.counted for one in same]))
        for same in begun
    )
    return pl.concat([one.frame() for one in joined], rechunk=True)


def evaluate(
    strategy: StrategyFunction,
    panel: Panel,
    variants: Iterable[Mapping[str, Any]],
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
    **settings: Any,
) -> pl.DataFrame:
    """Run variants of a strategy on a panel.

    Args:
        strategy: a ``@strategy`` function.
        panel: bars.
        variants: parameter values of each variant; what is left out keeps its default.
        threads: workers; None = one per core.
        progress: called with (done, total) for each variant; True shows a bar.
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
    do = "decorate it with @rustybt.strategy"
    kind(strategy, StrategyFunction, "evaluate, strategy", do, what=f"{strategy!r} is not a @strategy function")
    kind(panel, Panel, "evaluate, panel", "give a Panel, such as rustybt.load gives", what=f"{panel!r} is no panel")
    workers = os.cpu_count() or 1
    if threads is not None:
        workers = whole(threads, "evaluate, threads", "give 1 or more, or None for one per core", most=10_000, what=f"{threads!r} threads")
    given, evaluator, found = Assignments.of_rows(variants), evaluator_of(panel, configure(**settings)), []
    size = chunk_size(given.count, workers, [panel])
    pieces = [range(first, min(first + size, given.count)) for first in range(0, given.count, size)]
    with showing(progress, "evaluate") as tell, ThreadPoolExecutor(workers) as pool:
        rows = pool.map(lambda at: evaluator.rows(strategy, given.taken(at), counting=False), pieces)
        for piece, part in zip(pieces, rows, strict=True):
            found.append(part.frame)
            for at in piece:
                if tell is not None:
                    tell(at + 1, given.count)
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
            learner = self.learners.setdefault(strategy, Learner(Sketcher(strategy, moves=self.batches.moves)))
            filled, left = learner.fill(variants)
            for form in filled:
                left += self._filled(form, found, curves)
            with quietly(strategy):
                read = [learner.sketcher.read(at, variants[at]) for at in left]
            sketches = {sketch.at: sketch for sketch in read if sketch is not None}
            self._evaluated(list(sketches.values()), found, curves)
        made = self._numbers(found)
        trials = self._trials(strategy, variants, found, made, (sketches, filled)) if counting else []
        ran = set(found.at)
        alone = [at for at in range(variants.count) if at not in ran]
        order = np.argsort(np.array([*found.at, *alone], dtype=np.int64), kind="stable")
        if not alone:
            return Rows(made.of(order), tuple(trials), self._curves(found, [])[order] if curves else None)
        measured = [measure_variant(strategy, variants[at], self.given, self.config, curve=curves) for at in alone]
        trials += [one.trial for one in measured if one.trial is not None]
        frame = made.frame().vstack(pl.DataFrame([one.row for one in measured], schema=columns(self.config.money_scale)))
        return Rows(frame[order], tuple(trials), self._curves(found, measured)[order] if curves else None)

    def _filled(self, form: Filled, found: Found, curves: bool) -> list[int]:
        """Evaluate variants of a form.

        Returns:
            Those that are left: all where one of them raises what nobody foresaw, which is to be in its row and in no other.
        """
        try:
            left: list[int] = self.batches.fill(form, found, curves=curves).tolist()
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001 - see above
            ran = set(found.at)
            left = [at for at in form.at.tolist() if at not in ran]
        return left

    def _evaluated(self, sketches: Sequence[Sketch], found: Found, curves: bool) -> None:
        """Evaluate what can be evaluated together; as above, those that fail together are halved until each is alone."""
        try:
            self.batches.evaluate(sketches, found, curves=curves)
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001 - see above
            ran = set(found.at)
            rest = [sketch for sketch in sketches if sketch.at not in ran]
            if len(rest) > 1:
                for half in (rest[: len(rest) // 2], rest[len(rest) // 2 :]):
                    self._evaluated(half, found, curves)

    def _numbers(self, found: Found) -> Numbers:
        """What was evaluated together, in the order in which it was found."""
        points, parts = len(self.batches.last), (found.final, found.orders, found.fills)
        if not found.at:
            return Numbers(np.zeros((len(MEASURED), 0)), np.zeros((3, 0), dtype=np.int64), points, self.config.money_scale)
        numbers = metrics_of(np.concatenate(found.reduced), points, self.batches.periods)
        measured = np.stack([numbers[name] for name in MEASURED])
        measured[~np.isfinite(measured)] = np.nan
        return Numbers(measured, np.stack([np.concatenate(part) for part in parts]), points, self.config.money_scale)

    def _trials(
        self,
        strategy: StrategyFunction,
        variants: Assignments,
        found: Found,
        made: Numbers,
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
            for at, sharpe in zip(found.at, made.sharpes, strict=True)
        ]

    def _curves(self, found: Found, measured: list[Measured]) -> Ints:
        blank = np.zeros((0, self.panel.bars), dtype=np.int64)
        alone = [blank[:1] if one.curve is None else one.curve[None, :] for one in measured]
        alone = [np.zeros((1, self.panel.bars), dtype=np.int64) if not len(curve) else curve for curve in alone]
        return np.concatenate([blank, *found.curves, *alone])
