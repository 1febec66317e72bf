"""Prepared panels and features: the same with and without, known by content, whole or made anew, within their limit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import door
from rustybt.data.catalog.reading import ARRAYS, READY
from rustybt.data.prepared import features as kept_features
from rustybt.data.prepared import panels, tiers
from rustybt.data.prepared.settings import Caching, caching
from rustybt.data.prepared.store import MANIFEST, Store
from rustybt.data.recent import Recent
from rustybt.model import Event, Panel
from rustybt.sweeps.features import Group
from rustybt.testing import markets
from tests.sweeps.strategies import cross

SETTINGS: dict[str, Any] = {"stamp": "close"}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caching]:
    """Everything is kept, in a folder of its own."""
    monkeypatch.delenv("RUSTYBT_PREPARED")
    tiers.memory.clear()
    yield caching(folder=tmp_path / "kept", least=1)
    monkeypatch.setenv("RUSTYBT_PREPARED", "off")
    caching()
    tiers.memory.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three assets with an extra column and one row that cannot be used."""
    bars = markets.panel(assets=3, bars=60, seed=4).frame.select("ts", "asset", "open", "high", "low", "close", "volume")
    bars = bars.with_columns(pl.col("asset").cast(pl.String), mood=pl.Series(["up", "down", None] * 60))
    bars = bars.with_columns(high=pl.when(pl.int_range(pl.len()) == 7).then(0.01).otherwise("high"))
    bars.write_parquet(tmp_path / "bars.parquet")
    return tmp_path / "bars.parquet"


