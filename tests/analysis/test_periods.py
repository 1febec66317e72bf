"""Sessions per year from the sessions, monthly and yearly returns, rolling windows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from rustybt.analysis.metrics import Closes, monthly_returns, performance, periods_per_year, rolling, yearly_returns
from rustybt.analysis.metrics.curve import EPOCH, simple_returns
from rustybt.analysis.metrics.months import period_extremes
from tests.analysis.worked import equity_of, random_returns

MONDAY = date(2024, 1, 1)


def days_where(keep: set[int], weeks: int = 20, step: int = 1) -> np.ndarray:
    """Days on the given weekdays (Monday = 0)."""
    every = [MONDAY + timedelta(days=day) for day in range(0, weeks * 7, step)]
    return np.array([day.toordinal() - EPOCH for day in every if day.weekday() in keep], dtype=np.int32)


@pytest.mark.parametrize(
    ("days", "wanted"),
    [
        (days_where({0, 1, 2, 3, 4}), 252),
        (days_where({6, 0, 1, 2, 3}), 252),
        (days_where({0, 1, 2, 3, 4, 5, 6}), 365),
        (days_where({6, 0, 1, 2, 3, 4}), 312),
        (days_where({4}), 52),
        (days_where({0, 1, 2, 3, 4, 5, 6}, weeks=100, step=14), 26),
        (days_where({0, 1, 2, 3, 4, 5, 6}, weeks=200, step=30), 12),
        (days_where({0, 1, 2, 3, 4, 5, 6}, weeks=200, step=91), 4),
        (days_where({0, 1, 2, 3, 4, 5, 6}, weeks=500, step=365), 1),
        (np.array([19_723], dtype=np.int32), 252),
        (np.repeat(days_where({0, 1, 2, 3, 4}), 7), 252),
    ],
)
def test_sessions_per_year(days: np.ndarray, wanted: float) -> None:
    assert periods_per_year(days) == wanted


def test_a_special_saturday_changes_nothing() -> None:
    days = np.sort(np.append(days_where({0, 1, 2, 3, 4}), MONDAY.toordinal() - EPOCH + 5)).astype(np.int32)
    assert periods_per_year(days) == 252


def closes_on(days: list[date], values: list[float], opened: bool = False) -> Closes:
    equity = np.array(values)
    return Closes(np.array([day.toordinal() - EPOCH for day in days], dtype=np.int32), equity, simple_returns(equity), opened)


def test_hand_worked_months_and_years() -> None:
    days = [date(2023, 11, 15), date(2023, 11, 30), date(2023, 12, 29), date(2024, 2, 1), date(2024, 2, 29)]
    closes = closes_on(days, [100.0, 110.0, 99.0, 90.0, 118.8])
    first, second = monthly_returns(closes)
    assert first.year == 2023
    assert first.months[10] == pytest.approx(0.1)
    assert first.months[11] == pytest.approx(-0.1)
    assert first.months[:10] == (None,) * 10
    assert first.total == pytest.approx(-0.01)
    assert second.months[0] is None
    assert second.months[1] == pytest.approx(0.2)
    assert yearly_returns(closes) == {2023: pytest.approx(-0.01), 2024: pytest.approx(0.2)}


def test_the_first_month_is_measured_from_the_opening_cash() -> None:
    closes = closes_on([date(2024, 1, 2), date(2024, 1, 2), date(2024, 1, 31)], [100.0, 105.0, 110.0], opened=True)
    assert monthly_returns(closes)[0].months[0] == pytest.approx(0.1)


def test_months_compound_to_the_year() -> None:
    r = random_returns(4, 600)
    start = date(2021, 1, 1).toordinal() - EPOCH
    closes = Closes(np.arange(start, start + 601, dtype=np.int32), equity_of(r), r, False)
    for row in monthly_returns(closes):
        assert row.total is not None
        assert np.prod([1 + value for value in row.months if value is not None]) - 1 == pytest.approx(row.total, rel=1e-12)


def test_a_month_on_lost_equity_is_unknown() -> None:
    closes = closes_on([date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 29)], [100.0, -1.0, 5.0])
    assert monthly_returns(closes)[0].months[2] is None
    assert all(np.isnan(value) for value in period_extremes(closes).values())


def test_month_extremes() -> None:
    closes = closes_on([date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 29)], [100.0, 90.0, 108.0])
    assert period_extremes(closes) == {"best_month": pytest.approx(0.2), "worst_month": pytest.approx(-0.1), "positive_months": 1 / 3}


def test_every_rolling_window_is_the_whole_run_number_of_its_returns() -> None:
    r = random_returns(9, 80)
    closes = Closes(np.arange(81, dtype=np.int32), equity_of(r), r, False)
    found = rolling(closes, 252, window=21)
    assert len(found.days) == 60
    assert found.days[0] == 21
    for place in (0, 17, 59):
        window = r[place : place + 21]
        assert found.sharpe[place] == pytest.approx(performance.sharpe(window, 252), rel=1e-12)
        assert found.volatility[place] == pytest.approx(performance.volatility(window, 252), rel=1e-12)


def test_rolling_over_a_flat_stretch_has_no_sharpe() -> None:
    r = np.zeros(10)
    found = rolling(Closes(np.arange(11, dtype=np.int32), np.ones(11), r, False), 252, window=5)
    assert np.isnan(found.sharpe).all()
    assert (found.volatility == 0).all()


def test_a_run_shorter_than_the_window_rolls_nothing() -> None:
    assert len(rolling(Closes(np.arange(3, dtype=np.int32), np.ones(3), np.zeros(2), False), 252, window=5).days) == 0
