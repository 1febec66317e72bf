"""Section 3 of the rule book: spin-offs, mergers, delistings, expiries and rolls, where one position ends or becomes another."""

from __future__ import annotations

from rustybt.model import Detail, EventKind, Reason, Status

from .arithmetic import fits, ratio, value, worth_at
from .compile import apart, aside
from .fills import move, settle
from .flags import HAS_LEVELS
from .journal import NONE, cancel, fail, head, paid, send, sweep, tail
from .levels import arm
from .limits import DOWN, HALF_EVEN, RATE, ZERO, whole
from .state import OVERFLOW, Desk

SPINOFF, MERGER, ROLL = whole(Reason.SPINOFF), whole(Reason.MERGER), whole(Reason.ROLL)
DELISTING, EXPIRY = whole(Reason.DELISTING), whole(Reason.EXPIRY)
MERGED, DELISTED, SETTLED = whole(Detail.MERGED), whole(Detail.DELISTED), whole(Detail.SETTLED)
ROLLED, REPLACED = whole(Detail.ROLLED), whole(Detail.REPLACED)
OF_MERGER, OF_DELISTING = whole(EventKind.MERGER), whole(EventKind.DELISTING)
APPLIED = whole(Status.APPLIED)


@aside
def remainder(lots: int, new: int, old: int) -> int:
    """What truncation leaves of ``lots x new / old``, in parts of 1 / old lot, with the sign of the lots."""
    apart()
    rest = abs(lots) % old * (new % old) % old
    return rest if lots > 0 else -rest


@aside
def note(desk: Desk, t: int, slot: int, reason: int, lots: int, price: int, notional: int) -> None:
    """The log row of an event that changed a position."""
    apart()
    n = head(desk, t, t, slot, ZERO, reason)
    tail(desk, n, APPLIED, NONE, lots, lots)
    paid(desk, n, price, notional, ZERO)


@aside
def introduce(desk: Desk, i: int) -> None:
    """The asset received has a last price from now on."""
    apart()
    other = desk.event_other[i]
    if desk.event_new[i] != 0 and desk.last[other] == 0:
        desk.last[other] = desk.event_price[i]


# --- spin-off


@aside
def spin_off(desk: Desk, t: int, i: int, asset: int) -> None:
    """Every holder of the asset receives another one, which takes over a part of the cost."""
    apart()
    introduce(desk, i)
    for slot in range(asset, desk.slots, desk.assets):
        if desk.lots[slot] != 0:
            detach(desk, t, i, slot)


@aside
def detach(desk: Desk, t: int, i: int, slot: int) -> None:
    """The spin-off of one slot."""
    apart()
    asset, other, new, old = desk.event_asset[i], desk.event_other[i], desk.event_new[i], desk.event_old[i]
    part, price, lots, heir = desk.event_part[i], desk.event_price[i], desk.lots[slot], slot - asset + other
    received = ratio(lots, new, old, DOWN)
    worth = worth_at(desk, other, received, price) if fits(received) else received
    in_lieu = value(remainder(lots, new, old), price, desk.up[other], desk.down[other] * old)
    cost = worth_at(desk, asset, lots, desk.entry[slot])
    best = worth_at(desk, asset, lots, desk.peak[slot])
    if not (fits(worth) and fits(in_lieu) and fits(worth + in_lieu) and fits(cost) and fits(best)):
        fail(desk, OVERFLOW, slot)
        return
    moved = ratio(cost, part, RATE, HALF_EVEN) if received != 0 else in_lieu
    peaked = ratio(best, part, RATE, HALF_EVEN)
    if not (fits(moved - in_lieu) and settle(desk, slot, -moved, ZERO)):
        fail(desk, OVERFLOW, slot)
        return
    desk.entry[slot] = max(1, ratio(desk.entry[slot], RATE - part, RATE, HALF_EVEN))
    desk.peak[slot] = max(1, ratio(desk.peak[slot], RATE - part, RATE, HALF_EVEN))
    if desk.flags & HAS_LEVELS != 0:
        arm(desk, slot)
    note(desk, t, slot, SPINOFF, ZERO, desk.entry[slot], -moved)
    if received != 0 and settle(desk, heir, moved - in_lieu, ZERO):
        entry = scaled(price, moved, worth + in_lieu)
        peak = scaled(price, peaked, worth + in_lieu)
        inherit(desk, slot, heir, received, entry, peak)
        note(desk, t, heir, SPINOFF, received, price, moved - in_lieu)


@aside
def scaled(price: int, part: int, whole_: int) -> int:
    """``price x |part / whole|``, at least 1 tick."""
    apart()
    if whole_ == 0:
        return price
    return max(1, ratio(price, abs(part), abs(whole_), HALF_EVEN))


