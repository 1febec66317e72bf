"""Section 19 of the rule book: what the account is worth where it holds several currencies, and foreign cash that is converted."""

from __future__ import annotations

from rustybt.model import NOWHERE as ACCOUNT
from rustybt.model import Reason

from .arithmetic import agree, fits, ratio, worth_at
from .compile import apart, aside
from .flags import HAS_ISOLATED
from .isolated import shared
from .journal import NONE, event, fail, place_of
from .limits import BAD, CEIL, DOWN, HALF_EVEN, RATE, ZERO, whole
from .margin import use
from .rates import PLACES, exchanged, home
from .state import BREACH, CASH, CONVERTED, DEPOSITS, EQUITY, FEES, GROSS, INCOME, LOGGED, OVERFLOW, RECEIVABLE, SETTLED, TRADED, Desk

CONVERSION, NOWHERE = whole(Reason.CONVERSION), whole(ACCOUNT)
AT_LAST, AT_OPEN, AT_CLOSE = whole(0), whole(1), whole(2)
"""Prices of a tally: last ones; those of a bar's open or close where the asset has a bar."""


EQUITY_ONLY, ROOM, MARK = whole(0), whole(1), whole(2)
"""What a tally is for."""


@aside
def tally(desk: Desk, row: int, prices: int, purpose: int) -> int:
    """The worth of each currency into ``worth_in``; for a mark its gross into ``gross_in``.

    For room a claim on a dividend does not count, a debt does, and the result is what positions take of the account.
    """
    apart()
    money, assets, used = desk.money, desk.assets, ZERO
    for currency in range(desk.currencies):
        base = currency * PLACES
        owed = money[base + RECEIVABLE]
        desk.worth_in[currency] = money[base + CASH] - money[base + SETTLED] + (min(ZERO, owed) if purpose == ROOM else owed)
        desk.gross_in[currency] = 0
        if not fits(desk.worth_in[currency]):
            fail(desk, OVERFLOW, ZERO)
            return ZERO
    for slot in range(desk.slots):
        lots = desk.lots[slot]
        if lots == 0:
            continue
        asset = slot % assets
        price, currency = desk.last[asset], desk.currency_of[asset]
        if prices == AT_OPEN and desk.open[row + asset] != 0:
            price = desk.open[row + asset]
        if prices == AT_CLOSE and desk.close[row + asset] != 0:
            price = desk.close[row + asset]
        worth = worth_at(desk, asset, lots, price)
        if not fits(worth):
            fail(desk, OVERFLOW, slot)
            return ZERO
        desk.gross_in[currency] += abs(worth) if purpose == MARK else ZERO
        taken = ZERO
        if purpose == ROOM and desk.flags & HAS_ISOLATED != 0 and desk.isolated[slot] != 0:
            worth = shared(desk, slot, worth)
            if not fits(worth):
                fail(desk, OVERFLOW, slot)
                return ZERO
        elif purpose == ROOM:
            taken = home(desk, slot, use(desk, slot, abs(lots), abs(worth)), CEIL)
        desk.worth_in[currency] += worth
        if not (fits(desk.worth_in[currency]) and fits(desk.gross_in[currency]) and fits(taken) and fits(used + taken)):
            fail(desk, OVERFLOW, slot)
            return ZERO
        used += taken
    return used


@aside
def in_account(desk: Desk) -> int:
    """The worth of all currencies in the account's: each converted once, then added up."""
    apart()
    equity = ZERO
    for currency in range(desk.currencies):
        part = exchanged(desk, currency, desk.worth_in[currency], HALF_EVEN)
        if not (fits(part) and fits(equity + part)):
            fail(desk, OVERFLOW, ZERO)
            return ZERO
        equity += part
    return equity


@aside
def equity_at(desk: Desk, row: int, prices: int) -> int:
    """Equity at the prices of a phase."""
    apart()
    tally(desk, row, prices, EQUITY_ONLY)
    return in_account(desk)


