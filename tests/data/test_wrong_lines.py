"""One wrong line among a thousand is named by file and line, whichever way the file is read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.files.detect import odd_one
from rustybt.data.quality import check_bars, mend
from rustybt.data.text.failures import failure_of
from rustybt.data.text.lines import line_not_utf8, line_of_text

LINE = 501
CLOCK = "T20:00:00+00:00"


def written(path: Path, text: str, column: int = 0, clock: str = "", line: int = LINE) -> Path:
    """A thousand days, one of which holds the text."""
    rows = [[f"{date(2020, 1, 1) + timedelta(days=day)}{clock}", "10", "11", "9", "10.5", "100"] for day in range(1000)]
    rows[line - 2][column] = text
    path.write_bytes("\n".join(["ts,open,high,low,close,volume", *map(",".join, rows), ""]).encode("latin-1"))
    return path


WAYS: dict[str, Callable[[Path], Any]] = {
    "load": rbt.load,
    "ingest csv:": lambda path: rbt.ingest(f"csv:{path}", "got", catalog=path.parent / "catalog"),
    "check": check_bars,
    "check csv:": lambda path: check_bars(f"csv:{path}"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("text", "clock", "said"),
    [
        ("2021-02-30", "", "'2021-02-30'"),
        ("hello", "", "'hello'"),
        ("13.05.2021", "", "'13.05.2021'"),
        ("2021-02-30T20:00:00+00:00", CLOCK, "'2021-02-30T20:00:00.00:00'"),
        ("2021-05-14T20:00:00+99:00", CLOCK, "'2021-05-14T20:00:00.99:00'"),
        ("", "", "1 rows have (no time|a null ts)"),
        ("2021-05-14\xff", "", "bytes that are not UTF-8"),
    ],
)
def test_a_time_that_is_none_is_named_and_not_its_neighbours(way: str, text: str, clock: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path / "bars.csv", text, clock=clock)
    with pytest.raises(rbt.DataError, match=said) as caught:
        WAYS[way](path)
    assert caught.value.where == f"{path}, line {LINE}"
    assert caught.value.do


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("text", "clock"), [("2021-02-30", ""), ("2021-05-14T20:00:00+99:00", CLOCK), ("\xff", "")])
def test_the_file_of_several_is_named(way: str, text: str, clock: str, tmp_path: Path) -> None:
    written(tmp_path / "a.csv", f"2021-05-14{clock}", clock=clock)
    path = written(tmp_path / "b.csv", text, clock=clock)
    with pytest.raises(rbt.DataError) as caught:
        WAYS[way](tmp_path / "*.csv")
    assert caught.value.where == f"{path}, line {LINE}"


def test_a_damaged_file_without_lines_is_named_alone(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    path.write_bytes(b"PAR1\xff\xfe utf-8")
    with pytest.raises(rbt.DataError, match="the file cannot be read") as caught:
        rbt.load(path)
    assert caught.value.where == str(path)
    assert failure_of(str(path), ValueError("invalid utf-8 sequence")) is None


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_first_line_is_named_too(way: str, tmp_path: Path) -> None:
    path = written(tmp_path / "bars.csv", "2020-01-32", line=2)
    with pytest.raises(rbt.DataError, match="2020-01-32") as caught:
        WAYS[way](path)
    assert caught.value.where == f"{path}, line 2"


def test_the_first_line_that_lacks_a_zone_is_the_wrong_one(tmp_path: Path) -> None:
    path = written(tmp_path / "bars.csv", "2020-01-01T20:00:00", clock=CLOCK, line=2)
    with pytest.raises(rbt.DataError, match="'2020-01-01T20:00:00' is no date or time like the others") as caught:
        WAYS["ingest csv:"](path)
    assert caught.value.where == f"{path}, line 2"


@pytest.mark.parametrize("address", ["", "csv:"])
def test_a_text_for_a_price_is_a_finding_and_the_rest_is_checked(address: str, tmp_path: Path) -> None:
    path = written(tmp_path / "bars.csv", "x", column=4)
    path.write_text(path.read_text().replace("2020-01-03,10,11,9,10.5", "2020-01-03,10,11,9,11.5"))
    quality = check_bars(f"{address}{path}")
    assert quality.counts == {"not a finite number": 1, "close outside low..high": 1, "repeated bar": 2}
    row = quality.findings.row(0, named=True)
    assert row["detail"] == f"close holds 'x', which is no number ({path}, line {LINE})"
    assert row["ts"] == datetime(2021, 5, 14, tzinfo=UTC)
    with pytest.raises(rbt.DataError, match="close holds 'x'"):
        mend(f"{address}{path}", ["close outside low..high"])


@pytest.mark.parametrize("address", ["", "csv:"])
def test_a_column_of_texts_is_one_message(address: str, tmp_path: Path) -> None:
    path = written(tmp_path / "bars.csv", "x", column=4)
    path.write_text(path.read_text().replace(",10.5,", ",ten,"))
    with pytest.raises(rbt.DataError, match="close holds 'ten', which is no number") as caught:
        check_bars(f"{address}{path}")
    assert caught.value.where == f"{path}, line 2"


def test_rows_of_other_assets_need_no_time(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("ts,asset,open,high,low,close,volume\n2024-01-02,A,1,2,1,1,1\n,B,1,2,1,1,1\n")
    assert rbt.load(path, assets=["A"]).bars == 1
    with pytest.raises(rbt.DataError, match="1 rows have a null ts") as caught:
        rbt.load(path, assets=["B"])
    assert caught.value.where == f"{path}, line 3"


@pytest.mark.parametrize(
    ("texts", "row"),
    [
        (["2024-01-02", "2024-01-03"], None),
        (["2024-01-02", "2024-02-30", None], 1),
        (["01/02/2024", "01/13/2024", "13/01/2024"], 2),
        (["a", "b", "c"], None),
        (["1704209400", "1704209460", "1704x"], 2),
        (["2024-01-02 10:00", "2024-01-02 11:00", "2024-01-02 25:00"], 2),
        ([None, None], None),
    ],
)
def test_the_odd_one_is_the_first_that_does_not_read_as_most_do(texts: list[str | None], row: int | None) -> None:
    assert odd_one(pl.Series("ts", texts, dtype=pl.String)) == row


def test_lines_of_packed_files_are_found(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress(b'a,b\n1,"two\nlines"\n3,four\n\xff,5\n'))
    assert line_of_text(str(path), "b", "four") == 4
    assert line_of_text(str(path), "c", "four") is None
    assert line_not_utf8(str(path)) == 5
