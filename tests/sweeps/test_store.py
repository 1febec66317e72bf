from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import Sweep, TrialRegistry, gather, options, work
from rustybt.sweeps.parts import Parts
from rustybt.testing import markets
from tests.sweeps.strategies import breakout, cross

GRID = {"fast": [3, 5, 8, 13], "slow": [5, 20, 40]}


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=120, seed=2)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part after every chunk, of a few variants."""
    monkeypatch.setattr(gather, "WRITE_EVERY", -1.0)
    monkeypatch.setattr(options, "CHUNK", 2)


def sweep(panel: Panel, out: Path | None, **more: Any) -> Sweep:
    return rbt.sweep(cross, panel, **({"grid": GRID, "out": out, "trials": "off", "workers": 1} | more))


@pytest.mark.parametrize("damage", ["cut", "inside", "text"])
def test_a_damaged_file_is_named_and_what_is_whole_is_kept(panel: Panel, tmp_path: Path, often: None, damage: str) -> None:
    def harm(file: Path) -> None:
        held = file.read_bytes()
        inside = held[:8] + bytes(len(held) // 2) + held[8 + len(held) // 2 :]
        file.write_bytes({"cut": held[:-20], "inside": inside, "text": b"PAR1xx"}[damage])

    plain, out = sweep(panel, None).frame, tmp_path / "s"
    sweep(panel, out)
    harm(out / "results.parquet")
    with pytest.raises(rbt.ConfigError, match=r"(?s)results.parquet cannot be read.*where: .*results.parquet.*delete it: the same call"):
        sweep(panel, out)
    (out / "results.parquet").unlink()

    def interrupt(done: int, total: int) -> None:
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(panel, out, progress=interrupt, curves=False)
    parts = sorted((out / "parts").glob("rows-*"))
    harm(parts[2])
    told: list[int] = []
    again = sweep(panel, out, progress=lambda done, total: told.append(done))
    assert again.frame.equals(plain, null_equal=True)
    assert told[:2] == [6, 8]  # three parts of two were kept, then the two of the damaged one ran
    assert any(f"{parts[2].name} cannot be read, it is damaged" in note and "were run again" in note for note in again.notes)


def test_a_directory_holds_the_rows_of_the_frame(panel: Panel, tmp_path: Path) -> None:
    found, plain = sweep(panel, tmp_path / "s"), sweep(panel, None)
    assert found.frame.equals(plain.frame, null_equal=True)
    assert pl.read_parquet(tmp_path / "s" / "results.parquet").equals(plain.frame, null_equal=True)
    assert json.loads((tmp_path / "s" / "manifest.json").read_text())["finished"]
    assert sorted(file.name for file in (tmp_path / "s").iterdir()) == ["lock", "manifest.json", "results.parquet"]


@pytest.mark.parametrize("stop", [1, 5, 11, 12])
@pytest.mark.usefixtures("often")
def test_a_sweep_that_was_broken_off_goes_on_where_it_was(panel: Panel, tmp_path: Path, stop: int) -> None:
    def interrupt(done: int, total: int) -> None:
        if done >= stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(panel, tmp_path / "s", progress=interrupt)
    kept = sum(pl.read_parquet(part).height for part in (tmp_path / "s" / "parts").glob("rows-*"))
    assert kept >= stop
    told: list[int] = []
    found = sweep(panel, tmp_path / "s", progress=lambda done, total: told.append(done))
    assert told[0] == kept
    assert found.frame.equals(sweep(panel, None).frame, null_equal=True)
    whole = tmp_path / "whole"
    sweep(panel, whole, workers=2)
    assert (whole / "results.parquet").read_bytes() == (tmp_path / "s" / "results.parquet").read_bytes()


def test_a_finished_sweep_is_read_and_not_run(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sweep(panel, tmp_path / "s")
    monkeypatch.setattr(work.Work, "rows", None)
    assert sweep(panel, tmp_path / "s").frame.equals(first.frame, null_equal=True)


PROGRAM = """
import os, sys, time
import rustybt as rbt
from rustybt.sweeps import gather, options
from rustybt.testing import markets
from tests.sweeps.strategies import cross
gather.WRITE_EVERY, options.CHUNK = -1.0, 2
def tell(done, total):
    print(done, flush=True)
    time.sleep(0.05)
rbt.sweep(cross, markets.panel(assets=2, bars=120, seed=2), grid={"fast": [3, 5, 8, 13], "slow": [5, 20, 40]}, out=sys.argv[1],
    trials="off", workers=1, progress=tell)
