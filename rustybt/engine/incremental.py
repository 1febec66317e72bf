"""One bar at a time, through the same functions as the bulk engine.

`Incremental` is fed bars as they become known: it pushes them into the strategies' windows, offers the new targets and lets the
kernel's `Book` take one step.
Replaying a panel through it gives the same bytes as `run`; live and paper trading are this walk with other sources of bars and fills.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.engine.callback import Callbacks
from rustybt.engine.config import RunConfig
from rustybt.engine.finish import Ran, finish
from rustybt.engine.offers import Targets, check_weights, quantise
from rustybt.engine.tables import Sleeves, build_tables
from rustybt.engine.targets import Signals, masked_target, warmup_bars
from rustybt.model import Asset, Outcome, Panel, Tables, TargetKind
from rustybt.model.decimals import RATE
from rustybt.model.panel import Ints
from rustybt.spec import Moment
from rustybt.spec.planner import SignalPlan, plan
from rustybt.spec.window import Window

if TYPE_CHECKING:
    from rustybt.engine.result import Result


@dataclass(frozen=True)
class Bar:
    """Everything that becomes known at one instant.

    Attributes:
        index: number of the bar since the first.
        moment: its instant, session and what the calendar says.
        open, high, low, close: (assets,) Int64 ticks, 0 = no bar.
        events: (events, 5) Int64 corporate actions effective at this bar, bar column ignored.
        rows: the bar's rows of the signal frame, in asset order.
        columns: (rows,) asset column of each row.
    """

    index: int
    moment: Moment
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    events: Ints
    rows: pl.DataFrame
    columns: npt.NDArray[np.int32]


class Incremental:
    """A run that is fed one bar at a time.

    Args:
        sleeves: strategies by sleeve name.
        assets: in column order.
        config: of the run.
        adj_digits: extra decimals of adjusted ticks in the rows; see `rustybt.model.Panel`.
    """

    def __init__(self, sleeves: Sleeves, assets: tuple[Asset, ...], config: RunConfig, adj_digits: int = 0) -> None:
        from rustybt.kernel import Book

        self.sleeves, self.assets, self.config = sleeves, assets, config
        self.tables: Tables = build_tables(sleeves, assets, config)
        self.book = Book(self.tables)
        self.plans: dict[str, SignalPlan] = {name: plan(strategy) for name, strategy in sleeves.items()}
        self.windows = {name: Window(made, assets, adj_digits=adj_digits) for name, made in self.plans.items()}
        self.warmups = {name: warmup_bars(strategy, self.plans[name]) for name, strategy in sleeves.items()}
        self.callbacks = Callbacks(sleeves, assets, config)
        self.previous: Moment | None = None
        self.collected: dict[str, list[pl.DataFrame]] = {name: [] for name in sleeves}
        self.decisions = dict.fromkeys(sleeves, 0)
        self.curve: list[tuple[int, int, int]] = []

    def on_bar(self, bar: Bar) -> None:
        """Take one step: windows, targets, then the kernel's bar."""
        slots, values = [], []
        for number, (name, strategy) in enumerate(self.sleeves.items()):
            evaluated = self.windows[name].push(bar.rows)
            due = bar.index >= self.warmups[name]
            if strategy.schedule is not None:
                due = strategy.schedule.fires(self.previous, bar.moment) and due
                evaluated = evaluated if due else evaluated.clear()
            self.collected[name].append(evaluated)
            if due and strategy.target is not None and evaluated.height:
                targets = self._targets(strategy.target.kind, evaluated, bar)
                self.decisions[name] += len(targets.value)
                slots.append(targets.column.astype(np.int64) + number * len(self.assets))
                values.append(targets.value)
        slot = np.concatenate(slots) if slots else np.zeros(0, dtype=np.int64)
        value = np.concatenate(values) if values else np.zeros(0, dtype=np.int64)
        self.book.step(bar.index, bar.open, bar.high, bar.low, bar.close, bar.events, slot, value)
        self.callbacks.on_bar(bar.moment.ts, bar.index, bar.rows, self.book)
        self.curve.append((self.book.equity, self.book.cash, self.book.gross))
        self.previous = bar.moment

    def _targets(self, kind: TargetKind, evaluated: pl.DataFrame, bar: Bar) -> Targets:
        values = masked_target(evaluated)
        known = values.is_not_null().to_numpy()
        columns = bar.columns[known]
        units = quantise(values.filter(pl.Series(known)), columns, kind, self.assets, self.config.money_scale)
        found = Targets(kind, np.zeros(len(units), dtype=np.int32), columns, units)
        check_weights(found, int(self.config.max_gross * RATE), np.array([bar.moment.ts], dtype=np.int64))
        return found

    def outcome(self) -> Outcome:
        """The run so far, as the bulk kernel would give it back."""
        curve = np.array(self.curve, dtype=np.int64).reshape(-1, 3)
        done: Outcome = self.book.outcome(
            np.ascontiguousarray(curve[:, 0]), np.ascontiguousarray(curve[:, 1]), np.ascontiguousarray(curve[:, 2])
        )
        return done


def bars_of(panel: Panel) -> Iterator[Bar]:
    """A panel replayed as the bars it was made of, each with nothing but what was known."""
    from rustybt.data import replay

    starts = np.searchsorted(panel.events[:, 0], np.arange(panel.bars + 1))
    order = np.argsort(panel.row_bar, kind="stable")
    columns = np.repeat(np.arange(len(panel.assets), dtype=np.int32), np.diff(panel.offsets))[order]
    edge = 0
    for t, _, rows in replay(panel):
        moment = Moment(
            ts=int(panel.ts[t]),
            session=int(panel.sessions[t]),
            index=t,
            next_session=None if panel.next_session is None else int(panel.next_session[t]),
            session_close=None if panel.session_close is None else int(panel.session_close[t]),
        )
        yield Bar(
            t,
            moment,
            panel.open[t],
            panel.high[t],
            panel.low[t],
            panel.close[t],
            panel.events[starts[t] : starts[t + 1]],
            rows,
            columns[edge : edge + rows.height],
        )
        edge += rows.height


def walk(sleeves: Sleeves, panel: Panel, config: RunConfig) -> Result:
    """Backtest bar by bar: the same `Result`, to the last byte, as the bulk engine gives."""
    engine = Incremental(sleeves, panel.assets, config, panel.adj_digits)
    for bar in bars_of(panel):
        engine.on_bar(bar)
    return finish(Ran(sleeves, config, panel, engine.tables, gathered(engine, panel)), engine.outcome())


def gathered(engine: Incremental, panel: Panel) -> Mapping[str, Signals]:
    """The signals collected bar by bar, in the row order of the panel's frame."""
    order = np.argsort(panel.row_bar, kind="stable")
    found = {}
    for name, parts in engine.collected.items():
        heights = np.array([part.height for part in parts])
        sizes = np.bincount(panel.row_bar, minlength=panel.bars)
        kept = np.repeat(heights > 0, sizes)
        rows = order[kept]
        frame = pl.concat([part.drop("row", strict=False) for part in parts if part.height] or [parts[0].drop("row", strict=False)])
        frame = frame.insert_column(0, pl.Series("row", rows.astype(np.int64))).sort("row")
        none = np.zeros(0, dtype=np.int64)
        empty = Targets(TargetKind.QUANTITY, none.astype(np.int32), none.astype(np.int32), none)
        found[name] = Signals(engine.plans[name], frame, empty, engine.decisions[name])
    return found
