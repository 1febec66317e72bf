"""Window bounds: how far back, in which unit, resolved on real timestamps; and declared code."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.errors import DataError, SpecError
from rustybt.spec.bounds import Bounds, Declared, analyse
from rustybt.spec.paths import HOP, LIMIT, SESSION, covers, merge, prune, step_back
from rustybt.spec.proof import prove
from rustybt.spec.reach import Stamps, first_needed
from tests.temporal.markets import market

c, o, v, ts = pl.col("close"), pl.col("open"), pl.col("volume"), pl.col("ts")
DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("expr", "rows"),
    [
        (c, 0),
        (c.shift(0), 0),
        (c.rolling_mean(1), 0),
        (c.rolling_mean(20), 19),
        (c.rolling_mean(20).shift(1), 20),
        ((c - c.rolling_mean(20)) / c.rolling_std(10), 19),
        (c.diff(2).diff(3), 5),
        (c.pct_change(5).rolling_std(10), 14),
        (c.forward_fill(4).shift(1), 5),
        (c.shift(2).over("asset").rank().over("ts"), 2),
        (c.rank().over("ts").rolling_mean(5), 4),
        (c.diff(1).over("asset").rank().over("ts").diff(1), 2),
        (pl.when(c > c.shift(3)).then(c.shift(1)).otherwise(o.shift(7)), 7),
        (pl.max_horizontal(c.shift(1), o.shift(4)), 4),
        (c.rolling_mean(5).shift(1).over("asset", "session"), 5),
        (pl.rolling_corr(c.shift(2), v, window_size=10), 11),
        (c.fill_null(o.shift(3)), 3),
        (c.mean().over("ts", pl.col("sector").shift(2)), 2),
        (v.cum_sum().over("ts", order_by=c.shift(6)), 6),
    ],
    ids=str,
)
def test_rows_are_counted_exactly(expr: pl.Expr, rows: int) -> None:
    found = analyse(expr)
    assert not found.refused
    assert found.rows == rows
    assert found.span == timedelta(0)


@pytest.mark.parametrize(
    ("expr", "told"),
    [
        (c.rolling_mean_by("ts", "3h").shift(2), "2 rows, 3:00:00"),
        (c.shift(2).rolling_mean_by("ts", "3h"), "3:00:00, 2 rows"),
        (c.sum().rolling("ts", period="2d"), "2 days, 0:00:00"),
        (c.sum().rolling("ts", period="1mo"), "31 days, 0:00:00"),
        (c.sum().rolling("ts", period="1d", offset="-3d"), "3 days, 0:00:00"),
        (c.cum_sum().over("asset", "session"), "session start"),
        (c.cum_sum().over("asset", ts.dt.date()), "1 day, 0:00:00"),
        (c.cum_sum().over("asset", ts.dt.truncate("4h")), "4:00:00"),
        (c.cum_sum().over("asset", ts.dt.convert_time_zone("America/New_York").dt.date()), "1 day, 2:00:00"),
        (c.first().over("asset", ts.dt.truncate("1w")), "7 days, 0:00:00"),
        (c.shift(3).over("asset", "session", "flag"), "session start"),
        (c.shift(1).over("asset").rank().over("ts").shift(2), "2 rows, cross-section, 1 row"),
        (c, "this bar"),
        (c.rank().over("ts"), "this bar"),
        (c.cum_sum(), "unbounded"),
        (c.shift(1).over("asset", "flag"), "unbounded"),
        (c.shift(-1), "refused"),
    ],
    ids=str,
)
def test_bounds_in_words(expr: pl.Expr, told: str) -> None:
    assert analyse(expr).lookback == told


@pytest.mark.parametrize(
    "expr", [c.ewm_mean(span=5), c.cum_max(), c.forward_fill(), c.first(), pl.row_index(), c.cumulative_eval(pl.element().max())], ids=str
)
def test_unbounded_terms_say_why(expr: pl.Expr) -> None:
    found = analyse(expr)
    assert found.unbounded
    assert not found.refused
    assert found.rows is None
    assert found.span is None
    assert found.reasons[0].what == "reads every earlier bar"


def test_cross_section_and_columns_are_reported() -> None:
    found = analyse(c.rank().over("ts", "sector") + pl.col("vendor").rolling_max_by("ts", "1d"))
    assert found.cross
    assert found.columns == {"close", "ts", "sector", "vendor"}
    assert not analyse(c.rolling_mean(3)).cross


def test_universe_is_part_of_every_cross_section() -> None:
    member = analyse(v.rolling_mean(60) > 1e6)
    assert analyse(c.rank().over("ts"), member=member).rows == 59
    assert analyse(c.rank().over("ts").shift(2), member=member).lookback == "2 rows, cross-section, 59 rows"
    assert analyse(c.shift(1), member=member).rows == 1
    assert analyse(c.rank().over("ts"), member=analyse(v.cum_sum() > 1e6)).unbounded


def test_equal_expressions_are_proven_once() -> None:
    assert analyse(c.rolling_mean(7)) is analyse(pl.col("close").rolling_mean(7))


PLUGIN = {
    "Function": {"input": [{"Column": "close"}], "function": {"FfiPlugin": {"symbol": "kalman", "lib": "x.so", "kwargs": [], "flags": {}}}}
}


def _declared(value: object) -> Bounds:
    return prove(PLUGIN, {"kalman": Declared.of("kalman", value)})


def test_undeclared_plugin_is_refused_with_its_name() -> None:
    reason = prove(PLUGIN, {}).reasons[0]
    assert reason.kind == "lookahead"
    assert "kalman" in reason.node
    assert "declared={'kalman': rows}" in reason.do


def test_declared_plugin_reads_what_was_declared() -> None:
    assert _declared(20).rows == 20
    assert _declared(20).opaque == {"kalman"}
    assert _declared(None).unbounded
    assert _declared([5, False]).rows == 5
    assert _declared({"rows": 2, "seconds": 3600}).lookback == "2 rows, 1:00:00"
    assert _declared([0, True]).lookahead


@pytest.mark.parametrize("value", [-1, "20", True, [1, 2], {"rows": 1, "cols": 2}, {}, {"seconds": -1}, 2.5, {"rows": 1.5}])
def test_declaration_that_is_not_understood_is_refused(value: object) -> None:
    with pytest.raises(SpecError, match="not understood"):
        Declared.of("kalman", value)


def test_declared_callback_is_known_by_digest() -> None:
    from rustybt.spec.tree import parse, symbol, walk

    expr = c.map_batches(lambda s: s.rolling_mean(3), return_dtype=pl.Float64).shift(1)
    digest = next(symbol(node) for node in walk(parse(expr)) if "AnonymousFunction" in node)
    assert analyse(expr).lookahead
    assert analyse(expr, {digest: 2}).rows == 3


def test_a_rolling_callback_is_opaque_like_any_other_and_its_window_counts() -> None:
    from rustybt.spec.tree import parse, symbol

    tomorrow = {1.0: 2.0}
    expr = c.rolling_map(lambda s: tomorrow.get(s[-1]), 3)
    digest = symbol(parse(expr))
    found = analyse(expr)
    assert found.lookahead
    assert found.opaque == {digest}
    assert str(found.reasons[0]) == "runs code that the guard cannot read: close.rolling_map(3)"
    assert [analyse(expr, {digest: rows}).rows for rows in (0, 2, 5)] == [2, 4, 7]
    assert analyse(c.rolling_map(max, 3, center=True), {digest: 0}).lookahead


def test_literal_nan_and_patterns_are_wrong_rather_than_look_ahead() -> None:
    for expr in (
        c + float("nan"),
        c.fill_null(float("inf")),
        pl.all().sum().over("ts"),
        pl.col("^c.*$") + 1,
        c.rolling_mean(3).rank().over("ts"),
        c.shuffle(),
    ):
        found = analyse(expr)
        assert found.refused
        assert any(reason.kind == "wrong" for reason in found.reasons)
        assert all(reason.do for reason in found.reasons if reason.kind == "wrong")


# Paths


STEPS = st.one_of(st.tuples(st.sampled_from(["rows", "span"]), st.integers(0, 9)), st.just(HOP), st.just(SESSION))
PATHS = st.lists(st.lists(STEPS, max_size=5).map(lambda steps: merge(tuple(steps))), min_size=1, max_size=40)


@given(PATHS)
def test_pruned_paths_cover_all_that_were_given(given_paths: list[tuple[tuple[str, int], ...]]) -> None:
    kept = prune(given_paths)
    assert len(kept) <= LIMIT
    assert all(any(covers(wide, path) for wide in kept) for path in given_paths)


@given(PATHS, st.integers(0, 30), st.integers(0, 2))
def test_pruning_never_shortens_a_window(given_paths: list[tuple[tuple[str, int], ...]], at: int, gaps: int) -> None:
    rng = np.random.default_rng(gaps)
    ts = tuple(np.flatnonzero(rng.random(60) < 0.5 + 0.2 * gaps).astype(np.int64) for _ in range(3))
    stamps = Stamps(ts, tuple(instants // 7 for instants in ts))
    first = first_needed(Bounds(frozenset(given_paths)), stamps, at + 20)
    assert first_needed(Bounds(prune(given_paths)), stamps, at + 20) <= first  # type: ignore[operator]


def test_neighbouring_steps_join_and_a_last_hop_goes() -> None:
    assert merge((("rows", 1), ("rows", 2), HOP, HOP, ("span", 0), ("rows", 3), HOP)) == (("rows", 3), HOP, ("rows", 3))
    assert merge((SESSION, SESSION, ("rows", 0))) == (SESSION,)
    assert step_back(("rows", 2), frozenset({(("rows", 3),), (HOP, ("rows", 1))})) == {(("rows", 5),), (("rows", 2), HOP, ("rows", 1))}


# Reach


def test_rows_are_counted_on_each_asset_of_its_own() -> None:
    stamps = Stamps((np.array([10, 20, 30, 40]), np.array([5, 7, 40]), np.array([1, 2])))
    assert first_needed(analyse(c.shift(1)), stamps, 40) == 7
    assert first_needed(analyse(c.shift(1)), stamps, 30) == 20
    assert first_needed(analyse(c.shift(99)), stamps, 30) == 10
    assert first_needed(analyse(c.cum_sum()), stamps, 30) is None
    assert first_needed(analyse(c), stamps, 30) == 30


def test_hop_brings_in_assets_that_do_not_trade_now() -> None:
    stamps = Stamps((np.array([10, 20, 30, 40]), np.array([1, 2, 30])))
    hopped = analyse(c.diff(1).over("asset").sum().over("ts").diff(1))
    assert first_needed(hopped, stamps, 40) == 2  # asset 1 trades at 30, one bar back; its own bar before that is 2
    assert first_needed(analyse(c.diff(1).diff(1)), stamps, 40) == 20


def test_delisted_asset_does_not_hold_the_window_open() -> None:
    stamps = Stamps((np.arange(0, 1000, 10), np.array([0, 10, 20])))
    assert first_needed(analyse(c.shift(3).over("asset").rank().over("ts")), stamps, 900) == 870


def test_spans_and_sessions_on_irregular_bars() -> None:
    stamps = Stamps((np.array([0, 5, 6, 20, 21, 22]),), (np.array([0, 0, 0, 1, 1, 1]),))
    span = Bounds(frozenset({(("span", 15),)}))
    assert first_needed(span, stamps, 21) == 6
    assert first_needed(Bounds(frozenset({(SESSION,)})), stamps, 22) == 20
    assert first_needed(Bounds(frozenset({(("rows", 3), SESSION)})), stamps, 22) == 0
    assert first_needed(Bounds(frozenset({(("span", 2), ("rows", 1))})), stamps, 22) == 6


def test_sessions_need_the_session_column() -> None:
    with pytest.raises(DataError, match="no session column"):
        first_needed(analyse(c.cum_sum().over("asset", "session")), Stamps((np.array([1]),)), 1)
    with pytest.raises(DataError, match="no ts or no asset"):
        Stamps.of(pl.DataFrame({"close": [1.0]}))


def test_stamps_of_a_ragged_frame() -> None:
    held = market(1)
    stamps = Stamps.of(held.frame)
    assert len(stamps.ts) == len(held.assets)
    assert sum(map(len, stamps.ts)) == held.frame.height
    assert all((np.diff(instants) > 0).all() for instants in stamps.ts)
    assert len(stamps.sessions[0]) == len(stamps.ts[0])
