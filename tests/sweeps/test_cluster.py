"""Ray on this machine and on a cluster of two nodes. One test holds the cluster: to start it takes longer than all that is done with it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.prepared import versions
from rustybt.errors import RustyBTError
from rustybt.model import Panel
from rustybt.spec import load_strategy
from rustybt.sweeps import cluster, gather, options
from rustybt.sweeps.evaluate import Rows
from rustybt.sweeps.executors import sited
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.parcel import parcel_of
from rustybt.sweeps.variants import Block, Chunk
from rustybt.sweeps.work import Work
from rustybt.testing import markets
from tests.sweeps.strategies import cross, deadly, slow_once

ray = pytest.importorskip("ray", reason="Ray has no wheel for this Python")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Ray makes clusters of several nodes on Linux")
GRID = {"fast": [3, 5, 8, 99], "slow": [5, 20, 40]}
STORE = 80 * 2**20
"""Bytes of a node's object store: the least that Ray takes."""


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=120, seed=2)


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of a head without processors and two nodes of one each."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    node: dict[str, Any] = {"object_store_memory": STORE}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **node})
    for _ in range(2):
        made.add_node(num_cpus=1, **node)
    ray.init(address=made.address, log_to_driver=False)  # once: the workers of a connection start anew, and slowly
    yield made
    ray.shutdown()
    made.shutdown()  # type: ignore[no-untyped-call]


def files(folder: Path) -> tuple[bytes, bytes]:
    return (folder / "results.parquet").read_bytes(), (folder / "curves.parquet").read_bytes()


@on_linux
def test_a_cluster_gives_the_bytes_of_this_machine_whatever_dies(
    panel: Panel, tmp_path: Path, two_nodes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "WRITE_EVERY", -1.0)
    monkeypatch.setattr(cluster, "RETRIES", 1)

    def swept(name: str, executor: str = "ray", chunk: int = 2, strategy: Any = cross, **more: Any) -> tuple[bytes, bytes]:
        monkeypatch.setattr(options, "CHUNK", chunk)
        out = tmp_path / name
        asked: dict[str, Any] = {"grid": GRID, "executor": executor, "trials": "off", "curves": True, "out": out}
        rbt.sweep(strategy, panel, **(asked | more))
        return files(out)

    whole = swept("threads", "threads", workers=2)
    with sited("ray", None) as site:
        assert (site.workers, site.beside) == (2, 1)
    assert swept("all", chunk=5) == whole
    assert swept("one", workers=1, chunk=1) == whole

    died = rbt.sweep(deadly, panel, grid={"fast": [5, 6, 7, 8]}, executor="ray", trials="off").frame
    assert died["error"].to_list() == [None, None, "the process that ran this variant died", None]

    def stop(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept("broken off", progress=stop)
    kept = sum(pl.read_parquet(part).height for part in (tmp_path / "broken off" / "parts").glob("rows-*"))
    assert 4 <= kept < 12
    assert swept("broken off", chunk=3) == whole

    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if not killed:
            killed.append(done)
            two_nodes.remove_node(next(iter(two_nodes.worker_nodes)), allow_graceful=False)

    grid = {"fast": GRID["fast"], "slow": GRID["slow"], "mark": [str(tmp_path / "mark")]}
    slow = swept("slow", "threads", strategy=slow_once, grid=grid)
    assert not (tmp_path / "mark").exists()
    assert swept("a node less", strategy=slow_once, grid=grid, progress=kill, chunk=1, workers=2) == slow
    assert killed
    assert (tmp_path / "mark").exists()
    assert ray.is_initialized()


def test_ray_on_this_machine(panel: Panel, tmp_path: Path) -> None:
    @rbt.strategy
    def local(n: int = 1) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(0.1 * n))

    grid = {"n": [1, 2, 3]}
    found = rbt.sweep(local, panel, grid=grid, executor="ray", workers=1, trials=tmp_path / "ray.sqlite")
    plain = rbt.sweep(local, panel, grid=grid, workers=1, trials=tmp_path / "plain.sqlite")
    assert found.frame.equals(plain.frame, null_equal=True)
    assert not ray.is_initialized()
    counted = [rbt.sweeps.TrialRegistry(tmp_path / f"{name}.sqlite").frame().drop("first_run", "last_run") for name in ("ray", "plain")]
    assert counted[0].equals(counted[1])


