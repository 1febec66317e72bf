"""Features that are computed step by step have the bits of the planner, and a step that has other bits is not used."""

from __future__ import annotations

import math
import operator
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.model import Panel
from rustybt.spec.lower import lower
from rustybt.spec.planner import SignalPlan
from rustybt.spec.tree import parse, text
from rustybt.sweeps import features, walks
from rustybt.sweeps.alike import KEPT, ODD, REACH, compute_alike
from rustybt.sweeps.features import Group
from rustybt.sweeps.naming import Texts
from rustybt.sweeps.reading import Alike, Reader
from rustybt.sweeps.walks import Walks
from rustybt.testing import markets

CLOSE, HIGH, LOW = (pl.col(name) for name in ("close", "high", "low"))
MOVE = CLOSE.diff()
WAYS: list[Any] = ["linear", "midpoint", "nearest", "lower", "higher"]
METHODS: list[Any] = ["ordinal", "min", "max", "average", "dense"]
LINE = CLOSE.ewm_mean(span=5, adjust=False, min_samples=5) - CLOSE.ewm_mean(span=12, adjust=False, min_samples=12)
RETURN = (CLOSE / CLOSE.shift(1)).log()
RANGE = pl.max_horizontal(HIGH - LOW, (HIGH - CLOSE.shift(1)).abs(), (LOW - CLOSE.shift(1)).abs())


def uneven() -> Panel:
    """Assets that begin and end at different bars, with gaps and equal prices."""
    rng, parts = np.random.default_rng(1), list[pl.DataFrame]()
    for asset, (first, bars) in enumerate(((0, 150), (40, 60), (3, 7), (100, 1))):
        close = (50 + np.cumsum(rng.choice([-1.0, 0.0, 0.0, 1.0], bars))).clip(5)
        ts = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=first + bar) for bar in range(bars)]
        high, low = close + rng.choice([0, 1, 2], bars), close - rng.choice([0, 1, 2], bars)
        prices = {"open": close, "high": high, "low": low, "close": close, "volume": rng.integers(1, 9, bars).astype(float)}
        parts.append(pl.DataFrame({"ts": ts, "asset": [f"A{asset}"] * bars} | prices).filter(pl.int_range(pl.len()) * 7 % 5 != 3))
    return rbt.load(pl.concat(parts))


