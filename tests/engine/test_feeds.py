"""Costs that read the data: feeds, spreads, volume."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.bulk import run_configured, sleeves_of
from rustybt.engine.compare import outcome_difference
from rustybt.engine.feeds import lots_of
from rustybt.engine.incremental import walk
from rustybt.errors import DataError, LookaheadError, SpecError

BUY = rbt.Strategy("buy", target=rbt.quantity(100))


def bars(**columns: Any) -> Any:
    """Four days of one asset that stands at 100, between 90 and 110."""
    ts = [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 5)]
    frame = pl.DataFrame({"ts": ts, "asset": ["A"] * 4, "open": 100.0, "high": 110.0, "low": 90.0, "close": 100.0, "volume": 1000})
    frame = frame.with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    return rbt.load(frame, stamp="close", tick_size="0.01")


def price(data: Any, slippage: Any) -> float:
    return float(fills(data, slippage)["price"][0])


def fills(data: Any, slippage: Any) -> pl.DataFrame:
    return rbt.run(BUY, data, costs=rbt.costs(slippage=slippage)).fills


def test_volume_reaches_the_rule_in_lots() -> None:
    assert price(bars(), rbt.volume_share("0.1")) == 100.10


def test_half_of_the_spread_is_in_whole_ticks_of_the_bar_of_the_fill() -> None:
    data = bars(bid=[99.0, 99.98, 99.0, 99.0], ask=[101.0, 100.01, 101.0, 101.0])
    assert price(data, rbt.half_spread()) == 100.02


def test_crossed_and_missing_quotes_are_no_spread() -> None:
    data = bars(bid=[99.0, 100.01, 99.0, 99.0], ask=[101.0, 100.0, 101.0, 101.0])
    assert price(data, rbt.half_spread()) == 100.0
    data = bars(bid=[99.0, None, 99.0, 99.0], ask=[101.0, 100.0, 101.0, 101.0])
    assert price(data, rbt.half_spread()) == 100.0


def test_a_term_is_taken_at_the_bar_of_the_fill_and_null_is_nothing() -> None:
    wide = pl.col("spread")
    assert price(bars(spread=[0.5, 0.002, 0.5, 0.5]), rbt.slippage_term(wide)) == 100.20
    assert price(bars(spread=[0.5, None, 0.5, 0.5]), rbt.slippage_term(wide)) == 100.0
    assert price(bars(spread=[0.5, 2.5, 0.5, 0.5]), rbt.slippage_term(ticks=wide)) == 100.03


def test_other_costs_for_one_asset_have_their_own_term() -> None:
    two = pl.concat([bars().frame.select("ts", pl.lit(name).alias("asset"), "open", "high", "low", "close", "volume") for name in "AB"])
    own = rbt.costs(slippage=rbt.slippage_term(pl.lit(0.001)), by_asset={"B": rbt.costs(slippage=rbt.slippage_term(pl.lit(0.003)))})
    found = rbt.run(BUY, rbt.load(two, stamp="close", tick_size="0.01"), costs=own, max_gross=2).fills
    assert found["price"].cast(pl.Float64).to_list() == [100.10, 100.30]


def test_terms_of_costs_are_guarded_like_any_term() -> None:
    with pytest.raises(LookaheadError):
        fills(bars(), rbt.slippage_term(pl.col("close").shift(-1) / 1000))


def test_a_negative_term_is_refused_where_it_is() -> None:
    with pytest.raises(SpecError, match=r"slippage of -0\.1 is negative") as error:
        fills(bars(), rbt.slippage_term(pl.lit(-0.1)))
    assert "rate of 'A'" in str(error.value)


def test_a_term_that_is_no_number_is_refused() -> None:
    with pytest.raises(SpecError, match="not a number"):
        fills(bars(), rbt.slippage_term(pl.col("close") > 0))


def test_costs_by_volume_refuse_data_without_any() -> None:
    with pytest.raises(DataError, match="there is none"):
        fills(bars(volume=[0, 0, 0, 0]), rbt.square_root("0.1"))


def test_a_spread_of_quotes_refuses_data_without_quotes() -> None:
    with pytest.raises(DataError, match="no column 'bid'"):
        fills(bars(), rbt.half_spread())


def test_bulk_and_bar_by_bar_agree_on_every_cost() -> None:
    demo = rbt.load("demo", start="2012-01-01", end="2013-01-01")
    turn = rbt.Strategy("turn", target=rbt.weight(pl.when(pl.col("close").pct_change() > 0).then(0.15).otherwise(0.05)))
    slippage = rbt.asymmetric(
        buy=rbt.volatility_share(), sell=rbt.square_root("0.01") + rbt.slippage_term(pl.col("high") / pl.col("low") - 1)
    )
    tiers = rbt.tiered({0: rbt.bps(10), 20_000: rbt.bps(5)})
    config = rbt.run(turn, demo, costs=rbt.costs(tiers, slippage)).config
    bulk, walked = run_configured(sleeves_of(turn), demo, config), walk(sleeves_of(turn), demo, config)
    assert outcome_difference(bulk.outcome, walked.outcome) == ""
    assert bulk.metrics["cost_slippage"] > 0


def test_slippage_of_each_side_that_reads_nothing_of_the_data_goes_bar_by_bar_too() -> None:
    slippage = rbt.asymmetric(buy="0.001", sell=rbt.ticks(3))
    assert rbt.verify(BUY, bars(), points=1, costs=rbt.costs(slippage=slippage)).ok


def test_volume_in_lots_is_cut_and_capped() -> None:
    assert lots_of(pl.Series([250, 99]).to_numpy(), 1, 100).tolist() == [2, 0]
    assert lots_of(pl.Series([2**40]).to_numpy(), 10**9, 1).tolist() == [2**61 - 1]


def test_a_capped_order_is_filled_over_several_bars() -> None:
    result = rbt.run(BUY, bars(volume=[0, 400, 350, 900]), costs=rbt.costs(volume_cap="0.1"))
    assert result.fills["quantity"].cast(pl.Int64).to_list() == [40, 35, 25]
    assert result.fills["order"].to_list() == [1, 1, 1]


def test_what_is_beyond_the_cap_may_be_cancelled() -> None:
    result = rbt.run(BUY, bars(volume=[0, 400, 350, 900]), costs=rbt.costs(volume_cap=rbt.volume_cap("0.1", unfilled="cancel")))
    assert result.orders.select("status", "detail").rows() == [("filled", "none"), ("cancelled", "capped")]
    assert result.counts()["cancelled"] == 1
