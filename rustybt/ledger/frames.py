"""The log as frames: orders, fills, equity, positions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.ledger.money import Made, decimal_column, lot_sizes, magnitudes, steps_column, tick_sizes
from rustybt.model import NOWHERE, Detail, Log, Outcome, Reason, Status, Tables
from rustybt.model.panel import Ints

UTC = pl.Datetime("us", "UTC")


def _words(kind: type[IntEnum]) -> pl.Enum:
    """The names of a code, each at its number; a number that means nothing has a word that is never seen."""
    names = {int(code): code.name.lower() for code in kind}
    return pl.Enum([names.get(number, f"code {number}") for number in range(max(names) + 1)])


REASONS, STATUSES, DETAILS = _words(Reason), _words(Status), _words(Detail)
SIDES = pl.Enum(["buy", "sell"])


@dataclass(frozen=True)
class Books:
    """A finished run as the ledger sees it.

    Attributes:
        tables: the rules of the run.
        outcome: what the kernel gave back.
        ts: (bars,) Int64 UTC microseconds.
        sessions: (bars,) Int32 days since 1970-01-01.
        sleeves: names, in slot order.
    """

    tables: Tables
    outcome: Outcome
    ts: Ints
    sessions: npt.NDArray[np.int32]
    sleeves: tuple[str, ...]

    def currency_of(self, slot: npt.NDArray[np.integer]) -> Ints:
        """Place of the currency of each slot; 0 = the account's."""
        given = self.tables.currencies
        return np.zeros(len(slot), dtype=np.int64) if given is None else given.of_slots(slot)

    @cached_property
    def rates(self) -> tuple[Ints, Ints]:
        """Numerator and denominator, (bars, currencies), of what one unit of each currency is worth after each bar; 0 while unknown."""
        given, bars = self.tables.currencies, len(self.ts)
        if given is None:
            one = np.broadcast_to(np.int64(1), (bars, 1))
            return one, one
        known = np.where(given.num != 0, np.arange(bars, dtype=np.int64)[:, None], 0)
        known = np.maximum.accumulate(known, axis=0)
        return np.take_along_axis(given.num, known, axis=0), np.take_along_axis(given.den, known, axis=0)

    def rate(self, slot: int, bar: int) -> Fraction:
        """What one unit of the currency of a slot is worth after a bar."""
        place = int(self.currency_of(np.array([slot]))[0])
        return Fraction(int(self.rates[0][bar, place]), int(self.rates[1][bar, place]))

    @cached_property
    def closing_rates(self) -> list[Fraction]:
        """What one unit of each currency is worth after the last bar, the account's own first; 0 where no rate is known."""
        num, den = self.rates
        return [Fraction(n, d) for n, d in zip(num[-1].tolist(), den[-1].tolist(), strict=True)]

    @cached_property
    def symbols(self) -> pl.Enum:
        """The assets as an Enum type."""
        return pl.Enum([asset.symbol for asset in self.tables.assets])


def coded(name: str, codes: npt.NDArray[np.integer], kind: pl.Enum) -> pl.Series:
    """Integer codes as an Enum column."""
    size = len(kind.categories)
    physical = np.uint8 if size <= 255 else np.uint16 if size <= 65_535 else np.uint32
    return pl.Series(name, np.asarray(codes).astype(physical)).cat.to(kind)


def times(books: Books, name: str, bars: npt.NDArray[np.integer]) -> pl.Series:
    """Bar indices as instants."""
    return pl.Series(name, books.ts[bars]).cast(UTC)


def on_the_path(books: Books, log: Log) -> npt.NDArray[np.bool_]:
    """Which rows of a log liquidate an isolated position: on the path of a bar, as a stop does, and not by a market order."""
    isolated = books.tables.row("isolated")
    if not isolated.any():
        return np.zeros(log.rows, dtype=np.bool_)
    return np.asarray((log.reason == Reason.LIQUIDATION) & (log.slot >= 0) & (isolated[np.maximum(log.slot, 0)] != 0))


def take(log: Log, keep: npt.NDArray[np.bool_]) -> Log:
    """The rows of a log under a mask; without a copy where only its last rows fall away, as orders that still work do."""
    count = int(np.count_nonzero(keep))
    if count == len(keep):
        return log
    rows = slice(count) if keep[:count].all() else keep
    return Log(*(getattr(log, name)[rows] for name in Log.__dataclass_fields__))