PANELS = {
    "uneven": uneven(),
    "one": markets.panel(1, 260, seed=1),
    "short": markets.panel(1, 3, seed=2),
    "many": markets.panel(6, 120, seed=3),
    "few": markets.panel(3, 9, seed=4),
}
KNOWN = [
    CLOSE.ewm_mean(span=7), CLOSE.ewm_mean(alpha=0.1, adjust=False, min_samples=9), LINE.ewm_mean(span=4, adjust=False, min_samples=4),
    HIGH.rolling_max(1), HIGH.rolling_max(300), LOW.rolling_min(6, min_samples=2).shift(1), LOW.shift(1).rolling_min(6),
    MOVE.rolling_max(4),
    MOVE.clip(lower_bound=0.0).rolling_mean(5), (-MOVE).clip(lower_bound=0).rolling_sum(5), MOVE.abs().rolling_mean(9, min_samples=3),
    MOVE.rolling_sum(1), MOVE.clip(-1, 0.5).rolling_mean(4), CLOSE.pct_change(5).rolling_mean(4), CLOSE / CLOSE.shift(10) - 1,
    (HIGH - LOW).rolling_mean(14), CLOSE.rolling_mean(20).shift(2), CLOSE.rolling_std(20).over("asset"), (HIGH + LOW + CLOSE) / 3,
    CLOSE.rolling_mean(20, min_samples=4).ewm_mean(span=3), 2 * CLOSE - LOW, 1 / CLOSE, CLOSE.shift(5).diff(2),
    (CLOSE - CLOSE.rolling_mean(5)) / CLOSE.rolling_std(5), (CLOSE * pl.col("volume")).rolling_sum(10),
    *(CLOSE.pct_change(4).rank(method, descending=down).over("ts") for method in METHODS for down in (False, True)),
    (CLOSE / CLOSE.shift(7)).over("asset").rank("ordinal", descending=True).over("ts"), CLOSE.rolling_mean(5).rank().over("ts"),
    RANGE.rolling_mean(14), RANGE.ewm_mean(alpha=0.1, adjust=False), pl.min_horizontal(LOW, CLOSE.shift(3)), pl.max_horizontal(MOVE, 0.0),
    pl.max_horizontal(0, MOVE).rolling_mean(5), pl.min_horizontal(MOVE, LOW - HIGH, 0),
    RETURN, RETURN.rolling_std(20), RETURN.rolling_var(5, min_samples=3), (HIGH - LOW).rolling_std(9, ddof=0), CLOSE.log(10.0).diff(),
    MOVE.rolling_std(7, min_samples=5, ddof=3), (MOVE / 100).exp(), (MOVE / 100).log1p(), (HIGH - LOW).sqrt().rolling_mean(3), MOVE**2,
    (MOVE > 0).cast(pl.Int64).rolling_sum(10), (HIGH.shift(1) <= HIGH).cast(pl.Float64).rolling_mean(6, min_samples=2),
    (MOVE >= 0.5).cast(pl.Int32).rolling_max(4), (MOVE != 0).shift(2), (MOVE < 1).cast(pl.Int64).shift(1).rolling_sum(9) / 9,
    ((MOVE > 0) & (CLOSE.shift(1) == LOW.shift(1))).cast(pl.Int64), (~(MOVE > 0) | (LOW.shift(1) < 100)).cast(pl.Float64),
    pl.when(MOVE > 0).then(MOVE).otherwise(0.0).rolling_mean(14), pl.when(MOVE > 0).then(1).otherwise(0).rolling_sum(5),
    pl.when(LOW.shift(1) < LOW).then(LOW).otherwise(CLOSE), pl.when(CLOSE > LOW).then(MOVE).otherwise(-MOVE),
    pl.when(MOVE < 0).then(0.0).otherwise(1).rolling_sum(6), (MOVE > 0).cast(pl.Int32).rolling_sum(5).cast(pl.Float64) - 1,
    CLOSE.rolling_median(5), CLOSE.rolling_median(10, min_samples=3).shift(1), MOVE.rolling_median(8), MOVE.rolling_median(1),
    *(MOVE.rolling_quantile(share, how, window_size=9) for how in WAYS for share in (0.3, 0.9)),
    *(CLOSE.rolling_rank(9, how, min_samples=least) for how in ("average", "min", "max") for least in (4, 9)), MOVE.rolling_rank(3) / 3,
    CLOSE.rolling_quantile(0.25, window_size=300, min_samples=7),
]  # fmt: skip


def planned(panel: Panel, expr: pl.Expr, mask: Any) -> tuple[Any, Any, int | None, Any]:
    plan = SignalPlan(lower({"f": parse(expr)}))
    column = plan.evaluate(panel.frame, panel, rows=mask)["f"]
    return column.cast(pl.Float64).fill_null(0.0).to_numpy(), column.is_not_null().to_numpy(), plan.lookbacks["f"], column.dtype


def read(reader: Reader, *texts: str) -> Alike | None:
    """Features that one recipe reads; None where a part of them is no step."""
    found = [reader.read(one) for one in texts]
    assert len({recipe.number for recipe, _ in found}) == 1
    recipe = found[0][0]
    return Alike(recipe, np.array([numbers for _, numbers in found], dtype=np.float64)) if recipe.lines else None


