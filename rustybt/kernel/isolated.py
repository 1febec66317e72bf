"""Section 10 of the rule book, isolated margin: what is set aside for a position, what it has by itself, and the price that ends it."""

from __future__ import annotations

from .arithmetic import fits, ratio, worth_at
from .compile import apart, aside
from .flags import HAS_TOP_UPS
from .journal import fail
from .limits import BAD, CEIL, DOWN, FAR, FLOOR, HALF_EVEN, ONE, RATE, ZERO
from .rates import home
from .state import EQUITY, OVERFLOW, Desk


@aside
def asked(lots: int, worth: int, rate: int, each: int) -> int:
    """A fraction of the value, rounded up, and an amount for each lot."""
    apart()
    part = ratio(worth, rate, RATE, CEIL) if fits(worth) else BAD
    more = ratio(lots, each, ONE, DOWN)
    return part + more if fits(part) and fits(more) and fits(part + more) else BAD


@aside
def entered(desk: Desk, slot: int) -> int:
    """What a position was worth at its entry price; BAD where it does not fit."""
    apart()
    asset = slot % desk.assets
    return worth_at(desk, asset, desk.lots[slot], desk.entry[slot])


@aside
def initial(desk: Desk, slot: int) -> int:
    """The initial margin of a position at its entry price; BAD where it does not fit."""
    apart()
    worth = entered(desk, slot)
    return asked(abs(desk.lots[slot]), abs(worth), desk.margin_initial[slot], desk.margin_lot_initial[slot]) if fits(worth) else BAD


@aside
def set_apart(desk: Desk, slot: int) -> int:
    """The same and what was added to it; BAD where it does not fit."""
    apart()
    found = initial(desk, slot)
    if desk.flags & HAS_TOP_UPS == 0 or not fits(found):
        return found
    return found + desk.added[slot] if fits(found + desk.added[slot]) else BAD


@aside
def all_set_apart(desk: Desk) -> int:
    """What is set aside for all isolated positions, each converted half-even."""
    apart()
    total = ZERO
    for slot in range(desk.slots):
        if desk.isolated[slot] != 0 and desk.lots[slot] != 0:
            found = home(desk, slot, set_apart(desk, slot), HALF_EVEN)
            if not (fits(found) and fits(total + found)):
                fail(desk, OVERFLOW, slot)
                return total
            total += found
    return total


@aside
def own(desk: Desk, slot: int, worth: int) -> int:
    """What an isolated position worth so much has by itself: what is set aside and what it has gained; BAD where it does not fit."""
    apart()
    aside_, before = set_apart(desk, slot), entered(desk, slot)
    if not (fits(aside_) and fits(before) and fits(worth)):
        return BAD
    found = aside_ + worth - before
    return found if fits(found) else BAD


@aside
def shared(desk: Desk, slot: int, worth: int) -> int:
    """The part of the worth of an isolated position that the rest of the account has: all but what it has by itself."""
    apart()
    found = own(desk, slot, worth)
    return worth - max(ZERO, found) if fits(found) else BAD


@aside
def common(desk: Desk) -> int:
    """Equity less what isolated positions have by themselves, each converted half-even."""
    apart()
    backing = desk.money[EQUITY]
    for slot in range(desk.slots):
        if desk.isolated[slot] == 0 or desk.lots[slot] == 0:
            continue
        asset = slot % desk.assets
        worth = worth_at(desk, asset, desk.lots[slot], desk.last[asset])
        found = own(desk, slot, worth)
        apart_ = home(desk, slot, max(ZERO, found), HALF_EVEN) if fits(found) else BAD
        if not (fits(apart_) and fits(backing - apart_)):
            fail(desk, OVERFLOW, slot)
            return backing
        backing -= apart_
    return backing


@aside
def last_stand(desk: Desk, slot: int) -> int:
    """The first price at which what an isolated position has by itself is less than its maintenance; out of reach where there is none."""
    apart()
    asset, lots, rate = slot % desk.assets, desk.lots[slot], desk.margin_maintenance[slot]
    long, size, never = lots > 0, abs(lots), ZERO if lots > 0 else FAR
    worth, aside_ = entered(desk, slot), set_apart(desk, slot)
    each = ratio(size, desk.margin_lot_maintenance[slot], ONE, DOWN)
    if not (fits(worth) and fits(aside_) and fits(each)):
        return never
    if long:
        short_of = worth + each - aside_
        if not fits(short_of) or short_of <= 0:
            return never
        if rate >= RATE:
            return FAR
        money = ratio(short_of, RATE, RATE - rate, CEIL)
    else:
        covered = aside_ - worth - each
        if not fits(covered):
            return never
        if covered < 0:
            return ONE
        money = ratio(covered, RATE, RATE + rate, FLOOR)
    if not fits(money):
        return FAR
    mode = CEIL if long else FLOOR
    by_lot = ratio(money, desk.down[asset], size, mode)
    if not fits(by_lot):
        return FAR
    found = ratio(by_lot, ONE, desk.up[asset], mode)
    return found - 1 if long else found + 1


@aside
def release(desk: Desk, slot: int, before: int, after: int) -> None:
    """What a position that is reduced gives back of what was added to it; all of it where it ends or turns round."""
    apart()
    if after == 0 or (before > 0) != (after > 0):
        desk.added[slot] = ZERO
    elif abs(after) < abs(before):
        desk.added[slot] = ratio(desk.added[slot], abs(after), abs(before), DOWN)
