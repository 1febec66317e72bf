"""Searches and walk-forwards give the same bytes from threads, processes and Ray, and survive what kills a worker."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.spec import OnBar
from rustybt.sweeps import Change, ExtraSlippage, MissedFills, ParameterJitter, PriceNoise, SyntheticBars, cluster, executors, perturb
from rustybt.sweeps.cluster import connected
from rustybt.sweeps.executors import crew, sited
from rustybt.sweeps.work import DIED
from rustybt.testing import markets
from tests.sweeps.strategies import Fatal, cross, deadly

SPACE: dict[str, Any] = {"fast": rbt.Range(2, 12), "slow": [14, 20, 30, 99]}
EXECUTORS = ("threads", "processes", "ray")
ray = pytest.importorskip("ray", reason="Ray has no wheel for this Python")


@pytest.fixture(scope="module", autouse=True)
def connection() -> Iterator[None]:
    """Ray, once: to start it takes longer than all that is done with it."""
    with connected("local", 2):
        yield


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=240, seed=7)


def bytes_of(*frames: pl.DataFrame) -> bytes:
    held = BytesIO()
    for frame in frames:
        frame.write_ipc(held)
    return held.getvalue()


def test_a_search_is_the_same_whoever_runs_it(panel: Panel, tmp_path: Path) -> None:
    found = set()
    for executor in EXECUTORS:
        asked: dict[str, Any] = {"space": SPACE, "trials": 24, "batch": 8, "seed": 3, "registry": "off", "executor": executor, "workers": 2}
        plain = rbt.search(cross, panel, prune=0.5, **asked)
        kept = rbt.search(cross, panel, storage=tmp_path / executor, **asked)
        again = rbt.search(cross, panel, storage=tmp_path / executor, **asked)
        assert plain.frame["pruned"].any()
        assert (again.evaluated, bytes_of(again.frame)) == (0, bytes_of(kept.frame))
        found.add(bytes_of(plain.frame, kept.frame))
    assert len(found) == 1


def test_a_walk_forward_is_the_same_whoever_runs_it(panel: Panel) -> None:
    found = set()
    for executor in EXECUTORS:
        asked: dict[str, Any] = {"train": 100, "test": 60, "validation": 20, "trials": "off", "executor": executor, "workers": 2}
        grid = rbt.walk_forward(cross, panel, grid={"fast": [3, 5, 99], "slow": [20, 40]}, **asked)
        search = rbt.walk_forward(cross, panel, search={"space": SPACE, "trials": 8, "batch": 4, "seed": 1}, **asked)
        frames = [frame for one in (grid, search) for frame in (one.windows, one.equity, one.variants, one.compared())]
        found.add(bytes_of(*frames))
    assert len(found) == 1


WAYS = [("threads", 1), ("threads", 3), ("processes", 2), ("ray", 2)]


def test_a_cross_validation_is_the_same_whoever_runs_it(panel: Panel) -> None:
    found = set()
    for executor, workers in WAYS:
        grid = {"fast": [0, 3, 5, 99], "slow": [12, 20, 40]}
        asked: dict[str, Any] = {"groups": 4, "purge": 2, "embargo": 10, "trials": "off", "executor": executor, "workers": workers}
        one = rbt.cross_validate(cross, panel, grid=grid, **asked)
        found.add(bytes_of(one.splits, one.paths, one.equity, one.summary()))
    assert len(found) == 1


def test_changed_runs_are_the_same_whoever_runs_them(panel: Panel) -> None:
    changes: list[Change] = [
        PriceNoise(0.001),
        SyntheticBars(10),
        MissedFills(0.1),
        ExtraSlippage(5),
        ParameterJitter(cross, 0.3, ("fast",)),
        Fatal(-1),
    ]
    frames = [perturb(cross(), panel, changes, count=20, seed=2, executor=way, workers=workers).frame for way, workers in WAYS]
    assert {bytes_of(frame) for frame in frames} == {bytes_of(frames[0])}
    assert frames[0]["final_equity"].n_unique() == 20


@pytest.mark.parametrize("executor", ["processes", "ray"])
def test_a_changed_run_that_kills_its_worker_is_a_row(panel: Panel, executor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "RETRIES", 0)
    monkeypatch.setattr(executors, "DEATHS", 0)
    found = perturb(cross(), panel, [Fatal(2)], count=4, executor=executor, workers=1).frame
    assert found["run"].to_list() == [0, 1, 2, 3]
    assert found["error"].to_list() == [None, None, DIED, None]


def test_changed_runs_that_cannot_be_sent_are_refused(panel: Panel) -> None:
    hold = rbt.Strategy("hold", target=rbt.weight(0.1), on_bar=OnBar(lambda context: None))
    with pytest.raises(rbt.ConfigError, match="cannot be sent to another process"):
        perturb(hold, panel, [PriceNoise()], count=2, executor="processes", workers=1)


@pytest.mark.parametrize("executor", ["processes", "ray"])
def test_a_variant_that_kills_its_worker_is_a_row(panel: Panel, executor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "RETRIES", 0)
    monkeypatch.setattr(executors, "DEATHS", 0)
    asked: dict[str, Any] = {"executor": executor, "workers": 1}
    found = rbt.search(deadly, panel, space={"fast": [5, 6, 7, 8]}, method="random", trials=6, batch=6, registry="off", **asked).frame
    died = found.filter(pl.col("fast") == 7)
    assert died.height > 0
    assert set(died["error"]) == {"the process that ran this variant died"}
    assert found.filter(pl.col("fast") != 7)["error"].null_count() == found.height - died.height
    walk = rbt.walk_forward(deadly, panel, grid={"fast": [6, 7]}, train=100, test=140, trials="off", **asked)
    assert walk.windows["failed"].to_list() == [1]
    assert walk.windows["fast"].to_list() == [6]


def test_processes_are_kept_from_batch_to_batch(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = list[int](), executors._pool

    def pool(workers: int) -> Any:
        made.append(workers)
        return real(workers)

    monkeypatch.setattr(executors, "_pool", pool)
    asked: dict[str, Any] = {"executor": "processes", "workers": 1}
    rbt.walk_forward(cross, panel, search={"space": SPACE, "trials": 6, "batch": 2}, train=100, test=40, trials="off", **asked)
    assert made == [1]


def test_files_of_the_work_are_removed() -> None:
    with sited("processes", 1) as site, crew(site) as workers:
        assert isinstance(workers, executors.Processes)
        places = [workers._placed(_work(bars)) for bars in (20, 21, 22)]
        assert [place.exists() for place in places] == [False, True, True]
    assert not any(place.parent.exists() for place in places)


def _work(bars: int) -> Any:
    from rustybt.engine import configure
    from rustybt.sweeps.work import Work

    return Work((cross,), (markets.panel(assets=1, bars=bars),), configure())


def test_what_cannot_be_sent_or_does_not_exist_is_refused(panel: Panel) -> None:
    @rbt.strategy
    def local(fast: int = 5) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(fast / 100))

    with pytest.raises(rbt.ConfigError, match="cannot be sent to another process"):
        rbt.search(local, panel, space={"fast": [5, 6]}, trials=4, executor="processes", registry="off")
    with pytest.raises(rbt.ConfigError, match="cannot be sent to another process"):
        rbt.walk_forward(local, panel, grid={"fast": [5, 6]}, train=100, test=40, executor="processes", trials="off")
    for wrong, words in (
        ({"executor": "fibres"}, "no executor 'fibres'"),
        ({"workers": 0}, "0 workers"),
        ({"address": "here:1"}, "threads have no address"),
    ):
        with pytest.raises(rbt.ConfigError, match=words):
            rbt.search(cross, panel, space=SPACE, trials=4, registry="off", **wrong)
        with pytest.raises(rbt.ConfigError, match=words):
            rbt.walk_forward(cross, panel, grid={"fast": [5]}, train=100, test=40, trials="off", **wrong)
