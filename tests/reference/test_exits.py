from __future__ import annotations

from decimal import Decimal

import pytest

from rustybt.model import Reason
from rustybt.reference.account import Bar, Position
from rustybt.reference.exits import Exit, long_exit, short_exit
from tests.reference.accounts import terms

SLOT = terms(stop_loss=Decimal("0.05"), take_profit=Decimal("0.1"))
TRAIL = terms(stop_loss=Decimal("0.1"), trailing=Decimal("0.1"))


def bar(*prices: int) -> Bar:
    return Bar(*(Decimal(price) for price in prices))


@pytest.mark.parametrize(
    ("prices", "fired"),
    [
        ((100, 109, 96, 100), None),
        ((95, 120, 90, 100), (Reason.STOP_LOSS, 95)),  # open at the stop: before the high of 120
        ((80, 120, 80, 100), (Reason.STOP_LOSS, 80)),  # gap
        ((110, 110, 90, 100), (Reason.TAKE_PROFIT, 110)),
        ((130, 130, 90, 100), (Reason.TAKE_PROFIT, 130)),
        ((100, 120, 95, 100), (Reason.STOP_LOSS, 95)),  # both on the path: pessimistic
        ((100, 110, 96, 100), (Reason.TAKE_PROFIT, 110)),
    ],
)
def test_long_exits(prices: tuple[int, ...], fired: tuple[Reason, int] | None) -> None:
    position = Position(quantity=Decimal(5), entry=Decimal(100), peak=Decimal(100))
    assert long_exit(position, SLOT, bar(*prices)) == (Exit(fired[0], Decimal(fired[1])) if fired else None)


@pytest.mark.parametrize(
    ("prices", "fired"),
    [
        ((100, 104, 91, 100), None),
        ((105, 110, 80, 100), (Reason.STOP_LOSS, 105)),
        ((120, 120, 80, 100), (Reason.STOP_LOSS, 120)),
        ((90, 110, 90, 100), (Reason.TAKE_PROFIT, 90)),
        ((100, 105, 80, 100), (Reason.STOP_LOSS, 105)),
        ((100, 104, 90, 100), (Reason.TAKE_PROFIT, 90)),
    ],
)
def test_short_exits_are_the_mirror_image(prices: tuple[int, ...], fired: tuple[Reason, int] | None) -> None:
    position = Position(quantity=Decimal(-5), entry=Decimal(100), peak=Decimal(100))
    assert short_exit(position, SLOT, bar(*prices)) == (Exit(fired[0], Decimal(fired[1])) if fired else None)


@pytest.mark.parametrize(
    ("peak", "reason", "level"), [(100, Reason.STOP_LOSS, 90), (101, Reason.TRAILING_STOP, 91), (120, Reason.TRAILING_STOP, 108)]
)
def test_the_higher_of_stop_and_trail_counts_and_a_tie_is_a_stop(peak: int, reason: Reason, level: int) -> None:
    position = Position(quantity=Decimal(5), entry=Decimal(100), peak=Decimal(peak))
    assert long_exit(position, TRAIL, bar(110, 111, 50, 60)) == Exit(reason, Decimal(level))


def test_a_stop_of_the_whole_price_never_fires_and_neither_does_a_short_take() -> None:
    slot = terms(stop_loss=Decimal(1), take_profit=Decimal(1))
    assert long_exit(Position(quantity=Decimal(5), entry=Decimal(100), peak=Decimal(100)), slot, bar(2, 2, 1, 1)) is None
    assert short_exit(Position(quantity=Decimal(-5), entry=Decimal(100), peak=Decimal(100)), slot, bar(2, 2, 1, 1)) is None
