"""Section 19 of the rule book: the book of a slot, and money of one currency in that of the account."""

from __future__ import annotations

from .arithmetic import fits, ratio
from .compile import apart, aside, kernel
from .flags import HAS_CURRENCIES
from .journal import asset_of, fail
from .limits import BAD, DOWN, ZERO, whole
from .state import OVERFLOW, ROW, Desk

PLACES = whole(12)
"""Places of one book in ``money``; the account's is the first."""


@kernel
def book_of(desk: Desk, slot: int) -> int:
    """Where the book of a slot's currency begins in ``money``; slot -1 is the account."""
    if desk.flags & HAS_CURRENCIES == 0 or slot < 0:
        return 0
    return desk.currency_of[slot % desk.assets] * PLACES


@aside
def exchanged(desk: Desk, currency: int, money: int, mode: int) -> int:
    """Money of a currency in the account's, rounded once; nothing where no rate is known; BAD where it does not fit."""
    apart()
    if currency == 0 or money == 0:
        return money
    if not fits(money):
        return BAD
    if desk.rate_num[currency] == 0:
        return ZERO
    return ratio(money, desk.rate_num[currency], desk.rate_den[currency], mode)


@kernel
def home(desk: Desk, slot: int, money: int, mode: int) -> int:
    """Money of a slot's currency in the account's."""
    if desk.flags & HAS_CURRENCIES == 0:
        return money
    return exchanged(desk, desk.currency_of[slot % desk.assets], money, mode)


@aside
def abroad(desk: Desk, slot: int, money: int) -> int:
    """Money of the account in a slot's currency, toward zero; notes it where it does not fit."""
    apart()
    currency = desk.currency_of[slot % desk.assets]
    if currency == 0 or not fits(money):
        return money
    if desk.rate_num[currency] == 0:
        return ZERO
    found = ratio(money, desk.rate_den[currency], desk.rate_num[currency], DOWN)
    if not fits(found):
        fail(desk, OVERFLOW, slot)
        return ZERO
    return found


@kernel
def local(desk: Desk, slot: int, money: int) -> int:
    """Money of the account in a slot's currency."""
    if desk.flags & HAS_CURRENCIES == 0:
        return money
    return abroad(desk, slot, money)


@kernel
def unpriced(desk: Desk, slot: int) -> bool:
    """Whether a slot's asset has no price yet, or its currency no rate."""
    asset = asset_of(slot, desk.assets)
    if desk.last[asset] == 0:
        return True
    return desk.flags & HAS_CURRENCIES != 0 and desk.currency_of[asset] != 0 and desk.rate_num[desk.currency_of[asset]] == 0


@aside
def take_rates(desk: Desk, t: int) -> None:
    """The rates of a bar hold from its close on; where a bar has none, the last one does."""
    apart()
    row = (t - desk.cursor[ROW]) * desk.currencies
    for currency in range(desk.currencies):
        if desk.quote_num[row + currency] != 0:
            desk.rate_num[currency] = desk.quote_num[row + currency]
            desk.rate_den[currency] = desk.quote_den[row + currency]
