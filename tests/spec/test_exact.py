"""Exact windows against whole-number arithmetic in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.errors import SpecError
from rustybt.kernel.entrance import roller
from rustybt.model import Asset
from rustybt.spec import evaluate
from rustybt.spec.exact import Facts, Rolling, Step, Units, fits, rolling_of, tie_warning
from rustybt.spec.planner import plan_terms
from rustybt.spec.running import Running, of_windows
from rustybt.spec.tree import parse
from tests.spec.signal_frames import Shape, made

close, volume = pl.col("close"), pl.col("volume")
TERMS = {
    "a": close.rolling_mean(7).over("asset"),
    "b": close.rolling_std(5).over("asset") / volume.rolling_sum(31).over("asset"),
    "target": pl.when(close.rolling_mean(3) > close.rolling_mean(50)).then(1.0).otherwise(pl.col("open").rolling_var(4)).over("asset"),
}


def by_hand(ticks: Sequence[int | None], window: Rolling, step: Fraction) -> list[float | None]:
    """Every window in fractions; one rounding at the end of a mean or sum."""
    found: list[float | None] = []
    for i in range(len(ticks)):
        inside = [t for t in ticks[max(0, i - window.size + 1) : i + 1] if t is not None]
        n = len(inside)
        if n < window.least or (n == 0 and window.function != "Sum") or (window.squares and n <= window.ddof):
            found.append(None)
        elif window.function in ("Sum", "Mean"):
            total = Fraction(sum(inside)) * step
            found.append(float(total / n if window.function == "Mean" else total))
        else:
            spread = n * sum(t * t for t in inside) - sum(inside) ** 2
            variance = float(spread) * float(step.numerator) ** 2 / (n * (n - window.ddof) * float(step.denominator) ** 2)
            found.append(sqrt(variance) if window.function == "Std" else variance)
    return found


WINDOWS = st.builds(
    lambda function, size, least, ddof: Rolling("close", function, size, min(least, size), ddof),
    st.sampled_from(["Sum", "Mean", "Var", "Std"]),
    st.integers(1, 7),
    st.integers(0, 7),
    st.integers(0, 1),
)
STEPS = st.sampled_from([Fraction(1), Fraction(1, 100), Fraction(1, 10**8), Fraction(1, 4), Fraction(5)])


@given(st.lists(st.one_of(st.none(), st.integers(1, 10**9)), min_size=1, max_size=30), WINDOWS, STEPS)
def test_windows_equal_whole_number_arithmetic(ticks: list[int | None], window: Rolling, step: Fraction) -> None:
    wanted = by_hand(ticks, window, step)
    series = pl.Series(ticks, dtype=pl.Int64)
    values = np.array([t or 0 for t in ticks])
    facts = Facts(nulls=series.null_count() > 0, wide=not fits(values, np.zeros(1, np.int64), window.size))
    rows = np.arange(len(ticks))
    made_, enough = Running(series).ending(window, rows, np.zeros_like(rows), Step(step.numerator, step.denominator), facts)
    assert [v if e else None for v, e in zip(made_.tolist(), enough.tolist(), strict=True)] == wanted


@given(st.lists(st.integers(1, 10**13), min_size=1, max_size=30), WINDOWS, STEPS)
def test_whole_windows_equal_those_at_rows_and_those_of_a_ring(ticks: list[int], window: Rolling, step: Fraction) -> None:
    window = Rolling("close", window.function, window.size, window.size, window.ddof)
    running, unit = Running(pl.Series(ticks)), Step(step.numerator, step.denominator)
    wide = not fits(np.array(ticks), np.zeros(1, np.int64), window.size)
    whole = running.whole(window, unit, wide) if not (window.squares and window.size <= window.ddof) else None
    for end in range(window.size - 1, len(ticks)):
        start = end - window.size + 1
        value, enough = running.ending(window, np.array([end]), np.array([0]), unit, Facts(False, wide))
        ring, there = of_windows(window, np.array([ticks[start : end + 1]]), None, unit)
        assert bool(enough[0]) == (there is None or bool(there[0])) == (whole is not None)
        if whole is not None:
            assert value[0] == ring[0] == whole[start]


@pytest.mark.parametrize("shape", [Shape(), Shape(missing=0.3), Shape(missing=0.1, ticks=("0.01", "0.0001", "0.25", "5"))])
@pytest.mark.parametrize("least", [None, 0, 1, 3])
def test_terms_equal_fractions_asset_by_asset(shape: Shape, least: int | None) -> None:
    data = made(4, 30, shape=shape)
    size = 5
    terms = {
        "Mean": close.rolling_mean(size, min_samples=least),
        "Sum": close.rolling_sum(size, min_samples=least),
        "Var": close.rolling_var(size, min_samples=least),
        "Std": close.rolling_std(size, min_samples=least),
    }
    found = plan_terms(terms).evaluate(data.frame, data.assets)
    for asset in data.assets:
        mine = data.frame["asset"] == asset.symbol
        ticks = data.frame["ticks_close"].filter(mine).to_list()
        for function in terms:
            window = Rolling("close", function, size, size if least is None else least)
            assert found[function].filter(mine).to_list() == by_hand(ticks, window, Fraction(asset.tick_size)), (asset.symbol, function)


@pytest.mark.parametrize("least", [0, 1, 2, 4])
@pytest.mark.parametrize("function", ["sum", "mean", "var", "std"])
def test_nulls_and_min_samples_are_those_of_polars(function: str, least: int) -> None:
    ticks = [4, None, None, None, 8, 9, None, 2, 2, None, None, None, None, 5]
    frame = pl.DataFrame({"asset": ["A"] * 14, "ticks_volume": ticks}, schema_overrides={"asset": pl.Enum(["A"])})
    frame = frame.with_columns(volume=pl.col("ticks_volume").cast(pl.Float64))
    expr = getattr(volume, f"rolling_{function}")(4, min_samples=least)
    found = plan_terms({"x": expr}).evaluate(frame, [Asset("A")])["x"]
    wanted = frame.select(expr).to_series()
    assert found.is_null().to_list() == wanted.is_null().to_list()
    assert np.allclose(found.drop_nulls(), wanted.drop_nulls(), rtol=1e-12)


def test_a_mean_is_rounded_once() -> None:
    ticks = [7, 1, 3, 9, 4, 4, 2, 8, 6, 5] * 30
    frame = pl.DataFrame({"asset": ["A"] * 300, "ticks_close": ticks, "close": [t / 10**4 for t in ticks]})
    for size in (3, 7, 20, 49):
        found = plan_terms({"m": close.rolling_mean(size)}).evaluate(frame, [Asset("A")])["m"]
        assert found.to_list() == by_hand(ticks, Rolling("close", "Mean", size, size), Fraction(1, 10**4))


def test_sums_survive_totals_that_wrap() -> None:
    ticks = [2**61 - 1, 2**61 - 7, 2**61 - 5] * 40
    window = Rolling("close", "Sum", 2, 2)
    found = Running(pl.Series(ticks)).whole(window, Step(1, 1), wide=False)
    assert found[:119].tolist() == by_hand(list(ticks), window, Fraction(1))[1:]


def test_variance_of_wide_ticks_is_that_of_whole_numbers() -> None:
    ticks = [10**13 + (-1) ** i * i * 10**11 for i in range(40)]
    window = Rolling("close", "Var", 20, 20)
    assert not fits(np.array(ticks), np.zeros(1, np.int64), 20)
    found = Running(pl.Series(ticks)).whole(window, Step(1, 10**8), wide=True)
    assert found[:21].tolist() == by_hand(list(ticks), window, Fraction(1, 10**8))[19:]


def test_the_range_that_decides_the_width_is_that_of_one_asset() -> None:
    ticks = np.array([5, 6, 10**13, 10**13 + 1])
    assert fits(ticks, np.array([0, 2]), 20)
    assert not fits(ticks, np.array([0]), 20)


@pytest.mark.parametrize(
    ("expr", "column"),
    [
        (close.rolling_mean(3, center=True), "close"),
        (close.rolling_mean(3, weights=[1.0, 2.0, 3.0]), "close"),
        (close.rolling_median(3), "close"),
        (close.rolling_mean(3), "factor"),
        (close.shift(3), "close"),
    ],
)
def test_other_windows_are_left_to_polars(expr: pl.Expr, column: str) -> None:
    assert rolling_of(parse(expr), column) is None


def test_steps_follow_tick_size_volume_step_and_adjusted_digits() -> None:
    units = Units((Asset("A", tick_size=Decimal("0.05"), volume_step=Decimal(10)),), adj_digits=2)
    assert [units.steps(name)["A"] for name in ("close", "volume", "adj_close", "adj_volume")] == [
        Fraction(1, 20),
        Fraction(10),
        Fraction(1, 2000),
        Fraction(1, 10),
    ]


def test_an_asset_without_a_tick_size_is_named() -> None:
    data = made(2, 6)
    with pytest.raises(SpecError, match="asset 'A01'"):
        plan_terms({"m": close.rolling_mean(2)}).evaluate(data.frame, data.assets[:1])


def test_tie_warning_names_the_two_longest_windows() -> None:
    windows = [Rolling("close", "Mean", size, size) for size in (5, 20, 50)]
    assert tie_warning(windows, {"close": 2**53 // 1000 - 1}) is None
    assert "20 and 50" in str(tie_warning(windows, {"close": 2**53 // 1000 + 1}))
    assert tie_warning(windows[:1], {"close": 2**60}) is None


@pytest.mark.parametrize("assets", [1, 4])
@pytest.mark.parametrize("ticks", [("0.01",), ("0.01", "0.25", "1")], ids=["one tick", "several ticks"])
@pytest.mark.parametrize("bars", [2, 40, 333])
def test_windows_part_by_part_have_the_same_bits(assets: int, ticks: tuple[str, ...], bars: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = made(assets, bars, seed=bars, shape=Shape(ticks=ticks))
    alone = plan_terms(TERMS).evaluate(data.frame, data.assets)
    for rows in (1, 90, 1000):
        monkeypatch.setattr(evaluate, "MANY", 1)
        monkeypatch.setattr(evaluate, "PART", rows)
        for roll in (None, roller()):
            assert plan_terms(TERMS).evaluate(data.frame, data.assets, roll=roll).equals(alone)


def test_windows_part_by_part_want_to_know_the_tick_size(monkeypatch: pytest.MonkeyPatch) -> None:
    data = made(1, 40)
    monkeypatch.setattr(evaluate, "MANY", 1)
    with pytest.raises(SpecError, match="no tick size is known"):
        plan_terms(TERMS).evaluate(data.frame, [])
