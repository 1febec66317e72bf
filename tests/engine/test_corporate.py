"""Corporate actions through the whole engine: bulk equals bar by bar, the books balance, trades carry their cost."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.bulk import sleeves_of
from rustybt.engine.config import configure
from rustybt.engine.incremental import walk
from rustybt.model import Panel, Reason
from rustybt.spec import Context, OnBar
from rustybt.testing.outcomes import differences
from tests.data.conftest import make_bars
from tests.data.test_effects import table

BARS = pl.concat(
    [
        make_bars({"A": [100, 100, 80, 82, 81, 83, 80]}),
        make_bars({"B": [40, 41, 42, 40, 41]}).with_columns(pl.col("ts").dt.offset_by("2d")),
        make_bars({"C": [50, 50, 50]}),
    ]
)
EVENTS = table(
    {"asset": "A", "ts": "2020-01-08", "kind": "spinoff", "value": "0.25", "other": "B", "part": "0.125"},
    {"asset": "A", "ts": "2020-01-09", "kind": "dividend", "value": "1.5", "pay": "2020-01-11"},
    {"asset": "C", "ts": "2020-01-09", "kind": "merger", "value": "0.4", "other": "A", "cash": "12.5"},
    {"asset": "B", "ts": "2020-01-11", "kind": "roll", "other": "A", "value": "0.5"},
)


@pytest.fixture
def panel() -> Panel:
    return rbt.load(BARS, stamp="close", events=EVENTS, tick_size="0.01")


def held(**sizes: float) -> rbt.Strategy:
    """A constant quantity of each asset."""
    target = pl.lit(0.0)
    for asset, size in sizes.items():
        target = pl.when(pl.col("asset") == asset).then(size).otherwise(target)
    return rbt.Strategy("held", target=rbt.quantity(pl.when(pl.col("asset") == "B").then(None).otherwise(target)))


def test_bulk_and_bar_by_bar_agree_on_every_kind_of_event(panel: Panel) -> None:
    strategy = held(A=40, C=30)
    bulk = rbt.run(strategy, panel, cash="20000")
    steps = walk(sleeves_of(strategy), panel, configure(cash="20000"))
    assert differences(bulk.outcome, steps.outcome) == []
    events = {Reason.DIVIDEND, Reason.PAYMENT, Reason.SPINOFF, Reason.MERGER, Reason.ROLL}
    assert set(bulk.outcome.log.reason.tolist()) == {Reason.TARGET, *events}


def test_the_books_of_all_events_balance_to_the_cent(panel: Panel) -> None:
    """Worked by hand: 40 A at 100, 30 C at 50: cash 14500.

    8 January: 10 B at the cost 4000 x 0.125 = 500. 9 January, assets in order: the dividend of 1.5 on 40 A owes 60; 30 C become
    0.4 x 30 = 12 A at 82 and 375 in cash. 11 January (a Saturday of the made-up calendar): 60 are paid, 10 B are sold at 40 and 5 A bought
    at 83. At the end: 57 A at 80.
    """
    result = rbt.run(held(A=40, C=30), panel, cash="20000")
    equity = result.equity
    assert equity["cash"].to_list() == [Decimal(n) for n in (20000, 14500, 14500, 14875, 14875, 14920, 14920)]
    assert equity["equity"].to_list()[2] == 14500 + 40 * 80 + 10 * 40 + 30 * 50
    assert equity["equity"].to_list()[3] == 14875 + 60 + 52 * 82 + 10 * 41
    assert equity["equity"].to_list()[-1] == 14920 + 57 * 80
    journal = result.journal
    assert journal.group_by("entry").agg(pl.col("amount").sum())["amount"].to_list().count(0) == journal["entry"].n_unique()
    owed = journal.filter(pl.col("account") == "assets:receivable")
    assert owed["amount"].to_list() == [60, -60]
    assert result.metrics["income_dividends"] == 60
    assert str(result.verdict).startswith("books balance")


def test_trades_carry_the_cost_that_events_move(panel: Panel) -> None:
    """40 A cost 4000 - 500; B cost 500 and brings 10 x 40; C cost 1500 and brings 12 x 82 + 375."""
    trades = rbt.run(held(A=40, C=30), panel, cash="20000").trades
    done = {row["asset"]: row for row in trades.iter_rows(named=True) if row["exit_ts"] is not None}
    assert {asset: row["pnl"] for asset, row in done.items()} == {"B": -100, "C": 12 * 82 + 375 - 1500}
    assert {asset: row["exit_reason"] for asset, row in done.items()} == {"B": "roll", "C": "merger"}
    assert trades.filter(pl.col("exit_ts").is_null())["quantity"].to_list() == [40, 12, 5]


def test_a_delisting_of_a_real_stock() -> None:
    """DELL was taken private at 13.75 a share and a special dividend of 0.13; its last session was 29 October 2013."""
    last = ("2013-10-25", "2013-10-28", "2013-10-29")
    dell = {"open": [13.85, 13.84, 13.84], "high": [13.85, 13.85, 13.87], "low": [13.84, 13.82, 13.83], "close": [13.84, 13.83, 13.86]}
    rows = pl.DataFrame({"ts": last, "asset": ["DELL"] * 3, **dell, "volume": [1e7] * 3})
    other = rows.with_columns(asset=pl.lit("X")).vstack(rows.with_columns(asset=pl.lit("X"), ts=pl.lit("2013-10-30"))[:1])
    events = table({"asset": "DELL", "ts": "2013-10-30", "kind": "merger", "cash": "13.88"})
    panel = rbt.load(pl.concat([rows, other]).with_columns(pl.col("ts").str.to_date()), events=events, calendar="XNYS", stamp="session")
    buy = rbt.Strategy("buy", target=rbt.quantity(pl.when(pl.col("asset") == "DELL").then(100.0).otherwise(0.0)))
    result = rbt.run(buy, panel, cash="10000")
    # Bought at the open of the 28th: 100 x 13.84; 100 x 13.88 come back.
    assert result.final_equity == "10004.00000000"
    assert result.positions["quantity"].to_list() == [100, 0]


def test_a_callback_that_asks_for_what_is_gone_leaves_a_row(panel: Panel) -> None:
    """C has bars, and no price after its merger; B has none of either at first. A target of nothing needs no price."""

    def all_of_them(context: Context) -> None:
        for asset in ("B", "C"):
            context.order_target(asset, weight="0.1")

    def none_of_them(context: Context) -> None:
        context.order_target("B", notional=0)

    orders = rbt.run(rbt.Strategy("all", on_bar=OnBar(all_of_them, lookback=9)), panel).orders
    refused = orders.filter(pl.col("detail") == "no_price")["asset"].cast(pl.String).to_list()
    assert (refused.count("B"), refused.count("C")) == (2, 4)
    assert rbt.run(rbt.Strategy("none", on_bar=OnBar(none_of_them)), panel).orders.height == 0