def compare(panel: Panel, expr: pl.Expr, mask: Any = None) -> bool:
    """Whether it was computed; then the bits, what is known and the reach have to be those of the planner."""
    own = Walks(panel, mask)
    walk = read(own.reader, text(expr))
    if walk is None:
        return False
    (size,), _ = own.sizes(walk)
    found = None if size[KEPT] == ODD else own.values(walk)
    if found is None:
        return False
    values, known = found
    wanted, there, reach, dtype = planned(panel, expr, mask)
    assert (None if size[REACH] < 0 else size[REACH]) == reach
    assert walk.recipe.kind == {pl.Float64: "real", pl.Boolean: "truth"}.get(dtype, "whole" if dtype.is_integer() else "")
    assert np.array_equal(np.ones(len(values), dtype=bool) if known is None else known, there)
    assert np.array_equal(values.view(np.int64), np.where(there, wanted, 0.0).view(np.int64))
    return True


def told(panel: Panel, walk: Alike | None) -> Any:
    """What is said of a feature: what it does with which numbers, and what is known of it before."""
    if walk is None:
        return None
    sizes, _ = Walks(panel, None).sizes(walk)
    numbers = [[walk.given[0, at] if at >= 0 else None for at in line.numbers] for line in walk.recipe.lines]
    return None if sizes[0, KEPT] == ODD else ([line._replace(numbers=(-1,) * 3) for line in walk.recipe.lines], numbers, sizes.tolist())


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("expr", KNOWN, ids=str)
def test_steps_have_the_bits_of_the_planner(expr: pl.Expr, name: str) -> None:
    panel = PANELS[name]
    assert compare(panel, expr) or panel.frame["close"].n_unique() < panel.frame.height
    compare(panel, expr, (np.random.default_rng(5).random(panel.bars) < 0.4)[panel.row_bar])


def test_they_are_computed_and_not_left_to_the_planner() -> None:
    assert [str(expr) for expr in KNOWN if not compare(PANELS["one"], expr)] == []


bars = st.integers(1, 40)
leaves = st.sampled_from([CLOSE, HIGH, LOW, pl.col("open"), pl.col("volume")])


kinds: Any = st.sampled_from([pl.Int32, pl.Int64, pl.Float64])
between: Any = st.sampled_from(WAYS)
COMPARISONS = [operator.gt, operator.lt, operator.ge, operator.le, operator.eq, operator.ne]


def truths(below: st.SearchStrategy[pl.Expr]) -> st.SearchStrategy[pl.Expr]:
    compared = st.builds(lambda how, a, b: how(a, b), st.sampled_from(COMPARISONS), below, below | st.sampled_from([0, 0.5, 100, 100.0]))
    return st.one_of(
        compared,
        st.builds(lambda a: ~a, compared),
        st.builds(lambda a, n: a.shift(n), compared, bars),
        st.builds(lambda a, b: a & b, compared, compared),
        st.builds(lambda a, b: a | b, compared, compared),
    )


