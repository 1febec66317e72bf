"""Strategies evaluated on a panel: signals in user units, and targets ready to be offered to the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.engine.config import RunConfig
from rustybt.engine.offers import Picked, Targets, altered, are_units, changes, check_weights, quantise, row_columns
from rustybt.engine.tables import Sleeves
from rustybt.errors import SpecError
from rustybt.model import Asset, Clock, Panel, Requests, TargetKind
from rustybt.spec import Strategy
from rustybt.spec import evaluate as evaluation
from rustybt.spec.planner import SignalPlan, plan


@dataclass(frozen=True)
class Signals:
    """One sleeve evaluated.

    Attributes:
        plan: what was run.
        terms: `frame`, or the panel on which it is evaluated once it is asked for.
        targets: the targets in whole units; only changes when there is no schedule.
        decisions: targets before unchanged ones were left out.
    """

    plan: SignalPlan
    terms: pl.DataFrame | Panel
    targets: Targets
    decisions: int

    @cached_property
    def frame(self) -> pl.DataFrame:
        """``row`` (index into the panel's frame), the named signals, ``universe`` and ``target`` on evaluated rows."""
        return terms_of(self.plan, self.terms, None) if isinstance(self.terms, Panel) else self.terms


def warmup_bars(strategy: Strategy, plan: SignalPlan) -> int:
    """Bars before the first decision: what the strategy declares, else what its windows need."""
    return strategy.warmup if strategy.warmup is not None else (plan.lookback or 0)


def decision_bars(strategy: Strategy, plan: SignalPlan, panel: Panel) -> npt.NDArray[np.bool_] | None:
    """Which bars decide, (bars,), or None when every bar does. History counts for warm-up and schedule."""
    if panel.whole is not None:
        among = decision_bars(strategy, plan, panel.whole)
        return None if among is None or (strategy.schedule is None and among[panel.history :].all()) else among[panel.history :]
    warmup = warmup_bars(strategy, plan)
    if strategy.schedule is None:
        if warmup == 0:
            return None
        due = np.ones(panel.bars, dtype=bool)
        due[:warmup] = False
        return due
    due = strategy.schedule.resolve(panel.ts, panel.sessions, panel.next_session, panel.session_close)
    due[:warmup] = False
    return due


def evaluate(strategy: Strategy, panel: Panel, config: RunConfig) -> Signals:
    """Signals and targets of one strategy on a whole panel."""
    made = plan(strategy)
    if is_long(strategy, panel):
        from rustybt.engine.stretched import pick_altered, stretches_on
        from rustybt.kernel.entrance import roller

        found = stretches_on(made, panel, warmup_bars(strategy, made), roller())
        if found is not None:
            picked, seen = pick_altered(*found, panel)
            return Signals(made, panel, offered(strategy, picked, panel, config, distinct=True), seen)
    bars = decision_bars(strategy, made, panel)
    return signals_of(strategy, made, terms_of(made, panel, bars if strategy.schedule is not None else None), panel, config)


def is_long(strategy: Strategy, panel: Panel) -> bool:
    """Whether targets are looked for stretch by stretch: every bar decides, and an asset has so many that this pays."""
    if strategy.schedule is not None or strategy.orders or panel.whole is not None or not counted_alone(strategy, panel):
        return False
    return panel.frame.height >= max(evaluation.MANY, evaluation.STRETCH * len(panel.assets))


def counted_alone(strategy: Strategy, panel: Panel) -> bool:
    """Whether a target may be looked at without those of other assets: weights of several are added up bar by bar."""
    return strategy.target is not None and (strategy.target.kind is not TargetKind.WEIGHT or len(panel.assets) == 1)


def offered(strategy: Strategy, picked: Picked, panel: Panel, config: RunConfig, *, distinct: bool) -> Targets:
    """Targets in whole units that differ from the one before.

    Args:
        strategy: whose they are.
        picked: the targets.
        panel: the bars.
        config: settings of the run.
        distinct: whether each is known to differ from the one before in user units.
    """
    found = in_units(strategy, picked, panel, config)
    check_weights(found, config.most_gross, panel.ts)
    return found if distinct and are_units(picked[0], found.kind, panel.assets) else changes(found)


def signals_of(strategy: Strategy, made: SignalPlan, frame: pl.DataFrame, panel: Panel, config: RunConfig) -> Signals:
    """Targets from the terms on the rows at which a strategy may decide."""
    scheduled = strategy.schedule is not None
    if strategy.target is None:
        empty = np.zeros(0, dtype=np.int64)
        return Signals(made, frame, Targets(TargetKind.QUANTITY, empty.astype(np.int32), empty.astype(np.int32), empty), 0)
    picked = pick_targets(frame, panel, None if scheduled else decision_bars(strategy, made, panel))
    if not scheduled:
        alone = counted_alone(strategy, panel)
        found = offered(strategy, altered(*picked) if alone else picked, panel, config, distinct=alone)
        return Signals(made, frame, found, len(picked[0]))
    found = in_units(strategy, picked, panel, config)
    check_weights(found, config.most_gross, panel.ts)
    return Signals(made, frame, found, len(picked[0]))


def terms_of(made: SignalPlan, panel: Panel, bars: npt.NDArray[np.bool_] | None) -> pl.DataFrame:
    """The terms on the rows of some bars, None = all; what lies before the panel is read and not given back."""
    from rustybt.kernel.entrance import roller

    if panel.whole is None:
        return made.evaluate(panel.frame, panel, None if bars is None else panel.spread(bars), roller())
    wanted = np.zeros(panel.whole.bars, dtype=bool)
    wanted[panel.history :] = True if bars is None else bars
    frame = made.evaluate(panel.whole.frame, panel.whole, panel.whole.spread(wanted), roller())
    place = np.cumsum(panel.whole.row_bar >= panel.history) - 1
    return frame.with_columns(pl.Series("row", place[frame["row"].to_numpy()], dtype=frame.schema["row"]))


def targets_of(strategy: Strategy, frame: pl.DataFrame, panel: Panel, bars: npt.NDArray[np.bool_] | None, config: RunConfig) -> Targets:
    """The non-null targets of evaluated rows as whole units, outside the universe 0."""
    return in_units(strategy, pick_targets(frame, panel, bars), panel, config)


def pick_targets(frame: pl.DataFrame, panel: Panel, bars: npt.NDArray[np.bool_] | None) -> Picked:
    """The non-null targets of evaluated rows at some bars, None = all; outside the universe 0."""
    values = masked_target(frame)
    rows = None if frame.height == panel.frame.height else frame["row"].to_numpy()
    bar = panel.row_bar if rows is None else panel.row_bar[rows]
    column = row_columns(panel, rows)
    keep = None if bars is None else panel.spread(bars) if rows is None else bars[bar]
    if values.null_count():
        known = values.is_not_null().to_numpy()
        keep = known if keep is None else keep & known
    if keep is not None and not keep.all():
        first = int(np.argmax(keep))
        if keep[first:].all():  # a warm-up of one asset: nothing has to be copied
            values, bar, column = values[first:], bar[first:], column[first:]
        else:
            values, bar, column = values.filter(pl.Series(keep)), bar[keep], column[keep]
    return values, bar, column


def in_units(strategy: Strategy, picked: Picked, panel: Panel, config: RunConfig) -> Targets:
    """Targets as whole units.

    Raises:
        SpecError: one is NaN, infinite or too large; naming its bar.
    """
    assert strategy.target is not None
    values, bar, column = picked
    try:
        units = quantise(values, column, strategy.target.kind, panel.assets, config.money_scale)
    except SpecError as error:
        when = np.datetime64(int(panel.ts[bar[error.facts["row"]]]), "us")
        raise SpecError(error.what, where=f"{error.where}, {when}Z", do=error.do) from None
    return Targets(strategy.target.kind, bar, column, units)


def masked_target(frame: pl.DataFrame) -> pl.Series:
    """The ``target`` column with 0 outside the ``universe``, numeric."""
    values = frame["target"]
    if not (values.dtype.is_numeric() or values.dtype.is_decimal()):
        do = "write pl.when(condition).then(1.0).otherwise(0.0)" if values.dtype == pl.Boolean else "give numbers"
        raise SpecError(f"the target is {values.dtype}, not a number", where="term 'target'", do=do)
    if "universe" in frame.columns:
        return frame.select(pl.when(pl.col("universe").fill_null(value=False)).then("target").otherwise(0).alias("target"))["target"]
    return values


def same_assets(sleeves: Sleeves, assets: tuple[Asset, ...]) -> None:
    """Nothing to trade is an error that says so."""
    if not sleeves:
        raise SpecError("there is no strategy", where="run", do="give a Strategy or a mapping of names to strategies")
    if not assets:
        raise SpecError("there are no assets", where="run", do="load data with at least one asset")


def build_requests(sleeves: Sleeves, panel: Panel, signals: Mapping[str, Signals], config: RunConfig) -> Requests:
    """The orders of all sleeves over a whole panel."""
    from rustybt.engine.batches import Stand
    from rustybt.engine.requests import Evaluated, Money, check_auctions, requests_of, rows_of

    check_auctions(sleeves, panel.session_close is not None)
    parts, money = [], Money(panel.assets, config.money_scale)
    for number, (name, strategy) in enumerate(sleeves.items()):
        evaluated = signals[name]
        frame = evaluated.frame
        rows = None if frame.height == panel.frame.height else frame["row"].to_numpy()
        bar = panel.row_bar if rows is None else panel.row_bar[rows]
        due = decision_bars(strategy, evaluated.plan, panel)
        terms = {term: frame[term] for term in evaluated.plan.terms}
        given = Evaluated(terms, Stand(bar, row_columns(panel, rows), number * len(panel.assets)), panel.ts)
        keep = None if due is None else panel.spread(due) if rows is None else due[bar]
        parts += rows_of(strategy, given, keep, money)
    return requests_of(parts, Clock(panel.days, panel.ts, panel.closing))
