"""Tail numbers against hand-worked ones, numpy and empyrical."""

from __future__ import annotations

import math

import empyrical
import numpy as np
import pytest

from rustybt.analysis.metrics import risk
from tests.analysis.worked import RETURNS, close_to, dated, random_returns


def test_hand_worked_tail() -> None:
    # sorted: -2, -1, 1, 2, 3 %; the 5 % quantile lies 0.2 of the way from the first to the second
    assert risk.value_at_risk(RETURNS, 0.95) == pytest.approx(-0.018, rel=1e-12)
    assert risk.value_at_risk(RETURNS, 0.75) == pytest.approx(-0.01, rel=1e-12)
    assert risk.expected_shortfall(RETURNS, 0.95) == pytest.approx(-0.02, rel=1e-12)
    assert risk.expected_shortfall(RETURNS, 0.75) == pytest.approx(-0.015, rel=1e-12)
    tails = risk.tails(RETURNS)
    assert (tails["best_day"], tails["worst_day"], tails["positive_days"]) == (0.03, -0.02, 0.6)
    assert tails["tail_ratio"] == pytest.approx(0.028 / 0.018, rel=1e-12)


@pytest.mark.parametrize("sessions", [2, 20, 21, 101, 750, 2_001])
def test_agrees_with_empyrical(sessions: int) -> None:
    r = random_returns(3, sessions)
    series = dated(r)
    for level, cutoff in ((0.95, 0.05), (0.99, 0.01)):
        assert close_to(risk.value_at_risk(r, level), empyrical.value_at_risk(series, cutoff=cutoff))
        assert close_to(risk.expected_shortfall(r, level), empyrical.conditional_value_at_risk(series, cutoff=cutoff))
    assert close_to(risk.tail_ratio(np.sort(r)), empyrical.tail_ratio(series))


def test_the_set_and_the_single_numbers_are_the_same() -> None:
    r = random_returns(5)
    tails = risk.tails(r)
    assert tails["var_99"] == risk.value_at_risk(r, 0.99)
    assert tails["cvar_95"] == risk.expected_shortfall(r, 0.95)
    assert tails["cvar_99"] <= tails["var_99"] <= tails["var_95"]


def test_quantile_is_that_of_numpy() -> None:
    ordered = np.sort(random_returns(8, 333))
    for share in (0.0, 0.01, 0.37, 0.5, 0.99, 1.0):
        assert close_to(risk.quantile(ordered, share), np.quantile(ordered, share))


def test_nothing_to_measure_is_undefined() -> None:
    assert math.isnan(risk.quantile(np.empty(0), 0.5))
    assert all(math.isnan(value) for value in risk.tails(np.empty(0)).values())
    assert all(math.isnan(value) for value in risk.tails(np.array([0.1, np.nan])).values())
    assert math.isnan(risk.tail_ratio(np.zeros(3)))
