"""One bar at a time, through the same functions as the bulk engine.

`Incremental` is fed bars as they become known: it pushes them into the strategies' windows, offers the new targets and lets the
kernel's `Book` take one step.
Replaying a panel through it gives the same bytes as `run`; live and paper trading are this walk with other sources of bars and fills.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.engine.batches import Sent, Stand, in_order
from rustybt.engine.begin import begun
from rustybt.engine.callback import Callbacks
from rustybt.engine.carry import carry_at
from rustybt.engine.config import RunConfig
from rustybt.engine.currencies import currencies_of, names_of
from rustybt.engine.dated import dated_at
from rustybt.engine.finish import Ran, finish
from rustybt.engine.flows import flows_at, settlements_at, turns_of
from rustybt.engine.increments import increments_at
from rustybt.engine.offers import Targets, check_weights, quantise
from rustybt.engine.requests import Evaluated, Money, check_auctions, is_end, rows_of
from rustybt.engine.tables import Sleeves, build_tables
from rustybt.engine.tape import build_tape
from rustybt.engine.targets import Signals, masked_target, warmup_bars
from rustybt.engine.timing import timing_of
from rustybt.model import (
    NO_BARS,
    NO_DATED,
    NO_FLOWS,
    NO_INCREMENTS,
    Asset,
    CarryTable,
    Clock,
    CurrencyTable,
    Outcome,
    Panel,
    Requests,
    Tables,
    Tape,
    TargetKind,
    Timing,
)
from rustybt.model.panel import Ints
from rustybt.spec import Moment, Strategy
from rustybt.spec.column import Block, Column, Rows, joined
from rustybt.spec.planner import SignalPlan, plan
from rustybt.spec.window import Window

if TYPE_CHECKING:
    from rustybt.engine.result import Result


NONE: Ints = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Bar:
    """Everything that becomes known at one instant.

    Attributes:
        index: number of the bar since the first.
        moment: its instant, session and what the calendar says.
        open, high, low, close: (assets,) Int64 ticks, 0 = no bar.
        events: (events, 5) Int64 corporate actions effective at this bar, bar column ignored.
        rows: the bar's rows of the signal frame, in asset order: `Rows` of a block, or a frame.
        columns: (rows,) asset column of each row.
        tape: what the costs of the run read beside the prices, of this bar; see `rustybt.engine.tape.build_tape`.
        timing: what is known about the bar beside its prices; needed when orders have latency.
    """

    index: int
    moment: Moment
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    events: Ints
    rows: Rows | pl.DataFrame
    columns: npt.NDArray[np.int32]
    tape: Tape | None = None
    timing: Timing | None = None


class Incremental:
    """A run that is fed one bar at a time.

    Args:
        sleeves: strategies by sleeve name.
        assets: in column order.
        config: of the run.
        adj_digits: extra decimals of adjusted ticks in the rows; see `rustybt.model.Panel`.
        flows: (flows, 2) deposits and withdrawals by bar; see `rustybt.model.Tables`.
        settlements: bars at which futures are settled; likewise.
        increments: changes of ticks, lots and least notionals; likewise.
        carry: charges, and what cannot be borrowed; likewise.
        turns: bars that begin a session, where sales settle later; likewise.
        dated: commissions and margin that change; likewise.
        currencies: in which the assets are quoted, and rates; likewise.
    """

    def __init__(
        self,
        sleeves: Sleeves,
        assets: tuple[Asset, ...],
        config: RunConfig,
        adj_digits: int = 0,
        flows: Ints = NO_FLOWS,
        *,
        settlements: Ints = NO_BARS,
        increments: Ints = NO_INCREMENTS,
        carry: CarryTable | None = None,
        turns: Ints = NO_BARS,
        dated: Ints = NO_DATED,
        currencies: CurrencyTable | None = None,
    ) -> None:
        from rustybt.kernel import Book

        self.sleeves, self.assets, self.config = sleeves, assets, config
        self.tables: Tables = replace(build_tables(sleeves, assets, config), flows=flows, settlements=settlements)
        self.tables = replace(self.tables, increments=increments, carry=carry, turns=turns, dated=dated, currencies=currencies)
        self.asks = any(strategy.orders or strategy.on_bar for strategy in sleeves.values())
        self.book = Book(self.tables, orders=self.asks)
        self.plans: dict[str, SignalPlan] = {name: plan(strategy) for name, strategy in sleeves.items()}
        self.windows = {name: Window(made, assets, adj_digits=adj_digits) for name, made in self.plans.items()}
        self.warmups = {name: warmup_bars(strategy, self.plans[name]) for name, strategy in sleeves.items()}
        self.callbacks = Callbacks(sleeves, assets, config)
        self.history = 0
        self.previous: Moment | None = None
        self.collected: dict[str, list[tuple[int, dict[str, Column]]]] = {name: [] for name in sleeves}
        self.decisions = dict.fromkeys(sleeves, 0)
        self.curve: list[tuple[int, int, int, int]] = []
        self._gross = config.most_gross

    def learn(self, bar: Bar) -> None:
        """Take a bar of history: windows and callbacks see its rows, nothing is decided or traded."""
        rows = Rows.of(bar.rows)
        for window in self.windows.values():
            window.take(rows, False)
        self.callbacks.learn(rows.frame, bar.columns)
        self.history, self.previous = self.history + 1, bar.moment

    def on_bar(self, bar: Bar) -> None:
        """Take one step: windows, targets, then the kernel's bar."""
        rows = Rows.of(bar.rows)
        slots, values, requests = [], [], []
        for number, (name, strategy) in enumerate(self.sleeves.items()):
            decides = self.history + bar.index >= self.warmups[name]
            due = strategy.schedule is None or (strategy.schedule.fires(self.previous, bar.moment) and decides)
            terms = self.windows[name].take(rows, due)
            if terms is None:
                continue
            self.collected[name].append((bar.index, terms))
            if decides and strategy.target is not None:
                targets = self._targets(strategy.target.kind, terms, bar)
                self.decisions[name] += len(targets.value)
                slots.append(targets.column.astype(np.int64) + number * len(self.assets))
                values.append(targets.value)
            if decides and strategy.orders:
                requests += self._requests(strategy, terms, bar, number)
        if self.asks:
            check_auctions(self.sleeves, bar.moment.session_close is not None)
            self.book.ask(self._rows(requests, bar), bar.moment.session, bar.moment.ts, is_end(self.previous, bar.moment))
        slot = NONE if not slots else slots[0] if len(slots) == 1 else np.concatenate(slots)
        value = NONE if not values else values[0] if len(values) == 1 else np.concatenate(values)
        if bar.tape is not None:
            self.book.tell(bar.tape)
        self.book.day = bar.moment.session
        if bar.timing is not None:
            self.book.timed(bar.timing)
        if self.tables.currencies is not None:
            self.book.rate(self.tables.currencies.num[bar.index], self.tables.currencies.den[bar.index])
        self.book.step(bar.index, bar.open, bar.high, bar.low, bar.close, bar.events, slot, value)
        if self.callbacks.contexts:
            self.callbacks.on_bar(bar.moment, rows.frame, bar.columns, self.book)
        self.curve.append(self.book.balances)
        self.previous = bar.moment

    def _rows(self, requests: list[Sent], bar: Bar) -> Any:
        """What is asked for at a bar, as the book takes it."""
        if not requests:
            return ()
        moment = bar.moment
        clock = Clock(*(np.array([number], dtype=np.int64) for number in (moment.session, moment.ts, 0)))
        return Requests(*in_order(requests, 1, bar.index)[:3], clock).rows

    def _requests(self, strategy: Strategy, terms: Mapping[str, Column], bar: Bar, number: int) -> list[Sent]:
        values = {term: column.series for term, column in terms.items()}
        ts = np.array([bar.moment.ts], dtype=np.int64)
        stand = Stand(np.full(len(bar.columns), bar.index, dtype=np.int64), bar.columns, number * len(self.assets))
        return rows_of(strategy, Evaluated(values, stand, ts, bar.index), None, Money(self.assets, self.config.money_scale))

    def _targets(self, kind: TargetKind, terms: Mapping[str, Column], bar: Bar) -> Targets:
        numbers = _plain_target(terms)
        values: pl.Series | npt.NDArray[np.float64]
        known: npt.NDArray[np.bool_] | None
        if numbers is None:
            series = masked_target(pl.DataFrame([column.series.alias(term) for term, column in terms.items()]))
            known = series.is_not_null().to_numpy()
            values = series.filter(pl.Series(known))
        else:
            held, known = numbers
            values = held if known is None else held[known]
        columns = bar.columns if known is None else bar.columns[known]
        units = quantise(values, columns, kind, self.assets, self.config.money_scale)
        found = Targets(kind, np.zeros(len(units), dtype=np.int32), columns, units)
        check_weights(found, self._gross, np.array([bar.moment.ts], dtype=np.int64))
        return found

    def outcome(self) -> Outcome:
        """The run so far, as the bulk kernel would give it back."""
        done: Outcome = self.book.outcome(self.curve)
        return done


