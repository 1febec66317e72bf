"""What happened to holders of real shares, worked by hand. Bars of 2014 and 2013 are a few facts of the exchange, as traded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from beancount import loader

import rustybt as rbt
from rustybt.ledger import beancount_text, check_journal

D = Decimal
APPLE_2014 = [
    ("2014-06-04", "637.44", "647.89", "636.109", "644.819"),
    ("2014-06-05", "646.199", "649.37", "642.61", "647.349"),
    ("2014-06-06", "649.9", "651.259", "644.47", "645.57"),
    ("2014-06-09", "92.699", "93.879", "91.75", "93.699"),
    ("2014-06-10", "94.73", "95.05", "93.57", "94.25"),
    ("2014-06-11", "94.129", "94.76", "93.47", "93.86"),
    ("2014-06-12", "94.04", "94.12", "91.9", "92.29"),
]
DELL_2013 = [
    ("2013-10-25", "13.85", "13.85", "13.84", "13.84"),
    ("2013-10-28", "13.84", "13.85", "13.82", "13.83"),
    ("2013-10-29", "13.84", "13.87", "13.83", "13.86"),
]


def bars(asset: str, rows: Sequence[tuple[str, ...]]) -> pl.DataFrame:
    columns = {name: [float(row[k + 1]) for row in rows] for k, name in enumerate(("open", "high", "low", "close"))}
    days = [datetime.fromisoformat(row[0]).replace(tzinfo=UTC) for row in rows]
    return pl.DataFrame({"ts": days, "asset": [asset] * len(rows), **columns, "volume": [10**6] * len(rows)})


def hold(asset: str, shares: int, first: str, last: str) -> rbt.Strategy:
    """Own shares of one asset from the open after ``first`` to the open after ``last``."""
    day = pl.col("ts").dt.date()
    wanted = (pl.col("asset") == asset) & (day >= date.fromisoformat(first)) & (day < date.fromisoformat(last))
    return rbt.Strategy("hold", target=rbt.quantity(pl.when(wanted).then(shares).otherwise(0)))


def audited(result: rbt.Result) -> rbt.Result:
    """A run whose journal and plain-text ledger say the same as its books."""
    check_journal(result.journal, result.equity, result.positions)
    assert not loader.load_string(beancount_text(result.books))[1]
    return result


def test_apple_two_for_one_of_2005_02_28() -> None:
    panel = rbt.load("demo", start="2005-02-01", end="2005-03-31")
    result = audited(rbt.run(hold("AAPL", 100, "2005-02-24", "2005-03-01"), panel))
    # 100 bought at 89.62 on 02-25 = 8,962. 2:1 on 02-28. 200 sold at 44.25 on 03-02 = 8,850. Without the split it would look like -4,537.
    assert result.positions["quantity"].to_list() == [100, 200, 0]
    assert result.fills["price"].to_list() == [D("89.62"), D("44.25")]
    closed = result.lots().closed.row(0, named=True)
    assert (closed["quantity"], closed["cost"], closed["proceeds"], closed["realised"]) == (200, 8962, 8850, -112)
    assert result.lots().income == 0
    assert D(result.final_equity) == 100_000 - 112


def test_apple_equity_does_not_jump_on_the_day_of_the_split() -> None:
    panel = rbt.load("demo", start="2005-02-01", end="2005-03-31")
    result = rbt.run(hold("AAPL", 100, "2005-02-24", "2005-03-01"), panel)
    by_day = dict(result.equity.select("session", "equity").iter_rows())
    # 02-25: 100 x (88.99 - 89.62) = -63. 02-28: 200 x 44.86 - 8,962 = +10.
    assert by_day[date(2005, 2, 25)] == 100_000 - 63
    assert by_day[date(2005, 2, 28)] == 100_000 + 10


def test_apple_seven_for_one_of_2014_06_09() -> None:
    split = pl.DataFrame({"asset": ["AAPL"], "ts": [datetime(2014, 6, 9, tzinfo=UTC)], "kind": ["split"], "value": [7.0]})
    panel = rbt.load(bars("AAPL", APPLE_2014), events=split, calendar="XNYS", stamp="session")
    result = audited(rbt.run(hold("AAPL", 10, "2014-06-04", "2014-06-10"), panel))
    # 10 at 646.199 = 6,461.99; 7:1 makes them 70 at 92.3141428...; sold at 94.129 on 06-11 = 6,589.03: +127.04.
    assert result.positions["quantity"].to_list() == [10, 70, 0]
    closed = result.lots("hifo").closed.row(0, named=True)
    assert (closed["cost"], closed["proceeds"], closed["realised"]) == (D("6461.99"), D("6589.03"), D("127.04"))
    assert D(result.final_equity) == D("100127.04")


def test_apple_lots_bought_around_the_seven_for_one_are_chosen_by_method() -> None:
    split = pl.DataFrame({"asset": ["AAPL"], "ts": [datetime(2014, 6, 9, tzinfo=UTC)], "kind": ["split"], "value": [7.0]})
    panel = rbt.load(bars("AAPL", APPLE_2014), events=split, calendar="XNYS", stamp="session")
    day = pl.col("ts").dt.date()
    wanted = pl.when(day < date(2014, 6, 9)).then(10).when(day < date(2014, 6, 11)).then(140).otherwise(100)
    result = audited(rbt.run(rbt.Strategy("steps", target=rbt.quantity(wanted)), panel))
    # Lots: 70 (as 10 on 06-05) at 6,461.99, then 70 on 06-10 at 94.73 = 6,631.10. On 06-12 40 are sold at 94.04 = 3,761.60.
    # fifo: 3,761.60 - 6,461.99 x 40 / 70 (rounded down to 3,692.56571428). lifo = hifo: 3,761.60 - 3,789.20.
    # average: 13,093.09 x 40 / 140 = 3,740.88285714..., of which the oldest lot's share is 6,546.545 x 40 / 70.
    assert result.lots("fifo").realised == D("69.03428572")
    assert result.lots("lifo").realised == result.lots("hifo").realised == D("-27.60")
    assert result.lots("average").realised == D("20.71714286")


@pytest.mark.parametrize(("shares", "worth"), [(1000, 240), (-1000, -240)])
def test_microsoft_special_dividend_of_2004_11_15(shares: int, worth: int) -> None:
    panel = rbt.load("demo", start="2004-11-01", end="2004-11-30")
    result = audited(rbt.run(hold("MSFT", shares, "2004-11-11", "2004-11-15"), panel))
    # 1,000 at 30.16 on 11-12, sold at 27.32 on 11-16: -2,840; 3.08 each on 11-15: +3,080. A short gains the fall and pays the dividend.
    side = 1 if shares > 0 else -1
    lots = result.lots()
    assert (lots.realised, lots.income) == (-2840 * side, 3080 * side)
    assert D(result.final_equity) == 100_000 + worth


def test_microsoft_bought_on_the_ex_date_gets_no_dividend() -> None:
    panel = rbt.load("demo", start="2004-11-01", end="2004-11-30")
    result = rbt.run(hold("MSFT", 1000, "2004-11-12", "2004-11-15"), panel)
    assert result.fills["price"].to_list() == [D("27.35"), D("27.32")]
    assert (result.lots().realised, result.lots().income) == (-30, 0)


def dell(shares: Any, events: pl.DataFrame | None = None) -> rbt.Result:
    """Dell beside a share that goes on trading."""
    other = bars("AAPL", [(f"2013-{day}", *["500"] * 4) for day in ("10-25", "10-28", "10-29", "10-30", "10-31", "11-01")])
    panel = rbt.load(pl.concat([bars("DELL", DELL_2013), other]), events=events, calendar="XNYS", stamp="session")
    return audited(rbt.run(rbt.Strategy("dell", target=rbt.quantity(shares)), panel))


def test_dell_is_carried_at_its_last_price_after_its_last_bar_of_2013_10_29() -> None:
    result = dell(pl.when(pl.col("asset") == "DELL").then(1000).otherwise(0))
    # 1,000 at 13.84 on 10-28, last price 13.86: +20 to the end, nothing is sold.
    assert result.equity["equity"].to_list() == [100_000, 99_990, 100_020, 100_020, 100_020, 100_020]
    assert result.lots().unrealised == 20
    assert result.lots().closed.height == 0


def test_dell_sold_by_a_decision_of_its_last_bar_has_an_order_that_never_fills() -> None:
    last = pl.col("ts").dt.date() >= date(2013, 10, 29)
    result = dell(pl.when((pl.col("asset") == "DELL") & ~last).then(1000).otherwise(0))
    assert result.orders["status"].to_list() == ["filled", "working"]
    assert result.equity["equity"][-1] == 100_020


def test_dell_sold_a_session_earlier_is_cash() -> None:
    before = pl.col("ts").dt.date() < date(2013, 10, 28)
    result = dell(pl.when((pl.col("asset") == "DELL") & before).then(1000).otherwise(0))
    assert result.lots().realised == 0  # 13.84 in, 13.84 out
    assert result.equity["cash"][-1] == 100_000


@pytest.mark.parametrize(("paid", "worth"), [(13.75, 99_910), (None, 100_020)])
def test_dell_with_its_delisting_as_an_event_becomes_cash(paid: float | None, worth: int) -> None:
    gone = pl.DataFrame({"asset": ["DELL"], "ts": [datetime(2013, 10, 30, tzinfo=UTC)], "kind": ["delisting"], "value": [paid]})
    result = dell(pl.when(pl.col("asset") == "DELL").then(1000).otherwise(0), gone.cast({"value": pl.Float64}))
    # 1,000 at 13.84. Paid out at 13.75: -90. At the last price, 13.86, where no amount is given: +20.
    assert result.equity["cash"][-1] == result.equity["equity"][-1] == worth
    assert result.lots().closed["reason"].to_list() == ["delisting"]
    assert result.lots().realised == worth - 100_000
