"""Which charges a run's carry means for the bars of a panel, and when what can be borrowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from rustybt.errors import ConfigError
from rustybt.execution import Carry
from rustybt.execution.costs.rates import EVERY, RateRow, RateTable
from rustybt.ledger.frames import Books
from rustybt.model import CHARGE_FIELDS, EVERY_ASSET, HARD_FIELDS, CarryTable, Detail, Panel, Reason
from rustybt.model.decimals import RATE, to_units
from rustybt.model.panel import Ints

DAY = 86_400_000_000
ORDER = (Reason.INTEREST, Reason.CREDIT, Reason.BORROW, Reason.FINANCING, Reason.SWAP, Reason.FUNDING)
"""In which the charges of a bar are booked."""
WEEKDAY = 3
"""That of day 0, a Thursday."""


def carry_at(carry: Carry | None, panel: Panel, money_scale: int, currencies: tuple[str, ...]) -> CarryTable | None:
    """The charges as `rustybt.model.Tables` take them; None where there are none. ``currencies`` are those of the run, the account's first.

    Raises:
        ConfigError: rates for none of the assets, or a mapping that names one which the data do not have.
    """
    if carry is None or not panel.bars:
        return None
    check_names(carry, panel)
    check_currencies(carry, currencies)
    parts = [*on_cash(carry, panel, currencies), *on_nights(carry, panel), *swaps(carry, panel, money_scale), *fundings(carry, panel)]
    rows: Ints = np.concatenate([np.zeros((0, len(CHARGE_FIELDS)), dtype=np.int64), *parts])
    rank = np.array([ORDER.index(reason) if reason in ORDER else 0 for reason in Reason], dtype=np.int64)
    order = np.lexsort((-rows[:, 3], np.abs(rows[:, 2] + 1), rank[rows[:, 1]], rows[:, 0]))
    spans = [span for column, symbol in enumerate(panel.symbols) for span in hard_spans(carry.borrow, symbol, column, panel)]
    hard = np.array(spans, dtype=np.int64).reshape(-1, len(HARD_FIELDS))
    return CarryTable(np.ascontiguousarray(rows[order]), hard)


def check_names(carry: Carry, panel: Panel) -> None:
    """Rates are for assets that there are."""
    known = {*panel.symbols, EVERY}
    tables = {"borrow": carry.borrow, "financing": carry.financing_long}
    named = {name: {row.asset for row in table.rows} for name, table in tables.items()}
    lasting = {name: {row.asset for row in table.rows if row.day is None} for name, table in tables.items()}
    named |= {"funding": {row.asset for row in carry.funding}, "swap": set(carry.swap)}
    lasting |= {"funding": set(), "swap": set(carry.swap)}
    for name, symbols in named.items():
        unknown = sorted(lasting[name] - known)
        if unknown or (symbols and not symbols & known):
            which = (unknown or sorted(symbols))[0]
            raise ConfigError(
                f"{which!r} is not in the data", where=f"carry, {name}", do=f"use one of {', '.join(map(str, panel.symbols[:10]))}"
            )


def check_currencies(carry: Carry, currencies: tuple[str, ...]) -> None:
    """Interest is on cash in currencies that there are."""
    for name, table in (("interest", carry.interest), ("credit", carry.credit)):
        unknown = sorted({row.asset for row in table.rows} - {EVERY, *currencies})
        if unknown:
            do = f"use one of {', '.join(currencies)}"
            raise ConfigError(f"{unknown[0]!r} is not a currency of the run", where=f"carry, {name}", do=do)


def nights(carry: Carry, panel: Panel) -> tuple[Ints, Ints]:
    """(bars,) days from and to which rollovers lie between a bar and the one before it; those of the first bar are none."""
    if carry.rollover is None:
        days = panel.days
    else:
        at = carry.rollover
        offset = ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond
        days = -((offset - panel.ts.astype(np.int64)) // DAY)
    return np.concatenate([days[:1], days[:-1]]), days


def in_force(rows: Sequence[RateRow], days: Ints) -> Ints:
    """The rate of each day; 0 where there is none. A row without a rate leaves what was in force."""
    starts = np.array([-(10**9) if row.day is None else row.day for row in rows], dtype=np.int64)
    rates = [0]
    for row in rows:
        rates.append(rates[-1] if row.rate is None else row.rate)
    found: Ints = np.array(rates, dtype=np.int64)[np.searchsorted(starts, days, side="right")]
    return found


def charges(bars: Ints, reason: Reason, place: tuple[int, int], num: Ints, den: int) -> Ints:
    """Rows of one kind for one asset and side; those of nothing are left out."""
    kept = num != 0
    bars, num = bars[kept], num[kept]
    rows = np.zeros((len(bars), len(CHARGE_FIELDS)), dtype=np.int64)
    rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4], rows[:, 5] = bars, int(reason), *place, num, den
    return rows


def yearly(table: RateTable, reason: Reason, side: int, carry: Carry, panel: Panel) -> Iterator[Ints]:
    """The charges of one table of yearly rates, for each asset that has its own, or for all at once."""
    first, last = nights(carry, panel)
    bars, den = np.arange(panel.bars, dtype=np.int64), RATE * carry.day_count
    if all(row.asset == EVERY for row in table.rows):
        yield charges(bars, reason, (EVERY_ASSET, side), in_force(table.of(EVERY), first) * (last - first), den)
        return
    for column, symbol in enumerate(panel.symbols):
        rows = table.of(symbol)
        yield charges(bars, reason, (column, side), in_force(rows, first) * (last - first), den)


def on_cash(carry: Carry, panel: Panel, currencies: tuple[str, ...]) -> Iterator[Ints]:
    """Interest paid and received, by currency; a rate without one is that of the account's."""
    first, last = nights(carry, panel)
    bars, den = np.arange(panel.bars, dtype=np.int64), RATE * carry.day_count
    for table, reason, side in ((carry.interest, Reason.INTEREST, -1), (carry.credit, Reason.CREDIT, 1)):
        for place, name in enumerate(currencies):
            rows = [row for row in table.of(name) if row.asset == name or place == 0]
            rate = in_force(rows, first) * (last - first)
            yield charges(bars, reason, (EVERY_ASSET - place, side), rate * -side, den)


