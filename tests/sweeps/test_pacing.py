"""Slow variants go in small chunks, so that what is done is soon on the disk; fast ones go as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import gather, pacing
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.pacing import Paced
from rustybt.sweeps.variants import variants_of
from rustybt.testing import markets
from tests.sweeps.strategies import breakout, cross, sleepy


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=1, bars=120, seed=7)


def test_sizes_grow_toward_the_seconds_that_a_chunk_is_to_take() -> None:
    every = variants_of((breakout,), ("a", "b"), Assignments.of_grid({"window": range(5, 105)}), (False, True))
    paced, sizes = Paced(every, [range(3, every.count)], 50), []
    for chunk in paced:
        sizes.append(chunk.count)
        paced.took(0.1 if len(sizes) < 6 else 1.0)
    assert sizes[:7] == [1, 4, 15, 15, 15, 15, 1]
    assert [chunk.first for chunk in paced.handed][:3] == [3, 4, 8]
    assert sum(sizes) == every.count - 3
    assert Paced(every, [], 50).size == 1


@pytest.mark.parametrize(("executor", "workers"), [("threads", 1), ("threads", 2), ("processes", 2)])
def test_a_kill_of_a_slow_sweep_costs_little(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str, workers: int
) -> None:
    monkeypatch.setattr(gather, "WRITE_EVERY", 0.2)
    monkeypatch.setattr(pacing, "TARGET", 0.2)
    usual: dict[str, Any] = {"grid": {"n": range(5, 45)}, "trials": "off", "workers": workers, "executor": executor}
    told: list[int] = []

    def interrupt(done: int, total: int) -> None:
        told.append(done)
        if done > 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rbt.sweep(sleepy, panel, out=tmp_path / "s", progress=interrupt, **usual)
    assert len(told) > 3
    parts = sorted((tmp_path / "s" / "parts").glob("rows-*"))
    assert len(parts) > 1
    assert sum(pl.read_parquet(part).height for part in parts) == told[-1]
    found = rbt.sweep(sleepy, panel, out=tmp_path / "s", **usual)
    rbt.sweep(sleepy, panel, out=tmp_path / "whole", grid={"n": range(5, 45)}, trials="off", workers=1)
    assert found.frame["n"].to_list() == list(range(5, 45))
    assert (tmp_path / "s" / "results.parquet").read_bytes() == (tmp_path / "whole" / "results.parquet").read_bytes()


def test_fast_variants_go_in_large_chunks(panel: Panel, tmp_path: Path) -> None:
    told: list[int] = []
    grid = {"fast": range(2, 22), "slow": range(25, 40)}
    rbt.sweep(cross, panel, grid=grid, out=tmp_path / "s", trials="off", workers=1, progress=lambda done, total: told.append(done))
    assert told == [150, 300]


def test_a_bar_of_slow_variants_moves_without_a_directory(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "TARGET", 0.1)
    told: list[int] = []
    usual: dict[str, Any] = {"grid": {"n": range(5, 35)}, "trials": "off", "workers": 1}
    watched = rbt.sweep(sleepy, panel, progress=lambda done, total: told.append(done), **usual)
    assert len(told) > 5
    assert told[-1] == 30
    assert watched.frame.equals(rbt.sweep(sleepy, panel, progress=False, **usual).frame)
