"""Sessions changed in ways whose effect is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from rustybt.model import (
    EVENT_FIELDS,
    MARGIN_FIELDS,
    NO_DATED,
    REQUEST_FIELDS,
    SLOT_FIELDS,
    TOLD_FIELDS,
    CarryTable,
    Clock,
    ControlTable,
    EventKind,
    Finer,
    Outcome,
    Plan,
    Reason,
    Requests,
    Status,
    Timing,
)
from rustybt.model.panel import Ints
from rustybt.testing.currencies import in_one_currency
from rustybt.testing.generators import Grid, Session, session


def with_setting(drawn: Session, **settings: int) -> Session:
    """The same session with slot settings replaced for all slots."""
    slots = drawn.tables.slots.copy()
    for name, value in settings.items():
        slots[SLOT_FIELDS.index(name)] = value
    return drawn._replace(tables=replace(drawn.tables, slots=slots))


def without_costs(drawn: Session) -> Session:
    """No commission, no slippage, and nothing to pay for holding."""
    drawn = without_carry(drawn)
    none = dict.fromkeys(
        ("fee_flat", "fee_lot_num", "fee_rate", "fee_min", "slip_rate", "slip_ticks", "tier_count", "slip_buy", "slip_sell", "cap_share"), 0
    )
    return with_setting(drawn, **none, fee_max=-1, fee_cap=-1, fee_maker=-1)


def without_carry(drawn: Session) -> Session:
    """Holding costs nothing, and everything can be borrowed."""
    return drawn._replace(tables=replace(drawn.tables, carry=None))


def without_margin(drawn: Session) -> Session:
    """The gross limit instead of margin."""
    return with_setting(drawn, **dict.fromkeys((*MARGIN_FIELDS, "isolated"), 0))


def with_one_delay(drawn: Session) -> Session:
    """The same delay for every order, whatever its number."""
    return drawn._replace(tables=replace(drawn.tables, delays=drawn.tables.delays[:1]))


def first_bars(drawn: Session, bars: int) -> Session:
    """The same session with the future after so many bars cut off."""
    prices = (np.ascontiguousarray(getattr(drawn.market, field)[:bars]) for field in ("open", "high", "low", "close"))
    market = Grid(*prices, timing=first_of(drawn.market.timing, bars, drawn.market.close.shape[1]))
    tape = None if drawn.tape is None else drawn.tape.part(0, bars)
    offers = int(drawn.plan.start[bars])
    offers_kept = drawn.plan.start[: bars + 1].copy(), drawn.plan.slot[:offers].copy(), drawn.plan.value[:offers].copy()
    plan = replace(Plan.from_starts(*offers_kept), requests=first_requests(drawn.plan.requests, bars))
    return drawn._replace(market=market, plan=plan, events=drawn.events[drawn.events[:, 0] < bars].copy(), tape=tape)


def without_requests(drawn: Session) -> Session:
    """Targets only."""
    return drawn._replace(plan=replace(drawn.plan, requests=None))


def first_requests(requests: Requests | None, bars: int) -> Requests | None:
    """What is asked for at the first bars."""
    if requests is None:
        return None
    clock = Clock(requests.clock.session[:bars], requests.clock.ts[:bars], requests.clock.ends[:bars])
    kept = int(requests.start[bars])
    return replace(requests, bar=requests.bar[:kept], told=requests.told[:kept], clock=clock)


def tells_numbers(drawn: Session) -> bool:
    """Whether an order is cancelled or amended by its number, which depends on the order of assets."""
    requests = drawn.plan.requests
    return requests is not None and bool((requests.rows[:, REQUEST_FIELDS.index("entry")] < 0).any())


def requests_at(requests: Requests, new_slot: Mapping[int, int]) -> Requests:
    """The same orders for slots that are numbered anew."""
    slot = TOLD_FIELDS.index("slot")
    told = requests.told.copy()
    told[:, slot] = [new_slot[old] for old in told[:, slot].tolist()]
    return replace(requests, told=np.ascontiguousarray(told[np.lexsort((told[:, slot], requests.bar))]))


def with_assets_in_order(drawn: Session, order: Sequence[int]) -> Session:
    """The same session with the assets in another order: column ``i`` of the result is column ``order[i]``."""
    tables, assets = drawn.tables, len(drawn.tables.assets)
    place = {column: new for new, column in enumerate(order)}
    old_slots = [sleeve * assets + column for sleeve in range(tables.sleeves) for column in order]
    new_slot = {old: new for new, old in enumerate(old_slots)}
    prices = (np.ascontiguousarray(getattr(drawn.market, field)[:, list(order)]) for field in ("open", "high", "low", "close"))
    market = Grid(*prices, timing=with_columns(drawn.market.timing, order))
    tape = None if drawn.tape is None else drawn.tape.ordered(order)
    slot, value = drawn.plan.slot.copy(), drawn.plan.value.copy()
    for bar in range(len(drawn.plan.start) - 1):
        rows = slice(int(drawn.plan.start[bar]), int(drawn.plan.start[bar + 1]))
        moved = sorted((new_slot[old], offer) for old, offer in zip(slot[rows].tolist(), value[rows].tolist(), strict=True))
        slot[rows], value[rows] = [pair[0] for pair in moved], [pair[1] for pair in moved]
    moved_rows = ([bar, place[column], *rest[:3], place.get(rest[3], -1), *rest[4:]] for bar, column, *rest in drawn.events.tolist())
    events = sorted(moved_rows, key=lambda row: row[:3])
    renamed = tuple(tables.assets[column] for column in order)
    slots = np.ascontiguousarray(tables.slots[:, old_slots])
    requests = None if drawn.plan.requests is None else requests_at(drawn.plan.requests, new_slot)
    plan = replace(Plan.from_starts(drawn.plan.start, slot, value), requests=requests)
    increments = with_columns_of_increments(tables.increments, place)
    renewed = replace(tables, assets=renamed, slots=slots, increments=increments, carry=carry_of(tables.carry, place))
    return Session(renewed, market, plan, np.array(events, dtype=np.int64).reshape(-1, len(EVENT_FIELDS)), tape)


def with_columns_of_increments(increments: Ints, place: Mapping[int, int]) -> Ints:
    """Increments in force of assets that are elsewhere now."""
    moved = increments.copy()
    moved[:, 1] = [place[column] for column in increments[:, 1].tolist()]
    return moved


def carry_of(carry: CarryTable | None, place: Mapping[int, int]) -> CarryTable | None:
    """The carry of a run whose assets have other columns."""
    if carry is None:
        return None
    charges, hard = carry.charges.copy(), carry.hard.copy()
    charges[:, 2] = [place.get(column, column) for column in charges[:, 2].tolist()]
    hard[:, 0] = [place[column] for column in hard[:, 0].tolist()]
    return CarryTable(charges, hard)


def with_one_more_asset(table: ControlTable | None, place: int) -> ControlTable | None:
    """The controls of a run with an asset more, which they do not limit."""
    if table is None:
        return None
    restricted, dates = table.restricted.copy(), table.dates.copy()
    for rows in (restricted, dates):
        rows[:, 0] += rows[:, 0] >= place
    quantity, position = (np.insert(limits, place, -1) for limits in (table.quantity, table.position))
    return replace(table, restricted=restricted, dates=dates, quantity=quantity, position=position)


def first_of(timing: Timing | None, bars: int, assets: int) -> Timing | None:
    """The timing of the first bars."""
    if timing is None:
        return None
    clock = None if timing.clock is None else np.ascontiguousarray(timing.clock[:, :bars])
    barred = None if timing.barred is None else np.ascontiguousarray(timing.barred[:bars])
    finer = timing.finer
    if finer is not None:
        start = finer.start[: bars * assets + 1].copy()
        finer = Finer(start, *(np.ascontiguousarray(prices[: start[-1]]) for prices in (finer.open, finer.high, finer.low)))
    return Timing(clock, barred, finer)


def with_columns(timing: Timing | None, order: Sequence[int | None]) -> Timing | None:
    """The timing with its columns in another order; None is a column about which nothing is known."""
    if timing is None:
        return None
    barred, finer = timing.barred, timing.finer
    if barred is not None:
        free = np.zeros(len(barred), dtype=np.int64)
        barred = np.stack([free if column is None else barred[:, column] for column in order], axis=1)
    if finer is not None:
        old = len([column for column in order if column is not None])
        start, rows = [0], []
        for bar in range((len(finer.start) - 1) // old):
            for column in order:
                place = None if column is None else bar * old + column
                rows += [] if place is None else list(range(int(finer.start[place]), int(finer.start[place + 1])))
                start.append(len(rows))
        taken = np.array(rows, dtype=np.int64)
        finer = Finer(np.array(start, dtype=np.int64), *(prices[taken] for prices in (finer.open, finer.high, finer.low)))
    return Timing(timing.clock, barred, finer)


def with_idle_sleeve(drawn: Session) -> Session:
    """One more sleeve that is never offered a target."""
    assets = len(drawn.tables.assets)
    slots = np.ascontiguousarray(np.concatenate([drawn.tables.slots, drawn.tables.slots[:, -assets:]], axis=1))
    return drawn._replace(tables=replace(drawn.tables, sleeves=drawn.tables.sleeves + 1, slots=slots))


def without_repeats(drawn: Session) -> Session:
    """The offers that equal the remembered target of an unscheduled slot left out."""
    scheduled = drawn.tables.row("scheduled")
    remembered = [0] * len(scheduled)
    start, slots, values = [0], [], []
    for bar in range(len(drawn.plan.start) - 1):
        for row in range(int(drawn.plan.start[bar]), int(drawn.plan.start[bar + 1])):
            slot, value = int(drawn.plan.slot[row]), int(drawn.plan.value[row])
            if scheduled[slot] or value != remembered[slot]:
                slots.append(slot)
                values.append(value)
            remembered[slot] = value
        start.append(len(slots))
    plan = Plan.from_starts(*(np.array(column, dtype=np.int64) for column in (start, slots, values)))
    return drawn._replace(plan=replace(plan, requests=drawn.plan.requests))


def equity_from_the_log(drawn: Session, outcome: Outcome) -> list[int]:
    """Equity after each bar, from the log, the closes and nothing else."""
    tables, log = drawn.tables, outcome.log
    assets, bars = len(tables.assets), len(drawn.market.close)
    worth = [Fraction(a.tick_size) * Fraction(a.lot_size) * Fraction(a.multiplier) * 10**tables.money_scale for a in tables.assets]
    cash, lots, last, curve, row = tables.cash, [0] * len(outcome.lots), [0] * assets, [], 0
    owed = settled = 0
    for bar in range(bars):
        while row < log.rows and log.bar[row] == bar:
            if log.reason[row] == Reason.PAYMENT:
                owed += int(log.notional[row])
            if log.status[row] == Status.ACCRUED:
                owed -= int(log.notional[row])
            else:
                cash -= int(log.notional[row]) + int(log.fee[row])
            lots[int(log.slot[row])] += int(log.filled[row])
            settled -= int(log.notional[row]) if log.reason[row] == Reason.VARIATION else 0
            row += 1
        last = after_events(last, drawn.events[drawn.events[:, 0] == bar].tolist())
        closes = drawn.market.close[bar].tolist()
        last = [close or before for close, before in zip(closes, last, strict=True)]
        curve.append(
            cash + owed - settled + sum(round(held * last[slot % assets] * worth[slot % assets]) for slot, held in enumerate(lots))
        )
    return curve


def after_events(last: list[int], rows: list[list[int]]) -> list[int]:
    """Last prices after corporate actions: of what was received for the first time, and none of what is gone."""
    for _, asset, kind, numerator, _, other, _, _, price, *_ in rows:
        if last[asset] and kind in (EventKind.SPINOFF, EventKind.MERGER) and numerator:
            last[other] = last[other] or price
        if kind in (EventKind.MERGER, EventKind.DELISTING, EventKind.EXPIRY):
            last[asset] = 0
    return last


def fills(outcome: Outcome) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows of the log are fills."""
    return np.asarray(outcome.log.status == Status.FILLED)


def ordinary(seeds: range) -> list[tuple[int, Session]]:
    """Seeded sessions by seed, whose costs and margin do not change by date, in one currency: what is altered are the settings of slots.

    tests/properties/test_currencies.py has those of several.
    """
    drawn = ((seed, session(seed)) for seed in seeds)
    return [(seed, one._replace(tables=replace(in_one_currency(one.tables), dated=NO_DATED))) for seed, one in drawn]


def maintenance_of(drawn: Session, lots: Sequence[int], bar: int) -> int:
    """What positions ask for in maintenance margin at the last closes of a bar, in exact fractions."""
    tables, owed = drawn.tables, 0
    for slot, held in enumerate(lots):
        if held:
            asset = tables.assets[slot % len(tables.assets)]
            worth = Fraction(asset.tick_size) * Fraction(asset.lot_size) * Fraction(asset.multiplier) * 10**tables.money_scale
            closes = drawn.market.close[: bar + 1, slot % len(tables.assets)]
            value = round(abs(held) * int(closes[closes > 0][-1]) * worth)
            owed += -(-value * int(tables.row("margin_maintenance")[slot]) // 10**8)
            owed += abs(held) * int(tables.row("margin_lot_maintenance")[slot])
    return owed
