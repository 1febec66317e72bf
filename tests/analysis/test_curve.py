"""The curve: session closes, returns, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from rustybt.analysis.metrics import Curve
from rustybt.analysis.metrics.curve import iso_date, simple_returns
from rustybt.errors import DataError


def curve_of(equity: list[int], sessions: list[int] | None = None, opening: int | None = None, scale: int = 2) -> Curve:
    units = np.array(equity, dtype=np.int64)
    days = np.array(range(len(equity)) if sessions is None else sessions, dtype=np.int32)
    return Curve(np.arange(len(equity)), days, units, units, units * 0, scale, opening)


def test_the_last_bar_of_each_session_counts() -> None:
    closes = curve_of([100, 200, 300, 400, 500], [7, 7, 8, 8, 9]).closes()
    assert closes.days.tolist() == [7, 8, 9]
    assert closes.values.tolist() == [2.0, 4.0, 5.0]
    assert closes.returns.tolist() == [1.0, 0.25]
    assert closes.sessions == 3


def test_opening_cash_is_the_base_of_the_first_session() -> None:
    closes = curve_of([110_00, 99_00], [3, 4], opening=100_00).closes()
    assert closes.days.tolist() == [3, 3, 4]
    assert closes.returns.tolist() == pytest.approx([0.1, -0.1])
    assert closes.sessions == 2


def test_money_becomes_the_nearest_float() -> None:
    assert curve_of([1_234_567_890_123_456], scale=8).closes().values[0] == 12_345_678.90123456


def test_a_return_on_nothing_is_undefined() -> None:
    r = simple_returns(np.array([10.0, 0.0, 5.0, -5.0, 5.0]))
    assert r[:1].tolist() == [-1.0]
    assert np.isnan(r).tolist() == [False, True, False, True]


def test_dates_before_the_epoch() -> None:
    assert iso_date(-1) == "1969-12-31"


def test_an_empty_curve_is_refused() -> None:
    with pytest.raises(DataError, match="no bars"):
        curve_of([])


def test_columns_of_different_length_are_refused() -> None:
    two, three = np.zeros(2, dtype=np.int64), np.zeros(3, dtype=np.int64)
    with pytest.raises(DataError, match="different length"):
        Curve(two, two.astype(np.int32), two, two, three)


def test_a_session_that_goes_back_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match="goes back in time") as caught:
        curve_of([1, 1, 1], [5, 6, 5])
    assert "row 2" in caught.value.where
