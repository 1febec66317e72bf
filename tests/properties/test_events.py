"""What corporate actions must conserve, on random sizes, ratios and prices, in both programs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt import kernel, reference
from rustybt.model import Outcome, Reason
from rustybt.testing.golden import read_case
from rustybt.testing.outcomes import Simulate

BOTH = pytest.mark.parametrize("simulate", [pytest.param(kernel.simulate, id="kernel"), pytest.param(reference.simulate, id="reference")])
SIZES = st.integers(1, 400) | st.integers(-400, -1)
RATIO = st.tuples(st.integers(1, 9), st.integers(1, 9))


def held(simulate: Simulate, lots: int, event: str) -> Outcome:
    """Two bars of A at 100.00 with so many lots, then an event at the third; B has no bar of its own."""
    text = f"""[run]
cash=100000 bars=3
[assets]
A tick=0.01
B tick=0.01 lot=0.1
[bars]
0 A 100 100 100 100
1 A 100 100 100 100
[targets]
0 A {lots}
[events]
2 A {event}"""
    outcome: Outcome = simulate(*read_case(text).session)
    return outcome


@BOTH
@given(lots=SIZES, ratio=RATIO, cents=st.integers(1, 50_000), paid=st.integers(0, 9_000))
def test_a_merger_conserves_value_at_its_prices(simulate: Simulate, lots: int, ratio: tuple[int, int], cents: int, paid: int) -> None:
    new, old = ratio
    outcome = held(simulate, lots, f"merger B={new}:{old}@{cents / 100:.2f} cash={paid}/100")
    due = lots * (Fraction(paid) + Fraction(new, old) * cents)
    before = 100_000 * 100 - lots * 10_000
    # Three amounts are rounded to the cent: the cash, the value received, the cash in lieu.
    assert abs(int(outcome.equity[-1]) - before - due) <= Fraction(3, 2)
    assert outcome.lots[0] == 0
    received = abs(int(outcome.lots[1]))
    assert received == abs(lots) * new * 10 // old


@BOTH
@given(lots=SIZES, ratio=RATIO, cents=st.integers(1, 50_000), part=st.integers(1, 99))
def test_a_spin_off_moves_cost_and_pays_only_the_remainder(
    simulate: Simulate, lots: int, ratio: tuple[int, int], cents: int, part: int
) -> None:
    new, old = ratio
    outcome = held(simulate, lots, f"spinoff B={new}:{old}@{cents / 100:.2f} part={part / 100:.2f}")
    log = outcome.log
    spun = log.reason == Reason.SPINOFF
    rest = Fraction(abs(lots) * new * 10, old) - abs(lots) * new * 10 // old
    in_lieu = int(outcome.cash[-1]) - int(outcome.cash[1])
    assert abs(abs(in_lieu) - rest * cents / 10) <= Fraction(1, 2)
    assert int(log.notional[spun].sum()) == -in_lieu
    if outcome.lots[1] != 0:
        assert int(log.notional[spun][0]) == -round(Fraction(lots * 10_000 * part, 100))


@BOTH
@given(lots=SIZES, amount=st.integers(0, 10**6))
def test_a_delisting_pays_the_exact_amount(simulate: Simulate, lots: int, amount: int) -> None:
    outcome = held(simulate, lots, f"delisting cash={amount}/1000")
    assert int(outcome.cash[-1]) == 100_000 * 100 - lots * 10_000 + round(Fraction(lots * amount, 10))
    assert not np.any(outcome.lots)


@BOTH
@given(lots=SIZES, amount=st.integers(0, 10**5))
def test_a_pay_date_changes_when_there_is_cash_and_nothing_else(simulate: Simulate, lots: int, amount: int) -> None:
    at_once = held(simulate, lots, f"dividend {amount}/1000")
    later = held(simulate, lots, f"dividend {amount}/1000 claim=1")
    paid = held(simulate, lots, f"dividend {amount}/1000 claim=1\n2 A payment claim=1")
    assert at_once.equity.tolist() == later.equity.tolist() == paid.equity.tolist()
    assert later.cash[-1] == later.cash[1]
    assert paid.cash.tolist() == at_once.cash.tolist()
