"""Overnight moves that look like splits without events are said; ordinary markets and real crashes are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from rustybt.data import load
from rustybt.data.demo import BARS, EVENTS
from rustybt.data.jumps import ENOUGH, RATIOS
from rustybt.testing import markets

START = datetime(2020, 1, 1, 21, tzinfo=UTC)


def walk(ratio: float = 1.0, *, at: int = 40, traded: float = 1.0, noise: float = 0.01, asset: str = "A", gap: int = 1) -> pl.DataFrame:
    """60 daily bars of a quiet market, its price divided by ``ratio`` overnight, then ``traded`` times the usual money traded."""
    chance = np.random.default_rng(5)
    close = 500 * np.exp(np.cumsum(chance.normal(0, noise, 60)))
    volume = 1e6 * np.exp(chance.normal(0, 0.2, 60))
    close[at:] /= ratio
    volume[at:] *= ratio
    volume[at] *= traded
    opened = close * np.exp(chance.normal(0, 0.002, 60))
    days = np.arange(60) + np.where(np.arange(60) >= at, gap - 1, 0)
    return pl.DataFrame(
        {
            "asset": asset,
            "ts": [START + timedelta(days=int(day)) for day in days],
            "open": opened,
            "high": np.maximum(opened, close) * 1.001,
            "low": np.minimum(opened, close) * 0.999,
            "close": close,
            "volume": volume,
        }
    )


def said(frame: Any, **options: Any) -> list[str]:
    return [note for note in load(frame, stamp="close", **options).warnings if "split" in note]


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_split_without_its_event_is_said(ratio: str) -> None:
    (note,) = said(walk(RATIOS[ratio]))
    assert note == (
        f"1 overnight move looks like a split without an event (first: 'A', {ratio} on 2020-02-10): pass events=, or adjusted prices."
    )


def test_the_event_silences_it_and_one_at_another_bar_does_not() -> None:
    split = pl.DataFrame({"asset": ["A"], "ts": [datetime(2020, 2, 10, tzinfo=UTC).date()], "kind": ["split"], "value": [2.0]})
    assert said(walk(2.0), events=split) == []
    late = said(walk(2.0), events=split.with_columns(pl.col("ts") + timedelta(days=3)))
    assert [note.split(" (")[0] for note in late] == [
        "1 overnight move looks like a split without an event",
        "1 split is not seen in the prices",
    ]


def test_a_crash_trades_far_more_than_usual_and_is_not_said() -> None:
    assert len(said(walk(2.0, traded=2.0))) == 1
    assert said(walk(2.0, traded=10.0)) == []


def test_without_volume_the_price_alone_decides() -> None:
    assert len(said(walk(2.0, traded=10.0).with_columns(volume=pl.lit(0.0)))) == 1


def test_a_market_that_often_moves_as_much_is_left_alone() -> None:
    assert said(walk(2.0, noise=0.15)) == []


@pytest.mark.parametrize("ratio", [1.2, 1.3, 12.0, 0.8, 1 / 15])
def test_a_move_that_no_split_makes_is_not_said(ratio: float) -> None:
    assert said(walk(ratio)) == []


def test_after_a_long_pause_nothing_is_said() -> None:
    assert len(said(walk(2.0, gap=5))) == 1
    assert said(walk(2.0, gap=40)) == []


def test_a_move_within_a_session_is_not_said() -> None:
    hours = walk(2.0).with_columns(ts=pl.lit(START) + pl.int_range(60) * pl.duration(minutes=2))
    assert said(hours) == []


def test_only_equities_split() -> None:
    assert said(walk(2.0), asset_class="crypto") == []


def test_one_asset_opening_far_from_the_close_of_the_one_before_it_is_no_move() -> None:
    one, other = walk(), walk(asset="B").with_columns(pl.col("open", "high", "low", "close") / 2)
    assert said(pl.concat([one, other])) == []


def test_several_moves_are_counted_by_move_and_asset_up_to_a_limit() -> None:
    frames = [walk(3.0, asset="A"), walk(1.5, asset="B", at=30)]
    (note,) = said(pl.concat(frames))
    assert note.startswith("2 overnight moves of 2 assets look like splits without an event (first: 'A', 3:1 on 2020-02-10)")
    (note,) = said(pl.concat([walk(2.0, asset=f"A{i:03}") for i in range(ENOUGH + 10)]))
    assert note.startswith(f"At least {ENOUGH} overnight moves of {ENOUGH} assets")


def test_the_embedded_set_is_quiet_with_its_events_and_shows_its_three_splits_without() -> None:
    assert [note for note in load("demo").warnings if "split" in note] == []
    raw = load(BARS, stamp="session", calendar="XNYS")
    (note,) = [note for note in raw.warnings if "split" in note]
    assert note.startswith("3 overnight moves of 2 assets look like splits without an event (first: 'AAPL', 2:1 on 2000-06-21)")
    told = load(BARS, stamp="session", calendar="XNYS", events=EVENTS)
    assert [note for note in told.warnings if "split" in note] == []


def test_seeded_markets_with_their_events_are_quiet() -> None:
    for seed in range(6):
        made = markets.market(assets=6, bars=300, seed=seed, gaps=0.02, halts=0.3, listings=0.3, splits=1.0, dividends=1.0)
        assert said(made.bars, events=made.events) == []


def test_a_vendor_that_adjusts_volumes_but_not_prices_is_found() -> None:
    """AAPL around its 7:1 split of 2014-06-09, as in the example bundle of zipline-reloaded 3.2.1 (Apache-2.0)."""
    rows = [
        ("2014-05-29", 627.849, 636.870, 627.769, 635.379, 94118500),
        ("2014-05-30", 637.979, 644.169, 628.900, 633.000, 141005200),
        ("2014-06-02", 633.959, 634.830, 622.500, 628.650, 92337700),
        ("2014-06-03", 628.459, 638.740, 628.250, 637.539, 73177300),
        ("2014-06-04", 637.440, 647.890, 636.109, 644.819, 83870500),
        ("2014-06-05", 646.199, 649.370, 642.610, 647.349, 75951400),
        ("2014-06-06", 649.900, 651.259, 644.470, 645.570, 87484600),
        ("2014-06-09", 92.699, 93.879, 91.750, 93.699, 75415000),
        ("2014-06-10", 94.730, 95.050, 93.570, 94.250, 62777000),
    ]
    frame = pl.DataFrame(rows, schema=["ts", "open", "high", "low", "close", "volume"], orient="row")
    frame = frame.with_columns(pl.col("ts").str.to_date(), asset=pl.lit("AAPL"))
    (note,) = [note for note in load(frame, stamp="session").warnings if "split" in note]
    assert "'AAPL', 7:1 on 2014-06-09" in note


def splits(*ratios: float, at: int = 40) -> pl.DataFrame:
    day = (START + timedelta(days=at)).date()
    return pl.DataFrame([{"asset": "A", "ts": day, "kind": "split", "value": ratio} for ratio in ratios])


@pytest.mark.parametrize(("shown", "said"), [(1.0, 7.0), (1.0, 0.1), (7.0, 1 / 7), (2.0, 10.0), (1.0, 1.25)])
def test_a_split_that_the_prices_do_not_show_is_said(shown: float, said: float) -> None:
    warnings = load(walk(shown), events=splits(said)).warnings
    assert [note.split(" (")[0] for note in warnings if "split" in note] == ["1 split is not seen in the prices"]


@pytest.mark.parametrize(("ratio", "noise"), [(7.0, 0.01), (1.5, 0.02), (0.1, 0.01)])
def test_a_split_that_the_prices_show_is_not_said(ratio: float, noise: float) -> None:
    assert not [note for note in load(walk(ratio, noise=noise), events=splits(ratio)).warnings if "split" in note]


def test_a_split_that_an_ordinary_night_may_hide_is_not_said() -> None:
    assert not [note for note in load(walk(1.0), events=splits(1.05)).warnings if "split" in note]
    assert not [note for note in load(walk(1.0, noise=0.1), events=splits(1.5)).warnings if "split" in note]


def test_a_split_at_the_first_bar_has_no_night() -> None:
    assert not [note for note in load(walk(1.0), events=splits(7.0, at=0)).warnings if "split" in note]
