"""What a variant takes beside its row does not grow with the sweep: trials, names and parameters come and go."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import Sweep, Tally, Trial, TrialRegistry, gather, options
from rustybt.sweeps.grid import Turning
from rustybt.testing import markets

FEW, MANY = 2_000, 12_000
SHARED, MOST = 8 * 10, 40
"""Bytes of the row itself that numpy made and Polars shares (eight metrics, orders, fills), and of Python's and numpy's beside it."""


@rbt.strategy
def cross(fast: int = 2, slow: int = 4, shares: int = 1) -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.quantity(pl.when(up).then(shares).otherwise(0)))


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(1, 25, seed=3)


def sweep(panel: Panel, count: int, trials: str | Path) -> Sweep:
    grid = {"fast": [2, 3], "slow": [4, 5, 6, 7, 8], "shares": range(1, 1 + count // 10)}
    return rbt.sweep(cross, panel, grid=grid, workers=1, trials=trials, progress=False)


@pytest.mark.parametrize("counted", [False, True])
def test_memory_beside_the_rows_does_not_grow(panel: Panel, tmp_path: Path, counted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "PIECE", 1_000)
    monkeypatch.setattr(options, "CHUNK", 500)  # a chunk is as large in both
    peaks = []
    for count in (FEW, FEW, MANY):  # the first time what stays is made
        tracemalloc.start()
        done = sweep(panel, count, tmp_path / "trials.sqlite" if counted else "off")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert done.frame["error"].null_count() == count
    assert (peaks[2] - peaks[1]) / (MANY - FEW) < SHARED + MOST


def test_trials_are_counted_while_the_sweep_runs(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, record = [], TrialRegistry.record

    def noted(self: TrialRegistry, snapshot: str, trials: Iterable[Trial]) -> None:
        given = list(trials)
        sizes.append(len(given))
        record(self, snapshot, given)

    monkeypatch.setattr(TrialRegistry, "record", noted)
    whole = sweep(panel, 3_000, tmp_path / "whole.sqlite")
    monkeypatch.setattr(gather, "PIECE", 600)
    parts = sweep(panel, 3_000, tmp_path / "parts.sqlite")
    assert sizes[0] == sum(sizes[1:]) == 3_000
    assert max(sizes[1:]) < 600 + 512
    assert parts.tally == whole.tally
    assert parts.frame.equals(whole.frame)
    drop = ("first_run", "last_run")
    both = [TrialRegistry(tmp_path / f"{name}.sqlite").frame().drop(drop) for name in ("whole", "parts")]
    assert both[0].equals(both[1])


@pytest.mark.parametrize(("values", "times", "count"), [(["a", "b", "c"], 2, 12), ([5], 3, 3), ([1, 2], 1, 10), ([1, 2], 3, 8)])
def test_places_of_a_column_are_those_of_its_rows(values: list[object], times: int, count: int) -> None:
    column = Turning(values, times, count)
    assert column.all_codes().tolist() == column.codes(range(count)).tolist()
    assert [values[code] for code in column.all_codes().tolist()] == list(column)
    for part in (slice(0, count), slice(1, count), slice(2, 3), slice(1, count - 1), slice(0, 0), slice(0, count, 2)):
        own = column[part]
        assert list(own) == [own[at] for at in range(len(own))] == list(column)[part]
        assert list(own[1:3]) == list(own)[1:3]
        if isinstance(own, Turning):
            different, which = own.told_apart()
            assert [different[code] for code in which.tolist()] == list(own)
            assert [values[code] for code in own.all_codes().tolist()] == list(own)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 130, 1_001, 70_000])
def test_the_variance_of_a_tally_is_that_of_numpy(count: int) -> None:
    drawn = np.random.default_rng(count).normal(0.03, 0.02, count)
    wanted = float(np.var(np.sort(drawn), ddof=1)) if count > 1 else 0.0
    holed = pl.Series([None, *drawn.tolist(), None], dtype=pl.Float64)
    parts = [holed[at : at + 777] for at in range(0, len(holed), 777)]
    assert Tally.of_parts(parts, len(holed)) == Tally.of(holed.to_list()) == Tally(count + 2, wanted, count + 2)
