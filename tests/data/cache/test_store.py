"""The two tiers and the index: limits, damage, several processes, kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.cache import Answer, Asked, Cache
from rustybt.data.cache.freshness import Reach
from rustybt.data.cache.memory import memory_of
from rustybt.model.source import Terms

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)


def asked(symbol: str = "A") -> Asked:
    return Asked("clockwork", "https://clockwork.example", (), symbol, "1h")


def answer(rows: int = 10, close: str = "10.00") -> Answer:
    ts = pl.datetime_range(NOON, NOON, "1h", eager=True, time_unit="us", time_zone="UTC").extend_constant(NOON, rows - 1)
    bars = pl.DataFrame({"ts": ts, "open": [close] * rows, "volume": [str(i * 7919) for i in range(rows)]})
    events = ({"ts": "2024-03-01", "kind": "split", "value": "2"},)
    return Answer(bars, Reach(NOON, NOON, NOON, NOON, NOON), Terms("crypto", {"tick_size": "0.01"}, "24/7"), events, ("a note",))


def test_what_is_put_comes_back_from_memory_and_from_the_disk(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.read(asked()) is None
    cache.put(asked(), answer())
    for tier in ("memory", "disk"):
        if tier == "disk":
            memory_of(cache.folder).clear()
        found = cache.read(asked())
        assert found is not None
        assert found[1] == tier
        assert found[0].bars.equals(answer().bars)
        assert (found[0].reach, found[0].terms, found[0].events, found[0].notes) == (
            answer().reach,
            answer().terms,
            answer().events,
            answer().notes,
        )


def test_keys_differ_by_everything_that_changes_an_answer() -> None:
    plain = asked()
    others = [replace(plain, **{name: value}) for name, value in (("source", "x"), ("address", "x"), ("symbol", "x"), ("frequency", "1m"))]  # type: ignore[arg-type]
    assert len({one.key for one in (plain, replace(plain, options=(("feed", "iex"),)), *others)}) == 6


def test_memory_holds_no_more_rows_than_its_limit_and_drops_what_was_not_used(tmp_path: Path) -> None:
    cache = Cache(tmp_path, rows=25)
    for symbol in "AB":
        cache.put(asked(symbol), answer(10))
    assert cache.read(asked("A")) is not None
    cache.put(asked("C"), answer(10))
    tiers = {symbol: found[1] for symbol in "ACB" if (found := cache.read(asked(symbol))) is not None}
    assert tiers == {"A": "memory", "C": "memory", "B": "disk"}
    assert memory_of(cache.folder).size <= 25
    cache.put(asked("D"), answer(26))
    assert memory_of(cache.folder).size <= 25


def test_the_disk_holds_no_more_than_its_limit_beside_the_newest(tmp_path: Path) -> None:
    Cache(tmp_path / "one").put(asked(), answer(500))
    size = Cache(tmp_path / "one").stats()["bytes"]
    cache = Cache(tmp_path / "two", limit=int(2.5 * size))
    for symbol in "ABC":
        cache.put(asked(symbol), answer(500))
        cache.used([(asked("A"), "disk")])
    kept = [row["symbol"] for row in cache.stats()["kept"]]
    assert kept == ["A", "C"], "B was not used for longest"
    assert cache.stats()["counts"]["evicted"] == 1
    assert len(list((cache.folder / "bars").glob("*"))) == 2
    tiny = Cache(tmp_path / "three", limit=0)
    tiny.put(asked("A"), answer())
    tiny.put(asked("B"), answer())
    assert [row["symbol"] for row in tiny.stats()["kept"]] == ["B"]


def test_a_damaged_file_is_never_served(tmp_path: Path) -> None:
    for number, damage in enumerate((b"", b"PAR1 nonsense", None)):
        cache = Cache(tmp_path / str(number))
        cache.put(asked(), answer())
        memory_of(cache.folder).clear()
        file = next((cache.folder / "bars").iterdir())
        whole = bytearray(file.read_bytes())
        whole[len(whole) // 2] ^= 1
        file.write_bytes(bytes(whole) if damage is None else damage)
        assert cache.read(asked()) is None
        assert cache.stats()["counts"]["damaged"] == 1
        cache.put(asked(), answer(close="11.00"))
        found = cache.read(asked())
        assert found is not None
        assert found[0].bars["open"][0] == "11.00"


def test_a_lost_file_is_forgotten(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(asked(), answer())
    memory_of(cache.folder).clear()
    next((cache.folder / "bars").iterdir()).unlink()
    assert cache.read(asked()) is None
    assert cache.stats()["entries"] == 0


def test_a_damaged_index_says_what_to_do_and_clear_does_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(asked(), answer())
    for place in cache.folder.glob("index.db*"):
        place.unlink()
    (cache.folder / "index.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(rbt.DataError) as caught:
        cache.read(asked())
    assert "rustybt cache clear" in caught.value.do
    assert cache.clear() == 1
    assert cache.read(asked()) is None
    cache.put(asked(), answer())
    assert cache.clear("nobody") == 0
    assert cache.clear("clockwork", "A") == 1
    assert not list((cache.folder / "bars").iterdir())


@pytest.mark.parametrize("variable", ["RUSTYBT_CACHE_BYTES", "RUSTYBT_CACHE_ROWS"])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "plenty")
    with pytest.raises(rbt.ConfigError, match="the limit 'plenty' is no number of"):
        Cache(tmp_path)


WRITER = """
import os, signal, sys
from tests.data.cache.test_store import answer, asked
from rustybt.data.cache import Cache
cache, kill_at, seen = Cache(sys.argv[1]), int(sys.argv[2]), 0
def count(frame, event, argument):
    global seen
    if event in ("call", "c_call") and "data/cache" in frame.f_code.co_filename:
        seen += 1
        if seen == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
