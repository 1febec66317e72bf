"""The pass over windows of long frames gives the bits that NumPy gives."""

from __future__ import annotations

import importlib

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.kernel import entrance
from rustybt.kernel.limits import SUMS_AT_ONCE as BLOCK
from rustybt.kernel.rolling import roll
from rustybt.spec.exact import Rolling, Step
from rustybt.spec.running import Running

from .builds import COMPILED, compiled_only

BELOW = st.sampled_from([1.0, 3.0, 100.0, 5000.0, 1e8, 2.0**52 - 1]) | st.integers(1, 2**52 - 1).map(float)


def by_numpy(values: np.ndarray[tuple[int], np.dtype[np.int64]], size: int, below: float) -> list[float]:
    """Running totals that may wrap, and one division."""
    totals = np.concatenate(([0], np.cumsum(values)))
    return list(np.asarray((totals[size:] - totals[:-size]) / below).tolist())


@compiled_only
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40), st.integers(1, 40), BELOW)
def test_windows_are_those_of_numpy(numbers: list[int], size: int, below: float) -> None:
    values = np.array(numbers, dtype=np.int64)
    found = np.full(max(len(values) - size + 1, 0), np.nan)
    entrance.Rolling(values, found)(0, 0, len(found), size, below)
    assert found.tolist() == (by_numpy(values, size, below) if len(found) else [])


@compiled_only
@pytest.mark.parametrize("rows", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
@pytest.mark.parametrize("size", [1, 2, 50, 2000])
def test_blocks_meet(rows: int, size: int) -> None:
    values = np.random.default_rng(rows + size).integers(-(10**12), 10**12, rows + size - 1 if rows else 0)
    values.flags.writeable = False  # as those of a frame
    found = np.full(rows, np.nan)
    entrance.Rolling(values, found)(0, 0, rows, size, 7.0)
    assert found.tolist() == (by_numpy(values, size, 7.0) if rows else [])


@pytest.mark.skipif(COMPILED, reason="the source by the interpreter")
def test_the_source_says_the_same() -> None:
    values = np.arange(2 * BLOCK + 9) ** 2 % 97
    found = np.empty(2 * BLOCK + 5)
    assert roll(values, np.empty(BLOCK, np.int64), found, len(found), 5, 4.0) == len(found)
    assert found.tolist() == by_numpy(values, 5, 4.0)


@pytest.mark.parametrize("function", ["Sum", "Mean", "Std"])
@pytest.mark.parametrize("step", [Step(1, 100), Step(5, 1)], ids=["hundredths", "fives"])
def test_running_windows_take_it(function: str, step: Step) -> None:
    ticks = pl.Series(np.random.default_rng(3).integers(1, 10**6, 3 * BLOCK))
    window = Rolling("close", function, 20, 20)
    plain, faster = (Running(ticks, how).whole(window, step, False) for how in (None, entrance.roller()))
    assert plain.tolist() == faster.tolist()


@compiled_only
def test_numba_gives_it_where_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    room = importlib.import_module("rustybt.kernel.entrance")
    room.code_of_roll.cache_clear()
    monkeypatch.setattr(room, "code_of", lambda build, way=None: None)
    found = np.empty(3)
    try:
        entrance.Rolling(np.array([1, 2, 3, 5]), found)(0, 0, 3, 2, 2.0)
    finally:
        room.code_of_roll.cache_clear()
    assert found.tolist() == [1.5, 2.5, 4.0]


def test_the_interpreter_has_none() -> None:
    assert (entrance.roller() is None) == (not COMPILED)
