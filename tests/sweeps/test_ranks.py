"""Ranks among the assets of a bar are those of Polars: ties by every method, values that are not there, few assets and many."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.sweeps import ranks
from rustybt.sweeps.alike import BARS, COLUMN, COUNT, FIXED, LEFT, LONGEST, NAMED, OP, compute_alike
from rustybt.sweeps.ranks import METHODS
from rustybt.sweeps.steps import OPS
from rustybt.sweeps.walks import memory_of

values = st.lists(st.integers(1, 6).map(float) | st.floats(0.5, 2.0), min_size=1, max_size=40)


def ranked(bars: list[list[float]], method: str, descending: bool, lead: int = 0) -> Any:
    """Of bars of as many assets each; the first bars of each asset have no value."""
    table = np.array(bars).T  # by asset, then bar
    assets, count = table.shape
    order = np.arange(table.size).reshape(assets, count).T.ravel().copy()
    held = np.zeros((2, table.size)), np.ones(2, dtype=np.uint8)
    held[0][0] = table.ravel()
    template = np.full((2, 9), -1, dtype=np.int64)
    template[0, [OP, LEFT]] = COLUMN, 0
    template[1, [OP, LEFT, FIXED, LONGEST]] = OPS["rank"], 0, METHODS[method.title()], -1 if descending else 1
    starts, lengths, order, each = (
        np.arange(assets) * count,
        np.full(assets, count),
        np.arange(table.size),
        np.tile(np.arange(count), assets),
    )
    memory = memory_of(2)
    memory[0][0, [NAMED, BARS]], memory[4][COUNT] = (1, lead), 1
    turned = order.reshape(assets, count).T.ravel().copy()
    along = starts, lengths, turned, np.repeat(np.arange(count), assets), np.arange(count + 1) * assets
    totals = np.zeros((0, table.size + 1), dtype=np.int64), np.zeros((0, 2, assets), dtype=np.int64), np.zeros((0, 2, assets))
    scratch = np.empty(2 * table.size + 2), np.empty((2, 2 * table.size + 2), dtype=np.int64)
    program, whole = (np.empty((2, 7), dtype=np.int64), np.empty((2, 2))), [np.empty(size, dtype=np.int64) for size in (3, 8, 1)]
    store = np.empty((1, table.size)), np.empty((1, table.size), dtype=np.uint8), np.zeros(1, dtype=np.int64), 0
    room, done = (scratch, program, *whole), np.zeros(1, dtype=np.uint8)
    compute_alike((template, np.empty((1, 0))), memory, held, totals, (along, (order, each)), room, store, done)
    return store[0][0].reshape(assets, count).T if done[0] else None


def polars(bar: list[float], method: Any, descending: bool) -> list[float]:
    return [float(one) for one in pl.Series(bar, dtype=pl.Float64).rank(method, descending=descending).to_list()]


@given(values, st.sampled_from([method.lower() for method in METHODS]), st.booleans())
def test_few_assets_are_ranked_as_polars_ranks_them(bar: list[float], method: str, descending: bool) -> None:
    assert ranked([bar], method, descending)[0].tolist() == polars(bar, method, descending)


@pytest.mark.parametrize("method", [method.lower() for method in METHODS])
@pytest.mark.parametrize("descending", [False, True])
def test_many_assets_are_ranked_as_polars_ranks_them(method: str, descending: bool) -> None:
    draw = np.random.default_rng(3)
    for count in (ranks.FEW, ranks.FEW + 1, 500):
        for spread in (5, 100, 10**6):
            bar = draw.integers(1, spread, count).astype(float).tolist()
            assert ranked([bar], method, descending)[0].tolist() == polars(bar, method, descending)


def test_each_bar_is_ranked_alone_from_the_bar_on_that_has_values() -> None:
    assert ranked([[9.0, 1.0], [1.0, 2.0], [4.0, 3.0]], "ordinal", False, lead=1)[1:].tolist() == [[1.0, 2.0], [2.0, 1.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0])
def test_values_out_of_the_ordinary_are_not_ranked(value: float) -> None:
    assert ranked([[1.0, value, 2.0]], "min", False) is None
