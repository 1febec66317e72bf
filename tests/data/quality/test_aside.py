"""A dataset's check says what was set aside before it, and that a snapshot cannot be mended of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.quality import check_bars, mend
from rustybt.data.quality.aside import reasons_of

DJIA = Path(__file__).parent / "real" / "djia.parquet"


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rbt.Catalog:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    return rbt.Catalog()


def test_what_an_ingest_set_aside_is_in_the_text_and_on_the_page(tmp_path: Path) -> None:
    rbt.ingest(DJIA, "djia", stamp="session", calendar="XNYS")
    found = check_bars("djia")
    assert found.aside.reasons.select("reason", "rows").rows() == [
        ("open or close outside low..high", 151),
        ("null price", 25),
        ("zero or negative price", 1),
    ]
    assert found.aside.reasons.row(2)[2:] == ("HD", datetime(2009, 4, 17, tzinfo=UTC))
    page = found.page(tmp_path / "q.html").read_text()
    for text in (str(found), page):
        assert "177 rows" in text
        assert "null price" in text
        assert f"mend its source ({DJIA})" in text
    assert "Set aside at ingest" in page


def test_a_repair_of_a_snapshot_says_what_it_cannot_repair() -> None:
    rbt.ingest(DJIA, "djia", stamp="session", calendar="XNYS")
    done = mend("djia", ["null price"])
    assert (done.log.height, done.quality.aside.rows) == (0, 177)
    assert "a snapshot cannot be mended of them" in str(done.quality)


def test_without_rows_set_aside_nothing_is_said(tmp_path: Path) -> None:
    rbt.ingest("demo", "stocks")
    found = check_bars("stocks")
    assert (found.aside.rows, found.aside.lines()) == (0, [])
    assert "aside" not in str(found) + found.page(tmp_path / "q.html").read_text()


@pytest.mark.parametrize(
    ("came", "said"),
    [
        (date(2024, 1, 2), datetime(2024, 1, 2, tzinfo=UTC)),
        (datetime(2024, 1, 2, 16), datetime(2024, 1, 2, 16, tzinfo=UTC)),  # noqa: DTZ001 - as it came
        (datetime(2024, 1, 2, 16, tzinfo=ZoneInfo("America/New_York")), datetime(2024, 1, 2, 21, tzinfo=UTC)),
        ("2024-01-02", None),
    ],
)
def test_times_are_said_in_utc(came: object, said: datetime | None) -> None:
    rows = pl.DataFrame({"reason": ["null price"], "asset": ["A"], "ts": [came]})
    assert reasons_of(rows).row(0) == ("null price", 1, "A", said)
