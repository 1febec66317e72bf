"""Files of another form are checked as they are, by the address that ingests them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.files import open_csv
from rustybt.data.quality import check_bars, mend
from rustybt.errors import DataError
from rustybt.testing import markets

HEADING = "Date;Time;Ticker;Open;High;Low;Last;Volume\n"
FIRST = "13.02.2024;16:00;A;1,5;2,5;1;1,5;100\n"
SECOND = "14.02.2024;16:00;A;1,5;2,5;1;1,5;100\n"


def written(folder: Path, *rows: str) -> str:
    path = folder / "bars.csv"
    path.write_text(HEADING + "".join(rows), encoding="utf-8")
    return f"csv:{path}"


def test_a_clean_file_has_the_findings_of_its_rows_as_a_frame(tmp_path: Path) -> None:
    bars = markets.market(assets=2, bars=80, seed=4).bars
    bars.write_csv(tmp_path / "bars.csv")
    bars.write_parquet(tmp_path / "bars.parquet")
    for source in (f"csv:{tmp_path / 'bars.csv'}", f"parquet:{tmp_path / 'bars.parquet'}", open_csv(str(tmp_path / "bars.csv"))[0]):
        quality = check_bars(source)
        assert (quality.rows, quality.counts) == (bars.height, {})


def test_rows_that_an_ingest_would_refuse_or_merge_are_findings(tmp_path: Path) -> None:
    address = written(tmp_path, SECOND, FIRST, FIRST, FIRST.replace(";2,5;", ";1,2;"))
    quality = check_bars(address, timezone="America/New_York", columns={"close": "Last"})
    assert quality.rows == 4
    assert quality.counts == {"open outside low..high": 1, "close outside low..high": 1, "duplicate key": 3, "out of order": 1}
    assert set(quality.findings["ts"]) == {datetime(2024, 2, 13, 21, tzinfo=UTC)}
    with pytest.raises(DataError, match="came twice with different numbers"):
        rbt.ingest(address, "got", catalog=tmp_path / "catalog", timezone="America/New_York", columns={"close": "Last"})
    done = mend(address, ["duplicate key", "out of order"], timezone="America/New_York", columns={"close": "Last"})
    assert done.frame["ts"].to_list() == [datetime(2024, 2, day, 21, tzinfo=UTC) for day in (13, 14)]


def test_files_without_assets_are_those_of_their_names(tmp_path: Path) -> None:
    for name in ("KO", "PEP"):
        pl.DataFrame({"date": ["2024-02-13"], "open": 1, "high": 1, "low": 2, "close": 1, "volume": 1}).write_csv(tmp_path / f"{name}.csv")
    assert sorted(set(check_bars(f"csv:{tmp_path}").findings["asset"])) == ["KO", "PEP"]


def test_what_has_two_readings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="carry no zone"):
        check_bars(written(tmp_path, FIRST), columns={"close": "Last"})


@pytest.mark.parametrize("worth", [0, 2**25], ids=["large", "small"])
def test_a_file_that_ends_within_its_last_line_is_said_wherever_it_is_read(
    worth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rustybt.data.text.read.WORTH", worth)
    text = markets.market(assets=2, bars=30, seed=4).bars.write_csv()
    said = "cut.csv ends within the last line: if it was cut there, its last number is short."
    for name, left in (("whole", text), ("cut", text[:-1])):
        path = tmp_path / f"{name}.csv"
        path.write_text(left, encoding="utf-8")
        shelf = rbt.Catalog(tmp_path / name)
        told = {
            "load": rbt.load(path, stamp="close").warnings,
            "ingest": rbt.ingest(path, "plain", catalog=shelf, stamp="close").warnings,
            "csv": rbt.ingest(f"csv:{path}", "form", catalog=shelf, stamp="close").warnings,
            "opened": shelf.open("plain").warnings,
        }
        assert {way: said in warnings for way, warnings in told.items()} == dict.fromkeys(told, name == "cut")
