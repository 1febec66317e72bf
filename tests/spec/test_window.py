"""The window's own rules; that its values are those of all bars at once is in tests/parity/test_signals.py."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.errors import SpecError
from rustybt.model import Asset
from rustybt.spec.barwise import bar_program
from rustybt.spec.parts import Native
from rustybt.spec.planner import plan_terms
from rustybt.spec.rings import Ring, Totals
from rustybt.spec.window import Window
from tests.spec.signal_frames import made

close = pl.col("close")


@settings(max_examples=40)
@given(st.integers(1, 5), st.lists(st.tuples(st.sets(st.integers(0, 3), min_size=1), st.booleans()), max_size=40))
def test_a_ring_remembers_as_many_values_of_each_asset_as_it_is_wide(width: int, bars: list[tuple[set[int], bool]]) -> None:
    ring = Ring(width)
    kept: dict[int, list[float | None]] = {slot: [] for slot in range(4)}
    for number, (present, null) in enumerate(bars):
        slots = np.array(sorted(present))
        values = [None if null and slot == slots[0] else number + slot / 10 for slot in slots.tolist()]
        ring.push(slots, pl.Series(values, dtype=pl.Float64))
        for slot, value in zip(slots.tolist(), values, strict=True):
            kept[slot].append(value)
        for back in range(width):
            wanted = [kept[s][-1 - back] if len(kept[s]) > back else None for s in slots.tolist()]
            assert ring.lag(slots, back).to_list() == wanted
        for at, slot in enumerate(slots.tolist()):
            size = min(width, len(kept[slot]))
            last, known = ring.last(slots, size)
            assert [v if known is None or known[at, i] else None for i, v in enumerate(last[at].tolist())] == kept[slot][-size:]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series(["a", None]),
        pl.Series([True, None]),
        pl.Series([3, None], dtype=pl.UInt8),
        pl.Series([[1.0], None]),
        pl.Series([None, None]),
    ],
)
def test_a_ring_gives_back_any_dtype(values: pl.Series) -> None:
    ring = Ring(2)
    ring.push(np.array([0, 1]), values)
    assert ring.lag(np.array([0, 1]), 0).equals(values, check_dtypes=True, check_names=False)


@pytest.mark.parametrize(
    "expr", [close.rolling_mean(5).shift(2) / close.rolling_max(4), close.pct_change().rolling_std(9), close.ewm_mean(span=3)]
)
def test_memory_does_not_grow(expr: pl.Expr) -> None:
    data = made(2, 60)
    window = Window(plan_terms({"target": expr}), data.assets)
    sizes = []
    for _, rows in sorted(data.frame.group_by("ts")):
        window.push(rows.sort("asset"))
        sizes.append(sum(frame.height for frame in window.save().values()))
    assert sizes[-1] == sizes[20]


def test_an_admitted_asset_takes_part_from_its_next_bar_on() -> None:
    data = made(2, 6)
    window = Window(plan_terms({"mean": close.rolling_mean(2), "rank": close.rank().over("ts")}), data.assets[:1])
    bars = [rows.sort("asset") for _, rows in sorted(data.frame.group_by("ts"))]
    window.push(bars[0].head(1))
    with pytest.raises(SpecError, match="'A01'"):
        Window(window.plan, data.assets[:1]).push(bars[1])
    window.admit(data.assets[1])
    assert window.push(bars[1])["mean"].is_null().to_list() == [False, True]
    assert window.push(bars[2])["mean"].is_null().to_list() == [False, False]


def test_an_empty_bar_gives_no_rows_and_changes_nothing() -> None:
    data = made(2, 4)
    window = Window(plan_terms({"target": close.shift(1), "rank": close.rank().over("ts"), "ewm": close.ewm_mean(span=2)}), data.assets)
    bars = [rows.sort("asset") for _, rows in sorted(data.frame.group_by("ts"))]
    window.push(bars[0])
    assert window.push(bars[1].clear()).height == 0
    assert window.push(bars[1])["target"].to_list() == bars[0]["close"].to_list()


def test_rows_out_of_asset_order_are_refused() -> None:
    data = made(2, 2)
    window = Window(plan_terms({"target": close}), data.assets)
    with pytest.raises(SpecError, match="not in asset order"):
        window.push(data.frame.head(1).vstack(data.frame.head(1)))


def test_missing_column_and_failing_term_are_named() -> None:
    data = made(2, 2)
    rows = data.frame.filter(pl.col("ts") == data.frame["ts"][0])
    with pytest.raises(SpecError, match="unknown column 'clsoe'"):
        Window(plan_terms({"target": pl.col("clsoe")}), data.assets).push(rows)
    with pytest.raises(SpecError) as caught:
        Window(plan_terms({"target": pl.col("asset").str.to_integer()}), data.assets).push(rows)
    assert caught.value.where == "term 'target'"


def test_a_saved_window_of_other_terms_is_refused() -> None:
    saved = Window(plan_terms({"target": close.shift(1)}), [Asset("A")]).save()
    with pytest.raises(SpecError, match="other terms"):
        Window.load(plan_terms({"target": pl.col("open").shift(1)}), [Asset("A")], saved)


def test_bars_whose_terms_are_not_wanted_count_all_the_same() -> None:
    data = made(4, 40)
    score = (close / close.shift(5)).over("asset")
    terms = {
        "rank": score.rank("ordinal").over("ts"),
        "smooth": score.rank().over("ts").rolling_mean(3),
        "ewm": (close.rolling_mean(3) - close).ewm_mean(span=4),
        "total": pl.col("volume").cum_sum().log(),
    }
    every, some = (Window(plan_terms(terms), data.assets) for _ in range(2))
    for number, (_, rows) in enumerate(sorted(data.frame.group_by("ts"))):
        due = number % 7 == 3
        whole, part = every.push(rows.sort("asset")), some.push(rows.sort("asset"), due)
        assert part.schema == whole.schema
        assert part.equals(whole if due else whole.clear(), null_equal=True)


def test_ordinary_terms_need_no_evaluation_in_polars() -> None:
    up = close.rolling_mean(5) > close.rolling_mean(9)
    share = 0.9 / pl.col("asset").n_unique().over("ts")
    plan = plan_terms({"score": close / close.shift(3) - 1, "target": pl.when(up).then(share).otherwise(0.0)})
    program = bar_program(plan, {name: made(2, 2).frame.schema[name] for name in plan.columns})
    assert all(isinstance(step, Native) for part in program.parts for step in part.steps)
    assert not any(part.steps or part.moves for part in program.idle)


@given(st.lists(st.lists(st.integers(-(2**62), 2**62), min_size=3, max_size=3), min_size=1, max_size=12))
def test_running_totals_of_all_assets_at_once_are_those_of_each(bars: list[list[int]]) -> None:
    whole, single = Totals(8, squares=True), Totals(8, squares=True)
    whole.grow(3)
    single.grow(3)
    for at, bar in enumerate(bars):
        values = np.array(bar, dtype=np.int64)
        whole.take_all(at, values)
        single.take(np.arange(3), np.full(3, at), values)
    assert all((one == other).all() for one, other in zip(whole.held, single.held, strict=True))
    assert [whole.fits(size) for size in (1, 2, 2**31)] == [single.fits(size) for size in (1, 2, 2**31)]
    assert whole._range == single._range
