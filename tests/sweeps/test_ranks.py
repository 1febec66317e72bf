"""Ranks among the assets of a bar are those of Polars: ties by every method, values that are not there, few assets and many."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.sweeps import ranks
from rustybt.sweeps.ranks import METHODS
from rustybt.sweeps.steps import LEAD, OPS, compute_steps

values = st.lists(st.integers(1, 6).map(float) | st.floats(0.5, 2.0), min_size=1, max_size=40)


def ranked(bars: list[list[float]], method: str, descending: bool, lead: int = 0) -> Any:
    """Of bars of as many assets each; the first bars of each asset have no value."""
    table = np.array(bars).T  # by asset, then bar
    assets, count = table.shape
    order = np.arange(table.size).reshape(assets, count).T.ravel().copy()
    held = np.zeros((2, table.size)), np.ones(2, dtype=np.uint8)
    held[0][0] = table.ravel()
    code = np.zeros((1, 7), dtype=np.int64)
    code[0, :4], code[0, LEAD:] = (OPS["rank"], 1, 0, -1), (lead, METHODS[method.title()], 0)
    starts, lengths = np.arange(assets) * count, np.full(assets, count)
    rows = starts, lengths, order, np.repeat(np.arange(count), assets), np.arange(count + 1) * assets
    totals = np.zeros((0, table.size + 1), dtype=np.int64), np.zeros((0, 2, assets), dtype=np.int64), np.zeros((0, 2, assets))
    room = np.empty(2 * table.size + 2), np.empty((2, 2 * table.size + 2), dtype=np.int64)
    compute_steps((code, np.array([[-1.0 if descending else 1.0, 0.0]])), held, totals, rows, room)
    return held[0][1].reshape(assets, count).T if held[1][1] else None


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