def test_a_missing_ray_is_answered_with_the_install_command(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    with pytest.raises(rbt.MissingExtraError) as caught:
        rbt.sweep(cross, panel, grid={"fast": [3]}, executor="ray", trials="off")
    assert str(caught.value) == "'ray' is not installed\n  do:    pip install 'rustybt[ray]'"


def test_addresses_that_lead_nowhere(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def swept(**more: Any) -> None:
        rbt.sweep(cross, panel, grid={"fast": [3]}, trials="off", **more)

    with pytest.raises(rbt.ConfigError, match="threads have no address"):
        swept(address="auto")
    with pytest.raises(rbt.ConfigError, match=r"(?s)Ray cannot be reached.*127\.0\.0\.1:1\b"):
        swept(executor="ray", address="127.0.0.1:1")
    with pytest.raises(rbt.ConfigError, match="0 workers"):
        swept(executor="ray", workers=0)
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    with pytest.raises(rbt.ConfigError, match="connected to Ray already"):
        swept(executor="ray", address="127.0.0.1:1")


def test_another_version_on_a_worker_is_refused(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    parcel = parcel_of(Work((cross,), (panel,), rbt.sweep(cross, panel, grid={"fast": [3]}, trials="off").config))
    parcel.opened()
    for what in ("polars", "the code of rustybt"):
        older = {**versions(), what: "0.0.1"}
        monkeypatch.setattr("rustybt.sweeps.parcel.versions", lambda older=older: older)
        with pytest.raises(rbt.ConfigError, match=f"{what} is 0.0.1 on a worker"):
            parcel.opened()


def test_an_answer_to_another_question_is_refused() -> None:
    chunk = Chunk(6, Block(0, 0, Assignments({"fast": [3, 5]}, 2)))
    rows = Rows(pl.DataFrame({"fills": [1, 2]}))
    assert cluster.checked(chunk, (6, rows)) is rows
    for answer in ((4, rows), (6, Rows(rows.frame.head(1)))):
        with pytest.raises(RustyBTError, match="2 from variant 6 on"):
            cluster.checked(chunk, answer)
    with pytest.raises(rbt.ConfigError, match="no module"):
        cluster.checked(chunk, rbt.ConfigError("a worker has no module 'x'"))


STRATEGY = """
from __future__ import annotations
from typing import Annotated
import polars as pl
import rustybt as rbt
from rustybt.spec import OnBar

def share(n): return n / 100

def buy(context):
    if not context.positions:
        context.order("A0", 1)

@rbt.strategy
def held(n: Annotated[int, rbt.Range(1, 50)] = 10) -> rbt.Strategy:
    return rbt.Strategy(target=rbt.weight(share(n)))

@rbt.strategy
def called(n: Annotated[int, rbt.Range(1, 50)] = 10) -> rbt.Strategy:
    return rbt.Strategy(on_bar=OnBar(buy, lookback=n))
"""
ELSEWHERE = """
import pickle, sys
parcel, chunk = pickle.loads(sys.stdin.buffer.read())
rows = parcel.opened().rows(chunk)
sys.stdout.buffer.write(pickle.dumps((rows.frame.rows(), rows.trials)))
"""


@pytest.mark.parametrize("name", ["held", "called"])
def test_a_strategy_in_a_file_goes_to_machines_without_the_file(panel: Panel, tmp_path: Path, name: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(STRATEGY)
    family: Callable[..., Any] = load_strategy(f"{file}:{name}")
    work = Work((family,), (panel,), rbt.sweep(family, panel, grid={"n": [9]}, trials="off").config)  # type: ignore[arg-type]
    chunk = Chunk(0, Block(0, 0, Assignments({"n": [5, 60, 7]}, 3)))
    here, sent = work.rows(chunk), pickle.dumps((parcel_of(work), chunk))
    file.unlink()
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ELSEWHERE], input=sent, capture_output=True, check=True, cwd=os.sep)
    rows, trials = pickle.loads(done.stdout)
    assert (rows, trials) == (here.frame.rows(), here.trials)
    assert [row[-1] is None for row in rows] == [True, False, True]
