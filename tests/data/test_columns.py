"""Columns of a source get their house names, and none is lost or guessed in silence."""

from __future__ import annotations

import polars as pl
import pytest

from rustybt.data import load
from rustybt.errors import ConfigError, DataError
from tests.data.conftest import Make


def test_missing_columns_are_all_named(make: Make) -> None:
    with pytest.raises(
        DataError, match="columns 'high', 'close' are missing; the source has 'ts', 'asset', 'open', 'low', 'volume'"
    ) as caught:
        load(make({"A": [1]}).drop("high", "close"))
    assert 'columns={"high"' in caught.value.do
    with pytest.raises(DataError, match="column 'asset' is missing"):
        load(make({"A": [1]}).drop("asset"))


def test_a_message_shows_the_first_of_many_names_and_the_beginning_of_long_ones() -> None:
    junk = pl.DataFrame({f"{i:03d}" + "x" * 500: [1] for i in range(300)})
    with pytest.raises(DataError) as caught:
        load(junk)
    assert "'000xxx" in caught.value.what
    assert caught.value.what.endswith("and 280 more")
    assert len(str(caught.value)) < 1500


def test_other_letter_case_and_usual_names_are_recognised(make: Make) -> None:
    bars = make({"A": [1]}).rename({"ts": "Date", "asset": "Ticker", "open": "Open", "high": "HIGH", "volume": "Volume"})
    panel = load(bars, stamp="close")
    assert panel.symbols == ("A",)
    assert panel.warnings == ("Column 'Date' is read as 'ts'.", "Column 'Ticker' is read as 'asset'.")


def test_two_columns_that_could_be_meant_are_refused(make: Make) -> None:
    bars = make({"A": [1]}).rename({"close": "Close"}).with_columns(CLOSE=pl.lit(1.0))
    with pytest.raises(DataError, match=r"\['Close', 'CLOSE'\] could all be 'close'"):
        load(bars)


def test_names_given_by_the_user_win_and_what_they_replace_is_kept(make: Make) -> None:
    panel = load(make({"A": [1]}).with_columns(last=pl.lit(1.5)), stamp="close", columns={"close": "last"})
    assert panel.close.tolist() == [[15_000]]
    assert panel.trusted == ("source_close",)
    assert panel.frame["source_close"].to_list() == [1.0]


def test_wrong_names_are_refused(make: Make) -> None:
    with pytest.raises(DataError, match="column 'last' is missing"):
        load(make({"A": [1]}), columns={"close": "last"})
    with pytest.raises(ConfigError, match="unknown name 'last'"):
        load(make({"A": [1]}), columns={"last": "close"})


def test_no_volume_is_zero_and_said(make: Make) -> None:
    panel = load(make({"A": [1, 2]}).drop("volume"), stamp="close")
    assert panel.frame["volume"].to_list() == [0, 0]
    assert panel.warnings == ("The source has no volume; it is 0 everywhere.",)


def test_extras_are_trusted_and_can_be_limited(make: Make) -> None:
    bars = make({"A": [1, 2]}).with_columns(rank=pl.Series([2, 1]), sector=pl.lit("tech"), note=pl.lit(None, dtype=pl.String))
    everything = load(bars, stamp="close")
    assert everything.trusted == ("rank", "sector", "note")
    assert everything.warnings == ("Extra columns are trusted not to hold the future: rank, sector, note.",)
    assert everything.frame["rank"].to_list() == [2, 1]
    assert load(bars, stamp="close", extras=["sector"]).trusted == ("sector",)
    assert load(bars, stamp="close", extras=[]).trusted == ()
    with pytest.raises(ConfigError, match="extra column 'beta' is missing"):
        load(bars, extras=["beta"])


def test_extras_named_like_our_own_columns_get_a_prefix(make: Make) -> None:
    panel = load(make({"A": [1]}).with_columns(adj_close=pl.lit(0.5), session=pl.lit("x")), stamp="close")
    assert panel.trusted == ("source_adj_close", "source_session")
    assert panel.frame["adj_close"].to_list() == [1.0]
    assert panel.frame["source_adj_close"].to_list() == [0.5]


def test_extras_follow_their_rows_when_rows_are_sorted_and_set_aside(make: Make) -> None:
    bars = make({"B": [1, -1, 3], "A": [4, 5, 6]}).with_columns(mark=pl.col("close") * 10)
    panel = load(bars.reverse(), stamp="close")
    assert panel.frame["mark"].to_list() == [40, 50, 60, 10, 30]
    assert panel.quarantine["mark"].to_list() == [-10]


def test_a_nan_in_an_extra_column_is_said(make: Make) -> None:
    bars = make({"A": [1, 2, 3], "B": [4, 5, 6]}).with_columns(factor=pl.Series([1.0, None, 3.0, 4.0, float("nan"), float("nan")]))
    said = load(bars, stamp="close").warnings[-1]
    assert said.startswith("Column 'factor' holds 2 NaN (first: asset 'B', 2020-01-07T21:00:00)")
    assert "fill_nan(None)" in said


def test_columns_of_lists_are_left_out(make: Make) -> None:
    panel = load(make({"A": [1]}).with_columns(bids=pl.lit([1.0, 2.0]).implode()), stamp="close")
    assert panel.trusted == ()
    assert panel.warnings == ("Columns of lists or structs cannot be signals and are left out: bids.",)
