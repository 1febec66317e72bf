"""Files that are ingested a part at a time: the same bytes as from a panel, and left to the door where all rows are needed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.data import Catalog, intake
from rustybt.data.catalog import lying, spilled, store, verify, writing
from rustybt.data.catalog.content import OfPanel
from rustybt.data.catalog.spilled import OfSpill
from rustybt.data.spill import gathered, leaps
from rustybt.data.spill.rows import Rows
from rustybt.data.text import read
from rustybt.errors import DataError

HEADING = "ts,asset,open,high,low,close,volume"
MINUTES = [f"2024-02-{28 + day % 2}T{day // 60 % 24:02}:{day % 60:02}:00Z" for day in range(90)]
MINUTES.sort()


def lines(**other: Any) -> list[str]:
    """Rows of two assets, with what is said in place of the usual."""
    said: dict[str, Any] = {"stamps": MINUTES, "assets": ["AA", "B"], "volume": "100", "by_time": False, "close": "10.25"} | other
    rows = [(ts, asset) for asset in said["assets"] for ts in said["stamps"]]
    rows = sorted(rows) if said["by_time"] else rows
    return [f"{ts},{asset},10.5,11,9.75,{said['close']},{said['volume']}" for ts, asset in rows]


def changed(every: int, change: Callable[[str], str], rows: list[str]) -> list[str]:
    return [change(line) if number % every == 3 else line for number, line in enumerate(rows)]


def dropped(every: int, rows: list[str]) -> list[str]:
    return [line for number, line in enumerate(rows) if number % every != 3]


def days(first: str, prices: list[str]) -> list[str]:
    import polars as pl

    stamps = pl.date_range(pl.lit(first).str.to_date(), interval="1d", end=pl.lit("2030-01-01").str.to_date(), eager=False)
    listed = pl.select(stamps.head(len(prices))).to_series().to_list()
    return [f"{day:%Y-%m-%d},A,{price},{price},{price},{price},1000" for day, price in zip(listed, prices, strict=True)]


SPLIT = [f"{100 + number % 3}.25" for number in range(30)] + [f"{50 + number % 3}.5" for number in range(30)]
SESSIONS = {"stamp": "session"}
PLAIN: dict[str, tuple[list[str], dict[str, Any]]] = {
    "by asset": (lines(), {}),
    "by time": (lines(by_time=True), {}),
    "assets in another order": (lines(assets=["B", "AA"]), {}),
    "whole and broken numbers": (lines(volume="100.5", close="10.123456789012"), {}),
    "dates": (days("2023-12-20", ["10.5"] * 70), SESSIONS),
    "a jump like a split": (days("2023-12-20", SPLIT), SESSIONS),
    "jumps of several": (sorted(line.replace(",A,", f",{name},") for name in "AB" for line in days("2023-12-20", SPLIT)), SESSIONS),
    "no zone": ([line.replace("Z,", ",") for line in lines()], {"timezone": "Europe/Berlin"}),
    "stamped at the start": (lines(), {"stamp": "open", "interval": "1m"}),
    "no stamp": (lines(), {"stamp": None}),
    "no stamp, all at midnight": (lines(stamps=["2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z"]), {"stamp": None}),
    "gaps": (changed(7, lambda line: line.replace("10.5,11", ",11"), lines()), {}),
    "gaps at the end": (changed(7, lambda line: line.removesuffix("100"), lines()), {}),
    "dirty": (changed(5, lambda line: line.replace("9.75", "12"), lines()), {}),
    "dirty, by time": (changed(5, lambda line: line.replace("9.75", "0"), lines(by_time=True)), {}),
    "futures below zero": (changed(5, lambda line: line.replace("9.75", "-1"), lines()), {"asset_class": "future"}),
    "an asset without a usable row": ([line.replace("9.75", "12") if ",AA," in line else line for line in lines()], {}),
    "a ragged grid": (dropped(7, lines()), {}),
    "a ragged grid, by time": (dropped(5, lines(by_time=True)), {}),
    "names of other letters": (lines(assets=["BRK.B", "Ärger", "日本"]), {}),
    "many names": (lines(assets=sorted(f"X{number}" for number in range(300)), stamps=MINUTES[:3]), {}),
    "rounded": (lines(close="10.12345"), {"tick_size": "0.01", "volume_step": "0.5"}),
    "increments of single assets": (lines(), {"assets": {"AA": {"tick_size": "0.05", "listed": "2024-02-29"}, "C": {"tick_size": "1"}}}),
    "long decimals": (lines(volume="20000000000000.5"), {"volume_step": "0.00001"}),
    "whole volumes": (lines(), {"volume_step": "100"}),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of any size count, in parts of a few lines."""
    monkeypatch.setattr(read, "WORTH", 0)
    monkeypatch.setattr(read, "BLOCK", 700)


