"""Assets are found by the symbol of their day, and nothing that became known later is seen."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.data.reference import Reference
from rustybt.errors import ConfigError, DataError
from rustybt.model import Asset
from tests.data.reference.lean_map import MAP, OPEN, lean_answer

START = date(2000, 1, 3)


@pytest.mark.parametrize(
    ("symbol", "day", "asset"),
    [
        ("FB", "2001-01-02", "FB.1"),
        ("FB", "2003-03-28", "FB.1"),
        ("FB", "2012-05-18", "FB"),
        ("GOOG", "2014-04-02", "GOOGL"),
        ("GOOG", "2014-04-03", "GOOG"),
        ("GOOCV", "2014-04-01", "GOOG"),
        ("GOOGL", "2014-04-03", "GOOGL"),
        ("QQQQ", "2008-10-10", "QQQ"),
        ("NB", "1998-06-01", "BAC"),
        ("AOL", "2000-01-10", "TWX"),
        ("TWX", "2000-01-10", "TWX.1"),
        ("TWX", "2003-10-16", "TWX"),
        ("VXX", "2018-06-01", "VXX.1"),
        ("VXXB", "2018-06-01", "VXX"),
        ("WMI", "2009-08-04", "WM"),
    ],
)
def test_real_tickers_name_the_company_of_their_day(lean: Reference, symbol: str, day: str, asset: str) -> None:
    assert lean.find(symbol, on=day).id == asset


def test_every_real_ticker_on_every_day_that_anything_changes(lean: Reference) -> None:
    """The file itself, read by another program, is the answer."""
    table = pl.read_csv(MAP, try_parse_dates=True)
    days = sorted({day + timedelta(days=shift) for day in table["until"] for shift in (0, 1) if day < OPEN})
    asked = 0
    for ticker in table["ticker"].unique().sort():
        for day in days:
            wanted = lean_answer(ticker, day)
            if len(wanted) == 1:
                assert lean.find(ticker, on=day).id == next(iter(wanted)), (ticker, day)
                asked += 1
            elif not wanted:
                with pytest.raises(DataError, match="named no asset on"):
                    lean.find(ticker, on=day)
    assert asked > 1000


def test_a_reused_symbol_without_a_day_is_refused_with_both_owners(lean: Reference) -> None:
    with pytest.raises(DataError, match=r"'FB' named 2 assets: FB.1 from 1999-09-29 to 2003-03-28, FB from 2012-05-18") as caught:
        lean.find("FB")
    assert caught.value.do == "say the day: on="
    assert lean.find("IBM").id == "IBM"


def test_an_unknown_symbol_names_those_that_look_like_it(lean: Reference) -> None:
    with pytest.raises(DataError, match="no asset had the symbol 'APPL'") as caught:
        lean.find("APPL", on="2015-01-02")
    assert "'AAPL'" in caught.value.do


def test_the_terms_in_force_on_the_day(listed: Reference) -> None:
    listed.add(
        [
            {"asset": "A", "symbol": "A", "listed": "1999-01-04", "tick_size": "0.0625", "venue": "XNYS", "currency": "USD"},
            {"asset": "A", "from_ts": "2001-01-29", "tick_size": "0.01"},
            {"asset": "A", "from_ts": "2005-01-03", "lot_size": "100", "venue": "XNAS"},
        ]
    )
    old, middle, new = (listed.find("A", on=day) for day in ("1999-01-04", "2001-01-29", "2020-01-02"))
    assert old.asset == Asset.of("A", tick_size="0.0625")
    assert (middle.asset.tick_size, middle.asset.lot_size, middle.venue) == (Decimal("0.01"), Decimal(1), "XNYS")
    assert (new.asset.tick_size, new.asset.lot_size, new.venue) == (Decimal("0.01"), Decimal(100), "XNAS")
    assert new.since == date(2005, 1, 3)
    assert listed.find("A") == new
    changed = listed.increments()
    assert changed.rows() == [
        ("A", None, "0.0625", None, None),
        ("A", date(2001, 1, 29), "0.01", None, None),
        ("A", date(2005, 1, 3), None, "100", None),
    ]


def test_one_symbol_at_two_venues(listed: Reference) -> None:
    listed.add([{"asset": "BP.L", "symbol": "BP", "venue": "XLON", "currency": "GBP"}, {"asset": "BP.N", "symbol": "BP", "venue": "XNYS"}])
    assert listed.find("BP", on="2020-01-02", venue="XLON").asset.currency == "GBP"
    with pytest.raises(DataError, match="named 2 assets") as caught:
        listed.find("BP", on="2020-01-02")
    assert "venue" in caught.value.do


@pytest.mark.parametrize("kind", ["equity", "etf", "future", "crypto", "perpetual", "fx", "index"])
def test_every_kind_has_an_asset_of_its_class(listed: Reference, kind: str) -> None:
    listed.add([{"asset": "X", "kind": kind, "expiry": "2030-01-18" if kind == "future" else None}])
    found = listed.get("X", on="2020-01-02")
    assert found.kind == kind
    assert found.asset == Asset.of("X", {"etf": "equity", "perpetual": "crypto"}.get(kind, kind))


def test_a_chain_is_in_the_order_of_its_expiries(listed: Reference) -> None:
    rows = [("ESH4", "2014-03-21"), ("ESZ3", "2013-12-20"), ("ESM4", "2014-06-20")]
    listed.add([{"asset": name, "kind": "future", "root": "ES", "expiry": day, "listed": "2013-01-02"} for name, day in rows])
    assert list(listed.chain("ES")) == ["ESZ3", "ESH4", "ESM4"]
    assert listed.find("ESZ3", on="2013-12-20").expiry == date(2013, 12, 20)
    with pytest.raises(DataError, match="named no asset on 2013-12-21"):
        listed.find("ESZ3", on="2013-12-21")
    with pytest.raises(DataError, match="no contract has the root 'NQ'"):
        listed.chain("NQ")


def test_what_became_known_later_is_not_seen(listed: Reference) -> None:
    listed.add(
        [
            {"asset": "A", "symbol": "OLD", "listed": "2000-01-03", "delisted": "2010-06-30", "tick_size": "0.01"},
            {"asset": "A", "from_ts": "2005-01-03", "symbol": "NEW", "known": "2004-12-01"},
            {"asset": "A", "from_ts": "2008-01-02", "tick_size": "0.05"},
        ]
    )
    assert listed.find("OLD", on="2004-06-01", known="2004-06-01").delisted is None
    assert listed.find("OLD", on="2004-06-01").delisted == date(2010, 6, 30)
    assert listed.find("NEW", on="2005-01-03", known="2004-12-01").asset.tick_size == Decimal("0.01")
    with pytest.raises(DataError, match="no asset had the symbol 'NEW'"):
        listed.find("NEW", on="2005-01-03", known="2004-11-30")
    assert listed.get("A", on="2009-01-02", known="2007-12-31").asset.tick_size == Decimal("0.01")
    with pytest.raises(DataError, match="nothing was known of 'A'"):
        listed.get("A", known="1999-12-31")


def test_a_day_that_is_none_is_a_wrong_setting(lean: Reference) -> None:
    with pytest.raises(ConfigError, match="is not a date"):
        lean.find("FB", on="soon")


NAMES = st.sampled_from(["A", "B", "C"])
SPANS = st.lists(st.tuples(NAMES, st.integers(0, 300), st.integers(1, 60)), min_size=1, max_size=8)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Owners of symbols, first and last day, no two of one symbol at once: each span is another company."""
    taken: dict[str, list[tuple[int, int]]] = {}
    kept = []
    for name, first, length in draw(SPANS):
        last = first + length
        if all(last < begin or first > end for begin, end in taken.get(name, [])):
            taken.setdefault(name, []).append((first, last))
            kept.append((name, first, last))
    return kept


