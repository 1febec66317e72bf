"""Tables, cards and words of the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from rustybt.analysis.report import ReportInputs, cards, tables, wording
from tests.analysis.runs import synthetic_run


@pytest.fixture(scope="module")
def run() -> ReportInputs:
    return synthetic_run(sessions=400, trades=50)


def test_months_have_twelve_cells_and_a_total(run: ReportInputs) -> None:
    table = tables.month_table(run)
    assert all(len(row) == 14 for row in table.rows)
    assert [row[0].text for row in table.rows] == ["2015", "2016"]
    strengths = [cell.strength for row in table.rows for cell in row[1:13]]
    assert max(strengths) <= 0.78
    assert all((cell.tone == "loss") == cell.text.startswith("-") for row in table.rows for cell in row[1:13] if cell.strength)


def test_many_trades_are_cut_to_the_largest_and_say_so(run: ReportInputs) -> None:
    assert run.trades is not None
    closed = run.trades.filter(pl.col("exit_ts").is_not_null()).head(1)
    big = closed.with_columns(pl.lit(Decimal("999999.00")).cast(closed.schema["pnl"]).alias("pnl"))
    many = pl.concat([closed] * 1_500 + [big])
    table = tables.trade_table(replace(run, trades=many))
    assert table is not None
    assert len(table.rows) == tables.MOST_TRADES
    assert "of 1,501" in table.note
    assert any(cell.text == "999,999.00" for cell in table.rows[-1])


def test_open_trades_sort_last_and_show_no_result(run: ReportInputs) -> None:
    table = tables.trade_table(run)
    assert table is not None
    out, pnl = table.titles.index("Exit"), table.titles.index("P&L")
    open_rows = [row for row in table.rows if row[out].text == "open"]
    assert len(open_rows) == 2
    assert all(row[pnl].text == wording.NOTHING and row[pnl].key == "" for row in open_rows)
    assert all(row[out].key > other[out].key for row in open_rows for other in table.rows if other not in open_rows)


def test_sleeves_are_shown_only_when_there_are_several(run: ReportInputs) -> None:
    assert run.trades is not None
    one, two = tables.trade_table(run), None
    both = run.trades.with_columns(sleeve=pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("a")).otherwise(pl.lit("b")))
    two = tables.trade_table(replace(run, trades=both))
    assert one is not None
    assert two is not None
    assert "Sleeve" not in one.titles
    assert "Sleeve" in two.titles


def test_daily_runs_show_dates_and_intraday_runs_times(run: ReportInputs) -> None:
    table = tables.trade_table(run)
    doubled = replace(run, curve=pl.concat([run.curve, run.curve.tail(1)]))
    other = tables.trade_table(doubled)
    assert table is not None
    assert other is not None
    entry = table.titles.index("Entry")
    assert len(table.rows[0][entry].text) == 10
    assert other.rows[0][entry].text.endswith("21:00")


def test_prices_of_a_column_share_their_digits() -> None:
    assert tables.column_digits(pl.Series([Decimal("127.00"), Decimal("90.49")])) == 2
    assert tables.column_digits(pl.Series([1.0, 2.0])) == 0
    assert tables.column_digits(pl.Series([0.00000123])) == 8
    assert tables.column_digits(pl.Series(["a"])) == 0


def test_orders_are_counted_by_outcome_from_raw_rows_too() -> None:
    details = ["none", "unaffordable", "cool_down"]
    raw = pl.DataFrame({"status": ["filled", "filled", "rejected"], "reason": ["target"] * 3, "detail": details})
    curve = pl.DataFrame(
        {"ts": [datetime(2024, 1, 2, tzinfo=UTC)], "session": [date(2024, 1, 2)], "equity": [1.0], "cash": [1.0], "gross": [0.0]}
    )
    inputs = ReportInputs("raw", {}, curve, orders=raw)
    assert [(bar.label, bar.text) for bar in tables.order_bars(inputs)] == [
        ("Order outcomes", "3"),
        ("Filled", "1"),
        ("Filled, unaffordable", "1"),
        ("Rejected, cool down", "1"),
    ]
    counted = raw.with_columns(count=pl.Series([5, 1, 1]))
    assert tables.order_bars(replace(inputs, orders=counted))[1].text == "5"
    enums = raw.with_columns(pl.col("status").cast(pl.Enum(["filled", "rejected"])), pl.col("detail").cast(pl.Enum(details)))
    assert tables.order_bars(replace(inputs, orders=enums)) == tables.order_bars(inputs)


def test_costs_add_up_exactly() -> None:
    bars = tables.cost_bars({"commission": Decimal("0.10"), "slippage": Decimal("0.20")}, "USD")
    assert [(bar.label, bar.text) for bar in bars] == [("Slippage", "0.20 USD"), ("Commission", "0.10 USD"), ("Total", "0.30 USD")]
    assert bars[0].share == 1.0
    assert bars[1].remark == "33.3% of all"
    assert len(tables.cost_bars({"commission": 1}, "USD")) == 1
    assert tables.cost_bars({}, "USD") == []
    assert [bar.text for bar in tables.cost_bars({"a": 0, "b": 0}, "USD")] == ["0.00 USD"] * 3


def test_terms_become_columns() -> None:
    table = tables.term_table([{"lookback": "3 rows", "name": "x", "expr": "col(close)"}, {"name": "y", "why": "declared"}])
    assert table is not None
    assert table.titles == ("Name", "Expression", "Lookback", "Why")
    assert [cell.text for cell in table.rows[1]] == ["y", wording.NOTHING, wording.NOTHING, "declared"]
    assert tables.term_table([]) is None


def test_cards_compare_with_the_benchmark(run: ReportInputs) -> None:
    found = {card.label: card for card in cards.key_cards(run)}
    assert found["Total return"].against == f"SPY {wording.percent(float(str(run.metrics['benchmark_return'])))}"
    assert found["Final equity"].against == "from 100,000.00 USD"
    alone = replace(run, metrics={"sharpe": 1.0, "sharpe_error": 0.5, "max_drawdown": -0.1, "max_drawdown_trough": "2024-01-02"})
    found = {card.label: card for card in cards.key_cards(alone)}
    assert found["Sharpe ratio"].against == "standard error 0.50"
    assert found["Max drawdown"].against == "lowest on 2024-01-02"


def test_undefined_metrics_are_a_dash(run: ReportInputs) -> None:
    found = {card.label: card.text for card in cards.key_cards(replace(run, metrics={"sharpe": None}))}
    assert found["Sharpe ratio"] == wording.NOTHING


def test_many_assets_are_summed_up(run: ReportInputs) -> None:
    facts = {name: text for name, text, _ in cards.subtitle(replace(run, assets=[f"A{n}" for n in range(1_500)]))}
    assert facts["Assets"] == "A0, A1, A2, A3, A4, A5 and 1,494 more"


def test_settings_of_settings_are_flattened_once() -> None:
    assert tables.settings({"max_gross": 1, "costs": {"commission": {"bps": 10, "minimum": 1}}, "none": {}}) == [
        ("Max gross", "1"),
        ("Costs · commission", "bps = 10, minimum = 1"),
        ("None", wording.NOTHING),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (wording.percent(-0.00001), "0.00%"),
        (wording.percent(-0.5), "-50.00%"),
        (wording.percent(float("nan")), wording.NOTHING),
        (wording.money(Decimal("2.675")), "2.68"),
        (wording.money(None), wording.NOTHING),
        (wording.number(float("inf")), wording.NOTHING),
        (wording.metric(252.0, "number"), "252.00"),
        (wording.metric(3.25, "bars"), "3.2"),
        (wording.metric("2024-01-02", "date"), "2024-01-02"),
        (wording.moment(None), wording.NOTHING),
        (wording.moment(datetime(2024, 1, 2, 9, 30, 5, tzinfo=UTC)), "2024-01-02 09:30:05"),
        (wording.plain(date(2024, 1, 2)), "2024-01-02"),
        (wording.plain(0.1), "0.1"),
        (wording.plain(()), wording.NOTHING),
        (wording.shortened("a long sentence with spaces in it"), "a long sentence with spaces in it"),
    ],
)
def test_words(text: str, wanted: str) -> None:
    assert text == wanted


def test_residuals_leave_out_zeros_and_are_cut_to_the_largest(run: ReportInputs) -> None:
    assert tables.residual_table(run) is None
    left = pl.DataFrame(
        {
            "asset": [f"A{n}" for n in range(1_500)],
            "sleeve": ["s"] * 1_500,
            "targets": [None] * 1_500,
            "unreached": [Decimal(n) for n in range(1_500)],
            "refused": [0] * 1_500,
        },
        schema_overrides={"targets": pl.Int64},
    )
    table = tables.residual_table(replace(run, residuals=left))
    assert table is not None
    assert (table.titles, table.numeric) == (("Asset", "Unreached"), (False, True))
    assert len(table.rows) == tables.MOST_TRADES
    assert [cell.text for cell in table.rows[-1]] == ["A1499", "1,499"]
    assert "of 1,499 rows" in table.note
    assert tables.residual_table(replace(run, residuals=left.head(1))) is None
