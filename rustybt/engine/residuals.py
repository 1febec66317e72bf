"""What whole ticks, lots and money units left on the table."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.engine.phases import at_phase
from rustybt.engine.targets import targets_of
from rustybt.ledger.frames import columns_of, place
from rustybt.ledger.money import decimal_column, lot_sizes, steps_column
from rustybt.model import Detail, FillAt, Reason, Sizing, Status, TargetKind
from rustybt.model.decimals import RATE, WEIGHT, up_down
from rustybt.model.panel import Ints

if TYPE_CHECKING:
    from rustybt.engine.result import Result

FINER = 6
"""Decimals of roundings beyond those of money."""

NO_ORDER = (Detail.COOL_DOWN, Detail.NO_PRICE, Detail.MARGIN_CALL)
"""Of decisions that never became an order; their rows have a number all the same."""


def residuals_frame(result: Result) -> pl.DataFrame:
    """One row for each asset (and sleeve) that had orders.

    Returns:
        asset, sleeve; ``targets``: weights and notionals that became orders; ``unreached``, ``worst``: sum and largest amount of money
        that these did not ask for because quantities are whole lots (all three null with ``sizing="at_fill"`` or
        ``fill="same_bar_close"``, whose equity of the decision is not kept); ``off_lot``, ``below_minimum``: quantity cancelled by the
        lot in force and by the least notional; ``refused``: orders cancelled by it; ``tick_cost``: paid because a slipped price goes to
        a whole tick, where slippage is plain and the bar did not cut it; ``money_rounding``: what rounding the values of fills to money
        units added to cash.
    """
    log, tables = result.outcome.log, result.tables
    seen = np.unique(log.slot[(log.slot >= 0) & (log.seq > 0)])
    asked = _unreached(result)
    scale, unit = tables.money_scale, Decimal(1).scaleb(-tables.money_scale)
    targets, short, worst = (np.array([asked.get(int(slot), (0, 0, 0))[k] for slot in seen], dtype=np.int64) for k in range(3))
    off, below, refused = (_cancelled(result, seen, detail, count) for detail, count in _CANCELS)
    columns = columns_of(result.books, seen)
    sizes = lot_sizes(tables.assets)
    unknown = not _is_known(result)
    sized = [pl.Series("targets", targets), decimal_column("unreached", short, scale), decimal_column("worst", worst, scale)]
    return pl.DataFrame(
        [
            *place(result.books, seen),
            *(pl.Series(column.name, [None] * len(seen), dtype=column.dtype) if unknown else column for column in sized),
            steps_column("off_lot", off, sizes, columns),
            steps_column("below_minimum", below, sizes, columns),
            pl.Series("refused", refused),
            _fine("tick_cost", _tick_cost(result, seen), unit, scale),
            _fine("money_rounding", _money_rounding(result, seen), unit, scale),
        ]
    )


_CANCELS = ((Detail.LOT_SIZE, False), (Detail.MIN_NOTIONAL, False), (Detail.MIN_NOTIONAL, True))


def _is_known(result: Result) -> bool:
    """Whether the equity of every decision is the one after its bar."""
    return result.tables.sizing is Sizing.AT_DECISION and result.tables.fill_at is not FillAt.SAME_BAR_CLOSE


def _unreached(result: Result) -> dict[int, tuple[int, int, int]]:
    """By slot: how many weights and notionals became orders, and the money that whole lots left, summed and at most."""
    if not _is_known(result):
        return {}
    log, panel, tables = result.outcome.log, result.panel, result.tables
    width = len(tables.assets)
    found: dict[int, tuple[int, int, int]] = {}
    dropped = log.having(Status.REJECTED) & np.isin(log.detail, NO_ORDER)
    ordered = log.having(Reason.TARGET) & (log.seq > 0) & ~dropped
    first = np.unique(log.seq[ordered], return_index=True)[1]
    bars, slots = log.submitted[ordered][first], log.slot[ordered][first]
    for number, (name, strategy) in enumerate(result.sleeves.items()):
        if strategy.target is None or strategy.target.kind is TargetKind.QUANTITY:
            continue
        mine = slots // width == number
        if not mine.any():
            continue
        offers = targets_of(strategy, result.evaluated[name].frame, panel, None, result.config)
        keys = offers.bar.astype(np.int64) * width + offers.column
        order = np.argsort(keys, kind="stable")
        bar, column = bars[mine].astype(np.int64), slots[mine].astype(np.int64) % width
        money = abs(exact(offers.value[order[np.searchsorted(keys, bar * width + column, sorter=order)]]))
        weighed = strategy.target.kind is TargetKind.WEIGHT
        whole = abs(exact(result.outcome.equity[bar])) if weighed else money
        for asset in np.unique(column).tolist():
            at = column == asset
            own = whole[at]
            if result.tables.currencies is not None:
                rates = [result.books.rate(number * width + asset, one) for one in bar[at].tolist()]
                own = np.array([int(amount / rate) for amount, rate in zip(own.tolist(), rates, strict=True)], dtype=object)
            asked = own * money[at] // WEIGHT if weighed else own
            up, down = _worth(result, asset)
            lot = exact(panel.close[bar[at], asset]) * up
            left = asked * down % np.where(lot == 0, 1, lot) // down
            found[number * width + asset] = int(at.sum()), int(left.sum()), int(left.max())
    return found


def exact(numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.object_]:
    """Whole numbers that cannot overflow."""
    return numbers.astype(np.int64).astype(object)


def _worth(result: Result, slot: int) -> tuple[int, int]:
    """``up / down`` of the asset of a slot."""
    asset = result.tables.assets[slot % len(result.tables.assets)]
    return up_down(asset.tick_size, asset.lot_size, asset.multiplier, result.tables.money_scale)


def _cancelled(result: Result, seen: npt.NDArray[np.int32], detail: Detail, count: bool) -> Ints:
    """Lots that were cancelled by a detail, without sign, or how many orders were."""
    log = result.outcome.log
    rows = log.having(detail) & log.having(Status.CANCELLED)
    sums: Ints = np.zeros(len(seen), dtype=np.int64)
    np.add.at(sums, np.searchsorted(seen, log.slot[rows]), 1 if count else np.abs(log.requested[rows]))
    return sums


def _tick_cost(result: Result, seen: npt.NDArray[np.int32]) -> list[Fraction]:
    """Money units paid by slot because a slipped price goes to a whole tick."""
    log, tables, panel = result.outcome.log, result.tables, result.panel
    width, prices = len(tables.assets), panel.open if tables.fill_at is FillAt.NEXT_OPEN else panel.close
    rows = np.flatnonzero(at_phase(result))
    slot, bar, lots, price = log.slot[rows], log.bar[rows], log.filled[rows], log.price[rows]
    asset, rates, ticks = slot % width, tables.row("slip_rate")[slot], tables.row("slip_ticks")[slot]
    edge = np.where(lots > 0, panel.high[bar, asset], panel.low[bar, asset])
    model = np.where(lots > 0, tables.row("slip_buy")[slot], tables.row("slip_sell")[slot])
    paid = ((rates != 0) | (ticks != 0)) & (model == 0) & (price != edge)
    start = prices[bar, asset][paid]
    beyond = np.abs(price[paid] - start) - ticks[paid]
    cost = (exact(beyond) * RATE - exact(start) * rates[paid].astype(object)) * abs(exact(lots[paid]))
    sums = _by_slot(seen, slot[paid], cost)
    return [Fraction(total * _worth(result, one)[0], RATE * _worth(result, one)[1]) for one, total in sums.items()]


def _money_rounding(result: Result, seen: npt.NDArray[np.int32]) -> list[Fraction]:
    """Money units that rounding the values of fills added to cash, by slot."""
    log = result.outcome.log
    worths = {slot: _worth(result, slot) for slot in seen.tolist()}
    rounded = np.array([slot for slot, (_, down) in worths.items() if down != 1], dtype=np.int64)
    rows = np.flatnonzero((log.filled != 0) & log.having(Status.FILLED) & np.isin(log.slot, rounded))
    ups, downs = (np.array([worths[slot][k] for slot in log.slot[rows].tolist()], dtype=object) for k in range(2))
    left = exact(log.filled[rows]) * exact(log.price[rows]) * ups - exact(log.notional[rows]) * downs
    return [Fraction(total, worths[slot][1]) for slot, total in _by_slot(seen, log.slot[rows], left).items()]


def _by_slot(seen: npt.NDArray[np.int32], slots: npt.NDArray[np.int32], amounts: npt.NDArray[np.object_]) -> dict[int, int]:
    """Sums by slot, 0 where there is nothing."""
    sums = dict.fromkeys(seen.tolist(), 0)
    order = np.argsort(slots, kind="stable")
    if len(order):
        first = np.flatnonzero(np.diff(slots[order], prepend=-1))
        for slot, part in zip(slots[order][first].tolist(), np.split(amounts[order], first[1:]), strict=True):
            sums[slot] = int(part.sum())
    return sums


def _fine(name: str, amounts: Iterable[Fraction], unit: Decimal, scale: int) -> pl.Series:
    """Fractions of money units as decimals, the digits beyond cut."""
    with localcontext() as context:
        context.prec = 60
        cut = [Decimal(int(amount * 10**FINER)) * unit.scaleb(-FINER) for amount in amounts]
    return pl.Series(name, cut, dtype=pl.Decimal(38, scale + FINER))
