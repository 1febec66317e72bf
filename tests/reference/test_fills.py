from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rustybt.model import Reason
from rustybt.reference.account import Bar, Order
from rustybt.reference.fills import Execution, commission, fill, slipped, value
from tests.reference.accounts import CENT, account, terms

BAR = Bar(*(Decimal(price) for price in (100, 103, 97, 101)))


@pytest.mark.parametrize(
    ("quantity", "rate", "ticks", "price"),
    [
        (1, "0", 0, 100),
        (1, "0.001", 0, 101),  # 0.1 is a whole tick against the buyer
        (-1, "0.001", 0, 99),
        (1, "0.02", 0, 102),
        (1, "0.02", 1, 103),
        (1, "0.02", 2, 103),  # cut to the high
        (-1, "0.5", 0, 97),  # cut to the low
    ],
)
def test_slippage_is_against_the_trader_inside_the_bar(quantity: int, rate: str, ticks: int, price: int) -> None:
    slot = terms(slip_rate=Decimal(rate), slip=Decimal(ticks))
    assert slipped(Decimal(100), Decimal(quantity), slot, BAR) == price


def test_slippage_never_goes_below_one_tick() -> None:
    penny = Bar(*(Decimal(price) for price in (1, 1, 0, 1)))
    assert slipped(Decimal(1), Decimal(-1), terms(slip=Decimal(3)), penny) == 1


@pytest.mark.parametrize(
    ("settings", "fee"),
    [
        ({}, "0"),
        ({"fee_flat": "1.50"}, "1.50"),
        ({"fee_per_lot": "1", "fee_lots": "3"}, "1.33"),  # 4 lots / 3
        ({"fee_rate": "0.0001"}, "0.04"),
        ({"fee_rate": "0.0001", "fee_minimum": "1"}, "1"),
        ({"fee_rate": "0.1", "fee_maximum": "7"}, "7"),
        ({"fee_minimum": "9", "fee_maximum": "7"}, "7"),
        ({"fee_minimum": "9", "fee_cap": "0.01"}, "4"),
        ({"fee_flat": "1", "fee_per_lot": "1", "fee_rate": "0.01"}, "9"),
    ],
)
def test_commission_parts_minimum_and_caps(settings: dict[str, str], fee: str) -> None:
    costs: dict[str, Any] = {name: Decimal(number) for name, number in settings.items()}
    slot = terms(**costs)
    assert commission(Decimal(-4), Decimal(100), slot, CENT) == Decimal(fee)


def test_no_quantity_no_commission() -> None:
    assert commission(Decimal(0), Decimal(100), terms(fee_flat=Decimal(5), fee_minimum=Decimal(9)), CENT) == 0


def test_value_is_rounded_half_even_in_cents() -> None:
    slot = terms()
    assert value(Decimal("0.005"), Decimal(1), slot, CENT) == 0
    assert value(Decimal("0.015"), Decimal(1), slot, CENT) == Decimal("0.02")
    assert value(Decimal("-0.015"), Decimal(1), slot, CENT) == Decimal("-0.02")


def test_a_fill_moves_cash_position_and_running_sums() -> None:
    books = account(terms(fee_flat=Decimal(1)))
    order = Order(1, 0, 0, Reason.TARGET, Decimal(4))
    fill(books, Execution(1, order, Decimal(4), Decimal(4), Decimal(100)))
    fill(books, Execution(2, order, Decimal(2), Decimal(2), Decimal(103)))
    assert (books.cash, books.traded, books.fees) == (Decimal(392), Decimal(606), Decimal(2))
    held = books.positions[0]
    assert (held.quantity, held.entry, held.peak) == (6, 101, 101)  # 100 + 3 x 2 / 6
    fill(books, Execution(3, order, Decimal(-6), Decimal(-6), Decimal(90)))
    assert (held.quantity, held.entry, held.peak, held.held) == (0, 0, 0, 0)
    assert books.cash == 392 + 540 - 1
