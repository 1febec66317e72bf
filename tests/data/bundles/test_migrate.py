"""Bundles that Zipline's own writers made, compared with what Zipline's own readers say."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import Catalog
from rustybt.data.bundles import migrate, moving
from rustybt.data.catalog.bars import decimal_frame

HERE = Path(__file__).parent / "real"
FIELDS = ["open", "high", "low", "close", "volume"]
SYMBOLS = {1: "ACME#1", 2: "BRK.B", 5: "ACME", 300: "ZED"}


def said(stored: str) -> dict[tuple[str, str], list[Decimal]]:
    """What Zipline reads, by asset and date or minute; rows that it has no price for are not there."""
    rows = pl.read_csv(HERE / "as_zipline_reads.csv", infer_schema=False).filter(pl.col("stored") == stored, pl.col("close").is_not_null())
    return {(row["sid"], row["ts"]): [Decimal(row[name]) for name in FIELDS] for row in rows.to_dicts()}


def found(panel: rbt.model.Panel, symbols: dict[int, str], key: str) -> dict[tuple[str, str], list[Decimal]]:
    sids = {symbol: str(sid) for sid, symbol in symbols.items()}
    rows = decimal_frame(panel).to_dicts()
    return {(sids[row["asset"]], row[key].isoformat()): [row[name] for name in FIELDS] for row in rows}


def test_daily_bars_of_bcolz_are_those_that_zipline_reads(tmp_path: Path) -> None:
    made = migrate(HERE / "daily", "old", catalog=tmp_path)
    panel = Catalog(tmp_path).open("old")
    assert found(panel, SYMBOLS, "session") == said("daily")
    assert (panel.calendar, made.empty, panel.quarantine.height) == ("XNYS", 1, 0)
    assert "1 assets share a symbol with a later one: ACME#1." in made.notes
    assert any(note.startswith("1 rows of mergers were left out") for note in made.notes)
    about = json.loads((Catalog(tmp_path).folder(made.version.snapshot) / "snapshot.json").read_text())
    events = [(event["asset"], event["kind"], event["numerator"] / event["denominator"]) for event in about["events"]]
    assert sorted(events) == [("ACME", "dividend", 1.5), ("BRK.B", "dividend", 0.24), ("BRK.B", "split", 7.0)]


def test_minutes_stand_at_their_end(tmp_path: Path) -> None:
    migrate(HERE / "minute", "old", kind="minute", catalog=tmp_path)
    panel = Catalog(tmp_path).open("old")
    assert found(panel, {1: "ACME#1", 300: "ZED"} if "ACME#1" in panel.symbols else {1: "ACME", 300: "ZED"}, "ts") == said("minute")
    assert panel.assets[0].tick_size == Decimal("0.0001")


def test_daily_bars_of_hdf5_are_those_that_zipline_reads(tmp_path: Path) -> None:
    migrate(HERE / "hdf5" / "daily.h5", "old", catalog=tmp_path, calendar="XNYS")
    panel = Catalog(tmp_path).open("old")
    assert found(panel, {1: "sid-1", 5: "sid-5", 300: "sid-300"}, "session") == said("hdf5")


def test_the_report_says_what_is_in_both(tmp_path: Path) -> None:
    made = migrate(HERE / "daily", "old", catalog=tmp_path)
    rows = {row["asset"]: row for row in made.report.to_dicts()}
    zipline = said("daily")
    for sid, symbol in SYMBOLS.items():
        mine = [numbers for (one, _), numbers in zipline.items() if one == str(sid)]
        assert rows[symbol]["rows"] == len(mine)
        for number, name in enumerate(FIELDS):
            assert Decimal(rows[symbol][f"sum_{name}"]) == sum(numbers[number] for numbers in mine)
    digest = hashlib.sha256()
    first = sorted((day, numbers) for (sid, day), numbers in zipline.items() if sid == "300")
    digest.update(b"".join((date.fromisoformat(day) - date(1970, 1, 1)).days.to_bytes(4, "little") for day, _ in first))
    for number in range(5):
        digest.update(b"".join(int(numbers[number] * 10**9).to_bytes(8, "little", signed=True) for _, numbers in first))
    assert rows["ZED"]["sha256"] == digest.hexdigest()


def test_the_same_bundle_twice_is_one_snapshot(tmp_path: Path) -> None:
    first, again = (migrate(HERE / "daily", "old", catalog=tmp_path) for _ in range(2))
    assert (again.version.new, again.version.snapshot) == (False, first.version.snapshot)


@pytest.mark.parametrize("spoil", ["value", "row", "asset"])
def test_a_snapshot_that_differs_is_removed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: str) -> None:
    """As if something between the bundle and the catalog had lost a number, a row or an asset."""
    plain = rbt.ingest

    def lossy(source: pl.DataFrame, name: str, **options: Any) -> Any:
        bad = {
            "value": source.with_columns(volume=pl.when(pl.int_range(pl.len()) == 3).then(pl.col("volume") - 1).otherwise("volume")),
            "row": source.slice(1),
            "asset": source.filter(pl.col("asset") != "ZED"),
        }
        return plain(bad[spoil], name, **options)

    monkeypatch.setattr(moving, "ingest", lossy)
    with pytest.raises(rbt.DataError, match="the snapshot does not hold what the bundle holds") as caught:
        migrate(HERE / "daily", "old", catalog=tmp_path)
    assert "removed again" in caught.value.do
    assert not Catalog(tmp_path).versions("old")
    assert not list((tmp_path / "snapshots").iterdir())


def test_a_snapshot_that_was_there_before_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = migrate(HERE / "daily", "old", catalog=tmp_path)
    monkeypatch.setattr(moving, "summary", lambda rows: {"x": {"asset": "x", "rows": id(rows)}})
    with pytest.raises(rbt.DataError):
        migrate(HERE / "daily", "old", catalog=tmp_path)
    assert [version.snapshot for version in Catalog(tmp_path).versions("old")] == [made.version.snapshot]


def test_rows_that_the_door_sets_aside_count_too(tmp_path: Path) -> None:
    """A high below the low is kept as it was, in quarantine, and said."""
    (tmp_path / "daily").mkdir()
    (tmp_path / "daily" / "KO.csv").write_text(
        "date,open,high,low,close,volume,dividend,split\n"
        "2012-08-10,39.5,39.9,39.25,39.7,1000,0.0,1.0\n"
        "2012-08-13,19.5,19.0,19.25,19.7,2000,0.255,2.0\n"
        "2012-08-14,0,0,0,0,0,0,1\n"
        "2012-08-15,19.125,19.9,19.1,19.7,3000,0.0,1.0\n"
    )
    made = migrate(tmp_path, "coke", catalog=tmp_path / "catalog", calendar="XNYS")
    row = made.report.to_dicts()[0]
    assert (row["rows"], row["set_aside"], made.empty, made.events) == (3, 1, 1, 2)
    assert (Decimal(row["sum_open"]), Decimal(row["sum_volume"])) == (Decimal("78.125"), 6000)
    assert migrate(tmp_path, "plain", catalog=tmp_path / "catalog", calendar="XNYS", with_events=False).events == 0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("19.25,19.7", "19.25,x", "column 'close' holds 'x', which is no number"),
        ("19.25,19.7", "19.25,inf", "column 'close' holds 'inf', which is no number"),
        ("2012-08-13", "2012-08-33", "column 'date' holds '2012-08-33', which is no date or time"),
        ("0.255", "a lot", "column 'dividend' holds 'a lot', which is no number"),
    ],
)
def test_what_is_wrong_in_a_csvdir_file_is_named_by_its_line(before: str, after: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "daily").mkdir()
    path = tmp_path / "daily" / "KO.csv"
    text = "date,open,high,low,close,volume,dividend,split\n2012-08-10,39,39,39,39,1000,0,1\n2012-08-13,19.5,20,19.25,19.7,2000,0.255,2\n"
    path.write_text(text.replace(before, after))
    with pytest.raises(rbt.DataError, match=said) as caught:
        migrate(tmp_path, "coke", catalog=tmp_path / "catalog")
    assert caught.value.where == f"{path}, line 3"


def copied(tmp_path: Path) -> Path:
    shutil.copytree(HERE / "daily", tmp_path / "bundle")
    return next((tmp_path / "bundle").iterdir())


def test_a_bundle_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    chunk = folder / "daily_equities.bcolz" / "close" / "data" / "__0.blp"
    whole = chunk.read_bytes()
    for damage in (b"", whole[:16], whole[: len(whole) // 2], b"xxxx" + whole[4:]):
        chunk.write_bytes(damage)
        with pytest.raises(rbt.DataError, match="the column"):
            migrate(folder, "old", catalog=tmp_path / "catalog")
    chunk.unlink()
    with pytest.raises(rbt.DataError, match="the column cannot be read"):
        migrate(folder, "old", catalog=tmp_path / "catalog")
    assert not Catalog(tmp_path / "catalog").versions()


def test_what_is_no_bundle_is_said(tmp_path: Path) -> None:
    for folder, text in ((tmp_path / "nowhere", "no such folder"), (tmp_path, "no daily bars of a bundle")):
        with pytest.raises(rbt.DataError, match=text):
            migrate(folder, "old", catalog=tmp_path / "catalog")
    (tmp_path / "bars.h5").write_bytes(b"nothing")
    with pytest.raises(rbt.DataError, match="the file cannot be read"):
        migrate(tmp_path / "bars.h5", "old", catalog=tmp_path / "catalog")


def test_an_asset_without_a_symbol_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    with sqlite3.connect(folder / "assets-7.sqlite") as database:
        database.execute("DELETE FROM equity_symbol_mappings WHERE sid = 2")
    database.close()
    with pytest.raises(rbt.DataError, match=r"1 assets have no symbol \(first: 2\)"):
        migrate(folder, "old", catalog=tmp_path / "catalog")
