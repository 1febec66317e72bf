"""Reference data are taken in whole or not at all, nothing is lost, and a wrong row is one message that names it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.catalog import repair, sql, verify
from rustybt.data.reference import Reference
from rustybt.errors import DataError
from tests.data.reference.lean_map import lean_rows

EVENTS = [
    {"asset": "A", "ts": "2014-06-09", "kind": "split", "value": "7", "known": "2014-04-23"},
    {"asset": "A", "ts": "2014-08-07", "kind": "dividend", "value": "0.47", "pay": "2014-08-14"},
    {"asset": "B", "ts": "2015-01-05", "kind": "merger", "value": "1/3", "other": "A", "cash": "2.5"},
]


def events() -> pl.DataFrame:
    rows = [row | {"value": str(float(Fraction(row["value"])))} for row in EVENTS]
    return pl.DataFrame(rows, infer_schema_length=None)


def filled(listed: Reference) -> Reference:
    rates = [{"pair": "EUR/USD", "ts": "2024-01-31", "rate": "1.0837"}, {"pair": "EUR/USD", "ts": "2024-02-01T15:00:00Z", "rate": "1.0871"}]
    listed.add([{"asset": "A"}, {"asset": "B"}], events=events(), rates=rates)
    return listed


def test_the_same_rows_again_change_nothing(listed: Reference) -> None:
    filled(listed)
    again = listed.add([{"asset": "A"}, {"asset": "B"}], events=events())
    assert not again.new
    assert [one.number for one in listed.revisions()] == [1]


def test_what_was_replaced_is_still_there(listed: Reference) -> None:
    first = listed.add([{"asset": "A", "tick_size": "0.01"}, {"asset": "B"}])
    second = listed.add([{"asset": "A", "tick_size": "0.05"}], rates=[{"pair": "EUR/USD", "ts": "2024-01-31", "rate": "1.1"}])
    third = listed.add(rates=[{"pair": "EUR/USD", "ts": "2024-01-31", "rate": "1.2"}])
    assert (second.added, second.dropped) == (2, 1)  # the asset's own row did not change, its terms did; and a rate
    assert (third.added, third.dropped) == (1, 1)
    assert [str(listed.at(one.number).get("A", on="2020-01-02").asset.tick_size) for one in (first, second, third)] == [
        "0.01",
        "0.05",
        "0.05",
    ]
    assert [listed.at(one.number).rates()["rate"].to_list() for one in (first, second, third)] == [[], ["1.1"], ["1.2"]]
    assert listed.at(1).get("B", on="2020-01-02").id == "B"
    with pytest.raises(DataError, match="there is no revision 9"):
        listed.at(9)


def test_events_come_back_as_the_door_takes_them(listed: Reference) -> None:
    found = filled(listed).events()
    assert [(event.asset, event.kind) for event in found] == [("A", "split"), ("A", "dividend"), ("B", "merger")]
    assert Fraction(found[2].numerator, found[2].denominator) == Fraction(1, 3)
    assert found[1].pay is not None
    assert [event.kind for event in listed.events(["A"], known="2014-05-01")] == ["split"]  # announced in April
    assert listed.events(known="2014-04-22") == []


def test_rates_are_exact_and_by_pair(listed: Reference) -> None:
    filled(listed)
    assert listed.rates().rows() == [("EUR/USD", "2024-01-31", "1.0837"), ("EUR/USD", "2024-02-01T15:00:00+00:00", "1.0871")]
    assert listed.rates(["GBP/USD"]).height == 0
    assert listed.rates(known="2024-01-31").height == 1


def test_tables_go_out_and_come_in_again(listed: Reference, tmp_path: Path) -> None:
    filled(listed).add(lean_rows())
    for name in ("assets", "events", "rates"):
        listed.table(name).write_csv(tmp_path / f"{name}.csv")
    other = Reference(tmp_path / "other")
    other.add(*[tmp_path / "assets.csv"], events=tmp_path / "events.csv", rates=tmp_path / "rates.csv")
    assert other.entries() == listed.entries()
    assert other.events() == listed.events()
    assert other.rates().equals(listed.rates())
    assert not listed.add(tmp_path / "assets.csv", events=tmp_path / "events.csv", rates=tmp_path / "rates.csv").new


def test_a_csv_file_is_read_as_text(listed: Reference, tmp_path: Path) -> None:
    path = tmp_path / "hk.csv"
    path.write_text("asset,symbol,kind,currency,tick_size,listed\n0700.HK,0700,equity,HKD,0.10,2004-06-16\n")
    listed.add(path)
    found = listed.find("0700", on="2010-01-04")
    assert (found.id, found.asset.currency, str(found.asset.tick_size)) == ("0700.HK", "HKD", "0.1")
    assert listed.revisions()[0].source == str(path)


def test_sql_sees_the_tables(tmp_path: Path) -> None:
    shelf = rbt.Catalog(tmp_path)
    filled(shelf.reference)
    assert sql(shelf, "SELECT count(*) FROM reference.assets WHERE dropped IS NULL").item() == 2
    assert sql(shelf, "SELECT rate FROM reference.rates ORDER BY ts").to_series().to_list() == ["1.0837", "1.0871"]


def test_damage_is_found(tmp_path: Path) -> None:
    shelf = rbt.Catalog(tmp_path)
    shelf.reference.add([{"asset": f"N{number}"} for number in range(2000)])
    assert verify(shelf) == []
    path = tmp_path / "reference.db"
    for more in tmp_path.glob("reference.db-*"):
        more.unlink()
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 4096] = b"\x7f" * 4096
    path.write_bytes(whole)
    found = verify(shelf)
    assert [(one.where, one.repairable) for one in found] == [("reference.db", False)]
    assert "damaged" in found[0].what
    assert repair(shelf) == []


PROGRAM = """
import sys
from rustybt.data.reference import Reference
name, count, each = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rows = [[{"asset": f"{name}{number}_{i}"} for i in range(each)] for number in range(count)]
print("ready", flush=True)
for batch in rows:
    Reference(sys.argv[1]).add(batch)
