"""Spin-offs, mergers, ends, rolls, pay dates and stock dividends find their bar and their numbers, or are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from rustybt.data import load
from rustybt.errors import DataError
from rustybt.model import EventKind, Panel
from tests.data.conftest import Make

NUMBERS = ("value", "cash", "price", "part")


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    """Events; numbers as text, so that they are exact."""
    names = ("asset", "ts", "kind", "value", "other", "pay", "cash", "price", "part")
    full = [{name: row.get(name) for name in names} for row in rows]
    frame = pl.DataFrame(full, schema=dict.fromkeys(names, pl.String))
    return frame.with_columns(pl.col("ts", "pay").str.to_date())


@pytest.fixture
def bars(make: Make) -> pl.DataFrame:
    """Monday 6 to Friday 10 January 2020: A on all five days, B from Wednesday on, C on Monday and Tuesday."""
    return pl.concat([make({"A": [10, 11, 12, 13, 14]}), make({"B": [20, 21, 22, 23, 24]})[2:], make({"C": [30, 31]})])


def rows_of(panel: Panel) -> list[list[int]]:
    rows: list[list[int]] = panel.events.tolist()
    return rows


def loaded(bars: pl.DataFrame, *rows: dict[str, Any], **options: Any) -> Panel:
    return load(bars, stamp="close", events=table(*rows), tick_size="0.01", **options)


def test_a_dividend_with_a_pay_date_is_two_events(bars: pl.DataFrame) -> None:
    panel = loaded(bars, {"asset": "A", "ts": "2020-01-07", "kind": "dividend", "value": "0.5", "pay": "2020-01-09"})
    assert rows_of(panel) == [[1, 0, 1, 1, 2, -1, 0, 1, 0, 0, 1], [3, 0, 2, 0, 1, -1, 0, 1, 0, 0, 1]]


def test_a_dividend_paid_on_its_own_bar_is_paid_at_once(bars: pl.DataFrame) -> None:
    panel = loaded(bars, {"asset": "A", "ts": "2020-01-07", "kind": "dividend", "value": "0.5", "pay": "2020-01-07"})
    assert rows_of(panel) == [[1, 0, 1, 1, 2, -1, 0, 1, 0, 0, 0]]


def test_a_dividend_paid_after_the_last_bar_stays_owed(bars: pl.DataFrame) -> None:
    panel = loaded(bars, {"asset": "A", "ts": "2020-01-07", "kind": "dividend", "value": "0.5", "pay": "2020-02-07"})
    assert rows_of(panel) == [[1, 0, 1, 1, 2, -1, 0, 1, 0, 0, 1]]


def test_a_dividend_of_an_asset_without_bars_is_paid_all_the_same(bars: pl.DataFrame) -> None:
    panel = loaded(bars, {"asset": "C", "ts": "2020-01-07", "kind": "dividend", "value": "0.5", "pay": "2020-01-09"})
    assert [row[:3] for row in rows_of(panel)] == [[1, 2, EventKind.DIVIDEND], [3, 2, EventKind.PAYMENT]]


def test_a_stock_dividend_is_a_split(bars: pl.DataFrame) -> None:
    panel = loaded(bars, {"asset": "A", "ts": "2020-01-07", "kind": "stock_dividend", "value": "0.05"})
    assert rows_of(panel)[0][:5] == [1, 0, EventKind.SPLIT, 21, 20]


def test_a_spin_off_takes_price_and_part_from_the_opens_of_its_bar(bars: pl.DataFrame) -> None:
    # A quarter of a B at 22 is 5.5 beside A at 12: 5.5 / 17.5 of the cost.
    panel = loaded(bars, {"asset": "A", "ts": "2020-01-08", "kind": "spinoff", "value": "0.25", "other": "B"})
    assert rows_of(panel) == [[2, 0, 3, 1, 4, 1, 0, 1, 2200, 31428571, 0]]


def test_a_spin_off_takes_what_is_given(bars: pl.DataFrame) -> None:
    given = {"asset": "A", "ts": "2020-01-07", "kind": "spinoff", "value": "0.5", "other": "B", "price": "19.5", "part": "0.25"}
    assert rows_of(loaded(bars, given)) == [[1, 0, 3, 1, 2, 1, 0, 1, 1950, 25_000_000, 0]]


def test_a_spin_off_adjusts_prices_like_the_dividend_that_it_amounts_to(bars: pl.DataFrame) -> None:
    given = {"asset": "A", "ts": "2020-01-08", "kind": "spinoff", "value": "0.25", "other": "B", "price": "22"}
    paid = {"asset": "A", "ts": "2020-01-08", "kind": "dividend", "value": "5.5"}
    spun, cash = loaded(bars, given), loaded(bars, paid)
    assert spun.frame["ticks_adj_close"].equals(cash.frame["ticks_adj_close"])
    assert spun.frame.filter(pl.col("asset") == "A")["adj_close"].to_list() == [10, 11, 24, 26, 28]


def test_a_merger_takes_effect_at_the_next_bar_of_any_asset(bars: pl.DataFrame) -> None:
    # C has its last bar on the 7th; B opens at 22 on the 8th.
    given = {"asset": "C", "ts": "2020-01-08", "kind": "merger", "value": "1.5", "other": "B", "cash": "0.3"}
    assert rows_of(loaded(bars, given)) == [[2, 2, 4, 3, 2, 1, 3, 10, 2200, 0, 0]]


def test_a_merger_in_cash_needs_no_other_asset(bars: pl.DataFrame) -> None:
    given = {"asset": "C", "ts": "2020-01-08", "kind": "merger", "cash": "31.5"}
    assert rows_of(loaded(bars, given)) == [[2, 2, 4, 0, 1, -1, 63, 2, 0, 0, 0]]


def test_what_is_received_without_a_bar_of_the_day_has_its_last_close(bars: pl.DataFrame) -> None:
    gap = bars.filter(~((pl.col("asset") == "B") & (pl.col("ts").dt.day() == 9)))
    given = {"asset": "C", "ts": "2020-01-09", "kind": "merger", "value": "1", "other": "B"}
    assert rows_of(loaded(gap, given))[0][8] == 2200


def test_a_delisting_pays_an_amount_or_the_last_price(bars: pl.DataFrame) -> None:
    ends = {"asset": "C", "ts": "2020-01-08", "kind": "delisting"}
    assert rows_of(loaded(bars, ends | {"value": "7.5"})) == [[2, 2, 5, 0, 1, -1, 15, 2, 0, 0, 0]]
    assert rows_of(loaded(bars, ends | {"value": "0"})) == [[2, 2, 5, 0, 1, -1, 0, 1, 0, 0, 0]]
    assert rows_of(loaded(bars, ends)) == [[2, 2, 5, 0, 1, -1, 0, 0, 0, 0, 0]]


def test_an_expiry_is_settled_after_its_day_with_the_multiplier(bars: pl.DataFrame) -> None:
    given = {"asset": "C", "ts": "2020-01-07", "kind": "expiry", "value": "31.25"}
    contracts = {"C": {"asset_class": "future", "multiplier": "50", "tick_size": "0.01"}}
    assert rows_of(loaded(bars, given, assets=contracts)) == [[2, 2, 6, 0, 1, -1, 3125, 2, 0, 0, 0]]


def test_a_roll_waits_until_both_contracts_have_a_bar(bars: pl.DataFrame) -> None:
    given = {"asset": "A", "ts": "2020-01-07", "kind": "roll", "other": "B"}
    assert rows_of(loaded(bars, given)) == [[2, 0, 7, 1, 1, 1, 0, 1, 0, 0, 0]]


def test_an_end_after_the_last_bar_is_said_and_ignored(bars: pl.DataFrame) -> None:
    panel = loaded(bars, {"asset": "C", "ts": "2020-02-08", "kind": "delisting", "value": "1"})
    assert panel.events.shape == (0, 11)
    assert "1 events after the last bar of their asset take no effect (first: delisting of 'C', 2020-02-08)." in panel.warnings


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"kind": "split", "value": "2", "other": "B"}, "a split takes no other"),
        ({"kind": "merger", "value": "1", "other": "B", "pay": "2020-01-09"}, "a merger takes no pay"),
        ({"kind": "delisting", "value": "1", "cash": "1"}, "a delisting takes no cash"),
        ({"kind": "spinoff", "value": "0.5"}, "a spinoff into None"),
        ({"kind": "spinoff", "value": "0.5", "other": "C"}, "a spinoff into 'C'"),
        ({"kind": "spinoff", "value": "0", "other": "B"}, "ratio 0/1 of the spinoff is not positive"),
        ({"kind": "spinoff", "other": "B"}, "the value None of the spinoff is not a finite number"),
        ({"kind": "spinoff", "value": "1", "other": "B", "part": "1"}, "part 1 of the spinoff is not between 0 and 1"),
        ({"kind": "spinoff", "value": "1", "other": "B", "part": "x"}, "the part x of the spinoff is not a finite number"),
        ({"kind": "spinoff", "value": "1", "other": "B", "price": "-1"}, "price -1 of the spinoff is not between"),
        ({"kind": "spinoff", "value": "1", "other": "B"}, "'B' has no bar by then, so the spinoff has no price for it"),
        ({"kind": "spinoff", "value": "1", "other": "D"}, "asset 'D' is not in the source"),
        ({"kind": "merger"}, "a merger that gives no shares and no cash"),
        ({"kind": "merger", "other": "B", "cash": "5"}, "or shares without a ratio"),
        ({"kind": "merger", "cash": "0"}, "cash 0 of the merger is not between"),
        ({"kind": "merger", "cash": "5"}, "'C' has bars until 2020-01-07, after its merger"),
        ({"kind": "delisting", "value": "-1"}, "amount -1/1 of the delisting is not positive"),
        ({"kind": "delisting", "value": "1"}, "'C' has bars until 2020-01-07, after its delisting"),
        ({"kind": "expiry", "value": "inf"}, "the value inf of the expiry is not a finite number"),
        ({"kind": "roll"}, "a roll into None"),
        ({"kind": "roll", "value": "0", "other": "B"}, "ratio 0/1 of the roll is not positive"),
        ({"kind": "stock_dividend", "value": "0"}, "ratio 0/1 of the split is not positive"),
        ({"kind": "dividend", "value": "1", "pay": "2020-01-06"}, "the pay date 2020-01-06 is before the ex-date"),
        ({"kind": "rename"}, "a rename into None"),
    ],
)
def test_events_that_cannot_be_are_refused(bars: pl.DataFrame, row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        loaded(bars, {"asset": "C", "ts": "2020-01-07"} | row)
    assert caught.value.where.startswith("events")
    assert caught.value.do


def test_what_is_said_twice_is_refused_by_its_row(bars: pl.DataFrame) -> None:
    split = {"asset": "A", "ts": "2020-01-07", "kind": "split", "value": "2"}
    paid = {"asset": "A", "ts": "2020-01-07", "kind": "dividend", "value": "0.1"}
    ends = {"asset": "C", "ts": "2020-01-08", "kind": "delisting", "value": "1"}
    for rows, message in (
        ((split, split | {"value": "3"}), "the split is given twice"),
        ((paid, paid), "the dividend is given twice"),
        ((ends, ends | {"kind": "expiry", "ts": "2020-01-07"}), "an? expiry of an asset that ends already"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            loaded(bars, *rows)
        assert caught.value.where.startswith("events, row 1")
    assert len(loaded(bars, paid, paid | {"value": "0.2"}).events) == 2


def test_an_event_before_a_declared_listing_is_refused(bars: pl.DataFrame) -> None:
    split = {"asset": "B", "ts": "2020-01-07", "kind": "split", "value": "2"}
    with pytest.raises(DataError, match="the split is before the listing on 2020-01-08"):
        loaded(bars, split, assets={"B": {"listed": "2020-01-08"}})
    assert len(loaded(bars, split | {"ts": "2020-01-09"}, assets={"B": {"listed": "2020-01-08"}}).events) == 1


def test_what_is_received_must_be_chosen_too(bars: pl.DataFrame) -> None:
    given = {"asset": "C", "ts": "2020-01-08", "kind": "merger", "value": "1", "other": "B"}
    with pytest.raises(DataError, match="a merger gives 'B', which has no bars here"):
        loaded(bars, given, assets=["A", "C"])
    assert len(loaded(bars, given, assets=["A", "B"]).events) == 0


def test_numbers_may_be_floats(bars: pl.DataFrame) -> None:
    given = table({"asset": "C", "ts": "2020-01-08", "kind": "merger", "value": "0.333333333333", "other": "B", "cash": "0.37857"})
    floats = given.with_columns(pl.col(NUMBERS).cast(pl.Float64))
    panel = load(bars, stamp="close", events=floats, tick_size="0.01")
    assert rows_of(panel)[0][3:8] == [1, 3, 1, 37857, 100000]
    assert Decimal(rows_of(panel)[0][6]) / rows_of(panel)[0][7] == Decimal("0.37857")


def test_symbol_changes_make_one_asset_of_two_names(bars: pl.DataFrame) -> None:
    renamed = bars.with_columns(
        pl.when((pl.col("asset") == "A") & (pl.col("ts").dt.day() >= 8)).then(pl.lit("Z")).otherwise("asset").alias("asset")
    )
    change = {"asset": "A", "ts": "2020-01-08", "kind": "rename", "other": "Z"}
    paid = {"asset": "Z", "ts": "2020-01-09", "kind": "dividend", "value": "1"}
    panel = loaded(renamed, change, paid)
    assert panel.symbols == ("A", "B", "C")
    assert panel.frame.filter(pl.col("asset") == "A")["close"].to_list() == [10, 11, 12, 13, 14]
    assert rows_of(panel) == [[3, 0, 1, 1, 1, -1, 0, 1, 0, 0, 0]]
    assert "'A' is the asset named 'Z' from 2020-01-08 on." in panel.warnings
    assert panel.trusted == ()
    assert loaded(renamed, change, paid, assets=["Z"]).symbols == ("A",)


def test_a_name_belongs_to_one_asset_at_a_time(bars: pl.DataFrame) -> None:
    taken = {"asset": "C", "ts": "2020-01-09", "kind": "rename", "other": "B"}
    with pytest.raises(DataError, match="'B' has a bar on 2020-01-08, before the change of its name"):
        loaded(bars, taken)
    change = {"asset": "A", "ts": "2020-01-08", "kind": "rename", "other": "Z"}
    with pytest.raises(DataError, match="'A' has a bar on 2020-01-08, on or after the change of its name"):
        loaded(bars, change)
    with pytest.raises(DataError, match="a name that changes twice"):
        loaded(bars, change, change | {"asset": "B"})


def test_a_name_may_change_more_than_once(make: Make) -> None:
    bars = make({"A": [10, 11, 12]}).with_columns(asset=pl.Series(["A", "Y", "Z"]))
    one = {"asset": "A", "ts": "2020-01-07", "kind": "rename", "other": "Y"}
    two = {"asset": "Y", "ts": "2020-01-08", "kind": "rename", "other": "Z"}
    assert loaded(bars, two, one).symbols == ("A",)
