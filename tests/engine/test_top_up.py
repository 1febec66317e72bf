"""Top-ups of isolated margin and fees of liquidations through the public door: against prices walked tick by tick, and in every frame."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.incremental import walk
from rustybt.errors import ConfigError
from rustybt.execution import Margin
from rustybt.ledger import check_journal
from tests.engine.test_isolated import HOLD, SHORT, START, flat, panel

TICK = Decimal("0.01")
OWN = rbt.margin("0.1", "0.05", isolated=True, top_up=True)
LEVIED = rbt.margin("0.1", "0.05", isolated=True, liquidation_fee="0.01")


@dataclass
class Walked:
    """An isolated position that is followed tick by tick: what was added to it, and the price at which it ended, if it did."""

    added: Decimal = Decimal(0)
    ended: Decimal | None = None


def walked(entry: Decimal, margin: Margin, worst: Decimal, free: Decimal, *, long: bool) -> Walked:
    """Away from the entry to the worst price; each time what is left is below the maintenance one more initial margin is added."""
    found, price, side, lots = Walked(), entry, 1 if long else -1, 10
    first, most = lots * entry * margin.initial, lots * entry
    while side * (price - worst) >= 0:
        while first + found.added + side * lots * (price - entry) < lots * price * margin.maintenance:
            more = min(first, most - first - found.added, free - found.added)
            if more <= 0:
                found.ended = price
                return found
            found.added += more
        price -= side * TICK
    return found


@pytest.mark.parametrize("strategy", [HOLD, SHORT])
@pytest.mark.parametrize("rich", [True, False])
def test_one_row_is_what_steps_along_the_path_come_to(strategy: rbt.Strategy, rich: bool) -> None:
    dice, seen, ended = random.Random(11), 0, 0
    for _ in range(40):
        entry, long = Decimal(dice.randint(500, 6_000)) / 100, strategy is HOLD
        initial = Decimal(dice.randint(2, 50)) / 100
        margin = rbt.margin(initial, initial * dice.randint(1, 9) / 10, isolated=True, top_up=True)
        away = Decimal(dice.randint(1, 95)) / 100
        worst = (entry * (1 - away if long else 1 + 3 * away)).quantize(TICK)
        first = 10 * entry * initial
        free = 1_000_000 - first if rich else (first * dice.randint(0, 30) / 10).quantize(TICK)
        low, high = (float(worst), float(entry)) if long else (float(entry), float(worst))
        bars = [*flat(float(entry), float(entry)), (float(entry), high, low, float(worst))]
        found = rbt.run(strategy, panel(bars), cash=first + free, margin=margin)
        wanted = walked(entry, margin, worst, free, long=long)
        told = found.margin.filter(kind="top_up")
        assert sum(told["amount"].to_list(), Decimal(0)) == wanted.added, (entry, margin, worst)
        assert told["detail"].to_list() in ([], ["none"], ["unaffordable"])
        gone = found.fills.filter(reason="liquidation")["price"].to_list()
        assert gone == ([] if wanted.ended is None else [wanted.ended]), (entry, margin, worst, free)
        kept = Decimal(0) if gone else first + wanted.added
        assert found.equity["isolated"].to_list() == [0, first, kept]
        seen += wanted.added > 0
        ended += bool(gone)
    assert seen > 15
    assert ended >= (3 if rich and strategy is SHORT else 0 if rich else 15)


def test_what_is_added_comes_back_in_proportion() -> None:
    down = rbt.Strategy("down", target=rbt.quantity(pl.when(pl.col("close") < 90).then(4).otherwise(10)))
    found = rbt.run(down, panel([*flat(100, 100), (97, 98, 84, 86), *flat(86, 86)]), margin=OWN)
    assert found.margin["amount"].to_list() == [200]
    assert [str(aside) for aside in found.equity["isolated"]] == ["0E-8", "100.00000000", "300.00000000", "120.00000000", "120.00000000"]


def test_what_is_set_aside_is_not_for_others() -> None:
    wish = pl.when(pl.col("asset") == "A").then(10).when(pl.col("ts").dt.day() > 3).then(30)
    both, mixed = rbt.Strategy("both", target=rbt.quantity(wish)), rbt.margin("0.5", "0.25", by_asset={"A": OWN})
    data = panel([*flat(100, 100), (97, 98, 84, 90), *flat(90, 90)], B=flat(10, 10, 10, 10, 10))
    poorer = rbt.run(both, data, cash="400", margin=mixed)
    richer = rbt.run(both, data, cash="600", margin=mixed)
    assert poorer.margin["amount"].to_list() == richer.margin["amount"].to_list() == [200]
    assert poorer.orders.filter(asset="B")["filled"].to_list() == [20]  # 400 - 300 set aside, half of 10 for each
    assert richer.orders.filter(asset="B")["filled"].to_list() == [30]


def test_a_fee_is_a_cost_of_its_own_in_every_frame(tmp_path: Path) -> None:
    found = rbt.run(HOLD, panel([*flat(100, 100), (97, 98, 90, 92)]), margin=LEVIED, costs=rbt.costs(commission=rbt.bps(10)))
    assert found.margin.select("kind", "price", "amount").rows() == [("liquidation_fee", Decimal("94.7300"), Decimal("9.47300000"))]
    assert found.fills["fee"].to_list() == [Decimal(1), Decimal("0.9473")]
    metrics = found.metrics
    assert (metrics["cost_liquidation"], metrics["cost_commission"]) == (9.473, 1.9473)
    assert metrics["costs"] == pytest.approx(9.473 + 1.9473)
    booked = found.journal.filter(account="expenses:liquidation").select("asset", "order", "amount").rows()
    assert booked == [("A", 0, Decimal("9.473"))]
    lots = found.lots()
    assert lots.realised + lots.unrealised + lots.income == Decimal(found.final_equity) - 100_000
    assert "entries alone rebuild cash" in check_journal(found.journal, found.equity, found.positions)
    assert "Expenses:Liquidation" in found.to_beancount(tmp_path / "books.beancount").read_text()
    folder = found.save(tmp_path / "run")
    assert pl.read_parquet(folder / "margin.parquet").equals(found.margin)
    assert pl.read_parquet(folder / "equity.parquet")["isolated"].to_list() == [0, 100, 0]
    assert "expenses:liquidation" not in rbt.run(HOLD, panel(flat(100, 100, 100)), margin=LEVIED).journal["account"].to_list()


def test_a_call_pays_the_fee_too_and_a_shortfall_counts_it() -> None:
    called = rbt.run(
        rbt.Strategy("long", target=rbt.quantity(20)),
        panel([*flat(100, 100), (100, 100, 60, 60), *flat(61)]),
        cash="1000",
        margin=rbt.margin("0.5", "0.25", liquidation_fee="0.01"),
    )
    assert called.margin.select("kind", "asset", "amount").rows() == [
        ("margin_call", None, None),
        ("liquidation_fee", "A", Decimal("4.27")),
    ]
    assert "isolated" not in called.equity.columns
    data = panel([*flat(100, 100), (91, 91, 91, 91)])
    for fee, detail in (("0.01", "none"), ("0.02", "shortfall")):  # 100 - 90 are left at 91, and a hundredth is 9.10
        gone = rbt.run(HOLD, data, margin=replace(LEVIED, liquidation_fee=Decimal(fee)))
        assert gone.orders.filter(reason="liquidation")["detail"].to_list() == [detail]


def test_bulk_is_bar_by_bar_and_both_are_the_reference() -> None:
    bars = [*flat(100, 100), (99, 101, 97, 98), (98, 99, 80, 84), (84, 96, 50, 65), (65, 120, 40, 60)]
    data = panel(bars, B=[*flat(50, 50), (50, 55, 49, 54), (54, 70, 54, 64), (54, 90, 54, 80), (80, 140, 40, 45)])
    mixed = rbt.margin("0.2", "0.1", by_asset={"A": OWN, "B": rbt.margin(5, 2, per_contract=True, isolated=True, top_up=True)})
    terms = pl.DataFrame(
        {"asset": ["A", "B"], "from_ts": [START, None], "liquidation_fee": ["0.02", "0.005"]}, schema_overrides={"from_ts": pl.Date}
    )
    strategy = rbt.Strategy("both", target=rbt.quantity(pl.when(pl.col("asset") == "A").then(10).otherwise(-8)))
    given: dict[str, Any] = {"cash": "900", "margin": mixed, "dated_terms": terms, "costs": rbt.costs(commission=rbt.bps(10))}
    bulk = rbt.run(strategy, data, **given)
    stepped = walk(bulk.sleeves, data, bulk.config)
    assert stepped.equity.equals(bulk.equity)
    assert stepped.margin.equals(bulk.margin)
    assert stepped.journal.equals(bulk.journal)
    assert rbt.verify(strategy, data, **given).ok
    assert set(bulk.margin["kind"]) == {"top_up", "liquidation_fee"}
    assert any("topped up" in note for note in bulk.warnings)


def test_settings_say_it_too(tmp_path: Path) -> None:
    file = tmp_path / "venue.toml"
    file.write_text(
        "[margin]\ninitial = 0.1\nmaintenance = 0.05\nisolated = true\ntop_up = true\nliquidation_fee = 0.005\n"
        '[[dated_terms]]\nasset = "A"\nfrom_ts = "2024-01-04"\nliquidation_fee = 0.01\n'
    )
    given = rbt.settings(file)
    assert given["margin"] == replace(OWN, liquidation_fee=Decimal("0.005"))
    assert Margin.from_dict(given["margin"].to_dict()) == given["margin"]
    gap = panel([*flat(100, 100), (50, 50, 50, 50)])
    assert rbt.run(HOLD, gap, cash="150", **given).margin.filter(kind="liquidation_fee")["amount"].to_list() == [5]
    one, other = rbt.run(HOLD, gap, margin=OWN), rbt.run(HOLD, gap, margin=replace(OWN, top_up=False))
    assert one.identity["run_id"] != other.identity["run_id"]
    assert other.config.to_dict()["margin"] == {"initial": "0.1", "maintenance": "0.05", "per_contract": False, "isolated": True}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"top_up": True}, "top_up without isolated"),
        ({"liquidation_fee": "-0.1"}, "liquidation_fee -0.1 is not in 0..1"),
        ({"liquidation_fee": "1.5"}, "liquidation_fee 1.5 is not in 0..1"),
        ({"liquidation_fee": "0.000000001"}, "finer than 1e-8"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        rbt.margin("0.1", "0.05", **given)


def test_a_dated_fee_needs_margin_and_a_fraction() -> None:
    data = panel(flat(100, 100, 100))
    for fee, said in (("0.01", "margin by date without margin"), ("2", "above 1")):
        with pytest.raises(ConfigError, match=said):
            rbt.run(HOLD, data, dated_terms=[{"asset": "A", "from_ts": None, "liquidation_fee": fee}])