def grown(below: st.SearchStrategy[pl.Expr]) -> st.SearchStrategy[pl.Expr]:
    number = st.floats(-3, 3).filter(bool) | st.integers(1, 9)
    sizes = st.tuples(bars, bars).map(sorted)
    return st.one_of(
        st.builds(lambda e, n: e.shift(n), below, bars),
        st.builds(lambda e, n: e.diff(n), below, bars),
        st.builds(lambda e, n: e.pct_change(n), below, bars),
        st.builds(lambda e, n, adjust, least: e.ewm_mean(span=n, adjust=adjust, min_samples=least), below, bars, st.booleans(), bars),
        st.builds(lambda e, n: e.rolling_max(n[1], min_samples=n[0]), below, sizes),
        st.builds(lambda e, n: e.rolling_min(n[1], min_samples=n[0]), below, sizes),
        st.builds(lambda e, n: (e + 0).rolling_mean(n[1], min_samples=n[0]), below, sizes),
        st.builds(lambda e, n: (e + 0).rolling_sum(n[1], min_samples=n[0]), below, sizes),
        st.builds(lambda e, n: e.rolling_mean(n), leaves, bars),
        st.builds(lambda e, n: e.clip(lower_bound=n), below, number),
        st.builds(lambda e: -e.abs(), below),
        st.builds(lambda e: -e, below),
        st.builds(lambda e: (e.abs() + 1).log(), below),
        st.builds(lambda e: e.log(3.0), below),
        st.builds(lambda e: e.clip(-20, 20).exp(), below),
        st.builds(lambda e: e.log1p(), below),
        st.builds(lambda e: e.sqrt(), below),
        st.builds(lambda e: e**2, below),
        st.builds(lambda a, b: pl.max_horizontal(a, b), below, below),
        st.builds(lambda a, b, c: pl.min_horizontal(a, b, c), below, below | number.map(pl.lit), below | number.map(pl.lit)),
        st.builds(lambda a, b: pl.max_horizontal(a, b), st.integers(-1, 1).map(pl.lit), below),
        st.builds(lambda c, a, b: pl.when(c).then(a).otherwise(b), truths(below), below, below | number.map(pl.lit)),
        st.builds(
            lambda c, a, b: pl.when(c).then(a).otherwise(b), truths(below), number.map(float).map(pl.lit), below | number.map(pl.lit)
        ),
        st.builds(lambda c, n, how: c.cast(how).rolling_sum(n).cast(pl.Float64), truths(below), bars, kinds),
        st.builds(lambda c, n, how: c.cast(how).rolling_mean(n[1], min_samples=n[0]), truths(below), sizes, kinds),
        st.builds(lambda e, n, d: (e + 0).rolling_std(n[1], min_samples=max(n[0], d + 1), ddof=d), below, sizes, st.integers(0, 2)),
        st.builds(lambda e, n: (e + 0).rolling_var(n), below, bars),
        st.builds(lambda e, n: e.rolling_median(n[1], min_samples=n[0]), below, sizes),
        st.builds(lambda e, n: e.rolling_rank(n[1], min_samples=n[0]), below, sizes),
        st.builds(lambda e, n, p, how: e.rolling_quantile(p, how, n[1], min_samples=n[0]), below, sizes, st.floats(0, 1), between),
        st.builds(lambda a, b: a + b, below, below),
        st.builds(lambda a, b: a - b, below, below),
        st.builds(lambda a, b: a * b, below, below),
        st.builds(lambda a, b: a / b, below, below),
        st.builds(lambda a, b: a / b, below, number),
        st.builds(lambda a, b: b - a, below, number),
        st.builds(lambda e: e.over("asset"), below),
    )


def whole(below: st.SearchStrategy[pl.Expr]) -> st.SearchStrategy[pl.Expr]:
    number, counts = st.integers(-9, 9), st.builds(lambda c, how: c.cast(how), truths(below), kinds)
    counts |= st.builds(lambda c, a, b: pl.when(c).then(a).otherwise(b), truths(below), number, number)
    return st.one_of(
        truths(below),
        counts,
        st.builds(lambda e, n: e.shift(n), counts, bars),
        st.builds(lambda e, n: e.rolling_sum(n), counts, bars),
        st.builds(lambda e, n: e.rolling_sum(n).shift(2).rolling_max(n), counts, bars),
        st.builds(lambda e, n: e.rolling_sum(n) / n, counts, bars),
        st.builds(lambda e, n: e.rolling_sum(n) / 2.5, counts, bars),
        st.builds(lambda e, a, n: e.rolling_sum(n) / a, counts, below, bars),
        st.builds(lambda e, n: e.rolling_sum(n) >= n - 3, counts, bars),
        st.builds(lambda e, n: e.rolling_sum(n) < n / 2, counts, bars),
        st.builds(lambda e, n, how: e.rolling_rank(n, how), below, bars, st.sampled_from(["min", "max"])),
    )


def across(below: st.SearchStrategy[pl.Expr]) -> st.SearchStrategy[pl.Expr]:
    return st.builds(lambda e, how, down: e.rank(how, descending=down).over("ts"), below, st.sampled_from(METHODS), st.booleans())