@aside
def room_at(desk: Desk, row: int, prices: int, leaving: int) -> int:
    """The gross limit on what equity can be spent, less what leaves the account and what positions take."""
    apart()
    used = tally(desk, row, prices, ROOM)
    limit = ratio(in_account(desk) - leaving, desk.gross, RATE, DOWN)
    if not (fits(limit) and fits(limit - used)):
        fail(desk, OVERFLOW, ZERO)
        return ZERO
    return limit - used


@aside
def appraise_all(desk: Desk, t: int) -> None:
    """Convert foreign cash, then equity and gross at last prices, and the identity of every book."""
    apart()
    money = desk.money
    if desk.converts != 0:
        for currency in range(1, desk.currencies):
            if desk.rate_num[currency] != 0:
                convert(desk, t, currency)
    tally(desk, ZERO, AT_LAST, MARK)
    money[EQUITY] = in_account(desk)
    gross = ZERO
    for currency in range(desk.currencies):
        part = exchanged(desk, currency, desk.gross_in[currency], HALF_EVEN)
        if not (fits(part) and fits(gross + part)):
            fail(desk, OVERFLOW, ZERO)
            return
        gross += part
    money[GROSS] = gross
    for currency in range(desk.currencies):
        base = currency * PLACES
        held = money[base + CASH] - money[base + SETTLED] + money[base + RECEIVABLE]
        spent = money[base + TRADED] + money[base + FEES] - money[base + INCOME] - money[base + CONVERTED]
        if not agree(held + spent, money[base + DEPOSITS]):
            fail(desk, BREACH, ZERO)


@aside
def to_convert(desk: Desk) -> bool:
    """Whether a foreign book holds or owes cash that a mark may convert."""
    apart()
    if desk.converts != 0:
        for currency in range(1, desk.currencies):
            if desk.money[currency * PLACES + CASH] != 0:
                return True
    return False


@aside
def convert(desk: Desk, t: int, currency: int) -> None:
    """Bring the cash of a foreign book into the account's, as if all that settles were settled now."""
    apart()
    money, assets, base, place = desk.money, desk.assets, currency * PLACES, NOWHERE
    amount = money[base + CASH]
    for slot in range(desk.slots):
        asset = slot % assets
        if desk.currency_of[asset] != currency:
            continue
        if place == NOWHERE:
            place = slot
        if desk.settles[slot] != 0 and (desk.lots[slot] != 0 or desk.settled[slot] != 0):
            worth = worth_at(desk, asset, desk.lots[slot], desk.last[asset])
            if not (fits(worth) and fits(amount + worth) and fits(amount + worth - desk.settled[slot])):
                fail(desk, OVERFLOW, slot)
                return
            amount += worth - desk.settled[slot]
    if amount == 0:
        return
    received = exchanged(desk, currency, amount, HALF_EVEN)
    if fits(received) and abs(received) < desk.toll_least:
        return
    cost = toll(desk, received)
    left, given = money[base + CASH] - amount, money[base + CONVERTED] - amount
    if not (fits(received) and fits(left) and fits(given) and fits(money[CONVERTED] + received)):
        fail(desk, OVERFLOW, place)
        return
    after = money[CASH] + received - cost
    if not (fits(cost) and fits(after) and fits(money[FEES] + cost)):
        fail(desk, OVERFLOW, place)
        return
    money[base + CASH] = left
    money[base + CONVERTED] = given
    money[CASH] = after
    money[CONVERTED] += received
    money[FEES] += cost
    event(desk, t, place, CONVERSION, NONE, ZERO, ZERO, amount)
    row = desk.count[LOGGED]
    event(desk, t, NOWHERE, CONVERSION, NONE, ZERO, ZERO, -received)
    desk.tray_fee[place_of(desk, row)] = cost


@aside
def toll(desk: Desk, received: int) -> int:
    """What a conversion costs that brings or takes so much of the account's money; BAD where it does not fit."""
    apart()
    if not fits(received):
        return BAD
    if received == 0:
        return ZERO
    part = ratio(abs(received), desk.toll_rate, RATE, HALF_EVEN)
    return max(part, desk.toll_minimum) if fits(part) else BAD