def bars_of(panel: Panel, tape: Tape | None = None, timing: Timing | None = None) -> Iterator[Bar]:
    """A panel, its tape and its timing, replayed as the bars it was made of, each with nothing but what was known."""
    from rustybt.data import blocks

    starts = np.searchsorted(panel.events[:, 0], np.arange(panel.bars + 1)).tolist()
    order = np.argsort(panel.row_bar, kind="stable")
    columns = np.repeat(np.arange(len(panel.assets), dtype=np.int32), np.diff(panel.offsets))[order]
    sessions = panel.sessions.tolist()
    following = None if panel.next_session is None else panel.next_session.tolist()
    closes = None if panel.session_close is None else panel.session_close.tolist()
    edge = 0
    for first, frame, cuts in blocks(panel):
        block = Block(frame)
        for i, ts in enumerate(panel.ts[first : first + len(cuts) - 1].tolist()):
            t, rows = first + i, block.rows(cuts[i], cuts[i + 1])
            moment = Moment(
                panel.history + t, ts, sessions[t], None if following is None else following[t], None if closes is None else closes[t]
            )
            prices = panel.open[t], panel.high[t], panel.low[t], panel.close[t]
            told = None if tape is None else tape.part(t, t + 1)
            known = None if timing is None else timing.at(t, len(panel.assets))
            happened, mine = panel.events[starts[t] : starts[t + 1]], columns[edge : edge + rows.height]
            yield Bar(t, moment, *prices, happened, rows, mine, told, known)
            edge += rows.height