new = answer(close="11.00")
sys.setprofile(count)
cache.put(asked(), new)
sys.setprofile(None)
print(seen)
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def test_a_writer_killed_at_any_step_leaves_the_old_or_the_new_answer(tmp_path: Path) -> None:
    Cache(tmp_path / "spare").put(asked(), answer())
    steps = int(start(WRITER, tmp_path / "spare", 0).communicate(timeout=120)[0])
    assert steps > 20
    outcomes = set()
    for kill_at in (2, steps // 3, steps // 2, 2 * steps // 3, steps - 12, steps - 4):
        cache = Cache(tmp_path / str(kill_at))
        cache.put(asked(), answer())
        died = start(WRITER, tmp_path / str(kill_at), kill_at)
        died.communicate(timeout=120)
        assert died.returncode == -signal.SIGKILL, kill_at
        memory_of(cache.folder).clear()
        found = cache.read(asked())
        assert found is not None, kill_at
        outcomes.add(found[0].bars["open"][0])
        cache.put(asked("B"), answer())  # sweeps what the dead process left
        assert len(list((cache.folder / "bars").iterdir())) == 2, kill_at
    assert "10.00" in outcomes


READER = """
import sys, time
from tests.data.cache.test_store import asked
from rustybt.data.cache import Cache
cache, until = Cache(sys.argv[1]), time.monotonic() + 60
while time.monotonic() < until:
    found = cache.read(asked())
    assert found is not None
    prices = set(found[0].bars["open"].to_list())
    assert len(prices) == 1, prices
    if prices == {"30.00"}:
        break
"""


def test_readers_see_whole_answers_while_another_process_replaces_them(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(asked(), answer())
    readers = [start(READER, tmp_path) for _ in range(2)]
    time.sleep(1.5)
    for price in range(11, 31):
        cache.put(asked(), answer(200, f"{price}.00"))
    for reader in readers:
        _, said = reader.communicate(timeout=120)
        assert reader.returncode == 0, said
    assert cache.stats()["counts"]["damaged"] == 0
