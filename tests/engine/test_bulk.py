from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.model import Panel
from tests.engine.conftest import bars_of

FLAT = (10.0, 10.0, 10.0, 10.0)


def test_a_signal_at_the_close_is_filled_at_the_next_open() -> None:
    bars = bars_of("A", [(10, 11, 9, 10), (12, 13, 11, 12), (14, 15, 13, 14)])
    result = rbt.run(rbt.Strategy(target=rbt.quantity(5)), bars, cash="1000")
    assert result.fills.select("price", "quantity").rows() == [(Decimal("12.0000"), Decimal(5))]
    assert result.equity["equity"].to_list() == [Decimal(1000), Decimal(1000), Decimal(1010)]


def test_costs_are_charged_on_every_fill() -> None:
    bars = bars_of("A", [FLAT, FLAT, FLAT])
    result = rbt.run(rbt.Strategy(target=rbt.quantity(100)), bars, cash="10000", costs=rbt.costs(commission=rbt.per_trade("1.50")))
    assert Decimal(result.final_equity) == Decimal("9998.50")
    assert result.metrics["cost_commission"] == 1.5


def test_a_buy_beyond_cash_is_cut_and_says_so() -> None:
    result = rbt.run(rbt.Strategy(target=rbt.quantity(1000)), bars_of("A", [FLAT, FLAT]), cash="1000")
    order = result.orders.row(0, named=True)
    assert (order["requested"], order["filled"], order["status"], order["detail"]) == (1000, 100, "filled", "unaffordable")


def test_nothing_is_filled_on_a_missing_bar() -> None:
    bars = pl.concat([bars_of("A", [FLAT] * 4), bars_of("B", [FLAT]), bars_of("B", [FLAT], first=3)])
    result = rbt.run(rbt.Strategy(target=rbt.quantity(1)), bars, cash="1000")
    assert result.fills.filter(pl.col("asset") == "B")["ts"].dt.day().to_list() == [4]


def test_outside_the_universe_the_target_is_zero() -> None:
    bars = bars_of("A", [(p, p, p, p) for p in (10.0, 11.0, 12.0, 8.0, 8.0, 8.0)])
    held = rbt.Strategy(target=rbt.quantity(1), universe=pl.col("close") > 9)
    assert rbt.run(held, bars, cash="1000").fills["side"].to_list() == ["buy", "sell"]


def test_null_targets_keep_what_is_held() -> None:
    bars = bars_of("A", [FLAT] * 6)
    once = rbt.Strategy(target=rbt.quantity(pl.when(pl.int_range(pl.len()) == 1).then(3)))
    assert rbt.run(once, bars, cash="1000").positions["quantity"].to_list() == [Decimal(3)]


def test_several_strategies_share_one_pot_and_keep_their_own_positions(panel: Panel, cross: rbt.Strategy) -> None:
    hold = rbt.Strategy("hold", target=rbt.weight(0.05))
    both = rbt.run({"trend": cross, "core": hold}, panel)
    assert set(both.fills["sleeve"].unique().to_list()) == {"trend", "core"}
    alone = rbt.run(hold, panel, max_gross=1)
    core = both.fills.filter(pl.col("sleeve") == "core")
    assert core.head(1).select("asset", "ts").rows() == alone.fills.head(1).select("asset", "ts").rows()


def test_the_same_input_gives_the_same_bytes(panel: Panel, cross: rbt.Strategy) -> None:
    first, second = rbt.run(cross, panel), rbt.run(cross, panel)
    assert first.identity == second.identity
    assert first.fills.equals(second.fills)
    assert first.equity.equals(second.equity)


@pytest.mark.parametrize(
    "change", [{"cash": "99999"}, {"max_gross": 2}, {"fill": "next_close"}, {"costs": rbt.costs(commission=rbt.bps(1))}]
)
def test_a_changed_setting_changes_the_run_id_but_not_the_spec_id(panel: Panel, cross: rbt.Strategy, change: dict[str, Any]) -> None:
    first, second = rbt.run(cross, panel).identity, rbt.run(cross, panel, **change).identity
    assert first["run_id"] != second["run_id"]
    assert first["spec_id"] == second["spec_id"]


def test_same_bar_close_is_flagged(panel: Panel, cross: rbt.Strategy) -> None:
    assert any("same_bar_close" in warning for warning in rbt.run(cross, panel, fill="same_bar_close").warnings)


def test_asset_order_in_the_frame_does_not_matter(cross: rbt.Strategy) -> None:
    bars = pl.concat([bars_of(name, [(p, p + 1, p - 1, p) for p in range(10 + k, 60 + k)]) for k, name in enumerate("ABC")])
    forth, back = rbt.run(cross, bars), rbt.run(cross, bars.reverse())
    assert forth.fills.equals(back.fills)
    assert forth.identity["snapshot"] == back.identity["snapshot"]


@pytest.mark.parametrize("bars", [1, 2])
def test_one_bar_and_one_asset_run(bars: int) -> None:
    result = rbt.run(rbt.Strategy(target=rbt.quantity(1)), bars_of("A", [FLAT] * bars), cash="1000")
    assert result.counts()["fills"] == bars - 1
    assert result.counts()["working"] == (1 if bars == 1 else 0)
    assert result.metrics["total_return"] == 0.0
    assert "<" in result._repr_html_()


@pytest.mark.parametrize(
    ("strategy", "error", "words"),
    [
        (lambda: rbt.Strategy(target=rbt.weight(pl.col("clsoe"))), rbt.SpecError, "clsoe"),
        (lambda: rbt.Strategy(target=rbt.weight(pl.col("close") / 0)), rbt.SpecError, "infinite"),
        (lambda: rbt.Strategy(target=rbt.weight(pl.col("close") > 1)), rbt.SpecError, "true or false"),
        (lambda: rbt.Strategy(target=rbt.weight(pl.col("asset").cast(pl.String))), rbt.SpecError, "not a number"),
        (lambda: rbt.Strategy(target=rbt.weight(1.5)), rbt.ConfigError, "max_gross"),
        (lambda: rbt.Strategy(target=rbt.weight(0.5), schedule=rbt.month_end()), rbt.ConfigError, "calendar"),
    ],
)
def test_a_spec_that_does_not_fit_the_data_is_refused(strategy: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        rbt.run(strategy(), bars_of("A", [FLAT] * 5))


def test_a_strategy_function_that_was_not_called_is_told_so() -> None:
    @rbt.strategy
    def hold() -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(0.1))

    with pytest.raises(rbt.SpecError, match="is not a Strategy") as raised:
        rbt.run(hold, "demo")  # type: ignore[arg-type]
    assert "call it" in str(raised.value)


def test_an_amount_that_does_not_fit_names_the_asset() -> None:
    dear = (2e9, 2e9, 2e9, 2e9)
    with pytest.raises(rbt.LedgerError, match="A"):
        rbt.run(rbt.Strategy(target=rbt.quantity(10**9)), bars_of("A", [dear, dear]), cash="20000000000", max_gross=1000)
