from __future__ import annotations

from decimal import Decimal

import pytest

from rustybt.model import Asset, Detail, Reason, Status, TargetKind
from rustybt.reference.account import Account, Bar, Now, Order
from rustybt.reference.orders import Phase, divide, serve, wanted
from rustybt.reference.priced import Moment
from tests.reference.accounts import account, terms


def flat(price: int) -> Bar:
    return Bar(*[Decimal(price)] * 4)


def opening(*bars: Bar | None) -> Phase:
    return Phase(Now(1, 1, 1, ends=True), bars, Moment.OPEN)


def submit(books: Account, slot: int, lots: int) -> None:
    books.working.append(Order(next(books.numbers), slot, 0, Reason.TARGET, Decimal(lots)))


@pytest.mark.parametrize(
    ("held", "quantity", "parts"),
    [(0, 5, (0, 5)), (3, 2, (0, 2)), (3, -2, (-2, 0)), (3, -3, (-3, 0)), (3, -5, (-3, -2)), (-3, 5, (3, 2)), (-3, -1, (0, -1))],
)
def test_an_order_is_divided_at_zero(held: int, quantity: int, parts: tuple[int, int]) -> None:
    books = account(terms())
    books.positions[0].quantity = Decimal(held)
    assert divide(books, Order(1, 0, 0, Reason.TARGET, Decimal(quantity)), Decimal(quantity)) == parts


@pytest.mark.parametrize(
    ("kind", "target", "lots"),
    [
        (TargetKind.QUANTITY, "7", 7),
        (TargetKind.NOTIONAL, "-299.99", -2),
        (TargetKind.WEIGHT, "0.3", 3),
        (TargetKind.WEIGHT, "-0.29999", -2),
        (TargetKind.WEIGHT, "0", 0),
    ],
)
def test_targets_become_lots_toward_zero(kind: TargetKind, target: str, lots: int) -> None:
    slot = terms(kind=kind)
    assert wanted(account(slot), Decimal(target), (slot, Decimal(100)), Decimal(1000)) == lots


def test_residual_lots_go_by_slot_not_by_submission() -> None:
    books = account(terms(0), terms(1), cash="350")
    submit(books, 1, 2)
    submit(books, 0, 2)
    serve(books, opening(flat(100), flat(100)))
    assert [position.quantity for position in books.positions] == [2, 1]
    assert [row.slot for row in books.log] == [1, 0]


def test_the_second_lot_is_cheaper_when_the_first_pays_the_flat_fee() -> None:
    # Needs 3 x 100 + 10 each, 620 in all, room 520. Shares: 3 x 520 / 620 = 2: 210 each, left 100. One more lot costs 100: to slot 0.
    books = account(terms(0, fee_flat=Decimal(10)), terms(1, fee_flat=Decimal(10)), cash="520")
    for slot in (0, 1):
        submit(books, slot, 3)
    serve(books, opening(flat(100), flat(100)))
    assert [position.quantity for position in books.positions] == [3, 2]
    assert books.cash == 0


def test_an_order_waits_for_a_bar_of_its_asset() -> None:
    books = account(terms(0), terms(1))
    submit(books, 0, 2)
    serve(books, opening(None, flat(100)))
    assert [order.slot for order in books.working] == [0]
    assert books.log == []


def test_what_cannot_be_paid_is_rejected_and_gone() -> None:
    books = account(terms(), cash="99.99")
    submit(books, 0, 1)
    serve(books, opening(flat(100)))
    assert books.working == []
    assert (books.log[0].status, books.log[0].detail, books.log[0].requested) == (Status.REJECTED, Detail.UNAFFORDABLE, 1)


def test_lots_that_are_worth_nothing_need_no_room() -> None:
    # A lot of 0.001 at 1 is worth less than half a cent, 3 lots as well: both fit into an account of 0.
    slot = terms(asset=Asset("A", tick_size=Decimal(1), lot_size=Decimal("0.001")))
    books = account(slot, cash="0")
    books.working.append(Order(1, 0, 0, Reason.TARGET, Decimal("0.003")))
    serve(books, opening(flat(1)))
    assert books.positions[0].quantity == Decimal("0.003")
    assert books.cash == 0
