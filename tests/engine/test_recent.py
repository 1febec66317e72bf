"""The last rows of every asset: the same as sorting all rows and taking the last of each, at a cost that does not grow with them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.engine import configure, recent
from rustybt.engine.bulk import run_configured
from rustybt.engine.recent import Recent
from rustybt.spec import Context, OnBar
from rustybt.testing import markets


def bar(day: int, columns: list[int]) -> tuple[pl.DataFrame, np.ndarray]:
    frame = pl.DataFrame(
        {"asset": [f"A{column:02}" for column in columns], "ts": [day] * len(columns)}, schema={"asset": pl.String, "ts": pl.Int64}
    )
    return frame, np.array(columns, dtype=np.int32)


def sorted_anew(pushed: list[pl.DataFrame], lookback: int) -> list[tuple[str, int]]:
    """Every row sorted, the last of each asset taken."""
    whole = pl.concat(pushed).sort("asset", "ts")
    return [row for _, part in whole.group_by("asset", maintain_order=True) for row in part.tail(lookback).rows()]


@given(
    bars=st.lists(st.sets(st.integers(0, 4)), min_size=1, max_size=60),
    lookback=st.integers(1, 12),
    spare=st.integers(1, 8),
)
def test_it_is_what_sorting_all_rows_would_give(bars: list[set[int]], lookback: int, spare: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent, "SPARE", spare)
        kept, pushed = Recent(5, lookback), []
        for day, columns in enumerate(bars):
            rows, places = bar(day, sorted(columns))
            kept.push(rows, places)
            pushed.append(rows)
            if day % 3 == 0:
                assert kept.frame.rows() == sorted_anew(pushed, lookback)
        assert kept.frame.rows() == sorted_anew(pushed, lookback)


@pytest.mark.parametrize("assets", [1, 3])
def test_what_lies_about_stays_within_bounds(assets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "SPARE", 16)
    kept = Recent(assets, 5)
    heights = []
    for day in range(500):
        kept.push(*bar(day, [*range(assets)]))
        heights.append(kept._rows.height)
    assert max(heights) <= 2 * 5 * assets + 16 + assets
    assert kept.frame.height == 5 * assets


def test_a_bar_that_nobody_asks_about_gathers_nothing() -> None:
    kept = Recent(2, 3)
    kept.push(*bar(0, [0, 1]))
    assert kept._frame is None
    assert kept.frame is kept.frame


@pytest.mark.parametrize("assets", [1, 3])
def test_a_frame_that_was_given_out_does_not_change(assets: int) -> None:
    kept, given_out = Recent(assets, 4), []
    for day in range(50):
        kept.push(*bar(day, [*range(assets)]))
        given_out.append((kept.frame, kept.frame.rows()))
    assert all(frame.rows() == rows for frame, rows in given_out)


def test_a_callback_sees_the_last_rows_of_a_ragged_market() -> None:
    data = markets.market(assets=4, bars=70, seed=3, gaps=0.1, halts=0.5, listings=0.5, delistings=0.3, ties=0.05)
    panel = rbt.load(data.bars, stamp="close", events=data.events)
    seen = []

    def look(context: Context) -> None:
        seen.append((context.ts, context.bars))

    run_configured({"look": rbt.Strategy("look", on_bar=OnBar(look, lookback=7))}, panel, configure())
    assert len(seen) == panel.bars
    for ts, bars in seen:
        known = panel.frame.filter(pl.col("ts") <= ts).sort("asset", "ts")
        assert bars.rows() == known.group_by("asset", maintain_order=True).tail(7).select(bars.columns).rows()