any_steps = st.recursive(leaves, grown, max_leaves=4)


@given(any_steps | across(any_steps) | whole(any_steps), st.sampled_from(sorted(PANELS)), st.booleans())
@settings(deadline=None)
def test_any_steps_have_the_bits_of_the_planner(expr: pl.Expr, name: str, some: bool) -> None:
    panel = PANELS[name]
    compare(panel, expr, (np.random.default_rng(7).random(panel.bars) < 0.5)[panel.row_bar] if some else None)


@pytest.mark.parametrize(
    "expr",
    [
        CLOSE.rolling_mean(5, center=True), CLOSE.rolling_max(3, center=True), CLOSE.shift(-1), CLOSE.shift(0), CLOSE.rolling_skew(5),
        CLOSE.rank("random").over("ts"), CLOSE.rank(), CLOSE.rank().over("ts") + 1, CLOSE.rank().over("ts").shift(1),
        CLOSE.rank().over("ts", "asset"), CLOSE.rank().over("asset"), CLOSE.cum_sum(), pl.lit(1.0), CLOSE.floor() > LOW, CLOSE.diff(-2),
        CLOSE.rolling_max(3, weights=[1.0, 2.0, 3.0]), CLOSE.shift(1).over("asset", order_by="ts"), CLOSE.fill_null(0.0),
        CLOSE.rolling_quantile(0.3, "equiprobable", window_size=4), CLOSE.rolling_median(5, center=True), CLOSE.pow(3), CLOSE.log(1.0),
        pl.max_horizontal(CLOSE), (MOVE > 0) & (CLOSE > LOW), (MOVE > 0).cast(pl.Int8).rolling_sum(5), (MOVE > 0) > (CLOSE > LOW),
        (MOVE > 0).cast(pl.Int64).rolling_sum(5).rolling_sum(5), (MOVE > 0).cast(pl.Int64) * 3, (MOVE > 0).cast(pl.Int64).diff(),
        pl.when(MOVE > 0).then(2**30).otherwise(0).rolling_sum(5), pl.when(CLOSE > LOW).then(MOVE).otherwise(CLOSE),
        -(MOVE > 0).cast(pl.Int64), CLOSE.rolling_rank(5, "dense"), CLOSE.rolling_rank(5, "min") / 5, CLOSE.rolling_rank(5, "random"),
        pl.when(MOVE > 0).then(CLOSE), pl.when(MOVE > 0).then(CLOSE > 1).otherwise(MOVE > 0), MOVE.rolling_std(5, min_samples=1),
        pl.when(MOVE > 0).then(1).otherwise(0).rolling_sum(2**23), CLOSE.cast(pl.Float32), MOVE.rolling_var(3, ddof=3), (MOVE > 0) + 1.0,
        pl.max_horizontal(MOVE, MOVE > 0), CLOSE / pl.when(MOVE > 0).then(CLOSE).otherwise(3.0),
        1 / (pl.when(MOVE > 0).then(3.0).otherwise(CLOSE) * 2).abs(),
    ],
    ids=str,
)  # fmt: skip
def test_other_steps_are_left_to_the_planner(expr: pl.Expr) -> None:
    walk, own = read(Reader(), text(expr)), Walks(PANELS["one"], None)
    assert walk is None or own.sizes(walk)[0][0, KEPT] == ODD


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_texts_that_differ_in_numbers_alone_are_read_as_if_each_were_the_first(data: st.DataObject) -> None:
    reader, small, number = Reader(), st.integers(0, 6), st.sampled_from([0.5, 2.0, -1.5])
    for _ in range(6):
        n, m, x = data.draw(small), data.draw(small), data.draw(number)
        for expr in (
            CLOSE.diff(1).clip(n, m),
            CLOSE.rolling_mean(n + 1, min_samples=m), (CLOSE * x).rolling_max(n + 1, min_samples=m), CLOSE.rolling_std(n + 1, ddof=m),
            CLOSE.shift(n), CLOSE.ewm_mean(alpha=abs(x) / 4, min_samples=m), (CLOSE.diff(n) / x).clip(x, 3).rank().over("ts"),
            CLOSE.rolling_quantile(0.5, window_size=n + 1),
        ):  # fmt: skip
            found, alone = (told(PANELS["one"], read(one, text(expr))) for one in (reader, Reader()))
            assert found == alone


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_texts_that_were_filled_in_are_read_like_others(data: st.DataObject) -> None:
    reader, whole, real = Reader(), st.integers(-2, 30), st.floats(-4, 4) | st.sampled_from([1e-7, 1e22, 0.25])
    for _ in range(6):
        n, m, x = (data.draw(kind) for kind in (whole, whole, real))
        for expr, numbers in (
            (CLOSE.shift(915), (n,)), ((CLOSE / 0.915).rolling_max(915, min_samples=915), (x, n, m)), (pl.col('b":7,"').shift(915), (n,)),
            (CLOSE.ewm_mean(alpha=0.915, min_samples=3), (x,)), (CLOSE.rolling_quantile(0.915, window_size=7), (x,)),
            (pl.col("close915"), (n,)),
        ):  # fmt: skip
            pieces = tuple(re.split(r"0\.915|915", text(expr)))
            kinds = tuple(type(number) for number in numbers)
            texts = Texts(pieces, kinds, np.array([numbers, numbers], dtype=np.float64)).some([1])
            filled, alone = reader.alike(texts), read(Reader(), texts.text(0))
            if filled is not None:
                assert told(PANELS["one"], filled if filled.recipe.lines else None) == told(PANELS["one"], alone)


