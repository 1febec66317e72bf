"""CSV files read by their first rows: the same bars as by all rows, and nothing lost where a later row is different."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import rustybt as rbt
from rustybt.data.sources import collect, open_source
from rustybt.data.text import head
from rustybt.data.text.head import head_of, scan_by_all, scan_by_head


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows tell the types, and two of them which texts may be times."""
    monkeypatch.setattr(head, "HEAD", 3)
    monkeypatch.setattr(head, "FEW", 2)


def by_all_rows(path: Path | str) -> pl.LazyFrame:
    """As Polars reads it where every row is looked at."""
    return pl.scan_csv(path, try_parse_dates=True, infer_schema_length=None)


def written(path: Path, stamps: list[str], closes: list[str]) -> str:
    rows = [f"{ts},A,{close},{close},{close},{close},100" for ts, close in zip(stamps, closes, strict=True)]
    path.write_text("\n".join(["ts,asset,open,high,low,close,volume", *rows]) + "\n")
    return str(path)


PLAIN = ["10", "11", "12", "13", "14"]


@pytest.mark.parametrize(
    "pattern",
    [
        "2024-03-{:02}T21:00:00Z",
        "2024-03-{:02}T21:00:00.000Z",
        "2024-03-{:02} 21:00:00+00:00",
        "2024-03-{:02}T21:00:00.123Z",
        "2024-03-{:02}",
        "{:02}/03/2024",
    ],
)
def test_times_are_those_that_all_rows_would_give(tmp_path: Path, pattern: str) -> None:
    path = written(tmp_path / "bars.csv", [pattern.format(day) for day in range(4, 9)], PLAIN)
    quick = scan_by_head(path)
    assert quick is not None
    assert quick.collect().equals(by_all_rows(path).collect())


@pytest.mark.parametrize(
    ("stamps", "closes"),
    [
        (["2024-03-{:02}T21:00:00Z"] * 5, ["10", "11", "12", "13.5", "14"]),
        (["2024-03-{:02}T21:00:00Z"] * 4 + ["2024-03-{:02}T22:00:00+01:00"], PLAIN),
        (["2024-03-{:02}T21:00:00Z"] * 4 + ["2024-03-{:02}T21:00:00.5Z"], PLAIN),
        (["2024-03-{:02}T21:00:00Z"] * 4 + ["2024-03-{:02}T21:00Z"], PLAIN),
    ],
)
def test_a_later_row_that_is_different_is_read_as_by_all_rows(tmp_path: Path, stamps: list[str], closes: list[str]) -> None:
    path = written(tmp_path / "bars.csv", [text.format(day) for day, text in enumerate(stamps, 4)], closes)
    panel = rbt.load(path, stamp="close")
    assert panel.frame.height == 5
    assert panel.snapshot == rbt.load(by_all_rows(path), stamp="close").snapshot


def test_a_column_that_begins_empty_is_read_by_all_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "bars.csv", [f"2024-03-{day:02}T21:00:00Z" for day in range(4, 9)], ["", "", "", "13", "14"])
    assert scan_by_head(path) is None
    assert rbt.load(path, stamp="close").bars == 2


@pytest.mark.parametrize("bad", ["n/a", "12,5"])
def test_what_is_no_number_is_refused_as_before(tmp_path: Path, bad: str) -> None:
    path = written(tmp_path / "bars.csv", [f"2024-03-{day:02}T21:00:00Z" for day in range(4, 9)], [*PLAIN[:4], bad])
    with pytest.raises(rbt.DataError) as quick:
        rbt.load(path, stamp="close")
    with pytest.raises(rbt.DataError) as thorough:
        rbt.load(collect(open_source(path)), stamp="close")
    assert quick.value.what == thorough.value.what


def test_a_quoted_and_an_empty_file_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text('"ts","asset","open","high","low","close","volume"\n"2024-03-04T21:00:00Z","A",1,1,1,1,1\n')
    assert rbt.load(str(path), stamp="close").bars == 1
    path.write_text("ts,asset,open,high,low,close,volume\n")
    with pytest.raises(rbt.DataError, match="no rows"):
        rbt.load(str(path), stamp="close")
    assert isinstance(open_source(str(path), by_head=True)[0][1], pl.LazyFrame)


@pytest.mark.parametrize("third", ["2024-03-06T21:00:00Z", "2024-03-06", "2024-02-30T21:00:00Z", "2024-03-06T21:00:00.5Z", "x", "5", ""])
def test_few_rows_tell_of_times_what_all_of_the_first_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, third: str) -> None:
    path = written(tmp_path / "bars.csv", ["2024-03-04T21:00:00Z", "2024-03-05T21:00:00Z", third], PLAIN[:3])
    few = head_of(path)
    monkeypatch.setattr(head, "FEW", head.HEAD)
    assert few == head_of(path)


DAYS = [f"2020-01-{1 + i % 28:02d},A{i % 3},{i},{i}.5" for i in range(3000)]
LATE = {
    "alike": DAYS,
    "a decimal": [*DAYS[:2500], *["2020-01-05,A1,7.25,3"] * 500],
    "no such day": [*DAYS[:2500], "2020-02-30,A1,7,3", *DAYS[2501:]],
    "a text for a time": [*DAYS[:2500], "hello,A1,7,3", *DAYS[2501:]],
    "a text for a number": [*DAYS[:2500], "2020-01-05,A1,x,3", *DAYS[2501:]],
    "no time": [*DAYS[:2500], ",A1,7,3", *DAYS[2501:]],
    "a clock": [*DAYS[:2500], *["2020-01-05T10:00:00,A1,7,3"] * 500],
    "times": [*["," + row.partition(",")[2] for row in DAYS[:1500]], *DAYS[1500:]],
    "numbers": [*[row.rpartition(",")[0] + "," for row in DAYS[:1500]], *DAYS[1500:]],
    "zones": [*[row.replace(",", "T10:00:00Z,", 1) for row in DAYS[:2500]], *["2020-01-05T10:00:00+02:00,A1,7,3"] * 500],
    "minutes": [row.replace(",", "T10:30,", 1) for row in DAYS],
    "a huge number": [*DAYS[:2500], *["2020-01-05,A1,92233720368547758079,3"] * 9],
    "one row": DAYS[:1],
}


@pytest.mark.parametrize("name", LATE)
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_what_comes_after_the_first_rows_is_read_as_polars_reads_it_by_all_rows(tmp_path: Path, name: str, suffix: str) -> None:
    path, text = tmp_path / f"bars.{suffix}", "\n".join(["ts,asset,x,y", *LATE[name], ""]).encode()
    path.write_bytes(gzip.compress(text) if suffix == "csv.gz" else text)
    assert_frame_equal(scan_by_all(str(path)).collect(), by_all_rows(path).collect())
