"""Messages about text files say where: the file, the line and the value."""

from __future__ import annotations

import gzip
import traceback
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.options import Stamp
from rustybt.data.quality import check_bars

HEADING = "ts,asset,open,high,low,close,volume\n"
GOOD = "2024-01-02T21:00:00Z,A,1,2,1,1,1\n"


def written(folder: Path, rows: str, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_text(HEADING + rows, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "said", "line"),
    [
        ("2024-01-03T21:00:00Z,,1,2,1,1,1\n", "1 rows have (no|a null) asset", "line 3"),
        ("2024-01-03T21:00:00Z,A,abc,2,1,1,1\n", "holds 'abc', which is no number", "line 3"),
        ("2024-01-03T21:00:00Z,A,1,2,1,1,1,9\n", "a line has more fields than the heading", "line 3"),
        ("2024-01-02T21:00:00Z,A,1,2,1,1,7\n", "came twice with different numbers|repeat the asset and time", "3"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "csv:"])
def test_a_row_that_cannot_be_used_is_named_by_file_and_line(prefix: str, row: str, said: str, line: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + row)
    with pytest.raises(rbt.DataError, match=said) as caught:
        rbt.ingest(f"{prefix}{path}", "got", catalog=tmp_path / "catalog")
    assert str(path) in caught.value.where
    assert line in caught.value.where.removeprefix(str(path))


def test_bars_of_a_source_are_named_as_the_user_named_it(tmp_path: Path) -> None:
    address = f"csv:{written(tmp_path, '2024-01-02T21:00:00Z,A,1,2' + chr(10))}"
    with pytest.raises(rbt.DataError, match="no row can be used") as caught:
        rbt.ingest(address, "got", catalog=tmp_path / "catalog")
    assert caught.value.where == address


def test_lines_are_counted_in_the_file_of_the_row(tmp_path: Path) -> None:
    first, second = written(tmp_path, GOOD, "a.csv"), written(tmp_path, GOOD.replace("A", "").replace("2024-01", "2024-02"), "b.csv")
    with pytest.raises(rbt.DataError, match="have a null asset") as caught:
        rbt.load([str(first), str(second)])
    assert caught.value.where == f"{second}, line 2"


def test_a_null_asset_of_a_frame_is_named_by_its_row() -> None:
    frame = pl.read_csv((HEADING + GOOD + GOOD.replace("A", "")).encode(), try_parse_dates=True)
    with pytest.raises(rbt.DataError, match="have a null asset") as caught:
        rbt.load(frame)
    assert caught.value.where == "the frame, row 1"


def test_a_long_line_of_a_packed_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress((HEADING + GOOD + GOOD.replace("\n", ",9\n")).encode()))
    with pytest.raises(rbt.DataError, match="more fields than the heading") as caught:
        rbt.load(path)
    assert caught.value.where == f"{path}, line 3"