@pytest.mark.parametrize("adjust", [False, True])
@pytest.mark.parametrize("name", PANELS)
def test_means_that_are_computed_side_by_side_have_the_bits_of_the_planner(name: str, adjust: bool) -> None:
    panel, spans = PANELS[name], [(3, 1), (9, 9), (4, 2), (2, 60), (30, 5), (5, 5), (7, 1)]
    below = CLOSE, LOW - HIGH, CLOSE.shift(4), CLOSE.ewm_mean(span=3, adjust=adjust), 1 / (CLOSE - CLOSE)
    exprs = [one.ewm_mean(span=span, adjust=adjust, min_samples=least) for one in below for span, least in spans]
    own = Walks(panel, None)
    shape = len(exprs), panel.frame.height
    store = np.full(shape, 7.0), np.full(shape, 7, dtype=np.uint8), np.full(len(exprs), 7, dtype=np.int64)
    for first in range(0, len(exprs), len(spans)):
        walk = read(own.reader, *(text(expr) for expr in exprs[first : first + len(spans)]))
        assert walk is not None
        done = own.put(walk, store, first)
        assert (done is None) == (first < 28)
        assert done is None or not done.any()
    for row, expr in enumerate(exprs[:28]):
        wanted, there, _, _ = planned(panel, expr, None)
        assert np.array_equal(store[1][row] != 0, there)
        assert np.array_equal(store[0][row].view(np.int64), np.where(there, wanted, 0.0).view(np.int64))
        assert store[2][row] == features.sound_from(store[1][row])


def test_what_looks_like_a_number_within_a_name_is_none() -> None:
    reader = Reader()
    for name in ("a:5", "a:6", 'b":7,"'):
        assert read(reader, text(pl.col(name).shift(1))) is None
    assert reader.read(text(pl.col("sma20").shift(1))) != reader.read(text(pl.col("sma21").shift(1)))


@pytest.mark.parametrize(
    ("expr", "exact"),
    [
        (CLOSE, True),
        (CLOSE.rolling_std(5), True),
        (CLOSE.over("asset"), False),
        (CLOSE.rolling_mean(5).over("asset"), False),
        (-CLOSE, False),
    ],
    ids=str,
)
def test_only_columns_and_windows_that_stand_alone_are_not_judged(expr: pl.Expr, exact: bool) -> None:
    assert Reader().read(text(expr))[0].exact is exact