"""


@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_sweep_goes_on(panel: Panel, tmp_path: Path, after: int) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "s")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}) as child:
        assert child.stdout is not None
        for _ in range(after):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    kept = sum(pl.read_parquet(part).height for part in (tmp_path / "s" / "parts").glob("rows-*"))
    assert 2 * (after - 1) <= kept < 12
    (tmp_path / "s" / "parts" / "rows-000000000099.tmp").write_bytes(b"half a part")
    assert sweep(panel, tmp_path / "s").frame.equals(sweep(panel, None).frame, null_equal=True)
    assert not list((tmp_path / "s").glob("**/*.tmp"))


def test_the_processes_of_a_killed_sweep_end_with_it(panel: Panel, tmp_path: Path) -> None:
    """Its pipe is held by them too: it ends when the last of them has."""
    root = Path(__file__).parents[2]
    program = PROGRAM.replace('trials="off", workers=1', 'trials="off", workers=2, executor="processes"')
    command = [sys.executable, "-c", program.replace("rbt.sweep(", "__name__ == '__main__' and rbt.sweep("), str(tmp_path / "s")]
    (tmp_path / "temporary").mkdir()
    env = {**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(tmp_path / "temporary")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=env) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
    assert child.returncode == -signal.SIGKILL
    assert not list((tmp_path / "temporary").glob("rustybt-*"))
    assert sweep(panel, tmp_path / "s").frame.equals(sweep(panel, None).frame, null_equal=True)


def test_a_directory_of_something_else_is_refused(panel: Panel, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "letters.txt").write_text("dear")
    with pytest.raises(rbt.ConfigError, match="not a sweep"):
        sweep(panel, tmp_path / "s")
    assert sorted(file.name for file in (tmp_path / "s").iterdir()) == ["letters.txt"]
    with pytest.raises(rbt.ConfigError, match="not a sweep"):
        sweep(panel, tmp_path / "s" / "letters.txt")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"grid": {"fast": [3, 5, 8, 13], "slow": [5, 20, 41]}}, "values differs"),
        ({"grid": {"fast": [3]}}, "another sweep"),
        ({"cash": "1000"}, "config differs"),
        ({"curves": True}, "curves is False"),
    ],
)
def test_a_directory_of_another_sweep_is_refused(panel: Panel, tmp_path: Path, more: dict[str, Any], words: str) -> None:
    sweep(panel, tmp_path / "s")
    before = (tmp_path / "s" / "results.parquet").read_bytes()
    with pytest.raises(rbt.ConfigError, match=words):
        sweep(panel, tmp_path / "s", **more)
    with pytest.raises(rbt.ConfigError, match="another sweep"):
        rbt.sweep(breakout, panel, grid={"window": list(range(5, 17))}, out=tmp_path / "s", trials="off")
    with pytest.raises(rbt.ConfigError, match="data differs"):
        sweep(markets.panel(assets=2, bars=120, seed=3), tmp_path / "s")
    assert (tmp_path / "s" / "results.parquet").read_bytes() == before


@pytest.mark.usefixtures("often")
def test_two_processes_do_not_share_a_directory(panel: Panel, tmp_path: Path) -> None:
    def meddle(done: int, total: int) -> None:
        with pytest.raises(rbt.ConfigError, match="another process"):
            sweep(panel, tmp_path / "s")

    sweep(panel, tmp_path / "s", progress=meddle)


def broken_off(panel: Panel, out: Path, stop: int, **more: Any) -> list[Path]:
    """The parts of a sweep that was interrupted."""

    def interrupt(done: int, total: int) -> None:
        if done >= stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(panel, out, progress=interrupt, **more)
    return sorted((out / "parts").glob("rows-*"))


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    ("lost", "executor"),
    [({1}, "threads"), ({0, 1}, "threads"), ({0, 2, 4}, "threads"), ({0, 2, 4}, "processes"), ({0, 1, 2, 3, 4}, "threads")],
)
def test_damaged_and_lost_parts_cost_their_own_variants(panel: Panel, tmp_path: Path, lost: set[int], executor: str) -> None:
    """Parts that are noise, and parts that are gone, in turns; then the same bytes as at one go."""
    out, whole = tmp_path / "s", tmp_path / "whole"
    parts = broken_off(panel, out, 10, curves=True)
    assert len(parts) == 5
    for at in lost:
        file = parts[at] if at % 2 else parts[at].with_name(parts[at].name.replace("rows", "curves"))
        file.unlink() if at % 3 == 1 else file.write_bytes(b"noise")
    told: list[int] = []
    found = sweep(panel, out, curves=True, executor=executor, progress=lambda done, total: told.append(done))
    assert told[0] == (10 - 2 * len(lost) or 2)
    assert len([note for note in found.notes if "were run again" in note]) == len(lost - {1})
    sweep(panel, whole, curves=True, workers=2)
    for name in ("results.parquet", "curves.parquet"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert sorted(file.name for file in out.iterdir()) == ["curves.parquet", "lock", "manifest.json", "results.parquet"]


@pytest.mark.usefixtures("often")
def test_files_that_are_not_of_the_sweep_are_left_alone(panel: Panel, tmp_path: Path) -> None:
    out = tmp_path / "s"
    parts = broken_off(panel, out, 6)
    copy = parts[0].with_name("rows-copy.parquet")
    copy.write_bytes(parts[0].read_bytes())
    twice = parts[0].with_name("rows-000000000001.parquet")
    twice.write_bytes(parts[0].read_bytes())
    found = sweep(panel, out)
    assert found.frame.equals(sweep(panel, None).frame, null_equal=True)
    assert any("rows-000000000001.parquet cannot be used" in note for note in found.notes)
    assert list((out / "parts").iterdir()) == [copy]


@pytest.mark.usefixtures("often")
def test_a_part_that_may_not_be_read_is_no_damage(panel: Panel, tmp_path: Path) -> None:
    parts = broken_off(panel, tmp_path / "s", 6)
    parts[1].unlink()
    parts[1].mkdir()
    with pytest.raises(rbt.ConfigError, match=rf"(?s){parts[1].name} cannot be read: Is a directory.*see that it can be, or delete it"):
        sweep(panel, tmp_path / "s")
    assert len(list((tmp_path / "s" / "parts").glob("rows-*"))) == len(parts)
    parts[1].rmdir()
    assert sweep(panel, tmp_path / "s").frame.equals(sweep(panel, None).frame, null_equal=True)


def test_a_manifest_that_was_changed_is_named(panel: Panel, tmp_path: Path) -> None:
    sweep(panel, tmp_path / "s")
    file = tmp_path / "s" / "manifest.json"
    kept = file.read_text()
    for changed in (kept.replace('"variants": 12', '"variants": 13'), kept[:-9], "[1]", ""):
        file.write_text(changed)
        with pytest.raises(rbt.ConfigError, match=r"(?s)the manifest cannot be read: it is damaged.*manifest\.json.*put it back"):
            sweep(panel, tmp_path / "s")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(rbt.ConfigError, match="the manifest cannot be read: it is damaged"):
        sweep(panel, tmp_path / "s")
    file.write_text(kept)
    assert sweep(panel, tmp_path / "s").frame.height == 12


@pytest.mark.usefixtures("often")
def test_trials_of_a_part_are_counted_with_it(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "trials.sqlite"

    def interrupt(done: int, total: int) -> None:
        if done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(panel, tmp_path / "s", progress=interrupt, trials=file)
    assert sweep(panel, tmp_path / "s", trials=file).tally.trials == 12


@pytest.mark.parametrize("first", ["off", "other.sqlite"])
def test_rows_that_another_registry_counted_or_none_are_counted(
    panel: Panel, tmp_path: Path, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leaderboard said that 0 trials were run, and judged the best of them as if it had been alone."""
    monkeypatch.chdir(tmp_path)
    sweep(panel, tmp_path / "s", trials=first)
    again = sweep(panel, tmp_path / "s", trials="mine.sqlite")
    alone = sweep(panel, None, trials="alone.sqlite")
    assert again.tally == alone.tally
    assert again.luck == alone.luck
    assert sweep(panel, tmp_path / "s", trials="mine.sqlite").tally.runs == 12  # read, not run
    mine, wanted = TrialRegistry("mine.sqlite").frame(), TrialRegistry("alone.sqlite").frame()
    assert mine.select("snapshot", "trial", "strategy", "sharpe").equals(wanted.select("snapshot", "trial", "strategy", "sharpe"))


