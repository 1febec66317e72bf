"""Real processes, killed or writing beside readers: what can be seen is always whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rustybt as rbt
from rustybt.data import Catalog
from rustybt.data.catalog import repair, verify
from rustybt.testing import markets

WRITER = """
import os, signal, sys
import polars as pl
import rustybt as rbt
bars, root, kill_at = pl.read_parquet(sys.argv[1]), sys.argv[2], int(sys.argv[3])
changed = bars.with_columns(pl.col("volume") + 1)
rbt.load(changed)
seen = 0
def count(frame, event, argument):
    global seen
    name = frame.f_code.co_filename
    if event in ("call", "c_call") and "data/catalog" in name:
        seen += 1
        if seen == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(count)
rbt.ingest(changed, "stocks", catalog=root)
sys.setprofile(None)
print(seen)
"""
READER = """
import json, sys, time
import rustybt as rbt
shelf, seen, until = rbt.Catalog(sys.argv[1]), [], time.monotonic() + 60
while time.monotonic() < until:
    panel = shelf.open("stocks")
    known = panel.__dict__.pop("snapshot")
    assert panel.snapshot == known
    seen.append(int(panel.frame["volume"].sum()))
    if seen[-1] == int(sys.argv[2]):
        break
print(json.dumps(seen))
"""


IN_PARTS = """
import os, signal, sys
import rustybt as rbt
from rustybt.data.catalog.spilled import OfSpill
from rustybt.data.spill.rows import Spill
from rustybt.data.text import read
read.WORTH, read.BLOCK = 0, 4000
steps = {"keep": (Spill, "keep"), "frame": (OfSpill, "_write_frame"), "arrays": (OfSpill, "_arrays"), "rows": (OfSpill, "part")}
owner, name = steps[sys.argv[3]]
done = getattr(owner, name)
def die(*given):
    done(*given)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, die)
rbt.ingest(sys.argv[1], "stocks", catalog=sys.argv[2], stamp="close")
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_writer_killed_at_any_step_leaves_the_old_or_the_new_snapshot(tmp_path: Path) -> None:
    bars = markets.market(assets=3, bars=40, seed=4).bars
    bars.write_parquet(tmp_path / "bars.parquet")
    rbt.ingest(bars, "stocks", catalog=tmp_path / "spare")
    spare = start(WRITER, tmp_path / "bars.parquet", tmp_path / "spare", 0)
    steps = int(spare.communicate(timeout=120)[0])
    assert steps > 30
    old = rbt.ingest(bars, "stocks", catalog=tmp_path / "catalog")
    shelf, outcomes = Catalog(tmp_path / "catalog"), set()
    # The first part is the staging, the last the rename and the transaction.
    for kill_at in (1, steps // 4, steps // 2, 3 * steps // 4, steps - 25, steps - 15, steps - 9, steps - 6, steps - 3):
        died = start(WRITER, tmp_path / "bars.parquet", shelf.root, kill_at)
        died.communicate(timeout=120)
        assert died.returncode == -signal.SIGKILL, kill_at
        assert all(finding.repairable for finding in verify(shelf)), kill_at
        panel = shelf.open("stocks")
        panel.__dict__.pop("snapshot")
        outcomes.add(panel.snapshot == old.snapshot)
        assert shelf.open(old.name).bars == 40
        repair(shelf)
        assert verify(shelf) == []
        if panel.snapshot != old.snapshot:
            break
    done = start(WRITER, tmp_path / "bars.parquet", shelf.root, 0)
    assert done.wait(timeout=120) == 0, done.communicate()
    done.communicate()
    assert shelf.find("stocks").snapshot != old.snapshot
    assert verify(shelf) == []
    assert True in outcomes


@pytest.mark.parametrize("step", ["keep", "frame", "arrays", "rows"])
def test_a_writer_of_parts_that_is_killed_leaves_what_was_there(tmp_path: Path, step: str) -> None:
    bars = markets.market(assets=3, bars=40, seed=4).bars
    shelf = Catalog(tmp_path / "catalog")
    old = rbt.ingest(bars, "stocks", catalog=shelf)
    bars.with_columns(bars["volume"] + 1).write_csv(tmp_path / "bars.csv")
    died = start(IN_PARTS, tmp_path / "bars.csv", shelf.root, step)
    _, said = died.communicate(timeout=120)
    assert died.returncode == -signal.SIGKILL, said
    assert shelf.find("stocks").snapshot == old.snapshot
    assert not [path for path in shelf.root.iterdir() if path.name not in ("catalog.db", "writer.lock", "snapshots", "staging")]
    assert all(finding.repairable for finding in verify(shelf))
    repair(shelf)
    assert verify(shelf) == []


def test_readers_see_whole_snapshots_while_one_writes(tmp_path: Path) -> None:
    bars = markets.market(assets=3, bars=40, seed=4).bars
    shelf = Catalog(tmp_path)
    volumes = [int(bars["volume"].sum()) + bars.height * extra for extra in range(8)]
    rbt.ingest(bars, "stocks", catalog=shelf)
    readers = [start(READER, tmp_path, volumes[-1]) for _ in range(2)]
    time.sleep(1)
    for extra in range(1, 8):
        rbt.ingest(bars.with_columns(bars["volume"] + extra), "stocks", catalog=shelf)
    for reader in readers:
        out, err = reader.communicate(timeout=120)
        assert reader.returncode == 0, err
        seen = json.loads(out)
        assert seen == sorted(seen)
        assert set(seen) <= set(volumes)


def test_a_second_writer_waits_and_then_says_so(tmp_path: Path) -> None:
    bars = markets.market(assets=2, bars=10, seed=4).bars
    rbt.ingest(bars, "stocks", catalog=tmp_path)
    holder = start(
        "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)",
        tmp_path / "writer.lock",
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(rbt.DataError, match="another process has been writing to the catalog"), Catalog(tmp_path).changing(wait=0.1):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with Catalog(tmp_path).changing(wait=5):
        pass
