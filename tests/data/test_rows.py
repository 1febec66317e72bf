"""Broken keys are refused, dirty rows are set aside, and nothing is tripped over."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.data import load
from rustybt.errors import DataError
from tests.data.conftest import Make, make_bars


def test_any_order_of_rows_gives_the_same_panel(make: Make) -> None:
    bars = make({"B": [1, 2, 3], "A": [4, 5, 6], "C": [7, 8]})
    sorted_panel = load(bars.sort("asset", "ts"), stamp="close")
    for order in (bars.sort("ts", "asset"), bars.sort("ts", "asset", descending=True), bars[[7, 2, 0, 5, 3, 1, 6, 4]]):
        panel = load(order, stamp="close")
        assert panel.frame.equals(sorted_panel.frame)
        assert panel.snapshot == sorted_panel.snapshot


def test_sorting_is_reported_only_when_time_ran_backwards(make: Make) -> None:
    bars = make({"B": [1, 2, 3], "A": [4, 5, 6]})
    assert load(bars, stamp="close").warnings == ()
    assert load(bars.sort("ts", "asset"), stamp="close").warnings == ()
    assert load(bars[[1, 0, 2, 3, 4, 5]], stamp="close").warnings == (
        "Rows were sorted by time: 1 came before an earlier one of their asset.",
    )


def test_duplicate_keys_are_refused_with_count_and_place(make: Make) -> None:
    bars = make({"A": [1, 2, 3]})
    with pytest.raises(DataError, match="2 rows repeat the asset and time") as caught:
        load(pl.concat([bars, bars[[1, 2]]]), stamp="close")
    assert "asset 'A', 2020-01-07T21:00:00" in caught.value.where


def test_intraday_bars_given_as_sessions_are_refused(make: Make) -> None:
    bars = make({"A": [1, 2]}, start=datetime(2020, 1, 6, 10, tzinfo=UTC)).with_columns(ts=pl.lit(datetime(2020, 1, 6, tzinfo=UTC)))
    with pytest.raises(DataError, match="1 rows repeat") as caught:
        load(bars, stamp="session")
    assert "one bar per session" in caught.value.do


@pytest.mark.parametrize("key", ["ts", "asset"])
def test_null_keys_are_refused_with_count_and_place(make: Make, key: str) -> None:
    bars = make({"A": [1, 2, 3]})
    bars = bars.with_columns(pl.when(pl.int_range(pl.len()) != 1).then(pl.col(key)).alias(key))
    with pytest.raises(DataError, match=f"1 rows have a null {key}") as caught:
        load(bars, stamp="close")
    assert caught.value.where == "the frame, row 1"


def test_an_empty_name_is_refused(make: Make) -> None:
    with pytest.raises(DataError, match="empty name"):
        load(make({"A": [1], "": [2]}), stamp="close")


FIELDS = ("open", "high", "low", "close", "volume")
DIRTY = [
    ({"open": None}, "null price"),
    ({"close": math.nan}, "NaN or infinite price"),
    ({"high": math.inf}, "NaN or infinite price"),
    ({"low": 0.0}, "zero or negative price"),
    ({"low": -1.0}, "zero or negative price"),
    ({"low": 0.00004, "open": 0.00004, "close": 0.00004}, "price below half a tick"),
    ({"high": 9.0}, "high below low"),
    ({"open": 12.0}, "open or close outside low..high"),
    ({"close": 9.99}, "open or close outside low..high"),
    ({"volume": None}, "null volume"),
    ({"volume": math.nan}, "NaN, infinite or negative volume"),
    ({"volume": -1.0}, "NaN, infinite or negative volume"),
]


@pytest.mark.parametrize(("damage", "reason"), DIRTY)
def test_dirty_rows_are_set_aside_with_their_reason(make: Make, damage: dict[str, float | None], reason: str) -> None:
    hit = pl.int_range(pl.len()) == 4
    bars = make({"A": [10, 10, 10], "B": [10, 10, 10]})
    bars = bars.with_columns(
        [pl.when(hit).then(pl.lit(value, dtype=pl.Float64)).otherwise(pl.col(name)).alias(name) for name, value in damage.items()]
    )
    panel = load(bars, stamp="close")
    assert panel.quarantine["reason"].to_list() == [reason]
    assert panel.quarantine.drop("reason").equals(bars[[4]])
    assert panel.frame.height == 5
    assert panel.row_bar.tolist() == [0, 1, 2, 0, 2]
    assert panel.close[1].tolist() == [100_000, 0]
    said = f"1 rows cannot be used: 1 {reason} (first: asset 'B', 2020-01-07T21:00:00); they were set aside."
    assert [note for note in panel.warnings if "rounded" not in note] == [said]
    with pytest.raises(DataError, match=f"1 {reason}"):
        load(bars, stamp="close", dirty="refuse")


VALUES = st.one_of(st.none(), st.floats(-5, 1000), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 10.0]))


def usable(row: dict[str, float | None]) -> bool:
    """The rule for a row, in plain Python."""
    values = [row[name] for name in FIELDS]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if len(finite) < 5 or finite[4] < 0:
        return False
    opened, high, low, close = (Decimal(str(value)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN) for value in finite[:4])
    return 0 < low <= min(opened, close) and max(opened, close) <= high


@settings(max_examples=60)
@given(st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES, VALUES), min_size=2, max_size=30))
def test_exactly_the_rows_that_break_a_rule_are_set_aside(rows: list[tuple[float | None, ...]]) -> None:
    damaged = {name: [10.0, *(row[i] for row in rows)] for i, name in enumerate(FIELDS)}
    bars = make_bars({"A": [10.0] * (len(rows) + 1)}).with_columns(pl.DataFrame(damaged, schema=dict.fromkeys(FIELDS, pl.Float64)))
    panel = load(bars, stamp="close")
    good = [row["ts"] for row in bars.iter_rows(named=True) if usable(row)]
    assert panel.frame["ts"].to_list() == good
    assert panel.quarantine.height == bars.height - len(good)
    numbers = panel.frame.select(pl.selectors.float())
    assert numbers.width == 10
    assert all(column.is_finite().all() for column in numbers)


def test_an_asset_without_a_usable_bar_leaves(make: Make) -> None:
    panel = load(make({"A": [10, 10], "B": [math.nan, math.nan], "C": [10, 10]}), stamp="close")
    assert panel.symbols == ("A", "C")
    assert panel.frame["asset"].to_physical().to_list() == [0, 0, 1, 1]
    assert panel.warnings[-1] == "1 assets have no usable bar and left: B."


def test_a_source_without_a_usable_row_is_refused(make: Make) -> None:
    with pytest.raises(DataError, match="no row can be used: 2 rows"):
        load(make({"A": [-1, -1]}), stamp="close")


def test_an_empty_frame_is_refused(make: Make) -> None:
    with pytest.raises(DataError, match="no rows"):
        load(make({"A": [1]}).clear(), stamp="close")


def test_one_bar_of_one_asset_is_fine(make: Make) -> None:
    panel = load(make({"A": [10]}), stamp="close")
    assert (panel.bars, panel.symbols, panel.dense) == (1, ("A",), True)
    assert panel.close.tolist() == [[100_000]]


def test_bars_outside_the_declared_life_are_set_aside(make: Make) -> None:
    bars = make({"A": [10, 11, 12, 13], "B": [10, 11, 12, 13]})
    panel = load(bars, stamp="close", assets={"A": {"listed": "2020-01-07", "delisted": "2020-01-08"}})
    assert panel.quarantine["reason"].to_list() == ["before listing", "after delisting"]
    assert panel.frame.filter(pl.col("asset") == "A")["close"].to_list() == [11, 12]
    assert panel.frame.filter(pl.col("asset") == "B").height == 4


def test_noise_in_the_last_digit_of_a_double_is_not_dirt(make: Make) -> None:
    bars = make({"A": [10.1]}).with_columns(high=pl.lit(10.1), low=pl.lit(10.100000000000001))
    assert load(bars, stamp="close").quarantine.height == 0
