"""Where the arrays of a desk lie."""

from __future__ import annotations

import numpy as np
import pytest

from rustybt.kernel.room import widen
from rustybt.kernel.state import ALWAYS, DUE, FIRST_OF_ROW, OFFSETS, ORDERS, PER_ORDER, PLACES, ROW_BYTES, STEADY, Desk

from .builds import COMPILED, compiled_only

if COMPILED:
    from rustybt.kernel.native import steady

WORD = 8


@compiled_only
@pytest.mark.parametrize("shape", [(1, 1, 6), (1, 1, 40), (3, 6, 10), (500, 500, 1)])
@pytest.mark.parametrize("window", [0, 7])
def test_what_the_machine_code_takes_for_granted_holds_for_every_desk(shape: tuple[int, int, int], window: int) -> None:
    assets, slots, orders = shape
    desk = Desk(window=window)
    desk.lay_out(assets, slots, orders, claims=orders + 1)
    assert set(steady(assets, slots)) == STEADY
    assert set(steady(None, None)) == set(ALWAYS)
    for found in (steady(assets, slots), steady(None, None)):
        for name, (first, behind) in found.items():
            assert desk.table[PLACES[name]] == desk.table[PLACES[first]] + WORD * behind, name


def test_such_an_array_is_not_exchanged() -> None:
    with pytest.raises(TypeError, match="known to the machine code"):
        Desk().set(count=np.zeros(12, dtype=np.int64))


def test_the_fields_of_an_order_lie_in_one_row_and_move_with_it() -> None:
    desk = Desk(window=0)
    desk.lay_out(1, 1, 3)
    assert set(OFFSETS) == {*PER_ORDER, *DUE}
    for number, name in enumerate(PER_ORDER):
        getattr(desk, name)[:] = [number, 100 + number, 200 + number]
    desk.count[ORDERS] = 2
    widen(desk, 9)
    for number, name in enumerate(PER_ORDER):
        column = getattr(desk, name)
        assert column[:3].tolist() == [number, 100 + number, 0], "two orders are in the table, the third row is none"
        assert column.strides == (ROW_BYTES,), name
        assert column.__array_interface__["data"][0] == desk.table[PLACES[FIRST_OF_ROW]] + OFFSETS[name], name


def test_a_field_of_orders_is_not_exchanged() -> None:
    with pytest.raises(TypeError, match="known to the machine code"):
        Desk().set(order_kind=np.zeros(4, dtype=np.int64))
