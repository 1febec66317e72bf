"""Bar by bar is the panel again, in order of time."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.data import demo_data, replay
from rustybt.data.grid import dense_grid, lay_out
from rustybt.testing import panel


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(0, 0.6), st.integers(1, 6))
def test_the_bars_of_a_walk_are_the_frame(seed: int, gaps: float, assets: int) -> None:
    made = panel(assets, 40, seed, gaps=gaps, listings=0.5, delistings=0.5, splits=0.5)
    bars = list(replay(made))
    assert [bar for bar, _, _ in bars] == list(range(made.bars))
    assert [ts for _, ts, _ in bars] == made.ts.tolist()
    for _, ts, rows in bars:
        assert rows.height > 0
        assert rows["ts"].dt.epoch("us").unique().to_list() == [ts]
        assert rows["asset"].is_sorted()
    assert pl.concat([rows for _, _, rows in bars]).sort("asset", "ts").equals(made.frame)


@pytest.mark.parametrize("block", [1, 7, 100])
def test_the_size_of_blocks_does_not_matter(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    made = panel(4, 60, 9, gaps=0.3)
    whole = [rows for _, _, rows in replay(made)]
    monkeypatch.setattr("rustybt.data.walk.BLOCK", block)
    pieces = [rows for _, _, rows in replay(made)]
    assert len(pieces) == made.bars
    assert all(one.equals(other) for one, other in zip(whole, pieces, strict=True))


def test_a_walk_can_begin_anywhere() -> None:
    demo = demo_data()
    bar, ts, rows = next(replay(demo, start=3000))
    assert (bar, ts) == (3000, demo.ts[3000])
    assert rows.equals(demo.frame.filter(pl.col("ts").dt.epoch("us") == ts))
    assert list(replay(demo, start=demo.bars)) == []


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.3]), st.integers(1, 5))
def test_the_grid_holds_each_row_once_and_zero_elsewhere(seed: int, gaps: float, assets: int) -> None:
    made = panel(assets, 30, seed, gaps=gaps, listings=gaps)
    cells = {(int(bar), asset): ticks for bar, asset, ticks in zip(made.row_bar, made.frame["asset"], made.frame["ticks_low"], strict=True)}
    for bar in range(made.bars):
        for column, symbol in enumerate(made.symbols):
            assert made.low[bar, column] == cells.get((bar, symbol), 0)
    assert made.dense == (len(cells) == made.bars * assets)
    assert made.spread(np.arange(made.bars)).tolist() == made.row_bar.tolist()
    assert (made.sessions[made.row_bar] == made.frame["session"].to_physical().to_numpy()).all()


@pytest.mark.parametrize("ts", [[1, 2, 3, 1, 2, 3], [1, 2, 3, 2, 3, 4], [1, 2, 3, 4, 5, 6]])
def test_dense_and_ragged_layouts_agree_with_plain_loops(ts: list[int]) -> None:
    import numpy as np

    ticks = np.arange(10, 16)
    grid = lay_out(np.array(ts), np.array([0, 3, 6]))
    cells = dense_grid(ticks, grid)
    assert grid.ts.tolist() == sorted(set(ts))
    for row, (instant, value) in enumerate(zip(ts, ticks, strict=True)):
        assert cells[sorted(set(ts)).index(instant), row // 3] == value
    assert (cells != 0).sum() == 6