def test_ranks_in_a_universe_are_left_to_the_planner() -> None:
    panel, universe = PANELS["many"], CLOSE.rolling_mean(9) < CLOSE
    exprs = {text(e): e for e in (CLOSE.pct_change(n).over("asset").rank().over("ts") for n in (9, 1, 2))}
    held = Group(panel, text(universe), None, 2**26).need(list(exprs))
    for one, expr in exprs.items():
        plan = SignalPlan(lower({"universe": parse(universe), "f": parse(expr)}))
        wanted = plan.evaluate(panel.frame, panel, rows=None)["f"]
        order = np.argsort(panel.row_bar, kind="stable")
        assert np.array_equal(held.valid[held.known[one]], wanted.is_not_null().to_numpy()[order])
        assert np.array_equal(held.values[held.known[one]], wanted.fill_null(0.0).to_numpy()[order])


@pytest.mark.parametrize(("bars", "planned_alone"), [(2, False), (9, True)])
def test_ranks_of_few_bars_are_left_to_the_planner_and_those_of_many_are_not(bars: int, planned_alone: bool) -> None:
    panel, exprs = PANELS["many"], [CLOSE.pct_change(n).over("asset").rank("min").over("ts") for n in (3, 1, 2)]
    group = Group(panel, None, rbt.every(bars), 2**26)
    held = group.need([text(expr) for expr in exprs])
    assert (not group.trusted) is planned_alone
    for expr in exprs:
        values, known, _, _ = planned(panel, expr, group.mask)
        assert group.order is not None
        row = held.known[text(expr)]
        assert np.array_equal(held.valid[row], known[group.order])
        assert np.array_equal(held.values[row], values[group.order])


def altered(how: pl.Expr | pl.Series) -> Panel:
    bars = pl.DataFrame(
        {"ts": pl.datetime_range(pl.datetime(2024, 1, 1, time_zone="UTC"), pl.datetime(2024, 1, 20, time_zone="UTC"), "1d", eager=True)}
    ).with_columns(
        asset=pl.lit("A"), **dict.fromkeys(("open", "high", "low", "close"), pl.int_range(100, 120).cast(pl.Float64)), volume=1.0
    )
    return rbt.load(bars.with_columns(own=pl.int_range(20).cast(pl.Float64)).with_columns(own=how))


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_data_out_of_the_ordinary_are_left_to_the_planner(value: float | None) -> None:
    own = Walks(altered(pl.when(pl.col("own") == 7).then(pl.lit(value, dtype=pl.Float64)).otherwise("own")), None)
    for expr in (pl.col("own"), pl.col("own").shift(1), pl.col("own").ewm_mean(span=3)):
        walk = read(own.reader, text(expr))
        assert walk is not None
        assert own.sizes(walk)[0][0, KEPT] == ODD or own.values(walk) is None


def test_zeros_of_either_sign_and_divisions_by_zero_are_left_to_the_planner() -> None:
    own = Walks(altered(pl.when(pl.col("own") == 7).then(-0.0).otherwise("own")), None)
    for expr in (pl.col("own").rolling_max(3), 1 / pl.col("own"), CLOSE / pl.col("own"), pl.col("own").pct_change(), CLOSE / 0.0):
        walk = read(own.reader, text(expr))
        assert walk is not None
        assert own.sizes(walk)[0][0, KEPT] == ODD or own.values(walk) is None


@pytest.mark.parametrize("expr", [RETURN, CLOSE.log1p(), (MOVE / 9).exp().rolling_mean(3)], ids=str)
def test_curves_of_another_library_are_left_to_the_planner(expr: pl.Expr, monkeypatch: pytest.MonkeyPatch) -> None:
    assert walks.agree()
    assert compare(PANELS["one"], expr)
    monkeypatch.setattr(walks, "agree", lambda: False)
    assert not compare(PANELS["one"], expr)
    monkeypatch.undo()
    walks.agree.cache_clear()
    monkeypatch.setattr(walks, "compute_alike", wrong)
    assert not walks.agree()
    walks.agree.cache_clear()