@pytest.mark.parametrize("worth", [1, 2**25], ids=["large", "small"])
@pytest.mark.parametrize("way", ["load", "ingest", "ingest csv:"])
def test_a_value_beyond_the_scale_names_its_file_and_line(way: str, worth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are sorted by asset before they are counted in ticks, and lines are those of the file."""
    monkeypatch.setattr("rustybt.data.text.read.WORTH", worth)
    rows = "2024-01-02T21:00:00Z,B,1.5,2.5,1.0,1.0,1\n2024-01-03T21:00:00Z,B,1.5,30000000000000000.5,1.0,1.0,1\n"
    first = written(tmp_path, "2024-01-02T21:00:00Z,C,1.5,2.5,1.0,1.0,1\n", "first.csv")
    path = written(tmp_path, f"{rows}2024-01-02T21:00:00Z,A,1.5,2.5,1.0,1.0,1\n")
    ways: dict[str, Callable[[], object]] = {
        "load": lambda: rbt.load([first, path]),
        "ingest": lambda: rbt.ingest(path, "got", catalog=tmp_path / "catalog"),
        "ingest csv:": lambda: rbt.ingest(f"csv:{path}", "got", catalog=tmp_path / "catalog"),
    }
    with pytest.raises(rbt.DataError, match=r"high 3e\+16 is beyond the scale") as caught:
        ways[way]()
    assert caught.value.where == f"{path}, line 3, asset 'B', column 'high'"


def test_a_value_beyond_the_scale_is_placed_by_what_its_asset_is_called_in_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "2024-01-03T21:00:00Z,AA,1,3e20,1,1,1\n")
    renamed = pl.DataFrame({"asset": ["A"], "ts": ["2024-01-03"], "kind": ["rename"], "value": [None], "other": ["AA"]})
    with pytest.raises(rbt.DataError, match="beyond the scale") as caught:
        rbt.load(path, events=renamed)
    assert caught.value.where == f"{path}, line 3, asset 'A', column 'high'"


def test_a_value_beyond_the_scale_is_a_finding_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + GOOD.replace("-02T", "-03T").replace(",2,", ",1e20,"))
    found = check_bars(path).findings
    said = f"high 1e+20: a tick_size of 0.0001 reaches to 2.306e+14 ({path}, line 3)"
    assert found.select("check", "severity", "asset", "detail").rows() == [("beyond the scale", "error", "A", said)]
    assert check_bars(pl.read_csv(path, try_parse_dates=True)).findings["detail"].to_list() == [said.partition(" (")[0]]
    assert check_bars(path, asset_class="future").counts == {"beyond the scale": 1}


@pytest.mark.parametrize("number", ["1e400", "1e20", "-1e20", "100000000000000000000"])
def test_a_number_too_large_to_be_exact_names_its_file_line_and_column(number: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + GOOD.replace("-02T", "-03T").replace(",2,", f",{number},"))
    with pytest.raises(rbt.DataError, match=f"high holds '{number}', which is too large") as caught:
        rbt.ingest(f"csv:{path}", "got", catalog=tmp_path / "catalog")
    assert caught.value.where == f"{path}, line 3, column 'high'"


@pytest.mark.parametrize("stamp", [None, "session"])
def test_the_order_of_day_and_month_is_not_guessed(stamp: Stamp | None, tmp_path: Path) -> None:
    path = written(tmp_path, "01/02/2024,A,1,2,1,1,1\n02/02/2024,A,1,2,1,1,1\n")
    with pytest.raises(rbt.DataError, match="'01/02/2024' may have the day or the month first") as caught:
        rbt.load(path, stamp=stamp)
    assert "date_format" in caught.value.do
    assert f"csv:{path}" in caught.value.do
    events = tmp_path / "events.csv"
    events.write_text("asset,ts,kind,value\nA,01/02/2024,split,2\n")
    with pytest.raises(rbt.DataError, match="may have the day or the month first"):
        rbt.load("demo", events=str(events))


def test_dates_that_mean_one_thing_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "13/02/2024,A,1,2,1,1,1\n01/03/2024,A,1,2,1,1,1\n")
    assert [str(day) for day in rbt.load(path, stamp="session").frame["session"]] == ["2024-02-13", "2024-03-01"]


def test_an_event_is_named_by_file_and_line(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("asset,ts,kind,value\nAAPL,2005-02-28,split,2\nIBM,2005-02-28,splitt,2\n")
    with pytest.raises(rbt.DataError, match="unknown kind of event 'splitt'") as caught:
        rbt.load("demo", events=str(events))
    assert caught.value.where.startswith(f"events {events}, line 3")


def test_ways_that_lead_no_further_say_the_way_that_does(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    with pytest.raises(rbt.DataError, match="the source is a folder") as caught:
        rbt.load(tmp_path)
    assert f"{tmp_path}/*.csv" in caught.value.do
    assert f"csv:{tmp_path}" in caught.value.do
    path.write_text((HEADING + GOOD).replace(",", ";"))
    with pytest.raises(rbt.DataError, match="are missing") as caught:
        rbt.load(path)
    assert f"csv:{path}" in caught.value.do
    with pytest.raises(rbt.DataError, match="is a source, not a file") as caught:
        check_bars("yfinance:AAPL")
    assert "rustybt ingest yfinance:AAPL --name NAME" in caught.value.do


@pytest.mark.parametrize(("row", "said"), [("13.01.2024,A,1,2,1,1,1\n", "13.01.2024"), ("soon,A,1,2,1,1,1\n", "soon")])
def test_a_time_of_another_form_is_named_by_file_and_line(row: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + row)
    with pytest.raises(rbt.DataError, match=f"ts holds the text '{said}', which names no instant") as caught:
        rbt.load(path)
    assert caught.value.where == f"{path}, line 3"
    assert f"csv:{path}" in caught.value.do


@pytest.mark.parametrize("lines", ["2024-03-01,A,1,2,1,x,1\n", "2024-03-01,A,1,2,3,1,1\n2024-03-01,A,1,2,1,1,1\n"])
def test_an_error_is_told_once(tmp_path: Path, lines: str) -> None:
    with pytest.raises(rbt.DataError) as caught:
        rbt.load(written(tmp_path, lines), dirty="refuse")
    assert "".join(traceback.format_exception(caught.value)).count("errors.DataError: ") == 1
