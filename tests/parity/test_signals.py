"""One value, one set of bits: all bars at once, a part of them, or one bar at a time."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from rustybt.model import Asset
from rustybt.spec.planner import SignalPlan, plan_terms
from rustybt.spec.window import Window
from tests.spec.signal_frames import Made, Shape, made
from tests.spec.signal_terms import Oracle, close, factor, volume

high, low = pl.col("high"), pl.col("low")
change = close / close.shift(1) - 1

EXACT = {
    "mean": close.rolling_mean(5),
    "young mean": close.rolling_mean(5, min_samples=2),
    "sum": volume.rolling_sum(4),
    "std": close.rolling_std(6),
    "young var": volume.rolling_var(5, min_samples=1, ddof=0),
    "cross": close.rolling_mean(3) > close.rolling_mean(8),
    "third": (high + low + close) / 3,
    "shift": close.shift(4),
    "filled": close.shift(2, fill_value=7.5),
    "text": pl.col("asset").cast(pl.String).shift(1),
    "day": pl.col("ts").dt.date().shift(2),
    "flag": (close > pl.col("open")).shift(1),
    "diff": factor.diff(2),
    "change": close.pct_change(3),
    "range": (high - low).rolling_max(4) / close.rolling_min(6),
    "median": factor.rolling_median(4),
    "quantile": change.rolling_quantile(0.3, window_size=5, interpolation="linear"),
    "rank": change.rolling_rank(4),
    "momentum": (close.shift(2) / close.shift(9) - 1).rank("ordinal", descending=True).over("ts"),
    "demeaned": factor - factor.mean().over("ts"),
    "zscore": ((change - change.mean()) / change.std()).over("ts"),
    "smooth rank": close.rank().over("ts").rolling_max(3),
    "sector": factor.mean().over("ts", "sector"),
    "nested": ((close.rolling_mean(3) / close.rolling_mean(5)).rank().over("ts").shift(2) / 7).rolling_median(3),
}
FLOAT = {
    "ewm": close.ewm_mean(span=5),
    "ewm std": change.ewm_std(half_life=3),
    "mean of changes": change.rolling_mean(4),
    "young volatility": change.rolling_std(6, min_samples=2),
    "sum with gaps": factor.rolling_sum(4, min_samples=1),
    "plain ewm": factor.ewm_mean(alpha=0.3, adjust=False, ignore_nulls=True),
    "counted": close.rank("ordinal").over("ts").cum_sum(),
    "low": factor.cum_min(),
    "volatility": change.rolling_std(5),
    "vwap": (close * volume).rolling_sum(5) / volume.rolling_sum(5),
    "correlation": pl.rolling_corr(close, volume, window_size=6),
    "total": volume.cum_sum(),
    "peak": close.cum_max(),
    "age": pl.int_range(pl.len()),
    "filled": factor.forward_fill(),
    "start": close / close.first(),
    "session": (close * volume).cum_sum().over("asset", pl.col("ts").dt.truncate("1w")),
    "time": close.rolling_mean_by("ts", "4d"),
    "deep": change.ewm_mean(alpha=0.2).rank().over("ts").rolling_mean(3).shift(1),
}
SHAPES = {
    "dense": (4, 30, Shape()),
    "ragged": (5, 40, Shape(missing=0.3)),
    "nulls and mixed ticks": (4, 40, Shape(missing=0.15, nulls=0.2, ticks=("0.01", "0.25"))),
    "one asset": (1, 40, Shape(nulls=0.1)),
}


def differing(found: pl.DataFrame, wanted: pl.DataFrame) -> list[str]:
    return [name for name in wanted.columns if name != "row" and not found[name].equals(wanted[name], check_dtypes=True)]


def bar_by_bar(plan: SignalPlan, data: Made, window: Window | None = None, stop: int | None = None) -> pl.DataFrame:
    """All bars through a window, put back into the order of the frame."""
    window = window or Window(plan, data.assets)
    indexed = data.frame.with_row_index("i")
    parts = []
    for _, rows in sorted(indexed.group_by("ts"))[:stop]:
        rows = rows.sort("i")
        parts.append(window.push(rows.drop("i")).with_columns(row=rows["i"]))
    return pl.concat(parts).sort("row")


@pytest.mark.parametrize("shape", SHAPES)
def test_exact_terms_need_their_lookback_alone(shape: str) -> None:
    data = made(*SHAPES[shape][:2], seed=1, shape=SHAPES[shape][2])
    place = data.frame.select(i=pl.int_range(pl.len()).over("asset")).to_series()
    for name, expr in EXACT.items():
        plan = plan_terms({name: expr})
        assert plan.exact, name
        crossing = any(item.kind == "cross" for item in plan.graph.items)
        if plan.lookback is None or (crossing and shape != "dense"):
            continue  # on ragged frames the others' bars decide how far a cross-section reaches
        full = plan.evaluate(data.frame, data.assets)
        for drop in (3, 11):
            kept = place >= drop
            part = plan.evaluate(data.frame.filter(kept), data.assets)
            sure = place >= drop + plan.lookback
            assert not differing(part.filter(sure.filter(kept)), full.filter(sure)), (name, drop)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_prefix_gives_the_bits_of_the_whole(shape: str) -> None:
    data = made(*SHAPES[shape][:2], seed=2, shape=SHAPES[shape][2])
    plan = plan_terms(EXACT | {f"float {name}": expr for name, expr in FLOAT.items()})
    full = plan.evaluate(data.frame, data.assets)
    instants = data.frame["ts"].unique().sort()
    for stop in (1, 2, 7, 20):
        keep = data.frame["ts"] < instants[stop]
        assert not differing(plan.evaluate(data.frame.filter(keep), data.assets), full.filter(keep)), stop


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("universe", [False, True])
def test_bar_by_bar_gives_the_bits_of_all_bars_at_once(shape: str, universe: bool) -> None:
    data = made(*SHAPES[shape][:2], seed=3, shape=SHAPES[shape][2])
    terms = EXACT | {f"float {name}": expr for name, expr in FLOAT.items()}
    if universe:
        terms["universe"] = (volume.rolling_mean(3) > 1500) & (close.rank().over("ts") > 1)
    plan = plan_terms(terms)
    assert not differing(bar_by_bar(plan, data), plan.evaluate(data.frame, data.assets))


@pytest.mark.parametrize("shape", SHAPES)
def test_generated_terms_bar_by_bar(shape: str) -> None:
    data = made(*SHAPES[shape][:2], seed=4, shape=SHAPES[shape][2])
    for seed in range(8):
        oracle = Oracle(np.random.default_rng([seed, 5]), data.frame)
        plan = plan_terms({f"s{i}": oracle.tree(1 + seed % 4)[0] for i in range(3)})
        assert not differing(bar_by_bar(plan, data), plan.evaluate(data.frame, data.assets)), seed


def test_a_constant_divisor_gives_the_same_bits_in_one_row_and_in_many() -> None:
    data = made(1, 60)
    plan = plan_terms({"target": (high + low + close) / 3})
    full = plan.evaluate(data.frame, data.assets)["target"]
    single = [plan.evaluate(data.frame.slice(i, 1), data.assets)["target"][0] for i in range(60)]
    rows = np.zeros(60, np.bool_)
    rows[17] = True
    assert single == full.to_list()
    assert plan.evaluate(data.frame, data.assets, rows)["target"].to_list() == [full[17]]
    assert plan.evaluate(data.frame.head(1), data.assets, np.zeros(1, np.bool_))["target"].len() == 0


def test_a_cross_section_sums_in_asset_order_on_both_sides() -> None:
    data = made(60, 12, shape=Shape(missing=0.2, nulls=0.1))
    share = close * volume / 3
    plan = plan_terms({"share": share / share.sum().over("ts"), "std": share.std().over("ts"), "gap": share - share.mean().over("ts")})
    assert not differing(bar_by_bar(plan, data), plan.evaluate(data.frame, data.assets))


def test_threads_do_not_change_a_bit() -> None:
    data = made(6, 200, shape=Shape(missing=0.1))
    plan = plan_terms(EXACT | {f"float {name}": expr for name, expr in FLOAT.items()})
    first = plan.evaluate(data.frame, data.assets)
    chunked = pl.concat([data.frame.head(317), data.frame.tail(data.frame.height - 317)], rechunk=False)
    assert not differing(plan.evaluate(chunked, data.assets), first)


def test_an_asset_that_appears_later_starts_its_own_windows() -> None:
    data = made(3, 20)
    late = data.frame.filter((pl.col("asset") != "A01") | (pl.col("ts").dt.epoch("d") >= 12))
    plan = plan_terms({"mean": close.rolling_mean(4), "rank": close.rank().over("ts"), "ewm": close.ewm_mean(span=3)})
    assert not differing(bar_by_bar(plan, Made(late, data.assets)), plan.evaluate(late, data.assets))


def test_a_saved_window_goes_on_where_it_stopped() -> None:
    data = made(3, 24, shape=Shape(missing=0.2, nulls=0.2))
    plan = plan_terms(EXACT | {f"float {name}": expr for name, expr in FLOAT.items()})
    instants = data.frame["ts"].unique().sort()
    early, later = data.frame.filter(pl.col("ts") < instants[13]), data.frame.filter(pl.col("ts") >= instants[13])
    window = Window(plan, data.assets)
    bar_by_bar(plan, Made(early, data.assets), window)
    revived = Window.load(plan, data.assets, window.save())
    assert not differing(bar_by_bar(plan, Made(later, data.assets), revived), bar_by_bar(plan, Made(later, data.assets), window))


def test_ticks_of_a_dear_coin_use_128_bits_and_agree() -> None:
    rng = np.random.default_rng(0)
    ticks = 10**13 + rng.integers(-(10**12), 10**12, 40)
    frame = pl.DataFrame({"ts": pl.Series(np.arange(40)).cast(pl.Datetime("us", "UTC")), "asset": ["C"] * 40, "ticks_close": ticks})
    data = Made(frame.with_columns(close=pl.col("ticks_close") / 10**8).cast({"asset": pl.Enum(["C"])}), (Asset.of("C", "crypto"),))
    plan = plan_terms({"std": close.rolling_std(20), "young": close.rolling_var(9, min_samples=2)})
    full = plan.evaluate(data.frame, data.assets)
    assert not differing(bar_by_bar(plan, data), full)
    assert np.allclose(full["std"].drop_nulls(), data.frame.select(close.rolling_std(20)).to_series().drop_nulls(), rtol=1e-9)
