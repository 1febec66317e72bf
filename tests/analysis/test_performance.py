"""Growth and its ratios against hand-worked numbers and empyrical."""

from __future__ import annotations

import math

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.analysis.metrics import performance as perf
from tests.analysis.worked import EQUITY, RETURNS, close_to, dated, equity_of, random_returns


def test_hand_worked_growth() -> None:
    assert perf.total_return(EQUITY) == pytest.approx(0.0294850412, abs=1e-12)
    # five returns with five periods a year are one year; with ten they are half a year
    assert perf.cagr(EQUITY, 5) == pytest.approx(0.0294850412, abs=1e-12)
    assert perf.cagr(EQUITY, 10) == pytest.approx(1.0294850412**2 - 1, abs=1e-12)


def test_hand_worked_volatility_and_sharpe() -> None:
    assert perf.volatility(RETURNS, 1) == pytest.approx(math.sqrt(0.00043), rel=1e-12)
    assert perf.volatility(RETURNS, 252) == pytest.approx(math.sqrt(0.00043 * 252), rel=1e-12)
    assert perf.sharpe(RETURNS, 252) == pytest.approx(0.006 / math.sqrt(0.00043) * math.sqrt(252), rel=1e-12)
    assert perf.sharpe(RETURNS, 252, risk_free=0.001) == pytest.approx(0.005 / math.sqrt(0.00043) * math.sqrt(252), rel=1e-12)


def test_hand_worked_downside() -> None:
    # below zero: -1 % and -2 %, squares 1 and 4 e-4, over all five returns
    assert perf.downside_deviation(RETURNS, 1) == pytest.approx(math.sqrt(5e-4 / 5), rel=1e-12)
    assert perf.sortino(RETURNS, 252) == pytest.approx(0.006 * 252 / (0.01 * math.sqrt(252)), rel=1e-12)
    assert perf.omega(RETURNS) == pytest.approx(6 / 3, rel=1e-12)


def test_hand_worked_moments() -> None:
    # population: squares sum to 17.2e-4, cubes 2.744 - 4.096 + 13.824 - 17.576 + 0.064 = -5.04 e-6,
    # fourths 3.8416 + 6.5536 + 33.1776 + 45.6976 + 0.0256 = 89.296 e-8
    second, third, fourth = 3.44e-4, -5.04e-6 / 5, 89.296e-8 / 5
    skew, kurtosis = perf.moments(RETURNS)
    assert skew == pytest.approx(third / second**1.5, rel=1e-10)
    assert kurtosis == pytest.approx(fourth / second**2 - 3, rel=1e-10)


def test_moments_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    r = random_returns()
    skew, kurtosis = perf.moments(r)
    assert close_to(skew, stats.skew(r))
    assert close_to(kurtosis, stats.kurtosis(r))


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_empyrical(seed: int) -> None:
    r = random_returns(seed)
    values, series = equity_of(r), dated(r)
    assert close_to(perf.total_return(values), empyrical.cum_returns_final(series))
    assert np.isclose(perf.cagr(values, 252), empyrical.cagr(series), rtol=1e-11)
    assert close_to(perf.volatility(r, 252), empyrical.annual_volatility(series))
    assert close_to(perf.sharpe(r, 252), empyrical.sharpe_ratio(series))
    assert close_to(perf.sharpe(r, 252, 0.0001), empyrical.sharpe_ratio(series, risk_free=0.0001))
    assert close_to(perf.downside_deviation(r, 252), empyrical.downside_risk(series))
    assert close_to(perf.sortino(r, 252), empyrical.sortino_ratio(series))
    assert close_to(perf.sortino(r, 252, 0.0002), empyrical.sortino_ratio(series, required_return=0.0002))
    assert close_to(perf.omega(r), empyrical.omega_ratio(series))
    deepest = float(empyrical.max_drawdown(series))
    assert np.isclose(perf.calmar(perf.cagr(values, 252), deepest), empyrical.calmar_ratio(series), rtol=1e-11)


def test_sharpe_error_falls_to_the_normal_case_for_symmetric_thin_tails() -> None:
    # Returns +a and -a around mean m: skew 0, excess kurtosis -2, so the bracket is 1 and the error is sqrt(periods / (n - 1)).
    r = np.array([0.01 + 0.002, -0.01 + 0.002] * 50)
    assert perf.sharpe_error(r, 252) == pytest.approx(math.sqrt(252 / 99), rel=1e-9)


def test_a_constant_return_has_no_sharpe() -> None:
    r = np.diff(equity_of(np.full(50, 0.001))) / equity_of(np.full(50, 0.001))[:-1]
    assert perf.deviation(r) == 0.0
    assert math.isnan(perf.sharpe(r, 252))
    assert all(math.isnan(value) for value in perf.moments(r))


def test_a_spread_beyond_rounding_is_not_taken_for_zero() -> None:
    r = np.array([1e-13, -1e-13] * 10)
    assert perf.deviation(r) > 0


@pytest.mark.parametrize("returns", [np.empty(0), np.array([0.01])])
def test_too_few_returns_have_no_ratio(returns: np.ndarray) -> None:
    for number in (perf.volatility(returns, 252), perf.sharpe(returns, 252), perf.sharpe_error(returns, 252)):
        assert math.isnan(number)


def test_an_undefined_return_makes_every_ratio_undefined() -> None:
    r = np.array([0.1, -1.0, np.nan, 0.2])
    numbers = (perf.volatility(r, 252), perf.sharpe(r, 252), perf.sortino(r, 252), perf.omega(r), *perf.moments(r))
    assert all(math.isnan(number) for number in numbers)


def test_growth_through_zero() -> None:
    assert perf.cagr(np.array([100.0, 0.0]), 252) == -1.0
    assert math.isnan(perf.cagr(np.array([100.0, -5.0]), 252))
    assert perf.total_return(np.array([100.0, -5.0])) == pytest.approx(-1.05)
    assert math.isnan(perf.total_return(np.array([-1.0, 5.0])))


def test_growth_beyond_float_is_undefined_not_an_error() -> None:
    assert math.isnan(perf.cagr(np.array([1.0, 1e9]), 252))


def test_no_bad_session_means_no_sortino_and_no_omega() -> None:
    up = np.array([0.01, 0.02])
    assert math.isnan(perf.sortino(up, 252))
    assert math.isnan(perf.omega(up))
    assert math.isnan(perf.calmar(0.2, 0.0))


@given(st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=40), st.permutations(range(3)))
def test_shuffling_sessions_moves_no_ratio_that_ignores_the_path(values: list[float], order: list[int]) -> None:
    r = np.array(values)
    shuffled = np.concatenate((r[order], r[3:]))
    for number in (perf.volatility, perf.sharpe, perf.sortino):
        one, other = number(r, 252), number(shuffled, 252)
        assert (math.isnan(one) and math.isnan(other)) or one == pytest.approx(other, rel=1e-9, abs=1e-9)


def test_many_are_compounded_to_the_bits_of_each() -> None:
    rng = np.random.default_rng(5)
    growth = np.concatenate([rng.lognormal(0, 3, 500), [0.0, -0.5, math.nan, math.inf, 1.0, 5e-324, 1e308]])
    for exponent in (0.1, 1.0, 25.2, 400.0, math.nan):
        alone = [perf.compound(one, exponent) for one in growth.tolist()]
        np.testing.assert_array_equal(perf.compound_each(growth, exponent), alone)
