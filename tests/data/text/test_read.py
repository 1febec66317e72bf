"""Large plain CSV files: the same panel as Polars gives to the bit, and left to Polars where a line is not plain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.data.text import read
from rustybt.data.text.read import Wanted, read_plain
from rustybt.model import Panel

HEADING = "ts,asset,open,high,low,close,volume"
MINUTES = [f"2024-02-{28 + day % 2}T{day // 60 % 24:02}:{day % 60:02}:00Z" for day in range(90)]
LONG = [f"2024-02-{28 + minute // 1440}T{minute // 60 % 24:02}:{minute % 60:02}:00Z" for minute in range(2880)]


def lines(**other: Any) -> list[str]:
    """Rows of two assets, with what is said in place of the usual."""
    said: dict[str, Any] = {"stamps": MINUTES, "assets": ["B", "AA"], "volume": "100", "by_time": False, "close": "10.25"} | other
    rows = [(ts, asset) for asset in said["assets"] for ts in said["stamps"]]
    rows = sorted(rows) if said["by_time"] else rows
    return [f"{ts},{asset},10.5,11,{'9.75'},{said['close']},{said['volume']}" for ts, asset in rows]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of any size count, in blocks of a few lines."""
    monkeypatch.setattr(read, "WORTH", 0)
    monkeypatch.setattr(read, "BLOCK", 150)


def alike(first: Panel, second: Panel) -> None:
    assert first.frame.equals(second.frame, null_equal=True)
    assert first.frame.schema == second.frame.schema
    assert (first.snapshot, first.warnings) == (second.snapshot, second.warnings)
    assert first.quarantine.equals(second.quarantine, null_equal=True)
    assert first.quarantine.schema == second.quarantine.schema


PLAIN = {
    "by asset": lines(),
    "by time": lines(by_time=True),
    "backward": lines()[::-1],
    "whole and broken numbers": lines(volume="100.5", close="10.123456789012"),
    "dates": [f"{day:%Y-%m-%d},A,10.5,11,9.75,10.25,7" for day in pl.date_range(pl.date(2023, 12, 20), pl.date(2024, 3, 3), eager=True)],
    "no zone": [line.replace("Z,", ",") for line in lines()],
    "fractions and another zone": [line.replace("Z,", ".000+00:00,") for line in lines()],
    "a blank between date and clock": [line.replace("T", " ").replace("Z,", "+0000,") for line in lines()],
    "gaps": [line.replace("10.5,11", ",11") if number % 7 == 3 else line for number, line in enumerate(lines())],
    "gaps at the end": [line.removesuffix("100") if number % 7 == 3 else line for number, line in enumerate(lines())],
    "dirty": [line.replace("9.75", "-0.0" if number % 2 else "12") if number % 5 == 3 else line for number, line in enumerate(lines())],
    "one dirty row": [line.replace("9.75", "12") if number == 7 else line for number, line in enumerate(lines())],
    "dirty neighbours": [line.replace("9.75", "12") if 7 < number < 12 else line for number, line in enumerate(lines())],
    "names of other letters": lines(assets=["BRK.B", "Ärger", "日本"]),
    "many names": lines(assets=[f"X{number}" for number in range(300)], stamps=MINUTES[:3]),
}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "no last"])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_lines_give_the_panel_that_polars_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, ending: str) -> None:
    path = tmp_path / "bars.csv"
    end = "\r\n" if ending == "\r\n" else "\n"
    path.write_bytes((end.join([HEADING, *PLAIN[name]]) + ("" if ending == "no last" else end)).encode())
    options: dict[str, Any] = {"stamp": "session" if name == "dates" else "close", "timezone": "UTC"}
    expected = rbt.load(path, **options)
    monkeypatch.setattr(read, "WORTH", 0)
    monkeypatch.setattr(read, "BLOCK", 150)
    assert read_plain([Wanted(str(path), {name: name for name in HEADING.split(",")}, "bars")]) is not None
    alike(rbt.load(path, **options), expected)


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace("AA", '"AA"'),
        lambda line: line.replace("10.5", "1.05e1"),
        lambda line: line.replace("10.5", "10.50000000000000000001"),
        lambda line: line.replace("10.5", "9007199254740.9931"),
        lambda line: line.replace("10.5", "NaN"),
        lambda line: line.replace("10.5", "010.5"),
        lambda line: line.replace("10.5", ".5"),
        lambda line: line.replace("10.5", "10."),
        lambda line: line.replace("10.5", " 10.5"),
        lambda line: line.replace("10.5", "+10.5"),
        lambda line: line.replace("10.5", "-"),
        lambda line: line.replace(",100", ",100.5"),
        lambda line: f"{line},",
        lambda line: line.rpartition(",")[0],
        lambda line: "",
        lambda line: line.replace("2024-02-29", "2023-02-29"),
        lambda line: line.replace("2024-02-29", "2024-13-29"),
        lambda line: line.replace("T22", "T24"),
        lambda line: line.replace(":00Z", ":60Z"),
        lambda line: line.replace("Z", "+01:00"),
        lambda line: line.replace("2024-02-29", "2024/02/29"),
        lambda line: line.replace("AA", ""),
    ],
)
def test_a_line_that_is_not_plain_is_left_to_polars(tmp_path: Path, small: None, change: Callable[[str], str]) -> None:
    path, rows, at = tmp_path / "bars.csv", lines(stamps=LONG), 5640
    assert change(rows[at]) != rows[at]
    origin = {name: name for name in HEADING.split(",")}
    path.write_text("\n".join([HEADING, *rows]) + "\n")
    assert read_plain([Wanted(str(path), origin, "bars")]) is not None
    path.write_text("\n".join([HEADING, *rows[:at], change(rows[at]), *rows[at + 1 :]]) + "\n")
    assert read_plain([Wanted(str(path), origin, "bars")]) is None