def alike(one: Panel, other: Panel) -> None:
    """Equal in every field, bits and types."""
    for name in Panel.__dataclass_fields__:
        a, b = getattr(one, name), getattr(other, name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, name
            assert np.array_equal(a, b), name
            assert a.flags.writeable == b.flags.writeable, name
        elif isinstance(a, pl.DataFrame):
            assert a.schema == b.schema, name
            assert a.equals(b, null_equal=True), name
        else:
            assert a == b, name
    assert one.snapshot == other.snapshot


def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The sources that really go through the door from now on."""
    calls: list[Any] = []
    real = door._made

    def counted(source: Any, *more: Any) -> Panel:
        calls.append(source)
        return real(source, *more)

    monkeypatch.setattr(door, "_made", counted)
    return calls


EVENTS = [Event("A1", 20 * 86_400_000_000, "split", 2, 1)]


@pytest.mark.parametrize(
    "options",
    [
        SETTINGS,
        {"stamp": "close", "assets": ["A0", "A2"], "extras": []},
        {"stamp": "close", "asset_class": "crypto", "tick_size": "0.0001", "assets": {"A1": {"lot_size": "0.5"}}},
        {"stamp": "close", "events": EVENTS, "start": date(1970, 1, 3)},
    ],
)
def test_what_was_kept_is_what_was_made(file: Path, kept: Caching, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    calls = made(monkeypatch)
    first = rbt.load(file, **options)
    again = rbt.load(str(file), **options)
    tiers.memory.clear()
    from_disk = rbt.load(file, **options)
    assert len(calls) == 1
    assert len(first.quarantine) == (1 if "start" not in options else first.quarantine.height)
    for one in (again, from_disk):
        alike(one, first)
    caching(panels=False, folder=kept.folder)
    alike(rbt.load(file, **options), first)
    assert len(calls) == 2


def test_runs_on_it_are_the_same(file: Path, kept: Caching) -> None:
    found = []
    for _ in range(3):
        done = rbt.sweep(cross, rbt.load(file, extras=[], **SETTINGS), grid={"fast": [3, 5], "slow": [9, 20]}, trials="off")
        result = rbt.run(cross(fast=3), rbt.load(file, extras=[], **SETTINGS))
        found.append((done.frame.rows(), result.final_equity, result.identity))
    assert found[0] == found[1] == found[2]


def test_what_a_caller_writes_into_a_panel_stays_there(file: Path, kept: Caching) -> None:
    first = rbt.load(file, **SETTINGS)
    for _ in range(2):
        rbt.load(file, **SETTINGS).close[:] = 7
    alike(rbt.load(file, **SETTINGS), first)
    caching(folder=kept.folder, disk=0, least=1)
    tiers.memory.clear()
    rbt.load(file, **SETTINGS).close[:] = 7
    alike(rbt.load(file, **SETTINGS), first)


def test_another_content_or_option_is_another_entry_and_age_is_none(file: Path, kept: Caching, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = made(monkeypatch)
    rbt.load(file, **SETTINGS)
    os.utime(file, (0, 0))
    os.utime(next(kept.folder.rglob(MANIFEST)), (0, 0))
    tiers.memory.clear()
    rbt.load(file, **SETTINGS)
    assert len(calls) == 1
    stamp = file.stat().st_mtime_ns
    frame = pl.read_parquet(file)
    frame.with_columns(close=pl.col("close").reverse().reverse(), volume=pl.col("volume") + 1).write_parquet(file)
    os.utime(file, ns=(stamp, stamp))
    changed = rbt.load(file, **SETTINGS)
    assert len(calls) == 2
    assert changed.frame["volume"][0] == frame["volume"][0] + 1
    rbt.load(file, **SETTINGS, tick_size="0.0001")
    rbt.load(file, **SETTINGS, start="1970-01-02")
    shutil.copy(file, file.with_name("other.parquet"))
    rbt.load(file.with_name("other.parquet"), **SETTINGS)
    assert len(calls) == 5
    monkeypatch.setattr(panels, "versions", lambda: {"polars": "0"})
    rbt.load(file, **SETTINGS)
    assert len(calls) == 6


def test_what_cannot_be_told_by_content_is_not_kept(file: Path, kept: Caching) -> None:
    frame = pl.read_parquet(file)
    rbt.load(frame, **SETTINGS)
    rbt.load(file, events=pl.DataFrame({"asset": ["A1"], "ts": [date(1970, 1, 9)], "kind": ["split"], "value": [2.0]}), **SETTINGS)
    assert not list(kept.folder.rglob(MANIFEST))
    caching(folder=kept.folder)
    rbt.load(file, **SETTINGS)  # smaller than a megabyte
    assert not list(kept.folder.rglob(MANIFEST))
    with pytest.raises(rbt.DataError, match="nowhere"):
        rbt.load(file.with_name("nowhere.parquet"), **SETTINGS)


def test_what_is_ingested_is_kept_by_the_catalog_alone(file: Path, kept: Caching, tmp_path: Path) -> None:
    made = rbt.ingest(file, "set", catalog=tmp_path / "catalog", **SETTINGS)
    assert not list(kept.folder.rglob(MANIFEST))
    assert rbt.load(file, **SETTINGS).snapshot == made.snapshot
    assert list(kept.folder.rglob(MANIFEST))


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone", "manifest", "no manifest", "folder"])
def test_a_damaged_entry_is_noticed_and_made_anew(file: Path, kept: Caching, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    calls = made(monkeypatch)
    first = rbt.load(file, **SETTINGS)
    manifest = next(kept.folder.rglob(MANIFEST))
    for victim in (ARRAYS, READY):
        path = manifest.parent / victim
        data = bytearray(path.read_bytes())
        if harm == "flipped":
            data[-9] ^= 4
            path.write_bytes(data)
        elif harm == "cut":
            path.write_bytes(data[:-100])
        elif harm == "gone":
            path.unlink()
        elif harm == "manifest":
            manifest.write_text('{"files": [], "notes": 3}')
        elif harm == "no manifest":
            manifest.unlink()
        else:
            shutil.rmtree(manifest.parent)
        tiers.memory.clear()
        before = len(calls)
        alike(rbt.load(file, **SETTINGS), first)
        assert len(calls) == before + 1
        tiers.memory.clear()
        alike(rbt.load(file, **SETTINGS), first)
        assert len(calls) == before + 1


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(file: Path, kept: Caching, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    caching(folder=tmp_path / "taken", least=1)
    alike(rbt.load(file, **SETTINGS), rbt.load(file, **SETTINGS))


def entry(size: int) -> Any:
    def write(folder: Path) -> dict[str, Any]:
        (folder / "data").write_bytes(bytes(size))
        return {"size": size}

    return write


def test_the_least_recently_used_go_when_the_limit_is_reached(tmp_path: Path) -> None:
    store = Store(tmp_path, 5_000)
    for at, key in enumerate("abcd"):
        assert store.put(key, entry(1_000))
        os.utime(tmp_path / "entries" / key / MANIFEST, (at, at))
    assert store.get("a") is not None  # used: now "b" is the oldest
    assert store.put("e", entry(1_500))
    assert {key for _, _, key in store.entries()} == {"a", "c", "d", "e"}
    assert sum(size for _, size, _ in store.entries()) <= 5_000
    assert store.get("b") is None
    assert not store.put("f", entry(5_001))
    assert store.get("f") is None
    assert store.get("e") is not None


def test_memory_keeps_to_its_limit() -> None:
    held = Recent[str]()
    for key in "abc":
        held.put(key, key, 40, 100)
    assert [held.get(key) for key in "abc"] == [None, "b", "c"]
    held.get("b")
    held.put("d", "d", 40, 100)
    assert [held.get(key) for key in "bcd"] == ["b", None, "d"]
    held.put("d", "D", 101, 100)
    assert (held.get("d"), held.size) == (None, 40)


KILLED = """
import sys, time
from pathlib import Path
from rustybt.data.prepared.store import Store
def write(folder):
    (folder / "data").write_bytes(bytes(1000))
    print("half", flush=True)
    time.sleep(60)
Store(Path(sys.argv[1]), 10**6).put("a", write)
"""


def test_a_killed_writer_leaves_nothing_to_be_found(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        store = Store(tmp_path, 10**6)
        assert store.get("a") is None
        assert store.put("b", entry(10))
        assert len([path for path in (tmp_path / "staging").iterdir() if path.is_dir()]) == 1  # it lives: what it writes is left alone
        child.send_signal(signal.SIGKILL)
    assert store.put("a", entry(10))
    assert not list((tmp_path / "staging").iterdir())
    found = store.get("a")
    assert found is not None
    assert found.notes == {"size": 10}


BUSY = """
import sys
from pathlib import Path
import numpy as np
from rustybt.data.prepared.store import Store
store, number = Store(Path(sys.argv[1]), 60_000), int(sys.argv[2])
rng, seen = np.random.default_rng(number), 0
for _ in range(300):
    key = int(rng.integers(12))
    found = store.get(str(key))
    if found is None:
        def write(folder):
            (folder / "data").write_bytes(bytes([key]) * 9_000)
            return {"key": key}
        store.put(str(key), write)
    else:
        assert found.notes == {"key": key}
        try:
            assert (found.folder / "data").read_bytes() == bytes([key]) * 9_000
            seen += 1
        except FileNotFoundError:
            pass
print(seen)
"""


def test_two_processes_at_once_find_whole_entries_or_none(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, str(tmp_path), str(number)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
        )
        for number in range(2)
    ]
    said = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert all(int(one) > 0 for one in said)
    assert sum(size for _, size, _ in Store(tmp_path, 60_000).entries()) <= 60_000 + 10_000


@rbt.strategy
def smooth(fast: int = 3, slow: int = 9) -> rbt.Strategy:
    """Its features are neither exact windows nor plain steps, which are computed faster than anything is read."""
    quick, lazy = (pl.col("close").ewm_std(span=span, min_samples=span) for span in (fast, slow))
    return rbt.Strategy(target=rbt.weight(pl.when(quick > lazy).then(0.2).otherwise(0.0)))


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> Panel:
    monkeypatch.setattr(kept_features, "FEWEST", 1)
    monkeypatch.setattr(kept_features, "WORTH", 0.0)
    return markets.panel(assets=4, bars=90, seed=3)


def test_features_are_kept_and_the_same(wide: Panel, kept: Caching, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = Group._evaluated

    def counted(self: Group, texts: Any) -> Any:
        calls.append(len(texts))
        return real(self, texts)

    monkeypatch.setattr(Group, "_evaluated", counted)
    grid = {"fast": [3, 5], "slow": [9, 20, 30]}

    def rows() -> list[Any]:
        return rbt.sweep(smooth, wide, grid=grid, trials="off", workers=1).frame.rows()

    first = rows()
    assert sum(calls) == 5
    assert rows() == first
    tiers.memory.clear()
    assert rows() == first
    assert sum(calls) == 5
    victim = next(kept.folder.rglob("values.npy"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x01")
    tiers.memory.clear()
    assert rows() == first
    assert sum(calls) == 6
    caching(features=False, folder=kept.folder)
    assert rows() == first
    assert sum(calls) == 11
    caching(folder=kept.folder)
    other = markets.panel(assets=4, bars=90, seed=5)
    rbt.sweep(smooth, other, grid=grid, trials="off", workers=1)
    assert sum(calls) == 16


def test_quick_features_and_small_panels_are_not_kept(kept: Caching) -> None:
    rbt.sweep(smooth, markets.panel(assets=2, bars=90, seed=3), grid={"fast": [3, 5]}, trials="off")
    assert not list(kept.folder.rglob(MANIFEST))


def test_settings_that_make_no_sense_are_refused(kept: Caching, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(rbt.ConfigError, match="disk 'much' is no number of bytes"):
        rbt.caching(disk="much")
    with pytest.raises(rbt.ConfigError, match="panels is 'no'"):
        rbt.caching(panels="no")  # type: ignore[arg-type]
    for folder in (5, "", "a\0b"):
        with pytest.raises(rbt.ConfigError, match=r"(?s)is no path.*caching, folder"):
            rbt.caching(folder=folder)  # type: ignore[arg-type]
    monkeypatch.setenv("RUSTYBT_PREPARED", "off")
    said = rbt.caching()
    assert (said.panels, said.features) == (False, False)