def test_trials_are_counted_before_their_rows_are_safe(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two runs them again, or counts a run twice; it forgets none."""
    file, known = tmp_path / "trials.sqlite", list[int]()

    def killed(*_: object) -> None:
        known.append(TrialRegistry(file).tally(panel.snapshot).trials)
        raise SystemExit

    monkeypatch.setattr(Parts, "add", killed)
    with pytest.raises(SystemExit):
        sweep(panel, tmp_path / "s", trials=file)
    assert known == [12]


def test_curves_are_those_of_the_runs(panel: Panel, tmp_path: Path) -> None:
    began = time.monotonic()
    found, plain = sweep(panel, tmp_path / "s", curves=True), sweep(panel, None, curves=True)
    assert found.curves is not None
    assert plain.curves is not None
    assert found.curves.collect().equals(plain.curves.collect())
    one = plain.curves.filter(pl.col("variant") == 7).collect()
    alone = plain.run(7).equity
    assert one["equity"].to_list() == alone["equity"].to_list()
    assert one["ts"].to_list() == alone["ts"].to_list()
    assert found.sql("select count(*) as n from curves")["n"][0] == 12 * 120
    assert time.monotonic() - began < 60
    with pytest.raises(rbt.ConfigError, match="the curves of 1,160 variants take"):
        sweep(panel, None, grid={"fast": list(range(2, 31)), "slow": list(range(40))}, curves=True, budget="3MB")
