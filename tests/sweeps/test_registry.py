"""Trials are counted once each, by several processes at a time, and a file that cannot be used is named."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt._sqlite import transaction
from rustybt.sweeps import Trial, TrialRegistry, trial_of
from rustybt.sweeps.registry import ADD, SCHEMA, usual_place
from rustybt.testing import markets


@rbt.strategy
def cross(fast: int = 5, slow: int = 20) -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))


GRID = {"fast": [3, 5, 8], "slow": [10, 20, 40]}


def trials(names: str, sharpe: float | None = 0.1) -> list[Trial]:
    return [Trial(name, "cross", sharpe) for name in names]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "trials.sqlite"


def test_a_trial_counts_once_and_its_runs_are_counted_too(path: Path) -> None:
    registry = TrialRegistry(path)
    registry.record("data", trials("abc"))
    registry.record("data", trials("cd", 0.2))
    registry.record("other", trials("abcdef"))
    tally = registry.tally("data")
    assert (tally.trials, tally.runs) == (4, 5)
    assert tally.variance == pytest.approx(0.01 / 3)  # 0.1, 0.1, 0.2, 0.2
    assert registry.tally("never seen").trials == 0
    assert registry.frame().filter(snapshot="data")["runs"].to_list() == [1, 1, 2, 1]


def test_a_trial_without_a_sharpe_ratio_counts_and_varies_nothing(path: Path) -> None:
    registry = TrialRegistry(path)
    registry.record("data", [*trials("ab"), *trials("c", None)])
    assert registry.tally("data").trials == 3
    assert registry.tally("data").variance == 0.0


def writer(path: str, number: int) -> None:
    registry = TrialRegistry(path, wait=60)
    for batch in range(10):
        registry.record("data", [Trial(f"{number}-{batch}-{i}", "cross", 0.1) for i in range(20)] + [Trial("shared", "cross", 0.1)])


def test_several_processes_lose_nothing(path: Path) -> None:
    """Four processes make the file together and write 10 batches each."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=writer, args=(str(path), number)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    tally = TrialRegistry(path).tally("data")
    assert (tally.trials, tally.runs) == (4 * 10 * 20 + 1, 4 * 10 * 21)


