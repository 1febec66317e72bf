"""Step 5 of a bar: last prices, equity and gross, what time does to positions, and the identity of section 8."""

from __future__ import annotations

from rustybt.model import FillAt

from .arithmetic import agree, fits, worth_at
from .compile import apart, aside, kernel
from .currencies import appraise_all
from .flags import HAS_CLAIMS, HAS_CURRENCIES, HAS_LEVELS, HAS_ORDERS, HAS_SETTLEMENT
from .journal import fail
from .levels import level_of
from .limits import LIMIT, ZERO, whole
from .rates import take_rates
from .state import BREACH, DEPOSITS, EQUITY, FEES, GROSS, INCOME, OVERFLOW, RECEIVABLE, ROW, TRADED, Desk
from .variation import unsettled, vary

NEXT_CLOSE = whole(FillAt.NEXT_CLOSE)


@kernel
def mark(desk: Desk, t: int) -> None:
    """Take the closes as last prices and value everything."""
    if desk.flags & HAS_CURRENCIES != 0:
        take_rates(desk, t)
    last, assets = desk.last, desk.assets
    row = (t - desk.cursor[ROW]) * assets
    for asset in range(assets):
        price = desk.close[row + asset]
        if price != 0:
            last[asset] = price
    if desk.flags & HAS_CURRENCIES != 0:
        appraise_all(desk, t)
    else:
        appraise(desk)
    if desk.flags & HAS_SETTLEMENT != 0:
        vary(desk, t)


@kernel
def backing(desk: Desk) -> int:
    """What equity has beside positions: cash without what was settled, and dividends earned and not yet paid."""
    if desk.flags & HAS_CLAIMS == 0:
        return unsettled(desk)
    return unsettled(desk) + desk.money[RECEIVABLE]


@kernel
def appraise(desk: Desk) -> None:
    """Equity and gross at the last prices, and the identity."""
    money, assets = desk.money, desk.assets
    backed = backing(desk)
    equity, gross = backed, 0
    if desk.flags & (HAS_CLAIMS | HAS_SETTLEMENT) != 0 and not fits(backed):
        fail(desk, OVERFLOW, ZERO)
    for sleeve in range(desk.sleeves):
        base = sleeve * assets
        for asset in range(assets):
            lots = desk.lots[base + asset]
            if lots != 0:
                worth = worth_at(desk, asset, lots, desk.last[asset])
                equity += worth
                gross += abs(worth)
                if not (fits(equity) and gross < LIMIT):  # a worth that does not fit is too much for one of the two
                    fail(desk, OVERFLOW, base + asset)
                    return
    money[EQUITY] = equity
    money[GROSS] = gross
    if not agree(backed + money[TRADED] + money[FEES] - money[INCOME], money[DEPOSITS]):
        fail(desk, BREACH, ZERO)


@aside
def age(desk: Desk, t: int) -> None:
    """What a bar of an asset does to its slots: the peak follows, bars held grow, the cool-down goes down."""
    apart()
    assets = desk.assets
    row = (t - desk.cursor[ROW]) * assets
    for sleeve in range(desk.sleeves):
        base = sleeve * assets
        for asset in range(assets):
            if desk.close[row + asset] == 0:
                continue
            slot = base + asset
            if desk.lots[slot] != 0:
                if desk.late[slot] != t + 1 if desk.flags & HAS_ORDERS != 0 else desk.fill_at != NEXT_CLOSE or desk.held[slot] != 0:
                    raise_peak(desk, slot, row + asset)
                desk.held[slot] += 1
            if desk.cool[slot] > 0:
                desk.cool[slot] -= 1


@kernel
def raise_peak(desk: Desk, slot: int, place: int) -> None:
    """The best price since the entry now includes this bar; the trailing level goes with it."""
    long = desk.lots[slot] > 0
    best = desk.high[place] if long else desk.low[place]
    if best > desk.peak[slot] if long else best < desk.peak[slot]:
        desk.peak[slot] = best
        distance = desk.trail[slot]
        if desk.flags & HAS_LEVELS != 0 and distance != 0:
            desk.trail_at[slot] = level_of(desk, slot, best, distance, not long)
