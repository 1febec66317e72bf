"""Section 19 of the rule book: the book of a slot, and money of one currency in that of the account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rustybt.errors import DataError
from rustybt.model import Tables
from rustybt.model.currencies import MOST_CURRENCIES
from rustybt.model.decimals import LIMIT as MOST
from rustybt.model.decimals import RATE as RATE_UNITS

from .arithmetic import fits, ratio
from .compile import apart, aside, kernel
from .journal import fail
from .limits import BAD, DOWN, ZERO, whole
from .market import admit
from .state import HAS_CURRENCIES, KINDS, OVERFLOW, ROW, TYPES, Desk

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
    asset = slot % desk.assets
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


def currencies_of(tables: Tables, bars: int) -> dict[str, Any]:
    """The currencies of a run by field of `Desk`, with the ``flags`` that they ask for.

    Raises:
        DataError: they are not for so many bars and assets.
    """
    given = tables.currencies
    if given is None:
        return {"flags": 0}
    count, assets = len(given.names), len(tables.assets)
    shaped = given.num.shape == given.den.shape == (bars, count) and given.of_asset.shape == (assets,)
    if not shaped or not 0 < count <= MOST_CURRENCIES:
        what = f"the rates are not those of {bars} bars and {assets} assets, or of more than {MOST_CURRENCIES} currencies"
        raise DataError(what, where="kernel, currencies", do="give what rustybt.model.CurrencyTable says")
    if given.num.size and (given.num.min() < 0 or given.den.min() < 1 or max(given.num.max(), given.den.max()) >= MOST):
        what = "a rate is not a fraction of whole numbers from 1 to 2^61"
        raise DataError(what, where="kernel, currencies", do="give rates with fewer digits; 0 / 1 where none is known")
    arrays = {"currency_of": given.of_asset, "quote_num": given.num.reshape(-1), "quote_den": given.den.reshape(-1)}
    found: dict[str, Any] = {name: admit(np.ascontiguousarray(array), TYPES[KINDS[name]]) for name, array in arrays.items()}
    toll = {"toll_rate": given.cost_rate, "toll_minimum": given.cost_minimum, "toll_least": given.least}
    if min(toll.values()) < 0 or given.cost_rate >= RATE_UNITS or max(toll.values()) >= MOST:
        what = f"conversions cost {given.cost_rate} of 1e-8, at least {given.cost_minimum}, from {given.least} on"
        raise DataError(what, where="kernel, currencies", do="give what rustybt.model.CurrencyTable says")
    return found | toll | {"currencies": count, "converts": int(given.convert), "flags": HAS_CURRENCIES}


def currencies_of_bars(tables: Tables, flags: int) -> dict[str, Any]:
    """The same where rates come bar by bar: none yet."""
    given = tables.currencies
    if given is None:
        return {"flags": flags}
    count = len(given.names)
    found = currencies_of(
        replace(tables, currencies=replace(given, num=np.zeros((1, count), np.int64), den=np.ones((1, count), np.int64))), 1
    )
    return found | {"flags": flags | found["flags"]}