def rows_of(history: list[tuple[str, int, int]]) -> list[dict[str, object]]:
    return [
        {
            "asset": f"{name}.{number}",
            "symbol": name,
            "listed": START + timedelta(days=first),
            "delisted": START + timedelta(days=last),
        }
        for number, (name, first, last) in enumerate(history)
    ]


@settings(max_examples=25, deadline=None)
@given(histories(), NAMES, st.integers(-5, 370))
def test_a_reused_symbol_names_the_owner_of_the_day_or_nobody(history: list[tuple[str, int, int]], symbol: str, day: int) -> None:
    on = START + timedelta(days=day)
    owners = [f"{name}.{number}" for number, (name, first, last) in enumerate(history) if name == symbol and first <= day <= last]
    with tempfile.TemporaryDirectory() as folder:
        listed = Reference(folder)
        listed.add(rows_of(history))
        if owners:
            assert [listed.find(symbol, on=on).id] == owners
            spans = listed.spans([symbol])[symbol]
            epoch = (on - date(1970, 1, 1)).days
            assert [owner for first, last, owner in spans if first <= epoch <= last] == owners
        else:
            with pytest.raises(DataError, match=r"named no asset on|no asset had the symbol"):
                listed.find(symbol, on=on)


@settings(max_examples=25, deadline=None)
@given(histories(), st.data())
def test_what_is_known_on_a_day_is_what_a_program_of_that_day_had(history: list[tuple[str, int, int]], data: st.DataObject) -> None:
    """Reference data cut at a day, without the ends that lie ahead, answer as all of them do with known=."""
    today = data.draw(st.integers(0, 330))
    known = START + timedelta(days=today)
    cut = [row for row in rows_of(history) if row["listed"] <= known]  # type: ignore[operator]
    for row in cut:
        row["delisted"] = row["delisted"] if row["delisted"] <= known else None  # type: ignore[operator]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        whole, then = Reference(one), Reference(other)
        whole.add(rows_of(history))
        if cut:
            then.add(cut)
        for symbol in ("A", "B", "C"):
            answers = []
            for listed, seen in ((whole, known), (then, None)):
                try:
                    answers.append(listed.find(symbol, on=known, known=seen))
                except DataError as error:
                    answers.append(error.what)  # type: ignore[arg-type]
            assert answers[0] == answers[1]
