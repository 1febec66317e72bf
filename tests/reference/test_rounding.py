from __future__ import annotations

from decimal import Decimal, Inexact, localcontext
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.errors import LedgerError
from rustybt.model.decimals import LIMIT
from rustybt.reference.rounding import EXACT, amount, downward, nearest, toward_zero, upward

STEPS = st.sampled_from([Decimal(1), Decimal("0.01"), Decimal("0.25"), Decimal("1e-8"), Decimal(7)])
WHOLE = st.integers(-(2**122), 2**122)
OVER = st.integers(1, 2**61)


@given(WHOLE, STEPS, OVER)
def test_each_mode_rounds_the_exact_quotient_once(units: int, step: Decimal, over: int) -> None:
    steps = Fraction(units, over)
    with localcontext(EXACT):
        value, divisor = units * step, Decimal(over)
        assert nearest(value, step, over=divisor) == round(steps) * step
        assert upward(value, step, over=divisor) == ceil(steps) * step
        assert downward(value, step, over=divisor) == floor(steps) * step
        assert toward_zero(value, step, over=divisor) == int(steps) * step


@given(st.integers(-(2**60), 2**60), st.integers(1, 2**61 - 1))
def test_a_near_tie_is_not_a_tie(half: int, large: int) -> None:
    tie = Fraction(2 * half + 1, 2)
    near = tie + Fraction(1, 2 * large)
    with localcontext(EXACT):
        assert nearest(Decimal(near.numerator), Decimal(1), over=Decimal(near.denominator)) == round(near)
        assert nearest(Decimal(tie.numerator), Decimal(1), over=Decimal(2)) == round(tie)


def test_an_amount_of_2_to_the_61_steps_is_refused_with_its_asset() -> None:
    step = Decimal("0.01")
    assert amount((LIMIT - 1) * step, step, "cash", "A") == (LIMIT - 1) * step
    for value in (LIMIT * step, -LIMIT * step):
        with pytest.raises(LedgerError, match="asset 'A'") as caught:
            amount(value, step, "cash", "A")
        assert "cash" in str(caught.value)
        assert "coarser" in str(caught.value)


def test_the_context_refuses_to_lose_a_digit() -> None:
    with localcontext(EXACT), pytest.raises(Inexact):
        Decimal(1) / Decimal(3)