"""


def program(listed: Reference, name: str, count: int, each: int) -> subprocess.Popen[str]:
    """Another program that adds so many batches of so many assets; it is about to begin."""
    made = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(listed.root), name, str(count), str(each)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert made.stdout is not None
    assert made.stdout.readline() == "ready\n"
    return made


def test_two_programs_add_at_once(listed: Reference) -> None:
    programs = [program(listed, name, count=10, each=1) for name in "AB"]
    for one in programs:
        one.communicate(timeout=120)
    assert [one.returncode for one in programs] == [0, 0]
    assert len(listed.entries()) == 20
    assert len(listed.revisions()) == 20


WRONG: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"asset": "A"}, {"asset": None}], "the row names no asset", "row 1"),
    ([{"asset": "A", "kind": "bond"}], "unknown kind 'bond'", "'A'"),
    ([{"asset": "A", "ticker": "A"}], "unknown column 'ticker'", "assets"),
    ([{"asset": "A", "tick_size": "0"}], "tick_size 0 is not positive", "row 0"),
    ([{"asset": "A", "tick_size": "a cent"}], "is not a number", "row 0"),
    ([{"asset": "A", "tick_size": "1E-30"}], "is not in", "'A'"),
    ([{"asset": "A", "listed": "last week"}], "listed 'last week' is not a date", "row 0"),
    ([{"asset": "A", "listed": "2020-01-02", "delisted": "2019-01-02"}], "it ends on 2019-01-02, before its listing", "'A'"),
    ([{"asset": "A"}, {"asset": "A", "kind": "etf"}], "two rows from the start on", "row 1"),
    ([{"asset": "A", "kind": "etf"}, {"asset": "A", "from_ts": "2020-01-02", "kind": "equity"}], "kind of 'A' is equity here", "row 1"),
    ([{"asset": "A", "delisted": "2019-01-02"}, {"asset": "A", "from_ts": "2020-01-02", "symbol": "B"}], "terms from 2020-01-02 on", "'A'"),
    ([{"asset": "Q.1", "symbol": "Q"}, {"asset": "Q.2", "symbol": "Q"}], "a reused symbol without dates", "symbol 'Q'"),
    (
        [
            {"asset": "Q.1", "symbol": "Q", "listed": "2000-01-03", "delisted": "2010-01-04"},
            {"asset": "Q.2", "symbol": "Q", "listed": "2010-01-04"},
        ],
        "names 'Q.1' from 2000-01-03 to 2010-01-04 and 'Q.2' from 2010-01-04",
        "symbol 'Q'",
    ),
]


@pytest.mark.parametrize(("rows", "what", "where"), WRONG, ids=[case[1] for case in WRONG])
def test_a_wrong_row_is_one_message_and_nothing_is_taken_in(listed: Reference, rows: list[dict[str, Any]], what: str, where: str) -> None:
    filled(listed)
    before = listed.table("assets")
    with pytest.raises(DataError) as caught:
        listed.add([*rows, {"asset": "GOOD"}])
    assert what in caught.value.what
    assert caught.value.do
    assert where in caught.value.where
    assert listed.table("assets").equals(before)
    assert len(listed.revisions()) == 1


def test_a_reused_symbol_is_found_among_those_that_were_there(listed: Reference) -> None:
    listed.add([{"asset": "A.1", "symbol": "A", "listed": "2000-01-03"}, {"asset": "Z", "symbol": "Z"}])
    with pytest.raises(DataError, match=r"'A' names 'A.1' from 2000-01-03 and 'A.2' from 2012-01-03"):
        listed.add([{"asset": "A.2", "symbol": "A", "listed": "2012-01-03"}])
    listed.add(
        [
            {"asset": "A.1", "symbol": "A", "listed": "2000-01-03", "delisted": "2005-01-03"},
            {"asset": "A.2", "symbol": "A", "listed": "2012-01-03"},
        ]
    )
    assert listed.find("A", on="2012-01-03").id == "A.2"


def test_an_overlap_is_found_whatever_the_order_of_the_rows(listed: Reference) -> None:
    rows = [("A.1", "2000-01-03", "2020-01-03"), ("A.2", "2020-06-01", "2020-07-01"), ("A.3", "2019-01-03", "2019-02-04")]
    with pytest.raises(DataError, match=r"'A' names 'A.1' .* and 'A.3'"):
        listed.add([{"asset": name, "symbol": "A", "listed": first, "delisted": last} for name, first, last in rows])


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"events": [{"asset": "C", "ts": "2014-06-09", "kind": "split", "value": "2"}]}, "a split of 'C', which is no asset here"),
        ({"events": [{"asset": "A", "ts": "2014-06-09", "kind": "spinoff", "value": "2", "other": "C"}]}, "a spinoff of 'C'"),
        ({"events": [{"asset": "A", "ts": "2014-06-09", "kind": "split", "value": "-2"}]}, "is not positive"),
        ({"rates": [{"pair": "EURUSD", "ts": "2014-06-09", "rate": "2"}]}, "pair 'EURUSD' does not name two currencies"),
        ({"rates": [{"pair": "EUR/USD", "ts": "2014-06-09", "rate": "0"}]}, "is not between 0"),
        ({"rates": [{"pair": "EUR/USD", "ts": "2014-06-09T10:00:00", "rate": "1"}]}, "has no time zone"),
        ({"rates": [{"pair": "EUR/USD", "ts": "2014-06-09", "rate": "1"}] * 2}, "has two rates"),
    ],
)
def test_wrong_events_and_rates_take_nothing_in(listed: Reference, given: dict[str, Any], what: str) -> None:
    filled(listed)
    with pytest.raises(DataError) as caught:
        listed.add([{"asset": "GOOD"}], **given)
    assert what in str(caught.value)
    assert "GOOD" not in listed.entries()


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3, 0.6, 1.0])
def test_a_program_that_is_killed_leaves_what_was_there(listed: Reference, delay: float) -> None:
    filled(listed)
    other = program(listed, "N", count=1, each=3000)
    with suppress(subprocess.TimeoutExpired):
        other.wait(delay)
    other.kill()
    other.communicate()
    assert len(listed.entries()) in (2, 3002)
    assert listed.add([{"asset": "AFTER"}]).new
    assert listed.get("AFTER", on=date(2020, 1, 2)).id == "AFTER"