SPANS = [text(CLOSE.ewm_mean(span=span)) for span in range(2, 9)]


def wrong(*given: Any) -> int:
    """Other bits than those that are right."""
    count: int = compute_alike(*given)
    given[6][0][given[6][3] : given[6][3] + count] += 1e-9
    return count


def features_of(panel: Panel) -> list[Any]:
    group = Group(panel, None, None, 2**26)
    held = group.need(SPANS)
    return [held.values[held.known[one]].copy() for one in SPANS]


def test_the_first_of_a_shape_is_judged_by_the_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, judged = PANELS["many"], list[bool]()
    same = features.same_bits

    def watched(*told: Any) -> bool:
        judged.append(same(*told))
        return judged[-1]

    monkeypatch.setattr(features, "same_bits", watched)
    wanted = features_of(panel)
    assert judged == [True]

    monkeypatch.setattr(walks, "compute_alike", wrong)
    for found, right in zip(features_of(panel), wanted, strict=True):
        assert found.tobytes() == right.tobytes()
    assert judged == [True, False]


ZEROS = [(-1) ** (n // 3) * 0.0 if n % 4 else float(n % 7 - 3) for n in range(20)]


@pytest.mark.parametrize(
    "expr",
    [
        pl.max_horizontal("own", 0.0), pl.max_horizontal(0, "own"), pl.min_horizontal("own", -pl.col("own")),
        pl.max_horizontal("own", MOVE - 1, 0),
        pl.col("own") == 0, pl.col("own") > 0, pl.col("own").sqrt().abs(), pl.col("own").abs().sqrt(), pl.col("own") ** 2,
        pl.col("own").exp(),
        pl.col("own").log1p().abs(), pl.col("own").shift(1).rolling_std(5), pl.col("own").rolling_rank(5),
        pl.when(pl.col("own") >= 0).then("own").otherwise(0),
        -pl.max_horizontal(-pl.col("own"), 0.0), pl.col("own").diff().rolling_var(2), (pl.col("own") * 1e-170).diff().rolling_var(4),
    ],
    ids=str,
)  # fmt: skip
def test_zeros_of_either_sign_have_the_bits_of_the_planner(expr: pl.Expr) -> None:
    for part in (expr, expr.shift(1)):
        compare(altered(pl.Series(ZEROS)), part)


def test_limits_that_cross_are_left_to_the_planner() -> None:
    panel = PANELS["many"]
    exprs = [MOVE.clip(low, high) for low, high in ((-1, 1), (-0.5, 2), (0.5, -0.5), (1, 1), (2, 1))]
    held = Group(panel, None, None, 2**26).need([text(expr) for expr in exprs])
    order = np.argsort(panel.row_bar, kind="stable")
    for expr in exprs:
        values, known, _, _ = planned(panel, expr, None)
        row = held.known[text(expr)]
        assert np.array_equal(held.valid[row] != 0, known[order])
        assert np.array_equal(held.values[row].view(np.int64), values[order].view(np.int64))


def test_a_feature_without_a_value_says_nothing_about_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = PANELS["one"]
    monkeypatch.setattr(walks, "compute_alike", wrong)
    group = Group(panel, None, None, 2**26)
    for spans in ((300, 280, 5, 6), (290, 7), (8, 9)):
        exprs = [CLOSE.ewm_mean(span=span, min_samples=span) for span in spans]
        held = group.need([text(expr) for expr in exprs])
        assert [one for (_, kept), one in group.trusted.items() if kept != ODD] == [False] * (spans[0] == 8)
        for expr in exprs:
            assert np.array_equal(held.values[held.known[text(expr)]], planned(panel, expr, None)[0])
