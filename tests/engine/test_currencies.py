"""Runs in several currencies: rates and paths, both engines, the journal, Beancount."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from beancount import loader

import rustybt as rbt
from rustybt.engine.bulk import run_configured
from rustybt.engine.compare import outcome_difference
from rustybt.engine.config import configure
from rustybt.engine.currencies import path_between
from rustybt.engine.incremental import walk
from rustybt.engine.store import report_of
from rustybt.errors import ConfigError
from rustybt.ledger import beancount_text, check_journal
from rustybt.model import Panel
from rustybt.spec import Context, OnBar

DAYS = [date(2024, 1, 2) + timedelta(days=number) for number in range(4)]
EUR = [{"pair": "EUR/USD", "ts": day, "rate": rate} for day, rate in zip(DAYS, ("1.10", "1.20", "1.25", "1.05"), strict=True)]


def panel(**assets: tuple[dict[str, Any], list[float]]) -> Panel:
    """Flat daily bars of a few assets."""
    rows = [
        {"asset": name, "ts": day, "open": price, "high": price, "low": price, "close": price, "volume": 1000}
        for name, (_, prices) in assets.items()
        for day, price in zip(DAYS, prices, strict=True)
    ]
    return rbt.load(pl.DataFrame(rows), assets={name: {"tick_size": "0.01"} | settings for name, (settings, _) in assets.items()})


def two() -> Panel:
    return panel(IBM=({}, [50.0, 50, 50, 50]), SAP=({"currency": "EUR"}, [100.0, 110, 120, 130]))


HALF = rbt.Strategy("half", target=rbt.weight(0.5))


def test_a_foreign_position_is_worth_its_value_at_the_rate_of_the_day() -> None:
    # 5000 USD at 1.10 are 4545.45 EUR, 45 SAP at 100. At 110 there is room for 43: 4730 EUR, paid at 1.20.
    result = rbt.run(HALF, two(), cash="10000", rates=EUR)
    held = [43 * price * rate for price, rate in ((Decimal(110), Decimal("1.20")), (Decimal(120), Decimal("1.25")))]
    cash = 10000 - 95 * 50 - Decimal(4730) * Decimal("1.20")
    assert result.equity["cash"].to_list()[1] == cash
    assert result.equity["equity"].to_list()[1:3] == [cash + 95 * 50 + worth for worth in held]


@pytest.mark.parametrize("convert", [True, False])
def test_both_engines_and_the_journal_agree(convert: bool) -> None:
    config = configure(cash="10000", rates=EUR, convert=convert)
    bulk, bar_by_bar = run_configured({"half": HALF}, two(), config), walk({"half": HALF}, two(), config)
    assert outcome_difference(bulk.outcome, bar_by_bar.outcome) == ""
    assert f"equity {bulk.final_equity}" in check_journal(bulk.journal, bulk.equity, bulk.positions)
    per_entry = bulk.journal.group_by("entry", "currency").agg(pl.col("amount").sum())
    assert not per_entry.filter(pl.col("amount") != 0).height
    assert ("equity:conversion" in bulk.journal["account"].to_list()) == convert


@pytest.mark.parametrize("convert", [True, False])
def test_beancount_comes_to_the_same_balances(convert: bool) -> None:
    result = rbt.run(HALF, two(), cash="10000", rates=EUR, convert=convert)
    _, errors, _ = loader.load_string(beancount_text(result.books))
    assert not errors, errors[:3]


def test_a_pair_in_the_data_is_a_rate_and_a_path_goes_over_one_other_currency() -> None:
    data = panel(
        EURUSD=({"asset_class": "fx", "tick_size": "0.0001"}, [1.25, 1.25, 1.25, 1.25]),
        SONY=({"currency": "JPY"}, [1000.0, 1000, 1000, 1000]),
    )
    strategy = rbt.Strategy("sony", target=rbt.quantity(pl.when(pl.col("asset") == "SONY").then(10).otherwise(0)))
    result = rbt.run(strategy, data, cash="10000", rates=[{"pair": "EUR/JPY", "ts": DAYS[0], "rate": "160"}])
    # 10 x 1000 JPY / 160 x 1.25 = 78.125 USD
    assert result.equity["cash"].to_list()[-1] == Decimal("9921.875")


def test_paths_prefer_one_pair_and_then_the_first_currency() -> None:
    assert path_between("EUR", "USD", frozenset({("USD", "EUR"), ("EUR", "CHF"), ("CHF", "USD")})) == [(("USD", "EUR"), True)]
    several = frozenset({("EUR", "GBP"), ("GBP", "USD"), ("CHF", "EUR"), ("USD", "CHF")})
    assert path_between("EUR", "USD", several) == [(("CHF", "EUR"), True), (("USD", "CHF"), True)]


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ((), "no conversion path from EUR to USD, the account's currency (pairs: none)"),
        (
            [{"pair": "GBP/USD", "ts": DAYS[0], "rate": "1.3"}],
            "no conversion path from EUR to USD, the account's currency (pairs: GBP/USD)",
        ),
        ([{"pair": "EUR", "ts": DAYS[0], "rate": "1.3"}], "pair 'EUR' does not name two currencies"),
        ([{"pair": "EUR/USD", "ts": DAYS[0], "rate": "0"}], "rate 0 of 'EUR/USD' is not positive"),
        ([{"pair": "EUR/USD", "ts": DAYS[0], "rate": "1"}] * 2, "'EUR/USD' has two rates at 2024-01-02"),
        ([{"pair": "EUR/USD", "rate": "1"}], "fields pair, rate"),
        ("EUR/USD", "rates 'EUR/USD' are not rows"),
        ([{"pair": "EUR/USD", "ts": DAYS[0], "rate": "1." + "1" * 30}], "the rate of EUR has too many digits to count exactly"),
    ],
)
def test_bad_rates_are_refused(rates: Any, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        rbt.run(HALF, two(), rates=rates)
    assert said in str(raised.value)
    assert "run, rates" in str(raised.value)


ROUND = rbt.Strategy(
    "round", target=rbt.quantity(pl.when(pl.col("close") == 100).then(10).when(pl.col("close") == 110).then(0).otherwise(None))
)


def test_metrics_are_in_the_currency_of_the_account() -> None:
    # 10 SAP for 1100 EUR at 1.20 and back for 1200 at 1.25: 100 EUR are 180 USD.
    costs = rbt.costs(commission=rbt.bps(100))
    result = rbt.run(ROUND, two(), cash="10000", rates=EUR, costs=costs)
    trade = result.trades.row(0, named=True)
    assert (trade["currency"], trade["pnl"]) == ("EUR", Decimal(77))
    assert trade["pnl_home"] == Decimal(1188) * Decimal("1.25") - Decimal(1111) * Decimal("1.20")
    assert result.metrics["expectancy"] == pytest.approx(151.8)
    assert result.metrics["traded"] == pytest.approx(1100 * 1.2 + 1200 * 1.25)
    assert result.metrics["cost_commission"] == pytest.approx(11 * 1.2 + 12 * 1.25)
    assert result.lots().realised == trade["pnl_home"] == result.currencies["pnl_home"][-1]
    assert result.weights.filter(pl.col("asset") == "SAP")["weight"].to_list() == pytest.approx([1100 * 1.2 / (10000 - 13.2)])


BAD: Any = "yes"
TOLL = rbt.conversion(10, minimum=1, least=5)
BY_CURRENCY = rbt.carry(interest={"USD": "0.05", "EUR": "0.36"}, credit={"EUR": "0.18"})


@pytest.mark.parametrize("convert", [TOLL, False])
def test_conversions_and_foreign_cash_cost_in_every_view_of_the_books(convert: Any) -> None:
    config = configure(cash="10000", rates=EUR, convert=convert, carry=BY_CURRENCY)
    bulk, bar_by_bar = run_configured({"half": HALF}, two(), config), walk({"half": HALF}, two(), config)
    assert outcome_difference(bulk.outcome, bar_by_bar.outcome) == ""
    check_journal(bulk.journal, bulk.equity, bulk.positions)
    _, errors, _ = loader.load_string(beancount_text(bulk.books))
    assert not errors, errors[:3]
    total = bulk.currencies.row(-1, named=True)
    assert total["pnl_home"] == Decimal(bulk.final_equity) - 10000
    lots = bulk.lots()
    assert lots.realised + lots.unrealised + lots.income + lots.fx == total["pnl_home"]
    spent = -total["conversion_costs"]
    booked = bulk.journal.filter(pl.col("account") == "expenses:conversion")["amount"].to_list()
    assert spent == sum(booked, Decimal(0))
    assert (spent > 0) == (convert is TOLL)
    assert bulk.metrics.get("cost_conversion", 0.0) == pytest.approx(float(spent))


def test_interest_on_foreign_cash_is_of_its_currency() -> None:
    # 43 SAP at 110 are 4730 EUR owed; a night at 36 % of 360 days is 4.73 EUR.
    result = rbt.run(HALF, two(), cash="10000", rates=EUR, convert=False, carry=BY_CURRENCY)
    row = result.carry.row(0, named=True)
    assert (row["kind"], row["asset"], row["currency"], row["amount"]) == ("interest", None, "EUR", Decimal("-4.73"))
    assert result.equity["cash_EUR"].to_list()[:3] == [0, -4730, Decimal("-4734.73")]
    assert result.journal.filter(pl.col("account") == "expenses:interest")["asset"].null_count() == result.carry.height


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: rbt.conversion(-1), "bps -1 is negative"),
        (lambda: rbt.conversion(10_000), "bps 10000 is 100 % or more"),
        (lambda: rbt.conversion("0.00001"), "finer than 0.0001"),
        (lambda: rbt.conversion(1, minimum="-2"), "minimum -2 is negative"),
        (lambda: configure(rates=EUR, convert=BAD), "convert 'yes' is neither True nor False nor a Conversion"),
        (lambda: rbt.run(HALF, two(), rates=EUR, convert=rbt.conversion(least="0.000000001")), "finer than a money unit"),
        (lambda: rbt.run(HALF, two(), rates=EUR, carry=rbt.carry(interest={"GBP": "0.05"})), "'GBP' is not a currency of the run"),
        (lambda: rbt.carry(interest={"EUR": None}), "no rate of 'EUR'"),
    ],
)
def test_bad_terms_of_conversion_are_refused(given: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        given()


def test_the_currencies_are_saved_and_on_the_page(tmp_path: Path) -> None:
    result = rbt.run(HALF, two(), cash="10000", rates=EUR)
    result.save(tmp_path / "run")
    assert pl.read_parquet(tmp_path / "run" / "currencies.parquet").equals(result.currencies)
    page = result.report(tmp_path / "page.html").read_text()
    assert page == report_of(tmp_path / "run").read_text()
    assert '<section id="currencies">' in page
    alone = rbt.run(HALF, panel(IBM=({}, [50.0, 50, 50, 50])))
    assert '<section id="currencies">' not in alone.report(tmp_path / "alone.html").read_text()


def test_a_run_in_one_currency_has_no_table() -> None:
    data = panel(IBM=({}, [50.0, 50, 50, 50]))
    result = rbt.run(HALF, data, rates=EUR)
    assert result.tables.currencies is None
    assert "currency" not in result.journal.columns


@pytest.mark.parametrize("asked", [{"weight": "0.5"}, {"notional": "5000"}])
def test_a_callback_asks_in_money_of_the_account(asked: dict[str, str]) -> None:
    """5000 USD at 1.10 are 4545.45 EUR, 45 SAP at 100, as for a target; while no rate is known there is no price."""

    def once(context: Context) -> None:
        if not context.positions and not context.working:
            context.order_target("SAP", **{name: Decimal(value) for name, value in asked.items()})

    hook = rbt.Strategy("once", on_bar=OnBar(once))
    assert rbt.run(hook, two(), cash="10000", rates=EUR).orders["requested"].to_list()[:1] == [45]
    late = rbt.run(hook, two(), cash="10000", rates=EUR[1:])  # 5000 USD at 1.20 are 4166.66 EUR, 37 at 110
    assert late.orders.select("status", "detail", "requested").rows()[:2] == [("rejected", "no_price", 0), ("filled", "none", 37)]


def test_a_benchmark_of_another_currency_is_worth_what_the_rates_make_of_it(tmp_path: Path) -> None:
    """SAP goes from 110 EUR at 1.20 (132 USD) to 130 at 1.05 (136.50 USD); at the first bar no rate is known."""
    result = rbt.run(HALF, two(), cash="10000", rates=EUR[1:], benchmark="SAP")
    assert result.metrics["benchmark_return"] == pytest.approx(136.5 / 132 - 1, abs=1e-12)
    assert result.metrics["benchmark_max_drawdown"] == pytest.approx(136.5 / 150 - 1, abs=1e-12)  # from 120 at 1.25
    saved = pl.read_parquet(result.save(tmp_path / "run") / "benchmark.parquet")
    assert saved["benchmark"].round(10).to_list() == [132.0, 150.0, 136.5]
    assert report_of(tmp_path / "run").read_text() == result.report(tmp_path / "live.html").read_text()


def test_a_rate_with_a_date_is_not_known_before_its_session_is_over() -> None:
    """Three bars a day: a rate holds from the last one on, that of 6 January, a day without bars, from the next bar on."""
    stamps = [datetime(2024, 1, 2, 4 * hour, tzinfo=UTC) for hour in (1, 3, 5)]
    stamps = [*stamps, *(stamp + timedelta(days=1) for stamp in stamps), *(stamp + timedelta(days=5) for stamp in stamps)]
    bars = pl.DataFrame({"ts": stamps, "asset": ["SAP"] * 9} | dict.fromkeys(("open", "high", "low", "close"), [100.0] * 9)).with_columns(
        volume=1
    )
    given = [{"pair": "EUR/USD", "ts": f"2024-01-0{day}", "rate": rate} for day, rate in ((2, "1"), (3, "2"), (6, "3"))]
    data = rbt.load(bars, stamp="close", assets={"SAP": {"currency": "EUR"}})
    assert rbt.run(HALF, data, rates=given).equity["rate_EUR"].to_list() == [None, None, "1/1", "1/1", "1/1", "2/1", "3/1", "3/1", "3/1"]