@aside
def inherit(desk: Desk, slot: int, heir: int, lots: int, entry: int, peak: int) -> None:
    """Put lots received into a slot; a position that this opens takes over peak and bars held of the one it comes from."""
    apart()
    before, held = desk.lots[heir], desk.held[slot]
    if not (fits(entry) and fits(peak)):
        fail(desk, OVERFLOW, heir)
        return
    if not move(desk, heir, lots, entry):
        return
    after = desk.lots[heir]
    if after != 0 and (before == 0 or (before > 0) != (after > 0)):
        desk.held[heir] = held
        desk.peak[heir] = max(entry, peak) if after > 0 else min(entry, peak)
        if desk.flags & HAS_LEVELS != 0:
            arm(desk, heir)


# --- merger, delisting, expiry


@aside
def close_out(desk: Desk, t: int, i: int, asset: int) -> None:
    """End every position in an asset, against cash, other shares or both; then its orders and its price."""
    apart()
    kind, reason, detail = desk.event_kind[i], EXPIRY, SETTLED
    if kind == OF_MERGER:
        reason, detail = MERGER, MERGED
        introduce(desk, i)
    elif kind == OF_DELISTING:
        reason, detail = DELISTING, DELISTED
    for slot in range(asset, desk.slots, desk.assets):
        if desk.lots[slot] != 0:
            if kind == OF_MERGER:
                merge(desk, t, i, slot)
            else:
                pay_off(desk, t, i, slot, reason)
        if desk.busy[slot] != 0:
            cancel(desk, t, slot, detail)
    desk.last[asset] = 0


@aside
def pay_off(desk: Desk, t: int, i: int, slot: int, reason: int) -> None:
    """A position becomes cash: so much per lot, or its value at the last price."""
    apart()
    asset, lots, price = desk.event_asset[i], desk.lots[slot], desk.event_price[i]
    if desk.event_cash_old[i] == 0:
        price = desk.last[asset]
        cash = worth_at(desk, asset, lots, price)
    else:
        cash = ratio(lots, desk.event_cash_new[i], desk.event_cash_old[i], HALF_EVEN)
    if not fits(cash):
        fail(desk, OVERFLOW, slot)
    elif settle(desk, slot, -cash, ZERO) and move(desk, slot, -lots, price):
        note(desk, t, slot, reason, -lots, price, -cash)


@aside
def merge(desk: Desk, t: int, i: int, slot: int) -> None:
    """A position becomes cash and lots of the asset that takes it over."""
    apart()
    asset, other, new, old = desk.event_asset[i], desk.event_other[i], desk.event_new[i], desk.event_old[i]
    lots, last, price = desk.lots[slot], desk.last[asset], desk.event_price[i]
    cash = ratio(lots, desk.event_cash_new[i], desk.event_cash_old[i], HALF_EVEN)
    received, worth, in_lieu = ZERO, ZERO, ZERO
    if new != 0:
        received = ratio(lots, new, old, DOWN)
        worth = worth_at(desk, other, received, price) if fits(received) else received
        in_lieu = value(remainder(lots, new, old), price, desk.up[other], desk.down[other] * old)
    cost = worth_at(desk, asset, lots, desk.entry[slot])
    best = worth_at(desk, asset, lots, desk.peak[slot])
    proceeds = cash + worth + in_lieu
    if not (fits(cash) and fits(worth) and fits(in_lieu) and fits(proceeds) and fits(cost) and fits(best)):
        fail(desk, OVERFLOW, slot)
        return
    if received != 0:
        entry, peak, heir = scaled(price, cost, proceeds), scaled(price, best, proceeds), slot - asset + other
        if settle(desk, heir, worth, ZERO):
            inherit(desk, slot, heir, received, entry, peak)
    if settle(desk, slot, -proceeds, ZERO) and move(desk, slot, -lots, last):
        note(desk, t, slot, MERGER, -lots, last, -proceeds)
        if received != 0:
            note(desk, t, slot - asset + other, MERGER, received, price, worth)


# --- roll


@aside
def roll(desk: Desk, t: int, i: int, asset: int) -> None:
    """Order every position in a contract closed, and as many lots of the next one opened."""
    apart()
    for slot in range(asset, desk.slots, desk.assets):
        lots, heir = desk.lots[slot], slot - asset + desk.event_other[i]
        if desk.busy[slot] != 0:
            cancel(desk, t, slot, ROLLED)
        if lots != 0:
            wanted = ratio(lots, desk.event_new[i], desk.event_old[i], DOWN)
            if not fits(wanted):
                fail(desk, OVERFLOW, slot)
                return
            send(desk, t, slot, -lots, ZERO, ROLL)
            if wanted != 0:
                if desk.busy[heir] != 0:
                    cancel(desk, t, heir, REPLACED)
                send(desk, t, heir, wanted, ZERO, ROLL)
    sweep(desk)