def test_several_files_and_columns_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AA", "B"):
        rows = [f"{row.replace(',B,', ',')},1.5,x,{number}" for number, row in enumerate(lines(assets=["B"]))]
        (tmp_path / f"{name}.csv").write_text("\n".join(["date,open,high,low,close,volume,score,word,count", *rows]) + "\n")
    options: dict[str, Any] = {"stamp": "close", "extras": ["count", "score"]}
    expected = rbt.load(str(tmp_path / "*.csv"), **options)
    monkeypatch.setattr(read, "WORTH", 0)
    monkeypatch.setattr(pl, "concat", None)  # so that it is not Polars that reads
    found = rbt.load(str(tmp_path / "*.csv"), **options)
    monkeypatch.undo()
    alike(found, expected)
    assert found.symbols == ("AA", "B")


def test_a_file_that_shrinks_while_it_is_read_is_noticed(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    path, rows = tmp_path / "bars.csv", lines()
    path.write_text("\n".join([HEADING, *rows]) + "\n")
    count = read._Reading._count

    def and_cut(self: Any, piece: tuple[int, int, int]) -> Any:
        found = count(self, piece)
        if piece[1] > 600:
            path.write_text("\n".join([HEADING, *rows[:30], *(row.replace("10.5", "1") for row in rows[30:])]) + "\n")
        return found

    monkeypatch.setattr(read._Reading, "_count", and_cut)
    assert read_plain([Wanted(str(path), {name: name for name in HEADING.split(",")}, "bars")]) is None


numbers = st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False).map(lambda value: f"{value:f}")


@settings(max_examples=60, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=40))
def test_numbers_are_the_doubles_that_python_reads(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("numbers") / "bars.csv"
    rows = [f"{ts},A,{text},1.5,1.5,1.5,1" for ts, text in zip(MINUTES, texts, strict=False)]
    path.write_text("\n".join([HEADING, f"{MINUTES[0]},A,1.5,1.5,1.5,1.5,1", *rows]) + "\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(read, "WORTH", 0)
        found = read_plain([Wanted(str(path), {name: name for name in HEADING.split(",")}, "bars")])
    assert found is not None
    assert found["open"].to_list()[1:] == [float(text) for text in texts]