def walk(sleeves: Sleeves, panel: Panel, config: RunConfig) -> Result:
    """Backtest bar by bar: the same `Result`, to the last byte, as the bulk engine gives."""
    panel = begun(panel, config)
    flows = flows_at(config.flows, panel, config.money_scale)
    steps, due = increments_at(config.increments, panel, config.money_scale), settlements_at(panel)
    turns = turns_of(panel, config.settlement)
    given = {"settlements": due, "increments": steps, "dated": dated_at(config, panel), "turns": turns}
    rates = currencies_of(config, panel)
    carry = carry_at(config.carry, panel, config.money_scale, names_of(rates, config.currency))
    engine = Incremental(sleeves, panel.assets, config, panel.adj_digits, flows, carry=carry, currencies=rates, **given)
    if panel.whole is not None:
        for bar in islice(bars_of(panel.whole), panel.history):
            engine.learn(bar)
    for bar in bars_of(panel, build_tape(panel, engine.tables, config), timing_of(config.timing, panel, config.fill)):
        engine.on_bar(bar)
    return finish(Ran(sleeves, config, panel, engine.tables, gathered(engine, panel)), engine.outcome())


def gathered(engine: Incremental, panel: Panel) -> Mapping[str, Signals]:
    """The signals collected bar by bar, in the row order of the panel's frame."""
    order = np.argsort(panel.row_bar, kind="stable")
    sizes = np.bincount(panel.row_bar, minlength=panel.bars)
    found = {}
    for name, parts in engine.collected.items():
        made = engine.plans[name]
        kept = np.zeros(panel.bars, np.bool_)
        kept[[bar for bar, _ in parts]] = True
        rows = order[np.repeat(kept, sizes)].astype(np.int64)
        if parts:
            columns = [joined([terms[term] for _, terms in parts]).alias(term) for term in made.terms]
            frame = pl.DataFrame([pl.Series("row", rows), *columns]).sort("row")
        else:
            none_due = made.evaluate(panel.frame, panel, rows=np.zeros(panel.frame.height, np.bool_))
            frame = none_due.with_columns(pl.col("row").cast(pl.Int64))
        empty = Targets(TargetKind.QUANTITY, NONE.astype(np.int32), NONE.astype(np.int32), NONE)
        found[name] = Signals(made, frame, empty, engine.decisions[name])
    return found


def _plain_target(terms: Mapping[str, Column]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_] | None] | None:
    """The target with 0 outside the universe and where it is known, when it is a plain float; else None."""
    target = terms["target"]
    if target.dtype != pl.Float64:
        return None
    values, known = target.arrays
    universe = terms.get("universe")
    if universe is None:
        return values, known
    inside = universe.arrays[0]
    return np.where(inside, values, 0.0), None if known is None else known | ~inside
