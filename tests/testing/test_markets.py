"""Synthetic markets keep what their traits promise."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.data import load
from rustybt.errors import ConfigError
from rustybt.testing import Recipe, market, panel
from rustybt.testing.markets import LENGTHS, instants

CHANCES = ("gaps", "halts", "listings", "delistings", "ties", "splits", "dividends")


@settings(max_examples=40)
@given(
    st.integers(1, 5),
    st.integers(1, 120),
    st.integers(0, 10_000),
    st.sampled_from(sorted(LENGTHS)),
    st.fixed_dictionaries({name: st.sampled_from([0.0, 0.3, 1.0]) for name in CHANCES if name != "gaps"}),
    st.sampled_from([0.0, 0.3, 0.9]),
)
def test_every_market_passes_the_door_untouched(assets: int, bars: int, seed: int, frequency: str, traits: Any, gaps: float) -> None:
    made, events = market(assets, bars, seed, frequency, gaps=gaps, **traits)
    loaded = load(made, stamp="close", events=events, dirty="refuse")
    assert loaded.warnings == ()
    assert len(loaded.symbols) == assets
    assert loaded.frame.height == made.height
    assert len(loaded.events) == events.height
    assert made.equals(made.sort("asset", "ts"))
    cents = loaded.frame.select(pl.col("ticks_open", "ticks_high", "ticks_low", "ticks_close") % 100).sum().row(0)
    assert cents == (0, 0, 0, 0)
    assert (made["volume"] >= 1).all()


def test_the_same_seed_gives_the_same_market_and_another_seed_another() -> None:
    one, again, other = market(3, 50, 7, gaps=0.2), market(3, 50, 7, gaps=0.2), market(3, 50, 8, gaps=0.2)
    assert one.bars.equals(again.bars)
    assert not one.bars.equals(other.bars)


def test_a_known_seed_gives_known_bars() -> None:
    rows = market(2, 3, 7).bars.select("asset", "open", "high", "low", "close", "volume").rows()
    assert rows[0] == ("A0", 56.1, 56.78, 55.7, 56.05, 148095.0)


def test_without_traits_the_market_is_dense() -> None:
    made = panel(4, 60)
    assert made.dense
    assert made.bars == 60
    assert made.events.shape == (0, 11)


def test_gaps_remove_about_their_share_of_bars() -> None:
    made = market(20, 500, 1, gaps=0.25).bars
    assert 0.72 < made.height / (20 * 500) < 0.78


def test_listings_and_delistings_shorten_lives_at_their_ends() -> None:
    made = panel(30, 100, 2, listings=1.0, delistings=1.0)
    for column in range(30):
        mine = made.row_bar[made.offsets[column] : made.offsets[column + 1]]
        assert (np.diff(mine) == 1).all()
    firsts = made.frame.group_by("asset").agg(pl.col("ts").min(), pl.col("ts").max().alias("last"))
    assert (firsts["ts"] > datetime(2020, 1, 1, 21, tzinfo=UTC)).any()
    assert firsts["ts"].n_unique() > 5
    assert firsts["last"].n_unique() > 5
    assert 0.1 < market(300, 20, 2, listings=0.3).bars.group_by("asset").len().filter(pl.col("len") < 20).height / 300 < 0.5


def test_halts_are_one_hole_in_a_life() -> None:
    made = panel(30, 200, 3, halts=1.0)
    holes = [np.diff(made.row_bar[made.offsets[j] : made.offsets[j + 1]]) for j in range(30)]
    assert sum(int((hole > 1).any()) for hole in holes) > 20
    assert all((hole > 1).sum() <= 1 for hole in holes)
    assert max(int(hole.max()) for hole in holes) <= 21


def test_ties_repeat_the_last_close_in_all_four_prices() -> None:
    made = market(5, 1000, 4, ties=0.3).bars.with_columns(before=pl.col("close").shift(1).over("asset"))
    tied = made.filter(pl.all_horizontal(pl.col("open", "high", "low", "close") == pl.col("before")))
    assert 0.27 < tied.height / made.height < 0.33


def test_splits_move_the_raw_price_and_not_the_adjusted_one() -> None:
    made = panel(40, 300, 5, splits=1.0, volatility=0.01)
    assert len(made.events) == 40
    assert (made.events[:, 2] == 0).all()
    returns = made.frame.select(pl.col("close", "adj_close").pct_change().abs().over("asset")).max()
    assert returns["close"][0] > 0.3
    assert returns["adj_close"][0] < 0.1


def test_dividends_come_every_quarter_and_drop_the_price_by_what_they_pay() -> None:
    made = panel(10, 400, 6, dividends=1.0, volatility=0.0)
    assert 50 <= len(made.events) <= 70
    assert (made.events[:, 2] == 1).all()
    assert made.frame.select(pl.col("adj_close").pct_change().abs().over("asset")).max().item() < 1e-3


def test_volatility_is_that_of_log_returns() -> None:
    returns = market(50, 500, 8, volatility=0.03).bars.select(pl.col("close").log().diff().over("asset")).to_series()
    assert returns.std() == pytest.approx(0.03, rel=0.05)


def test_daily_bars_are_weekdays_and_others_run_round_the_clock() -> None:
    daily = instants(Recipe(bars=10, start=date(2020, 1, 4)))
    days = daily.astype("datetime64[us]").astype("datetime64[D]")
    assert np.is_busday(days).all()
    assert str(days[0]) == "2020-01-06"
    minutes = instants(Recipe(bars=5, frequency="5m", start=datetime(2020, 1, 4, 12, tzinfo=UTC)))
    assert minutes.astype("datetime64[us]").astype(str).tolist()[0] == "2020-01-04T12:05:00.000000"
    assert set(np.diff(minutes).tolist()) == {300_000_000}


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"assets": 0}, "0 assets"),
        ({"bars": 0}, "0 bars"),
        ({"frequency": "2d"}, "unknown frequency '2d'"),
        ({"gaps": 1.5}, "gaps 1.5 is out of range"),
        ({"volatility": -0.1}, "volatility -0.1 is out of range"),
    ],
)
def test_impossible_markets_are_refused(traits: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        market(**traits)
