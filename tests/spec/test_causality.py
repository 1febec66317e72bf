"""The dynamic check: it finds what the guard was told wrongly, and names where."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from rustybt.spec.causality import telling_points, truncation, until, window_sufficiency
from tests.temporal.markets import Market, Shape, market

c = pl.col("close")


class Study:
    """Named expressions that the guard has not seen."""

    def __init__(self, **terms: pl.Expr) -> None:
        self._terms = terms

    def terms(self) -> dict[str, pl.Expr]:
        return self._terms


@pytest.fixture(scope="module")
def held() -> Market:
    return market(4, Shape(missing=0.1))


def test_truncation_passes_what_is_past_only(held: Market) -> None:
    found = truncation(Study(a=c.rolling_mean(5), b=c.rank().over("ts"), c=c.ewm_mean(span=3)), held.frame, assets=held.assets)
    assert [check.ok for check in found] == [True, True, True]
    assert found[0].name == "truncation 'a'"
    assert "bit for bit" in found[0].detail


def test_truncation_names_the_first_asset_and_instant(held: Market) -> None:
    cut = int(held.frame["ts"].unique().sort().cast(pl.Int64)[30])
    fine, leak = truncation(Study(fine=c.shift(1), leak=c.shift(-1)), held.frame, [cut], assets=held.assets)
    assert fine.ok
    assert not leak.ok
    last = held.frame.filter((pl.col("asset") == "A0") & (pl.col("ts").cast(pl.Int64) <= cut))["ts"][-1]
    assert leak.detail.startswith(f"asset 'A0' at {last.strftime('%Y-%m-%d %H:%M:%S')}")
    assert "it is None" in leak.detail


def test_truncation_reports_a_term_that_fails_on_fewer_bars(held: Market) -> None:
    picky = pl.when(pl.len().over("asset") > 20).then(c).otherwise(None) + c.gather(pl.lit(30)).first()
    first = int(held.frame["ts"].cast(pl.Int64).min())  # type: ignore[arg-type]
    found = truncation(Study(x=picky), held.frame, [first], assets=held.assets)
    assert not found[0].ok


def test_same_seed_gives_the_same_points(held: Market) -> None:
    assert telling_points(held.frame, 10, 1) == telling_points(held.frame, 10, 1)
    assert telling_points(held.frame, 10, 1) != telling_points(held.frame, 10, 2)


def test_points_hold_first_last_and_the_edges_of_a_null_run(held: Market) -> None:
    ts = held.frame["ts"].cast(pl.Int64)
    points = telling_points(held.frame, 12)
    assert len(points) == 12
    assert points == sorted(set(points))
    assert (points[0], points[-1]) == (ts.min(), ts.max())
    runs = held.frame.with_columns(run=pl.struct("asset", pl.col("vendor").is_null()).rle_id()).filter(pl.col("vendor").is_null())
    longest = runs.group_by("run").agg(pl.len(), pl.col("ts").cast(pl.Int64).min()).sort("len")[-1]
    assert longest["ts"][0] in points


def test_points_of_tiny_frames() -> None:
    one = pl.DataFrame({"ts": [datetime(2024, 1, 2, tzinfo=UTC)], "asset": ["A"], "close": [1.0]})
    assert len(telling_points(one)) == 1
    assert telling_points(one.clear()) == []
    assert truncation(Study(x=c.shift(1)), one)[0].ok


def test_windows_suffice_for_what_the_bounds_say(held: Market) -> None:
    terms = Study(
        exact=c.rolling_mean(7).shift(2), order=pl.col("vendor").rolling_max(5), float=pl.col("vendor").rolling_std(5), far=c.cum_sum()
    )
    found = window_sufficiency(terms, held.frame, 10, assets=held.assets)
    assert all(check.ok for check in found), found
    assert "bit for bit" in found[0].detail
    assert "bit for bit" in found[1].detail
    assert "within rounding" in found[2].detail
    assert "unbounded" in found[3].detail


def test_window_check_refuses_what_the_guard_refuses(held: Market) -> None:
    found = window_sufficiency(Study(x=c.shift(-1)), held.frame, 4, assets=held.assets)
    assert not found[0].ok
    assert "close.shift(-1)" in found[0].detail


def test_universe_is_evaluated_with_the_cross_sections_it_masks(held: Market) -> None:
    study = Study(universe=pl.col("volume").rolling_mean(9) > 2000.0, rank=c.rank().over("ts"))
    assert all(check.ok for check in window_sufficiency(study, held.frame, 8, assets=held.assets))
    assert all(check.ok for check in truncation(study, held.frame, 8, assets=held.assets))


def test_wrongly_declared_callback_is_found(held: Market) -> None:
    from rustybt.spec.tree import parse, symbol, walk

    def tomorrow(series: pl.Series) -> pl.Series:
        return series.shift(-1)

    def five(series: pl.Series) -> pl.Series:
        return series.rolling_max(5)

    for function, rows in ((tomorrow, 0), (five, 2), (five, 4)):
        expr = c.map_batches(function, return_dtype=pl.Float64).over("asset")
        study = Study(x=expr)
        study.declared = {symbol(next(n for n in walk(parse(expr)) if "AnonymousFunction" in n)): rows}  # type: ignore[attr-defined]
        cut = truncation(study, held.frame, 6, assets=held.assets)[0].ok
        window = window_sufficiency(study, held.frame, 6, assets=held.assets)[0].ok
        assert (cut, window) == (function is five, rows == 4)


def test_frame_until_an_instant(held: Market) -> None:
    ts = held.frame["ts"][17]
    part = until(held.frame, ts)
    assert part["ts"].max() == ts
    assert part.height == int((held.frame["ts"] <= ts).sum())
    assert np.all(part["ts"].to_numpy() <= np.datetime64(ts.replace(tzinfo=None)))
