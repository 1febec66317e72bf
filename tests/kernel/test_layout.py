"""Where the arrays of a desk lie."""

from __future__ import annotations

import numpy as np
import pytest

from rustybt.kernel.state import ALWAYS, PLACES, STEADY, Desk, steady

WORD = 8


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
