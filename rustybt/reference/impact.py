"""Section 4: slippage by the share of a bar's volume that an order takes, and by terms of the bar."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from rustybt.reference.rounding import ONE, QUOTIENT, ZERO, upward

if TYPE_CHECKING:
    from rustybt.reference.account import Bar

FINEST = Decimal("1E-8")
"""Rates and shares are whole numbers of this, raised to the next one."""


@dataclass(frozen=True)
class Impact:
    """How a price moves against an order.

    Attributes:
        rate: fraction of the price. slip: price.
        square, root, sigma: what share squared, its root, and its root times the volatility are multiplied with.
        volatility, rate_feed, ticks_feed: numbers of the feeds of a bar from 1 on, 0 = none.
    """

    rate: Decimal
    slip: Decimal
    square: Decimal
    root: Decimal
    sigma: Decimal
    volatility: int
    rate_feed: int
    ticks_feed: int


def share_of(quantity: Decimal, volume: Decimal) -> Decimal:
    """How much of a volume a quantity is, at most all of it."""
    if abs(quantity) >= volume:
        return ONE
    return upward(abs(quantity), FINEST, over=volume)


def moved_by(impact: Impact, price: Decimal, quantity: Decimal, bar: Bar, tick: Decimal) -> Decimal:
    """By how much a price moves against an order."""

    def feed(number: int) -> Decimal:
        return bar.feeds[number - 1] if number else ZERO

    share = share_of(quantity, bar.volume)
    rooted = upward(QUOTIENT.sqrt(share), FINEST)
    rate = impact.rate + feed(impact.rate_feed) * FINEST
    rate += upward(impact.square * upward(share * share, FINEST), FINEST)
    rate += upward(impact.root * rooted, FINEST)
    rate += upward(upward(impact.sigma * rooted, FINEST) * feed(impact.volatility) * FINEST, FINEST)
    return upward(price * rate, tick) + impact.slip + feed(impact.ticks_feed) * tick
