"""Figures: what Plotly accepts, what survives thinning, and how positions are drawn."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.analysis.report import ReportInputs
from rustybt.analysis.report.charts import FIGURES, figures, histogram, line_rows, rolling_window
from rustybt.analysis.report.holdings import MOST_ROWS, MOST_TIMES, holdings_figure
from rustybt.analysis.report.summary import sparkline
from rustybt.analysis.report.thin import keep_extremes, spread_out
from tests.analysis.runs import synthetic_run


def painted(value: Any) -> Any:
    """Colour tokens as colours, as the page does before it draws."""
    if isinstance(value, str):
        return "#123456" if value.startswith("$") else value
    if isinstance(value, list):
        return [painted(item) for item in value]
    return {key: painted(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("assets", [1, 6, 30])
def test_plotly_accepts_every_figure(assets: int) -> None:
    found = figures(synthetic_run(sessions=300, assets=assets, trades=30))
    assert set(found) == set(FIGURES)
    for figure in found.values():
        go.Figure(painted(figure))
        json.dumps(figure, allow_nan=False)


def test_time_charts_share_one_range() -> None:
    found = figures(synthetic_run(sessions=300, trades=30))
    ranges = {tuple(found[name]["layout"]["xaxis"]["range"]) for name in ("equity", "exposure", "rolling", "positions")}
    assert len(ranges) == 1


@given(st.integers(0, 2**32 - 1), st.integers(100, 3_000), st.integers(20, 200))
def test_thinning_keeps_ends_and_extremes(seed: int, rows: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=rows).cumsum(), rng.normal(size=rows)
    other[rng.random(rows) < 0.1] = np.nan
    kept = keep_extremes([one, other], most)
    assert len(kept) <= max(most, 6)
    assert (np.diff(kept) > 0).all()
    assert (kept[0], kept[-1]) == (0, rows - 1)
    assert one[kept].max() == one.max()
    assert one[kept].min() == one.min()
    if not np.isnan(other).all():
        assert np.nanmax(other[kept]) == np.nanmax(other)


def test_a_short_curve_is_not_thinned() -> None:
    assert keep_extremes([np.zeros(5_000)]).tolist() == list(range(5_000))


def test_spreading_keeps_both_ends() -> None:
    assert spread_out(3, 10).tolist() == [0, 1, 2]
    chosen = spread_out(10_001, 400)
    assert len(chosen) == 400
    assert (chosen[0], chosen[-1]) == (0, 10_000)


def long_run(sessions: int) -> ReportInputs:
    """Many sessions, one of them a crash that lasts a single close."""
    days = [date(1970, 1, 1) + timedelta(days=day) for day in range(sessions)]
    equity = np.linspace(100.0, 900.0, sessions)
    equity[sessions // 3] = 3.0
    curve = pl.DataFrame(
        {
            "ts": pl.Series(days).cast(pl.Datetime("us", "UTC")),
            "session": days,
            "equity": equity,
            "cash": equity,
            "gross": np.zeros(sessions),
        }
    )
    return ReportInputs("long", {}, curve)


def test_a_long_curve_is_drawn_with_its_crash() -> None:
    lines = line_rows(long_run(20_000))
    assert lines.height <= 5_000
    assert lines["equity"].min() == 3.0
    assert lines["equity"][-1] == 900.0
    assert lines["drawdown"].min() == pytest.approx(3.0 / (100 + 800 * (6_665 / 19_999)) - 1)


def intraday(sessions: int, bars: int) -> ReportInputs:
    """Bars of one minute with the weights of the session closes only."""
    start = datetime(2024, 1, 1, 10, tzinfo=UTC)
    ts = [start + timedelta(days=day, minutes=bar) for day in range(sessions) for bar in range(bars)]
    equity = [100.0 + place for place in range(len(ts))]
    curve = pl.DataFrame(
        {"ts": ts, "session": [at.date() for at in ts], "equity": equity, "cash": [0.0] * len(ts), "gross": equity, "benchmark": equity}
    )
    closes = ts[bars - 1 :: bars]
    positions = pl.DataFrame({"ts": closes, "asset": ["A"] * len(closes), "weight": [1.0] * len(closes)})
    return ReportInputs("minutes", {}, curve, positions=positions)


def test_few_sessions_are_drawn_bar_by_bar_and_many_by_their_closes() -> None:
    few, many = line_rows(intraday(3, 50)), line_rows(intraday(70, 5))
    assert few.height == 150
    assert few["x"][1] == "2024-01-01 10:01:00"
    assert many.height == 70
    assert many["x"][0] == "2024-01-01"


def test_weights_of_session_closes_are_not_drawn_as_gaps_between_them() -> None:
    drawn = figures(intraday(3, 50))["positions"]["data"][0]["y"]
    assert drawn == [1.0, 1.0, 1.0]


def test_the_benchmark_starts_where_the_run_does() -> None:
    lines = line_rows(intraday(3, 50))
    assert lines["benchmark"][0] == 100.0


TIMES = pl.Series("ts", [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 6)])


def held(rows: list[tuple[int, str, float]]) -> pl.DataFrame:
    return pl.DataFrame({"ts": [TIMES[row[0]] for row in rows], "asset": [row[1] for row in rows], "weight": [row[2] for row in rows]})


def test_what_is_not_held_is_zero_not_what_was_held_before() -> None:
    figure = holdings_figure(held([(0, "A", 0.5), (3, "A", 0.5), (3, "B", -0.25)]), TIMES)
    assert figure is not None
    areas = {(line["name"], line["stackgroup"]): line["y"] for line in figure["data"]}
    assert areas == {("A", "long"): [0.5, 0.0, 0.0, 0.5, 0.0], ("B", "short"): [0.0, 0.0, 0.0, -0.25, 0.0]}


def test_small_weights_have_labels_that_differ() -> None:
    """With whole percent a scale to 0.2 % says 0 % everywhere."""
    for names in (3, 60):
        figure = holdings_figure(held([(0, f"A{name}", 0.002) for name in range(names)]), TIMES)
        assert figure is not None
        scale = figure["data"][0]["colorbar"] if names > 5 else figure["layout"]["yaxis"]
        assert scale["tickformat"] == "~%"


def test_the_heaviest_assets_come_first_and_many_become_a_heat_map() -> None:
    rows = [(place % 5, f"A{place:03d}", 0.001 * (place + 1)) for place in range(100)]
    figure = holdings_figure(held(rows), TIMES)
    assert figure is not None
    (trace,) = figure["data"]
    assert trace["type"] == "heatmap"
    assert trace["y"][:2] == ["A099", "A098"]
    assert len(trace["y"]) == MOST_ROWS == len(trace["z"])
    assert trace["zmax"] == -trace["zmin"] == pytest.approx(0.1)


@pytest.mark.parametrize("others", [0, 30])
def test_assets_may_be_called_like_columns_or_patterns(others: int) -> None:
    names = ["ts", "x", "weight", "^.*$"]
    rows = [(0, name, 0.5) for name in names] + [(1, f"A{i}", 0.1) for i in range(others)]
    figure = holdings_figure(held(rows), TIMES)
    assert figure is not None
    shown = figure["data"][0]["y"] if others else [line["name"] for line in figure["data"]]
    assert sorted(shown[:4]) == sorted(names)


def test_nothing_held_has_no_figure() -> None:
    assert holdings_figure(held([(0, "A", 0.0)]), TIMES) is None


def test_positions_of_a_long_run_are_spread_out() -> None:
    times = pl.Series("ts", [datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(3_000)])
    frame = pl.DataFrame({"ts": times, "asset": ["A"] * 3_000, "weight": [1.0] * 3_000})
    figure = holdings_figure(frame, times)
    assert figure is not None
    assert len(figure["data"][0]["x"]) == MOST_TIMES
    assert figure["data"][0]["x"][-1] == "2008-03-18"


@given(st.lists(st.floats(-0.5, 0.5).filter(lambda value: abs(value) > 1e-6), min_size=5, max_size=200))
def test_a_histogram_counts_everything_and_mixes_no_gain_with_a_loss(values: list[float]) -> None:
    figure = histogram(np.array(values), "trades")
    assert figure is not None
    bar = figure["data"][0]
    assert sum(bar["y"]) == len(values)
    losses = sum(count for count, colour in zip(bar["y"], bar["marker"]["color"], strict=True) if colour == "$loss")
    assert losses == sum(value < 0 for value in values)


def test_too_little_for_a_histogram() -> None:
    assert histogram(np.array([0.1, 0.2]), "trades") is None
    assert histogram(np.zeros(50), "sessions") is None
    assert histogram(np.full(9, np.nan), "sessions") is None


@pytest.mark.parametrize(("sessions", "window"), [(2_000, 126), (200, 63), (40, None)])
def test_the_rolling_window_follows_the_length_of_the_run(sessions: int, window: int | None) -> None:
    assert rolling_window(synthetic_run(sessions=sessions, trades=9)) == window


def test_sparkline_of_flat_equity() -> None:
    assert "nan" not in sparkline(np.array([5.0, 5.0, 5.0]), "flat")