def both(path: Path, shelves: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> tuple[Catalog, Catalog]:
    """The catalogs of one file, ingested in parts and as a panel."""
    given = {"stamp": "close", **options}
    seen: list[type] = []
    staged = writing.write_snapshot

    def watched(folder: Path, content: Any, events: Any) -> Any:
        seen.append(type(content))
        return staged(folder, content, events)

    monkeypatch.setattr(store, "write_snapshot", watched)
    monkeypatch.setattr(store, "now", lambda: "2024-01-01T00:00:00+00:00")
    ours = Catalog(shelves / "ours")
    rbt.ingest(path, "bars", catalog=ours, **given)
    theirs = Catalog(shelves / "theirs")
    monkeypatch.setattr(intake, "plain_of", lambda *_: None)
    rbt.ingest(path, "bars", catalog=theirs, **given)
    assert seen == [OfSpill, OfPanel]
    return ours, theirs


def told(shelf: Catalog) -> list[list[Any]]:
    with shelf.reading() as connection:
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("snapshots", "versions", "files", "symbols")]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Columns are read back a few rows at a time; how many."""
    read_back: list[int] = []
    column = Rows.column

    def counted(rows: Rows, name: str, start: int, stop: int) -> Any:
        read_back.append(stop - start)
        return column(rows, name, start, stop)

    monkeypatch.setattr(Rows, "column", counted)
    row_groups = import_module("rustybt.data.blocks")  # the package has a function of this name
    for module, name in ((lying, "CHUNK"), (spilled, "CHUNK"), (lying, "CELLS"), (leaps, "CHUNK"), (row_groups, "BLOCK")):
        monkeypatch.setattr(module, name, 16)
    return read_back


def same_bytes(ours: Catalog, theirs: Catalog) -> None:
    assert told(ours) == told(theirs)
    first, second = (sorted(shelf.folder(shelf.find("bars").snapshot).iterdir()) for shelf in (ours, theirs))
    assert [path.name for path in first] == [path.name for path in second]
    for path, other in zip(first, second, strict=True):
        assert path.read_bytes() == other.read_bytes(), path.name


@pytest.mark.parametrize("name", PLAIN)
def test_a_snapshot_made_in_parts_has_the_same_bytes(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    rows, options = PLAIN[name]
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *rows]) + "\n")
    ours, theirs = both(tmp_path / "bars.csv", tmp_path, monkeypatch, options)
    same_bytes(ours, theirs)
    assert verify(ours) == []


@pytest.mark.parametrize(
    "name", ["by asset", "dirty, by time", "a ragged grid", "a ragged grid, by time", "increments of single assets", "dates"]
)
def test_no_column_is_read_back_as_a_whole(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch, short: list[int], name: str
) -> None:
    rows, options = PLAIN[name]
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *rows]) + "\n")
    same_bytes(*both(tmp_path / "bars.csv", tmp_path, monkeypatch, options))
    assert 0 < max(short) <= 17  # a row more where neighbours are compared


def test_one_file_for_each_asset(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AA", "B"):
        rows = [line.replace(f",{name},", ",") for line in lines() if f",{name}," in line]
        (tmp_path / f"{name}.csv").write_text("\n".join([HEADING.replace(",asset", ""), *rows]))
    ours, theirs = both(tmp_path / "*.csv", tmp_path, monkeypatch, {})
    assert told(ours) == told(theirs)
    assert ours.open("bars").symbols == ("AA", "B")


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (lambda rows: rows[::-1], {}),
        (lambda rows: [*rows[:40], rows[50], *rows[40:50], *rows[51:]], {}),
        (lambda rows: [*rows[:-1], rows[-1].replace("10.5", "1.05e1")], {}),
        (lambda rows: [line.replace(",100", ",-0.0" if number == 99 else ",100.0") for number, line in enumerate(rows)], {}),
        (lambda rows: rows, {"calendar": "24/7"}),
        (lambda rows: rows, {"start": "2024-02-29"}),
        (lambda rows: rows, {"stamp": "open"}),
        (lambda rows: rows, {"events": []}),
    ],
)
def test_what_takes_all_rows_is_left_to_the_door(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch, change: Callable[[list[str]], list[str]], options: dict[str, Any]
) -> None:
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *change(lines())]) + "\n")
    monkeypatch.setattr(intake, "OfSpill", None)
    given = {"stamp": "close", **options}
    made = rbt.ingest(tmp_path / "bars.csv", "bars", catalog=tmp_path / "catalog", **given)
    assert made.snapshot == rbt.load(tmp_path / "bars.csv", **given).snapshot


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (lambda rows: [*rows, rows[-1]], {}),
        (lambda rows: [*rows[:95], rows[0], *rows[95:]], {}),
        (lambda rows: [line.replace("9.75", "12") for line in rows], {}),
        (lambda rows: [*rows[:-1], rows[-1].replace("9.75", "12")], {"dirty": "refuse"}),
        (lambda rows: [line.replace("Z,", ",") for line in rows], {}),
        (lambda rows: [*rows[:-1], rows[-1].replace(",100", ",9007199254740991")], {"volume_step": "0.000000001"}),
        (lambda rows: rows, {"asset_class": "cheese"}),
    ],
)
def test_an_error_is_that_of_the_door(
    tmp_path: Path, small: None, change: Callable[[list[str]], list[str]], options: dict[str, Any]
) -> None:
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *change(lines())]) + "\n")
    given = {"stamp": "close", **options}
    with pytest.raises((DataError, rbt.ConfigError)) as expected:
        rbt.load(tmp_path / "bars.csv", **given)
    with pytest.raises(type(expected.value)) as found:
        rbt.ingest(tmp_path / "bars.csv", "bars", catalog=tmp_path / "catalog", **given)
    assert str(found.value) == str(expected.value)
    assert Catalog(tmp_path / "catalog").versions() == []


def test_a_full_disk_is_one_message_and_leaves_nothing(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *lines()]) + "\n")

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DataError, match="the catalog cannot be written: No space left on device"):
        rbt.ingest(tmp_path / "bars.csv", "bars", catalog=tmp_path / "catalog", stamp="close")
    assert list((tmp_path / "catalog").iterdir()) == []


def test_the_same_content_twice_is_written_once(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *lines()]) + "\n")
    assert rbt.ingest(tmp_path / "bars.csv", "bars", catalog=tmp_path / "catalog", stamp="close").new
    monkeypatch.setattr(store, "write_snapshot", None)
    assert not rbt.ingest(tmp_path / "bars.csv", "bars", catalog=tmp_path / "catalog", stamp="close").new


def test_a_last_piece_in_which_no_line_begins_is_no_reason_to_stop(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lines()
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *rows]) + "\n")
    monkeypatch.setattr(read, "BLOCK", sum(len(line) + 1 for line in rows) - 5)
    ours, theirs = both(tmp_path / "bars.csv", tmp_path, monkeypatch, {})
    assert told(ours) == told(theirs)


def test_parts_are_larger_where_rows_of_many_assets_are_mixed(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *lines(by_time=True)]) + "\n")
    monkeypatch.setattr(gathered, "MANY", 8)
    monkeypatch.setattr(gathered, "LEAST", 40)
    ours, theirs = both(tmp_path / "bars.csv", tmp_path, monkeypatch, {})
    assert told(ours) == told(theirs)


def test_short_runs_of_many_assets_are_left_to_the_door(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *lines(by_time=True)]) + "\n")
    monkeypatch.setattr(gathered, "MANY", 1)
    monkeypatch.setattr(intake, "OfSpill", None)
    assert rbt.ingest(tmp_path / "bars.csv", "bars", catalog=tmp_path / "catalog", stamp="close").new


def test_rows_on_their_way_leave_nothing_behind(tmp_path: Path, small: None) -> None:
    (tmp_path / "bars.csv").write_text("\n".join([HEADING, *lines()]) + "\n")
    rbt.ingest(tmp_path / "bars.csv", "bars", catalog=tmp_path / "catalog", stamp="close")
    left = sorted(path.name for path in (tmp_path / "catalog").iterdir() if "db" not in path.name)
    assert left == ["snapshots", "staging", "writer.lock"]


@settings(max_examples=25, deadline=None)
@given(
    block=st.integers(60, 2000),
    by_time=st.booleans(),
    gone=st.sets(st.integers(0, 179), max_size=100),
    dirty=st.sets(st.integers(0, 179), max_size=20),
)
def test_wherever_the_parts_begin(
    tmp_path_factory: pytest.TempPathFactory, block: int, by_time: bool, gone: set[int], dirty: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    rows = [
        line.replace("9.75", "12") if number in dirty else line for number, line in enumerate(lines(by_time=by_time)) if number not in gone
    ]
    (folder / "bars.csv").write_text("\n".join([HEADING, *rows]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "WORTH", 0)
        patch.setattr(read, "BLOCK", block)
        expected = rbt.load(folder / "bars.csv", stamp="close")
        made = rbt.ingest(folder / "bars.csv", "bars", catalog=folder / "catalog", stamp="close")
    found = Catalog(folder / "catalog").open(made.name)
    assert made.snapshot == expected.snapshot
    assert found.frame.equals(expected.frame, null_equal=True)
    assert found.warnings == expected.warnings
    assert found.quarantine.equals(expected.quarantine, null_equal=True)
    for name in ("ts", "open", "close", "row_bar", "offsets", "sessions"):
        assert (getattr(found, name) == getattr(expected, name)).all(), name


@pytest.mark.parametrize(
    ("worth", "options", "steps"),
    [(0, {}, True), (0, {"calendar": "24/7"}, True), (2**25, {}, False)],
    ids=["in parts", "by the door", "by Polars"],
)
def test_how_much_is_read_is_told(
    worth: int, options: dict[str, Any], steps: bool, tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nothing to all, and where compiled code reads, block by block."""
    monkeypatch.setattr(read, "WORTH", worth)
    monkeypatch.setattr("rustybt.data.text.telling.MEGABYTE", 100)
    path = tmp_path / "bars.csv"
    path.write_text("\n".join([HEADING, *lines()]) + "\n")
    told: list[tuple[int, int]] = []
    rbt.ingest(path, "bars", catalog=tmp_path / "shelf", progress=lambda *at: told.append(at), stamp="close", **options)
    total = path.stat().st_size // 100
    assert {all_of for _, all_of in told} == {total}
    done = [done for done, _ in told]
    assert (done, done[0], done[-1]) == (sorted(done), 0, total)
    assert (len(set(done)) > 5) == steps
