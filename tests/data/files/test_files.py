"""Files as sources: what they write is found out, kept exact, or refused."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.catalog.bars import decimal_frame
from rustybt.data.files.detect import delimiter_of, numbers, stamps
from rustybt.model import Panel
from rustybt.testing import markets

ROWS = "2024-01-02,10.00,10.20,9.90,10.10,1000\n2024-01-03,10.10,10.30,10.00,10.20,1200\n"
HEADING = "Date,Open,High,Low,Close,Volume\n"


def got(address: str, folder: Path, **options: Any) -> Panel:
    return rbt.Catalog(folder).open(rbt.ingest(address, "got", catalog=folder, **options).name)


def written(folder: Path, text: str, name: str = "ACME.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return f"csv:{path}"


def test_a_folder_of_files_is_one_dataset_named_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    written(tmp_path / "prices", HEADING + ROWS, "ACME.csv")
    (tmp_path / "prices" / "BRK.B.csv.gz").write_bytes(gzip.compress((HEADING + ROWS).encode()))
    (tmp_path / "prices" / "README.md").write_text("no bars")
    panel = got(f"csv:{tmp_path}/prices", tmp_path / "catalog", calendar="XNYS")
    assert panel.symbols == ("ACME", "BRK.B")
    assert panel.frame["ts"][0] == datetime(2024, 1, 2, 21, tzinfo=UTC)
    assert got(f"csv:{tmp_path}/prices/*.gz", tmp_path / "catalog").symbols == ("BRK.B",)
    assert got(f"csv:{tmp_path}/prices", tmp_path / "catalog", symbols=["ACME"]).symbols == ("ACME",)


@pytest.mark.parametrize(
    "text",
    [
        HEADING + ROWS,
        (HEADING + ROWS).replace(",", ";"),
        (HEADING + ROWS).replace(",", "\t"),
        (HEADING + ROWS).replace(",", ";").replace(".", ","),
        "\ufeff" + HEADING + ROWS,
        (HEADING + ROWS).replace("\n", "\r\n"),
        (HEADING + ROWS).replace("2024-01-02", "01/02/2024").replace("2024-01-03", "01/13/2024"),
        (HEADING + ROWS).replace("2024-01-02", "02.01.2024").replace("2024-01-03", "03.01.2024"),
        (HEADING + ROWS).replace("2024-01-", "202401"),
        (HEADING + ROWS).replace("2024-01-02", '"Jan 02, 2024"').replace("2024-01-03", '"Jan 03, 2024"'),
        HEADING.replace("Date", "<DATE>").replace("Close", "<CLOSE>") + ROWS.replace("2024-01-", "2024.01."),
        "\n".join(line + "," for line in (HEADING + ROWS).split("\n") if line),
    ],
)
def test_the_same_bars_in_many_hands_are_the_same(tmp_path: Path, text: str) -> None:
    panel = got(written(tmp_path, text), tmp_path / "catalog")
    assert decimal_frame(panel)["close"].to_list() == [Decimal("10.1"), Decimal("10.2")]
    assert decimal_frame(panel)["volume"].to_list() == [1000, 1200]
    assert panel.frame["session"][0] == date(2024, 1, 2)


def test_a_file_says_what_the_door_says_of_it(tmp_path: Path) -> None:
    """The bars of a market, through the door and through the source."""
    bars = markets.market(assets=4, bars=120, seed=5).bars
    bars.write_csv(tmp_path / "bars.csv")
    bars.write_parquet(tmp_path / "bars.parquet")
    for address in (f"csv:{tmp_path}/bars.csv", f"parquet:{tmp_path}/bars.parquet"):
        panel = got(address, tmp_path / "catalog", stamp="close")
        assert panel.snapshot == rbt.load(tmp_path / "bars.csv", stamp="close", extras=[]).snapshot


def test_digits_beyond_a_double_are_kept(tmp_path: Path) -> None:
    text = HEADING + "2024-01-02" + ",12345678901.12345678" * 4 + ",1\n"
    panel = got(written(tmp_path, text), tmp_path / "catalog", tick_size="0.00000001")
    assert panel.frame["ticks_close"][0] == 1234567890112345678


def test_date_and_time_in_two_columns_are_one_instant(tmp_path: Path) -> None:
    text = "Date,Time,Open,High,Low,Close,Volume\n" + ROWS.replace("2024-01-02,", "2024-01-02,10:30,").replace(
        "2024-01-03,", "2024-01-02,10:31,"
    )
    panel = got(written(tmp_path, text), tmp_path / "catalog", timezone="America/New_York", stamp="open", interval="1m")
    assert panel.frame["ts"][0] == datetime(2024, 1, 2, 15, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("heading", "first"),
    [
        ("time_utc", "2024-01-02 15:30:00"),
        ("Date (UTC)", "2024-01-02T15:30:00"),
        ("ts", "2024-01-02T10:30:00-05:00"),
        ("ts", "2024-01-02 15:30:00 UTC"),
        ("ts", "2024-01-02T15:30:00.000Z"),
        ("ts", "1704209400"),
        ("ts", "1704209400000"),
        ("ts", "1704209400000000"),
        ("ts", "1704209400000000000"),
    ],
)
def test_a_zone_is_found_where_the_file_says_it(tmp_path: Path, heading: str, first: str) -> None:
    text = f"{heading},open,high,low,close,volume\n{first},10,10,10,10,5\n"
    panel = got(written(tmp_path, text), tmp_path / "catalog", stamp="close", columns={"ts": heading})
    assert panel.frame["ts"][0] == datetime(2024, 1, 2, 15, 30, tzinfo=UTC)


def test_files_without_a_heading_are_read_by_the_names_that_are_given(tmp_path: Path) -> None:
    names = ["ts", "open", "high", "low", "close", "volume"]
    for said in (names, "ts,open,high,low,close,volume"):
        assert got(written(tmp_path, ROWS), tmp_path / "catalog", settings={"names": said}).bars == 2
    with pytest.raises(rbt.ConfigError, match="names lists 7 columns"):
        got(written(tmp_path, ROWS), tmp_path / "catalog", settings={"names": [*names, "more"]})


def test_missing_values_fail_or_are_skipped_or_flagged(tmp_path: Path) -> None:
    address = written(
        tmp_path, HEADING + ROWS + "2024-01-04,NA,10.3,10.0,10.2,100\n2024-01-05,10.1,10.3,10.0,,100\n2024-01-08,10,10,10,10,\n"
    )
    with pytest.raises(rbt.DataError, match="3 rows lack a price or a volume") as caught:
        got(address, tmp_path / "catalog", settings={"missing": "fail"})
    assert "ACME.csv, line 4" in caught.value.where
    skipped = got(address, tmp_path / "skipped", settings={"missing": "skip"})
    assert (skipped.bars, skipped.quarantine.height) == (2, 0)
    assert "3 rows of ACME.csv that lack a price or a volume were skipped (first: line 4)." in skipped.warnings
    flagged = got(address, tmp_path / "flagged")
    assert (flagged.bars, flagged.quarantine.height) == (2, 3)


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (HEADING + ROWS.replace("2024-01-02", "01/02/2024").replace("2024-01-03", "01/03/2024"), {}, "may have the day or the month first"),
        (HEADING + ROWS.replace("2024-01-03", "yesterday"), {}, "'2024-01-02' is no date|is no date or time"),
        (
            HEADING + ROWS.replace("2024-01-02", "someday").replace("2024-01-03", "never"),
            {},
            "'someday' is no date or time in a known format",
        ),
        (
            HEADING.replace("Date", "ts") + ROWS.replace("2024-01-02", "2024-01-02 10:00").replace("2024-01-03", "2024-01-03 10:00"),
            {},
            "carry no zone",
        ),
        ((HEADING + ROWS.replace("10.", "10,0")).replace(",", ";").replace("10;0", "10,0"), {}, "may part decimals or thousands"),
        (HEADING.replace("Close", "Last") + ROWS, {}, "column 'close' is missing"),
        (HEADING + ROWS + ROWS.replace("10.10,1000", "10.15,1000"), {}, "1 bars came twice with different numbers"),
        ("", {}, "the file is empty"),
        (HEADING, {}, "the column of times is empty"),
        (HEADING + ROWS, {"settings": {"missing": "guess"}}, "unknown way 'guess'"),
        (HEADING + ROWS, {"settings": {"delimiter": "ab"}}, "is not one mark"),
        (HEADING + ROWS, {"settings": {"decimal": "x"}}, "no mark of decimals"),
        (HEADING + ROWS, {"settings": {"colour": "red"}}, "has no setting 'colour'"),
        (HEADING + ROWS, {"symbols": ["NOSUCH"]}, "there is no file of 'NOSUCH'"),
        (HEADING + ROWS.replace("10.20,1200", "x,1200"), {}, "close holds 'x', which is no number"),
    ],
)
def test_what_can_mean_two_things_or_nothing_is_refused(tmp_path: Path, text: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(rbt.RustyBTError, match=said):
        got(written(tmp_path, text), tmp_path / "catalog", **options)
    assert not rbt.Catalog(tmp_path / "catalog").versions()


def test_what_was_refused_is_read_when_it_is_said(tmp_path: Path) -> None:
    text = HEADING + ROWS.replace("2024-01-02", "01/02/2024").replace("2024-01-03", "01/03/2024")
    panel = got(written(tmp_path, text), tmp_path / "catalog", settings={"date_format": "%d/%m/%Y"})
    assert panel.frame["session"].to_list() == [date(2024, 2, 1), date(2024, 3, 1)]
    renamed = got(written(tmp_path, HEADING.replace("Close", "Last") + ROWS), tmp_path / "catalog", columns={"close": "Last"})
    assert renamed.bars == 2


def test_no_such_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(rbt.DataError, match="there is no such file"):
        got(f"csv:{tmp_path}/nowhere/*.csv", tmp_path / "catalog")


def test_a_source_is_ingested_before_it_is_loaded() -> None:
    with pytest.raises(rbt.ConfigError, match="'csv:prices' is a source, not a dataset") as caught:
        rbt.load("csv:prices")
    assert "rustybt ingest csv:prices --name NAME" in caught.value.do


def test_delimiters_inside_quotes_do_not_count() -> None:
    assert delimiter_of(['a;"b,c,d";e', '1;"2,2,2";3']) == ";"


@pytest.mark.parametrize(
    ("texts", "decimal", "plain"),
    [
        (["1,234.50", "12"], None, ["1234.50", "12"]),
        (["1,234,567"], None, None),
        (["1.234,5", "1234,56"], None, ["1234.5", "1234.56"]),
        (["1,234"], ",", ["1.234"]),
        (["1,234"], ".", ["1234"]),
        (["-", "null", "5"], None, [None, None, "5"]),
    ],
)
def test_numbers_are_read_as_they_are_meant(texts: list[str], decimal: str | None, plain: list[str | None] | None) -> None:
    column = pl.Series("close", texts)
    assert numbers(column, "x.csv", decimal).to_list() == (plain or ["1234567"])


def test_one_row_in_another_format_is_named_by_its_line() -> None:
    with pytest.raises(rbt.DataError, match="'2024/01/03' is not written like '%Y-%m-%d'") as caught:
        stamps(pl.Series("ts", ["2024-01-02", "2024/01/03"]), "%Y-%m-%d", "x.csv")
    assert caught.value.where == "x.csv, line 3"


def test_a_time_that_clocks_skipped_or_repeated_is_said_without_words_of_a_library(tmp_path: Path) -> None:
    for day, said in (("2024-03-10 02:30", "clocks were put forward"), ("2024-11-03 01:30", "it came twice")):
        text = HEADING + ROWS.replace("2024-01-02", day).replace("2024-01-03", "2024-11-04 12:00")
        with pytest.raises(rbt.DataError, match=f"{day}:00 cannot be placed in 'America/New_York': {said}") as caught:
            got(written(tmp_path, text), tmp_path / "catalog", timezone="America/New_York")
        assert "non_existent" not in str(caught.value)


def test_what_was_read_is_kept_with_its_settings(tmp_path: Path) -> None:
    """The address, the settings that were given and the digest of each file that has the chosen symbols."""
    (tmp_path / "prices").mkdir()
    for name in ("A", "B", "C"):
        written(tmp_path / "prices", (HEADING + ROWS).replace("Close", "Last").replace("1200", str(ord(name))), f"{name}.csv")
    given: dict[str, Any] = {"columns": {"close": "Last"}, "settings": {"missing": "skip"}, "symbols": ["A", "C"]}
    made = rbt.ingest(f"csv:{tmp_path}/prices", "got", catalog=tmp_path / "catalog", **given)
    assert made.source == f"csv:{tmp_path}/prices"
    assert made.options["settings"] == {"columns": "close=Last", "missing": "skip"}
    paths = [tmp_path / "prices" / f"{name}.csv" for name in ("A", "C")]
    assert made.options["files"] == [{"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in paths]
    kept = rbt.Catalog(tmp_path / "catalog").versions("got")[0].options
    assert (kept["settings"], kept["files"]) == (made.options["settings"], made.options["files"])


def test_a_file_and_a_glob_are_kept_as_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pl.read_csv((HEADING + ROWS).encode(), try_parse_dates=True).write_parquet(tmp_path / "one.parquet")
    monkeypatch.chdir(tmp_path)
    for address, said in (("one.parquet", "one.parquet"), ("*.parquet", "*.parquet")):
        made = rbt.ingest(f"parquet:{address}", said.removesuffix(".parquet").replace("*", "all"), catalog=tmp_path / "catalog")
        assert made.source == f"parquet:{tmp_path / said}"
        assert "settings" not in made.options


def test_of_many_files_one_digest_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rustybt.data.files.record.MOST", 1)
    written(tmp_path, HEADING + ROWS, "A.csv")
    written(tmp_path, HEADING + ROWS, "B.csv")
    made = rbt.ingest(f"csv:{tmp_path}", "got", catalog=tmp_path / "catalog")
    assert (made.options["files"]["count"], len(made.options["files"]["sha256"])) == (2, 64)


def test_bars_that_two_files_tell_differently_are_named_by_both(tmp_path: Path) -> None:
    heading = HEADING.replace("Date", "Date,Symbol")
    written(tmp_path, heading + ROWS.replace("-02,", "-02,A,").replace("-03,", "-03,A,"), "one.csv")
    written(tmp_path, heading + "2024-01-04,A,1,1,1,1,1\n2024-01-03,A,10.10,10.30,10.00,10.25,1200\n", "two.csv")
    with pytest.raises(rbt.DataError, match="1 bars came twice with different numbers") as caught:
        got(f"csv:{tmp_path}/*.csv", tmp_path / "catalog")
    assert caught.value.where == f"{tmp_path}/one.csv, line 3 and {tmp_path}/two.csv, line 3"


def test_a_row_that_repeats_another_is_taken_once_and_said(tmp_path: Path) -> None:
    """Without `csv:` before it, the same file is refused."""
    address = written(tmp_path, HEADING + ROWS + ROWS + ROWS.splitlines()[0])
    panel = got(address, tmp_path / "catalog")
    path = address.removeprefix("csv:")
    assert panel.bars == 2
    assert f"3 rows that repeat another in every number were taken once (first: {path}, line 2 and {path}, line 4)." in panel.warnings
    with pytest.raises(rbt.DataError, match="3 rows repeat the asset and time of another"):
        rbt.load(path)


def test_rows_that_differ_in_zeros_alone_are_the_same(tmp_path: Path) -> None:
    again = ROWS.replace("10.20", "10.2").replace("1000", "1000.0")
    assert got(written(tmp_path, HEADING + ROWS + again), tmp_path / "catalog").bars == 2
    heading = HEADING.replace("Date", "Date,Symbol")
    for name, rows in (("one", ROWS), ("two", again)):
        written(tmp_path, heading + rows.replace("-02,", "-02,A,").replace("-03,", "-03,A,"), f"{name}.csv")
    assert got(f"csv:{tmp_path}/[ot]*.csv", tmp_path / "catalog").bars == 2
