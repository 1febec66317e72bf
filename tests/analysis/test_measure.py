"""The whole set: names, order, undefined numbers, speed of a run and of a long intraday one."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rustybt.analysis.metrics import DEFINITIONS, Benchmark, Conventions, Curve, RunFacts, Trades, measure
from rustybt.analysis.metrics.definitions import definition_of
from rustybt.errors import ConfigError
from tests.analysis.worked import RETURNS, random_returns

SCALE = 8
PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "metrics.md"


def curve_of(equity: list[float] | np.ndarray, sessions: np.ndarray | None = None, gross: float = 0.5, opening: int | None = None) -> Curve:
    units = np.round(np.asarray(equity, dtype=np.float64) * 10**SCALE).astype(np.int64)
    days = np.arange(19_723, 19_723 + len(units), dtype=np.int32) if sessions is None else sessions
    held = (np.abs(units) * gross).astype(np.int64)
    return Curve(days.astype(np.int64), days, units, units - held, held, SCALE, opening)


def trades() -> Trades:
    pnl = np.array([30.0, -10.0, 5.0])
    return Trades(pnl, pnl / 100, np.array([3, 4, 5]), np.array([True, True, False]), mae=-np.abs(pnl) / 100, mfe=np.abs(pnl) / 100)


def full_set() -> dict[str, float | str | None]:
    curve = curve_of(100 * np.cumprod(1 + random_returns(1, 300)))
    flows = np.where(np.arange(curve.bars) == 7, 10**SCALE, 0)
    curve = replace(curve, flows=flows)
    benchmark = Benchmark(curve.sessions, 50 * np.cumprod(1 + random_returns(2, 300)))
    facts = RunFacts(
        9, 7, 1, 1, 0, 500 * 10**SCALE, {"commission": 3 * 10**SCALE, "slippage": 2 * 10**SCALE}, {"dividends": 10**SCALE}, trades()
    )
    return measure(curve, benchmark, facts)


def test_every_name_is_defined_and_every_definition_is_measured() -> None:
    extra = {"cost_commission", "cost_slippage", "income_dividends"}
    assert set(full_set()) == set(DEFINITIONS) | extra
    assert list(full_set())[: len(DEFINITIONS)] == list(DEFINITIONS)


def test_every_definition_is_in_the_concepts_page() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", PAGE.read_text(encoding="utf-8")))
    assert set(DEFINITIONS) - named == set()


def test_the_mapping_is_json_and_equal_for_equal_runs() -> None:
    assert json.loads(json.dumps(full_set(), allow_nan=False)) == full_set()


def test_hand_worked_run() -> None:
    # opening cash 100, sessions Monday to Friday: the five returns of `worked`
    curve = curve_of(100 * np.cumprod(1 + RETURNS), opening=100 * 10**SCALE)
    found = measure(curve, conventions=Conventions(periods_per_year=5))
    assert found["start"] == "2024-01-01"
    assert found["end"] == "2024-01-05"
    assert (found["sessions"], found["bars"], found["years"]) == (5.0, 5.0, 1.0)
    assert found["total_return"] == pytest.approx(0.0294850412, abs=1e-9)
    assert found["cagr"] == pytest.approx(0.0294850412, abs=1e-9)
    assert found["sharpe"] == pytest.approx(0.006 / 0.00043**0.5 * 5**0.5, rel=1e-6)
    assert found["max_drawdown"] == pytest.approx(-0.02, rel=1e-6)
    assert (found["max_drawdown_start"], found["max_drawdown_trough"], found["max_drawdown_end"]) == ("2024-01-03", "2024-01-04", None)
    assert found["max_drawdown_sessions"] == 2.0
    assert found["calmar"] == pytest.approx(0.0294850412 / 0.02, rel=1e-6)
    assert (found["best_day"], found["worst_day"]) == (pytest.approx(0.03, rel=1e-6), pytest.approx(-0.02, rel=1e-6))


def test_hand_worked_activity() -> None:
    # equity 100 at three closes, two returns of two periods a year: one year
    facts = RunFacts(4, 3, 1, 0, 0, 250 * 10**SCALE, {"commission": 2 * 10**SCALE, "borrow": 10**SCALE}, {"dividends": 5 * 10**SCALE})
    found = measure(curve_of([100.0, 100.0, 100.0]), facts=facts, conventions=Conventions(periods_per_year=2))
    assert found["turnover"] == pytest.approx(2.5)
    assert (found["traded"], found["costs"], found["cost_commission"], found["cost_borrow"]) == (250.0, 3.0, 2.0, 1.0)
    assert found["costs_per_year"] == pytest.approx(0.03)
    assert found["costs_of_traded"] == pytest.approx(3 / 250)
    assert (found["income"], found["income_dividends"]) == (5.0, 5.0)
    assert found["max_drawdown_bars"] == found["max_drawdown"]
    assert (found["orders"], found["fills"], found["rejected"]) == (4.0, 3.0, 1.0)
    assert (found["time_in_market"], found["average_exposure"], found["average_net_exposure"]) == (1.0, 0.5, 0.5)


def test_risk_free_and_minimum_return_are_rates_of_a_year() -> None:
    equity = 100 * np.cumprod(1 + random_returns(6, 253))
    plain, against = measure(curve_of(equity)), measure(curve_of(equity), conventions=Conventions(risk_free=0.05, minimum_return=0.05))
    session = 1.05 ** (1 / 365) - 1
    volatility = float(str(plain["volatility"]))
    assert float(str(plain["sharpe"])) - float(str(against["sharpe"])) == pytest.approx(session * 365 / volatility, rel=1e-9)
    assert float(str(against["sortino"])) < float(str(plain["sortino"]))


def test_money_scale_does_not_move_a_ratio() -> None:
    units = np.array([100_00, 103_00, 99_00, 104_00], dtype=np.int64)
    days = np.arange(4, dtype=np.int32)
    two = measure(Curve(np.arange(4), days, units, units, units * 0, 2))
    eight = measure(Curve(np.arange(4), days, units * 10**6, units * 10**6, units * 0, 8))
    assert two == eight


def test_one_bar_defines_no_ratio() -> None:
    found = measure(curve_of([100.0], gross=0.0))
    assert found["total_return"] == 0.0
    assert found["max_drawdown"] == 0.0
    for name in ("cagr", "volatility", "sharpe", "sortino", "calmar", "var_95", "skew", "best_day", "best_month", "max_drawdown_start"):
        assert found[name] is None, name


def test_flat_equity_has_no_variance_and_no_ratio() -> None:
    found = measure(curve_of([100.0] * 30, gross=0.0), facts=RunFacts())
    assert (found["total_return"], found["cagr"], found["volatility"], found["max_drawdown"]) == (0.0, 0.0, 0.0, 0.0)
    for name in ("sharpe", "sortino", "calmar", "omega", "skew", "kurtosis", "tail_ratio", "costs_of_traded"):
        assert found[name] is None, name
    assert found["time_in_market"] == 0.0


def test_an_account_that_went_below_zero_has_a_loss_but_no_ratio() -> None:
    found = measure(curve_of([100.0, 50.0, -20.0, 30.0]))
    assert found["total_return"] == pytest.approx(-0.7)
    assert found["max_drawdown"] == pytest.approx(-1.2)
    for name in ("sharpe", "volatility", "sortino", "var_95", "average_exposure"):
        assert found[name] is None, name
    assert measure(curve_of([100.0, -20.0]))["cagr"] is None


def test_an_account_that_starts_at_nothing_measures_nothing() -> None:
    found = measure(curve_of([0.0, 0.0, 10.0]))
    assert found["total_return"] is None
    assert found["max_drawdown"] is None


def test_intraday_bars_are_reduced_to_sessions_but_the_deepest_bar_is_told() -> None:
    days = np.repeat(np.arange(19_723, 19_726, dtype=np.int32), 3)
    found = measure(curve_of([100, 60, 100, 100, 110, 105, 105, 120, 126], days))
    assert found["max_drawdown"] == 0.0
    assert found["max_drawdown_bars"] == pytest.approx(-0.4)
    assert found["best_day"] == pytest.approx(0.2)
    assert (found["bars"], found["sessions"]) == (9.0, 3.0)


@pytest.mark.parametrize(
    "wrong", [{"periods_per_year": 0}, {"periods_per_year": -1}, {"risk_free": -1.0}, {"minimum_return": float("inf")}]
)
def test_impossible_conventions_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Conventions(**wrong)


def test_unknown_names_still_read_well() -> None:
    assert definition_of("income_cash in lieu").label == "Income: cash in lieu"
    assert definition_of("income_cash_in_lieu").label == "Income: cash in lieu"
    assert definition_of("my_score").label == "My score"


@pytest.mark.parametrize(("bars", "a_day", "limit"), [(2_520, 1, 0.015), (1_500_000, 1_440, 0.5)])
def test_the_whole_set_is_quick(bars: int, a_day: int, limit: float) -> None:
    # Ten times what an idle core needs: it fails when work grows with bars and sessions at once, not when the machine is busy.
    days = (19_000 + np.arange(bars) // a_day).astype(np.int32)
    curve = curve_of(1_000 + np.cumsum(random_returns(1, bars)), days)
    facts = RunFacts(trades=trades())
    benchmark = Benchmark(np.unique(days), np.linspace(10, 20, len(np.unique(days))))
    best = min(_seconds(curve, benchmark, facts) for _ in range(5))
    assert best < limit


def _seconds(curve: Curve, benchmark: Benchmark, facts: RunFacts) -> float:
    start = time.perf_counter()
    measure(curve, benchmark, facts)
    return time.perf_counter() - start