def test_threads_lose_nothing(path: Path) -> None:
    workers = [threading.Thread(target=writer, args=(str(path), number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert TrialRegistry(path).tally("data").trials == 3 * 10 * 20 + 1


def test_a_locked_file_is_waited_for_and_then_named(path: Path) -> None:
    TrialRegistry(path).check()
    with transaction(path, SCHEMA), pytest.raises(rbt.ConfigError, match=r"locked by another process for more than 0\.05 s") as caught:
        TrialRegistry(path, wait=0.05).record("data", trials("a"))
    assert caught.value.facts["locked"]
    assert caught.value.where == str(path)
    TrialRegistry(path, wait=0.05).record("data", trials("a"))


def test_a_failed_batch_leaves_nothing_behind(path: Path) -> None:
    registry = TrialRegistry(path)
    with pytest.raises(rbt.ConfigError, match="is no trial"):
        registry.record("data", [*trials("ab"), Trial(None, "cross", 0.1)])  # type: ignore[arg-type]
    rows = [("data", trial, "cross", 0.1, "", "") for trial in ("a", None)]
    with pytest.raises(rbt.ConfigError, match="cannot be used"), transaction(path, SCHEMA) as db:
        db.executemany(ADD, rows)
    assert registry.tally("data").trials == 0


def test_any_name_can_be_counted(path: Path) -> None:
    TrialRegistry(path).record("data", [Trial("a", "two\nlines, é \x00", 0.1)])
    assert TrialRegistry(path).frame()["strategy"].to_list() == ["two\nlines, é \x00"]


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (a)")
    db.close()


def later(path: Path) -> None:
    with transaction(path, replace(SCHEMA, migrations=(*SCHEMA.migrations, "CREATE TABLE more (a)"))):
        pass


def torn(path: Path) -> None:
    registry = TrialRegistry(path)
    registry.record("data", [Trial(f"{i:064}", "cross", 0.1) for i in range(500)])
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (foreign, "this SQLite file is not a trial registry"),
        (later, "is of version 2, this program knows 1"),
        (lambda path: path.write_bytes(b"PAR1" * 400), "no SQLite file"),
        (torn, "is damaged"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path, spoil: Any, words: str) -> None:
    path = tmp_path / "trials.sqlite"
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    panel = markets.panel(assets=1, bars=60, seed=2)
    with pytest.raises(rbt.ConfigError, match=words) as caught:
        TrialRegistry(path).tally("data")
    assert caught.value.where == str(path)
    if spoil is not torn:  # its header is whole: the damage shows when rows are read
        with pytest.raises(rbt.ConfigError, match=words):
            rbt.sweep(cross, panel, grid={"fast": [3]}, trials=path)
    assert before is None or path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(rbt.ConfigError, match="cannot be opened"):
        TrialRegistry(tmp_path / "file" / "trials.sqlite").check()


def test_sweeps_and_runs_add_up_on_their_data(path: Path) -> None:
    panel, other = (markets.panel(assets=2, bars=200, seed=seed) for seed in (2, 3))
    first = rbt.sweep(cross, panel, grid=GRID, trials=path)
    assert first.tally.trials == 9
    again = rbt.sweep(cross, panel, grid=GRID, trials=path)
    assert (again.tally.trials, again.tally.runs) == (9, 18)
    more = rbt.sweep(cross, panel, grid={"fast": [3, 4], "slow": [10]}, trials=path)
    assert more.tally.trials == 10
    assert rbt.sweep(cross, other, grid=GRID, trials=path).tally.trials == 9
    dearer = rbt.sweep(cross, panel, grid={"fast": [3], "slow": [10]}, trials=path, costs=rbt.costs(commission=rbt.bps(5)))
    assert dearer.tally.trials == 11
    result = rbt.run(cross(fast=6), panel)
    TrialRegistry(path).record(panel.snapshot, [trial_of(result)])
    assert TrialRegistry(path).tally(panel.snapshot).trials == 12
    TrialRegistry(path).record(panel.snapshot, [trial_of(rbt.run(cross(fast=3, slow=10), panel))])
    assert TrialRegistry(path).tally(panel.snapshot).trials == 12


def test_more_trials_on_the_data_deflate_the_same_variant(path: Path) -> None:
    panel = markets.panel(assets=2, bars=300, seed=2)
    alone = rbt.sweep(cross, panel, grid=GRID, trials="off").top(1)
    TrialRegistry(path).record(panel.snapshot, [Trial(f"earlier {i}", "other", (-1) ** i * 0.05) for i in range(2000)])
    found = rbt.sweep(cross, panel, grid=GRID, trials=path)
    assert found.tally.trials == 2009
    best = found.top(1)
    assert best["variant"][0] == alone["variant"][0]
    assert best["probabilistic_sharpe"][0] == alone["probabilistic_sharpe"][0]
    assert best["deflated_sharpe"][0] < alone["deflated_sharpe"][0] < alone["probabilistic_sharpe"][0]
    assert "2,009 trials were run on this data" in repr(found)
    assert found.top(3, by="deflated_sharpe")["variant"][0] == best["variant"][0]


def test_failed_variants_are_no_trials(path: Path) -> None:
    panel = markets.panel(assets=1, bars=60, seed=2)
    found = rbt.sweep(cross, panel, grid={"fast": [3, 0]}, trials=path)
    assert (found.failed, found.tally.trials) == (1, 1)


def test_a_sweep_that_is_broken_off_was_looked_at(path: Path) -> None:
    panel, looked_at = markets.panel(assets=1, bars=60, seed=2), 0

    def stop(done: int, total: int) -> None:
        nonlocal looked_at
        looked_at = done
        if 4 <= done < total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rbt.sweep(cross, panel, grid=GRID, trials=path, progress=stop, workers=1)
    assert TrialRegistry(path).tally(panel.snapshot).trials == looked_at


def test_the_users_own_registry_stops_no_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trials.sqlite"
    path.write_bytes(b"PAR1" * 400)
    monkeypatch.setenv("RUSTYBT_TRIALS", str(path))
    found = rbt.sweep(cross, markets.panel(assets=1, bars=60, seed=2), grid=GRID)
    assert found.tally.trials == 9
    assert found.notes[0].startswith("The trials were not counted, so luck is judged by this sweep alone: this is no SQLite file")


def test_a_registry_that_is_locked_at_the_end_loses_no_row(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rustybt.sweeps.registry.TrialRegistry", lambda place: TrialRegistry(place, wait=0.05))
    other = sqlite3.connect(path.parent.parent / "trials.sqlite", isolation_level=None, check_same_thread=False)
    place = path.parent.parent / "trials.sqlite"
    TrialRegistry(place).check()

    def lock(done: int, total: int) -> None:
        if not other.in_transaction:
            other.execute("BEGIN IMMEDIATE")

    found = rbt.sweep(cross, markets.panel(assets=1, bars=60, seed=2), grid=GRID, trials=place, progress=lock)
    other.execute("ROLLBACK")
    other.close()
    assert found.frame.height == 9
    assert "locked by another process" in found.notes[0]


def test_off_and_another_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUSTYBT_TRIALS", "off")
    assert usual_place() is None
    monkeypatch.setenv("RUSTYBT_TRIALS", str(tmp_path / "x"))
    assert usual_place() == tmp_path / "x"
    monkeypatch.delenv("RUSTYBT_TRIALS")
    place = usual_place()
    assert place is not None
    assert place.name == "trials.sqlite"