def place(books: Books, slot: npt.NDArray[np.integer]) -> list[pl.Series]:
    """The ``asset`` and, where there are several, ``sleeve`` columns of slots."""
    width = len(books.tables.assets)
    if len(books.sleeves) == 1:
        asset = coded("asset", slot, books.symbols)
        return [asset, pl.Series("sleeve", [books.sleeves[0]], dtype=pl.Enum(books.sleeves)).new_from_index(0, len(asset))]
    return [coded("asset", slot % width, books.symbols), coded("sleeve", slot // width, pl.Enum(books.sleeves))]


def columns_of(books: Books, slot: npt.NDArray[np.integer]) -> Ints | None:
    """Asset column of each slot, None when there is one asset."""
    width = len(books.tables.assets)
    if width == 1:
        return None
    return np.asarray(slot % width if len(books.sleeves) > 1 else slot, dtype=np.int64)


def fills_frame(books: Books) -> pl.DataFrame:
    """Every execution, in order.

    Returns:
        ts, asset, sleeve, order (Int64), side, quantity (unsigned), price, notional (unsigned), fee, cash (all Decimal; ``cash`` is
        the change of cash), reason.
    """
    log = books.outcome.log
    log = take(log, (log.filled != 0) & log.having(Status.FILLED))
    assets, scale = books.tables.assets, books.tables.money_scale
    column = columns_of(books, log.slot)
    return pl.DataFrame(
        [
            times(books, "ts", log.bar),
            *place(books, log.slot),
            pl.Series("order", log.seq),
            coded("side", (log.filled < 0).view(np.uint8), SIDES),
            steps_column("quantity", magnitudes(log.filled), lot_sizes(assets), column),
            steps_column("price", log.price, tick_sizes(assets), column),
            decimal_column("notional", magnitudes(log.notional), scale),
            decimal_column("fee", log.fee, scale),
            decimal_column("cash", Made(log.rows, lambda part: -(log.notional[part] + log.fee[part])), scale),
            coded("reason", log.reason, REASONS),
        ]
    )


def orders_frame(books: Books) -> pl.DataFrame:
    """Every order and what became of it; an order that goes through zero has two rows with one number.

    Returns:
        order, submitted, ts (of the outcome), asset, sleeve, side, requested, filled (Decimal), status, reason, detail; where some order
        shows only a part of itself also display (Decimal, as it was sent; null = all of it).
    """
    whole = books.outcome.log
    said = whole.having(Detail.DISPLAYED)
    log = take(whole, ~np.isin(whole.status, (Status.APPLIED, Status.ACCRUED, Status.VIOLATED)) & (whole.slot != NOWHERE) & ~said)
    assets = books.tables.assets
    column = columns_of(books, log.slot)
    return pl.DataFrame(
        [
            pl.Series("order", log.seq),
            times(books, "submitted", log.submitted),
            times(books, "ts", log.bar),
            *place(books, log.slot),
            coded("side", (log.requested < 0).view(np.uint8), SIDES),
            steps_column("requested", magnitudes(log.requested), lot_sizes(assets), column),
            steps_column("filled", magnitudes(log.filled), lot_sizes(assets), column),
            coded("status", log.status, STATUSES),
            coded("reason", log.reason, REASONS),
            coded("detail", log.detail, DETAILS),
            *displays(books, log, take(whole, said)),
        ]
    )


def displays(books: Books, log: Log, said: Log) -> list[pl.Series]:
    """How much of the order of each row is shown, by the rows that say so; no column where there are none."""
    if not said.rows:
        return []
    place = np.minimum(np.searchsorted(said.seq, log.seq), said.rows - 1)  # orders are numbered as they are sent
    known = said.seq[place] == log.seq
    column = columns_of(books, said.slot)
    lots = steps_column("display", magnitudes(said.requested), lot_sizes(books.tables.assets), column)
    shown = lots.gather(place)
    return [pl.select(pl.when(pl.lit(pl.Series(known))).then(shown).alias("display")).to_series()]


def equity_frame(books: Books) -> pl.DataFrame:
    """Balances after each bar.

    Returns:
        ts, session, equity, cash, gross (Decimal, account currency); in a run with deposits or withdrawals also flow, what came in
        before the bar (Decimal, negative where it went out), with futures settled, the part of their value that ``cash`` has in it,
        where sales settle later unsettled, the part of ``cash`` that cannot be spent, and with isolated margin isolated, the part of
        ``equity`` that is set aside for positions, top-ups included (what they have gained since their entry is not in it).
        With several currencies ``cash`` is that of the account's, and there are the columns of `currency_columns`.
    """
    outcome, scale = books.outcome, books.tables.money_scale
    flows = flows_per_bar(books)
    moved = [] if flows is None else [decimal_column("flow", flows, scale)]
    moved += currency_columns(books)
    settled = settled_per_bar(books)
    moved += [] if settled is None else [decimal_column("settled", settled, scale)]
    pending = unsettled_per_bar(books)
    moved += [] if pending is None else [decimal_column("unsettled", pending, scale)]
    moved += [decimal_column("isolated", outcome.aside, scale)] if len(outcome.aside) else []
    return pl.DataFrame(
        [
            pl.Series("ts", books.ts).cast(UTC),
            pl.Series("session", books.sessions).cast(pl.Date),
            decimal_column("equity", outcome.equity, scale),
            decimal_column("cash", outcome.cash, scale),
            decimal_column("gross", outcome.gross, scale),
            *moved,
        ]
    )


def currency_columns(books: Books) -> list[pl.Series]:
    """Cash of each foreign currency after each bar (``cash_EUR``, Decimal), what one unit was worth (``rate_EUR``, a fraction as text)."""
    given, found, log = books.tables.currencies, [], books.outcome.log
    currency = books.currency_of(log.slot)
    for place, name in enumerate(given.names if given is not None else ()):
        if place == 0 or given is None:
            continue
        rows = np.flatnonzero((currency == place) & ~log.having(Status.ACCRUED))
        moved = np.zeros(len(books.ts), dtype=np.int64)
        np.add.at(moved, log.bar[rows], -(log.notional[rows] + log.fee[rows]))
        found.append(decimal_column(f"cash_{name}", np.cumsum(moved), books.tables.money_scale))
        pairs = zip(given.num[:, place].tolist(), given.den[:, place].tolist(), strict=True)
        rates = pl.Series(f"rate_{name}", [f"{num}/{den}" if num else None for num, den in pairs], dtype=pl.String)
        found.append(rates.forward_fill())
    return found


def flows_per_bar(books: Books) -> Ints | None:
    """(bars,) money units that came into the account before each bar, negative where they went out; None in a run without flows."""
    if not books.tables.flows[:, 1].any():
        return None
    log, flows = books.outcome.log, np.zeros(len(books.ts), dtype=np.int64)
    rows = np.flatnonzero(np.isin(log.reason, (Reason.DEPOSIT, Reason.WITHDRAWAL)))
    np.add.at(flows, log.bar[rows], -log.notional[rows])
    return flows


def settled_per_bar(books: Books) -> Ints | None:
    """(bars,) money units of the value of positions that has been paid in cash, after each bar; None where nothing settles."""
    if not (len(books.tables.settlements) and books.tables.row("settles").any()):
        return None
    log, paid = books.outcome.log, np.zeros(len(books.ts), dtype=np.int64)
    rows = np.flatnonzero(log.having(Reason.VARIATION))
    np.add.at(paid, log.bar[rows], -log.notional[rows])
    return np.cumsum(paid)


def unsettled_per_bar(books: Books) -> Ints | None:
    """(bars,) money units from sales that are not settled, after each bar; None where sales settle at once."""
    tables, log = books.tables, books.outcome.log
    if not tables.pending_days:
        return None
    proceeds = -(log.notional + log.fee)
    sold = np.flatnonzero(log.having(Status.FILLED) & (proceeds > 0) & (tables.row("settles")[np.maximum(log.slot, 0)] == 0))
    bars = len(books.ts)
    ends = np.append(tables.turns[tables.turns < bars], bars)
    due = np.searchsorted(ends, log.bar[sold], side="right") + tables.pending_days - 1
    moved = np.zeros(bars + 1, dtype=np.int64)
    np.add.at(moved, log.bar[sold], proceeds[sold])
    np.subtract.at(moved, ends[np.minimum(due, len(ends) - 1)], proceeds[sold])
    return np.cumsum(moved)[:bars]


def flows_frame(books: Books) -> pl.DataFrame:
    """Deposits and withdrawals that were asked for, in order.

    Returns:
        ts, kind (deposit, withdrawal), requested, amount (Decimal; negative = out of the account), status (applied, rejected), detail.
    """
    log, tables = books.outcome.log, books.tables
    log = take(log, np.isin(log.reason, (Reason.DEPOSIT, Reason.WITHDRAWAL)))
    asked = tables.flows[(tables.flows[:, 1] != 0) & (tables.flows[:, 0] < len(books.ts)), 1]
    return pl.DataFrame(
        [
            times(books, "ts", log.bar),
            coded("kind", log.reason, REASONS),
            decimal_column("requested", asked, tables.money_scale),
            decimal_column("amount", -log.notional, tables.money_scale),
            coded("status", log.status, STATUSES),
            coded("detail", log.detail, DETAILS),
        ]
    )


def positions_frame(books: Books) -> pl.DataFrame:
    """What was held after each bar that changed it, one row per slot and change.

    Returns:
        ts, asset, sleeve, quantity (Decimal, signed; 0 when it was closed), sorted by ts, then slot.
    """
    log = books.outcome.log
    log = take(log, log.filled != 0)
    order = np.lexsort((np.arange(log.rows), log.slot))
    slot, bar, filled = log.slot[order], log.bar[order], log.filled[order]
    held = np.cumsum(filled)
    if len(slot):
        first = np.flatnonzero(np.r_[True, slot[1:] != slot[:-1]])
        before = np.r_[0, held[first[1:] - 1]] if len(first) > 1 else np.zeros(1, dtype=np.int64)
        held = held - np.repeat(before, np.diff(np.r_[first, len(slot)]))
        last = np.r_[(slot[1:] != slot[:-1]) | (bar[1:] != bar[:-1]), True]
        slot, bar, held = slot[last], bar[last], held[last]
        back = np.lexsort((slot, bar))
        slot, bar, held = slot[back], bar[back], held[back]
    quantity = steps_column("quantity", held, lot_sizes(books.tables.assets), columns_of(books, slot))
    return pl.DataFrame([times(books, "ts", bar), *place(books, slot), quantity])