def on_nights(carry: Carry, panel: Panel) -> Iterator[Ints]:
    """Borrow fees and financing."""
    yield from yearly(carry.borrow, Reason.BORROW, -1, carry, panel)
    yield from yearly(carry.financing_long, Reason.FINANCING, 1, carry, panel)
    yield from yearly(carry.financing_short, Reason.FINANCING, -1, carry, panel)


def swaps(carry: Carry, panel: Panel, money_scale: int) -> Iterator[Ints]:
    """Swap points."""
    first, last = nights(carry, panel)
    count = counted(first, carry.triple, last)
    for column, asset in enumerate(panel.assets):
        for side, points in zip((1, -1), carry.swap.get(asset.symbol, ()), strict=False):
            each = -Fraction(points) * Fraction(asset.lot_size) * Fraction(asset.multiplier) * 10**money_scale
            if each:
                yield charges(np.arange(panel.bars, dtype=np.int64), Reason.SWAP, (column, side), count * each.numerator, each.denominator)


def counted(first: Ints, triple: int | None, last: Ints) -> Ints:
    """How many nights of swap points lie in each span of days."""
    if triple is None:
        return last - first
    start = int(first[0])
    weekday = (np.arange(start, int(last[-1]) + 1) + WEEKDAY) % 7
    each = np.where(weekday == triple, 3, np.where(weekday >= 5, 0, 1))
    sums = np.concatenate([[0], np.cumsum(each)])
    found: Ints = sums[last - start] - sums[first - start]
    return found


def fundings(carry: Carry, panel: Panel) -> Iterator[Ints]:
    """Funding, each at the first bar after its instant; what lies before the first or after the last bar is left out."""
    columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
    rows = []
    for row in carry.funding:
        bar = int(np.searchsorted(panel.ts, row.ts, side="right"))
        if row.asset in columns and 0 < bar < panel.bars and row.rate:
            column = columns[row.asset]
            price = 0 if row.mark is None else max(1, to_units(row.mark, panel.assets[column].tick_size, "mark"))
            rows.append((bar, int(Reason.FUNDING), column, 0, row.rate, RATE, price))
    yield np.array(rows, dtype=np.int64).reshape(-1, len(CHARGE_FIELDS))


def hard_spans(table: RateTable, symbol: str, column: int, panel: Panel) -> Iterator[tuple[int, int, int]]:
    """The bars at which an asset cannot be borrowed, where availability is told at all."""
    if not table.rows:
        return
    rows = [RateRow(symbol, None, None), *table.of(symbol)]
    starts = [0, *(0 if row.day is None else int(np.searchsorted(panel.sessions, row.day)) for row in rows[1:]), panel.bars]
    for row, first, after in zip(rows, starts, starts[1:], strict=False):
        if not row.available and after > first:
            yield column, first, after - 1


def carry_notes(books: Books) -> tuple[str, ...]:
    """That shorts were refused, in one sentence."""
    bars = books.outcome.log.bar[books.outcome.log.having(Detail.NO_BORROW)]
    if not len(bars):
        return ()
    first = np.datetime64(int(books.ts[bars[0]]), "us")
    return (
        f"{len(bars):,} orders would have sold short what could not be borrowed, first at {first}Z: see the detail no_borrow in orders",
    )
