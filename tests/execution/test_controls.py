"""Controls as users write them: exact, checked, and turned into the kernel's integers."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.bulk import sleeves_of
from rustybt.engine.config import configure
from rustybt.engine.incremental import walk
from rustybt.errors import ConfigError
from rustybt.execution import Controls, controls, limit
from rustybt.model import Asset, Control, Response
from rustybt.testing.outcomes import differences
from tests.data.conftest import make_bars

A, B = Asset("A", lot_size=Decimal("0.1")), Asset("B")


def test_numbers_become_lots_money_and_rates() -> None:
    given = controls(
        order_quantity={"A": "2.55"},
        position=7,
        order_notional="1000.50",
        concentration="0.25",
        orders_per_day=3,
        drawdown=limit("0.1", action="warn"),
        restricted={"B": ("2024-01-02", date(2024, 1, 3))},
        flatten=True,
    )
    table = given.table((A, B), 2)
    assert table.quantity.tolist() == [25, -1]
    assert table.position.tolist() == [70, 7]
    assert (table.notional, table.concentration, table.orders, table.drawdown, table.flatten) == (100_050, 25_000_000, 3, 10_000_000, True)
    assert table.restricted.tolist() == [[1, 19_724, 19_725]]
    assert table.action(Control.HALTED) == Response.REJECT
    assert table.action(Control.DRAWDOWN) == Response.WARN
    assert table.action(Control.DAILY_LOSS) == -1


def test_dates_prices_exposure_and_leverage_become_integers() -> None:
    given = controls(
        asset_dates={"B": (None, "2024-01-03")},
        price_collar="0.05",
        duplicate=3,
        gross_exposure=limit("1.5", action="reduce"),
        net_exposure="0.5",
        max_leverage=2,
        min_leverage=limit("0.1", action="warn"),
        min_leverage_after=5,
        price_move=limit("1.5", action="warn"),
        value_at_risk=limit("0.02", action="reduce"),
        max_value_at_risk="0.05",
        risk_confidence="0.99",
        correlated_exposure="1.5",
        correlated_bars=20,
    )
    table = given.table((A, B), 2)
    assert table.dates.tolist() == [[1, 1 - 2**31, 19_725]]
    assert (table.collar, table.duplicate, table.deadline, table.move) == (5_000_000, 3, 5, 150_000_000)
    assert (table.value_at_risk, table.max_value_at_risk, table.risk_bars, table.risk_tail) == (2_000_000, 5_000_000, 250, 2)
    assert (table.correlated_exposure, table.correlated_bars, table.correlated_above) == (150_000_000, 20, 70_000_000)
    assert (table.window, controls(correlated_exposure=1).table((A,), 2).window, controls(price_move=1).table((A,), 2).window) == (
        250,
        60,
        0,
    )
    assert (table.gross_exposure, table.net_exposure) == (150_000_000, 50_000_000)
    assert (table.max_leverage, table.min_leverage) == (200_000_000, 10_000_000)
    assert {control.name: Response(table.action(control)).name for control in list(Control)[10:]} == {
        "ASSET_DATES": "REJECT",
        "PRICE_COLLAR": "REJECT",
        "DUPLICATE": "REJECT",
        "GROSS_EXPOSURE": "REDUCE",
        "NET_EXPOSURE": "REJECT",
        "MAX_LEVERAGE": "HALT",
        "MIN_LEVERAGE": "WARN",
        "PRICE_MOVE": "WARN",
        "VALUE_AT_RISK": "REDUCE",
        "CORRELATED_EXPOSURE": "REJECT",
        "MAX_VALUE_AT_RISK": "HALT",
    }


def test_the_usual_action_is_to_reject_and_of_a_loss_to_halt() -> None:
    given = controls(long_only=True, daily_loss="0.02")
    assert {name: found.action for name, found in given.limits.items()} == {"long_only": "reject", "daily_loss": "halt"}


def test_equal_controls_have_equal_identities_and_others_not() -> None:
    one, other = controls(concentration="0.10"), controls(concentration=limit("0.1"))
    assert one.to_dict() == other.to_dict() != controls(concentration="0.2").to_dict()
    forms = [
        controls(restricted=["A"]),
        controls(restricted=limit(["A"], action="allow")),
        controls(asset_dates={"A": ("2024-01-01", None)}),
        controls(asset_dates=limit({"A": ("2024-01-01", None)}, action="allow")),
        controls(min_leverage=1),
        controls(min_leverage=1, min_leverage_after=1),
    ]
    assert len({repr(form.to_dict()) for form in forms}) == len(forms)
    assert "controls" not in configure().to_dict()
    assert configure(controls=one).to_dict()["controls"] == one.to_dict()


@pytest.mark.parametrize(
    ("given", "message", "where"),
    [
        ({"order_quantity": -1}, "order_quantity -1 is negative", "controls, order_quantity"),
        ({"order_quantity": {"A": "-1"}}, "order_quantity -1 is negative", "controls, order_quantity"),
        ({"orders_per_day": "1.5"}, "orders_per_day 1.5 is not a whole number", "controls, orders_per_day"),
        ({"concentration": 0}, "concentration 0 is not a fraction", "controls, concentration"),
        ({"drawdown": "1"}, "drawdown 1 is not a fraction", "controls, drawdown"),
        ({"drawdown": "10"}, "drawdown 10 is not a fraction", "controls, drawdown"),
        ({"daily_loss": "0.000000001"}, "daily_loss 0.000000001 is not a fraction of at most 8", "controls, daily_loss"),
        ({"daily_loss": limit("0.1", action="reduce")}, "daily_loss cannot reduce", "controls, daily_loss"),
        ({"long_only": "yes"}, "long_only 'yes' is not True", "controls, long_only"),
        ({"flatten": 1}, "flatten 1 is not True or False", "controls, flatten"),
        ({"restricted": "ACME"}, "restricted 'ACME' is not a list", "controls, restricted"),
        ({"restricted": {"A": ("2024-02-01", "2024-01-01")}}, "restricted 'A' ends before it starts", "controls, restricted"),
        ({"asset_dates": ["A"]}, r"asset_dates \['A'\] is no mapping", "controls, asset_dates"),
        ({"asset_dates": {"A": ("2024-02-01", "2024-01-01")}}, "asset_dates 'A' ends before it starts", "controls, asset_dates"),
        ({"asset_dates": {"A": ("soon", None)}}, "'soon' is not a date", "controls, asset_dates"),
        ({"price_collar": "1.5"}, "price_collar 1.5 is not a fraction", "controls, price_collar"),
        ({"price_move": "-0.1"}, "price_move -0.1 is not a fraction", "controls, price_move"),
        ({"value_at_risk": "1.1"}, "value_at_risk 1.1 is not a fraction", "controls, value_at_risk"),
        ({"max_value_at_risk": limit("0.1", action="reject")}, "max_value_at_risk cannot reject", "controls, max_value_at_risk"),
        ({"risk_bars": 10}, "risk_bars 10 without value_at_risk", "controls, risk_bars"),
        ({"value_at_risk": "0.1", "risk_bars": 1}, "risk_bars 1 is not a whole number from 2 to 1000", "controls, risk_bars"),
        ({"value_at_risk": "0.1", "risk_bars": 1001}, "risk_bars 1001 is not a whole number", "controls, risk_bars"),
        ({"value_at_risk": "0.1", "risk_confidence": 1}, "risk_confidence 1 is not a fraction", "controls, risk_confidence"),
        ({"value_at_risk": "0.1", "risk_confidence": 0}, "risk_confidence 0 is not a fraction", "controls, risk_confidence"),
        ({"value_at_risk": "0.1", "correlated_bars": 5}, "correlated_bars 5 without correlated_exp", "controls, correlated_bars"),
        ({"correlated_exposure": 0}, "correlated_exposure 0 is not a fraction", "controls, correlated_exposure"),
        ({"correlated_exposure": 1, "correlated_above": 1}, "correlated_above 1 is not a fraction", "controls, correlated_above"),
        ({"duplicate": "0.5"}, "duplicate 0.5 is not a whole number", "controls, duplicate"),
        ({"gross_exposure": 0}, "gross_exposure 0 is not a fraction", "controls, gross_exposure"),
        ({"net_exposure": "-1"}, "net_exposure -1 is not a fraction", "controls, net_exposure"),
        ({"max_leverage": limit(2, action="reject")}, "max_leverage cannot reject", "controls, max_leverage"),
        ({"min_leverage": "1001"}, "min_leverage 1001 is not a fraction", "controls, min_leverage"),
        ({"min_leverage_after": 3}, "min_leverage_after 3 without min_leverage", "controls, min_leverage_after"),
        ({"min_leverage": 1, "min_leverage_after": -1}, "min_leverage_after -1 is not a whole", "controls, min_leverage_after"),
        ({"restricted": {"A": ("soon", None)}}, "'soon' is not a date", "controls, restricted"),
    ],
)
def test_nonsense_is_refused_by_its_field(given: dict[str, Any], message: str, where: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        controls(**given)
    assert caught.value.where == where
    assert caught.value.do


def test_unknown_actions_symbols_and_policies_are_refused() -> None:
    with pytest.raises(ConfigError, match="action 'stop' is unknown"):
        limit(1, action="stop")
    with pytest.raises(ConfigError, match="'C' is none of the 2 assets"):
        controls(restricted=["C"]).table((A, B), 2)
    with pytest.raises(ConfigError, match="'C' is none of the 2 assets"):
        controls(position={"C": 1}).table((A, B), 2)
    with pytest.raises(ConfigError, match="is too large for steps"):
        controls(order_notional="1e17").table((A, B), 8)
    with pytest.raises(ConfigError, match="controls check an order when it is made"):
        configure(sizing="at_fill", controls=controls(long_only=True))
    with pytest.raises(ConfigError, match="is not a Controls"):
        configure(controls={"long_only": True})  # type: ignore[arg-type]


FULL: dict[str, Any] = {
    "order_quantity": {"A": "2.55", "B": 3},
    "order_notional": limit("20000", action="reduce"),
    "orders_per_day": 3,
    "long_only": limit(True, action="warn"),
    "restricted": limit({"B": ("2012-05-18", None), "A": (None, "2012-06-30")}, action="allow"),
    "asset_dates": {"A": ("2012-05-18", "2012-05-18")},
    "duplicate": 5,
    "drawdown": "0.10",
    "min_leverage": limit("0.1", action="warn"),
    "min_leverage_after": 5,
    "value_at_risk": limit("0.02", action="reduce"),
    "risk_bars": 100,
    "correlated_exposure": "0.5",
    "correlated_above": "0.90",
    "flatten": True,
}


def test_controls_survive_json() -> None:
    for given in (controls(**FULL), controls(), controls(restricted=["B", "A"])):
        back = Controls.from_dict(json.loads(json.dumps(given.to_dict())))
        assert back == given
        assert back.to_dict() == given.to_dict()


def test_controls_are_read_as_a_person_writes_them() -> None:
    read = Controls.from_dict(
        {
            "order_quantity": {"A": "2.55", "B": 3},
            "order_notional": {"value": 20_000, "action": "reduce"},
            "orders_per_day": 3,
            "long_only": {"value": True, "action": "warn"},
            "restricted": {"value": {"B": {"from": "2012-05-18"}, "A": [None, date(2012, 6, 30)]}, "action": "allow"},
            "asset_dates": {"A": ["2012-05-18", "2012-05-18"]},
            "duplicate": {"value": 5},
            "drawdown": Decimal("0.1"),
            "min_leverage": {"value": "0.1", "action": "warn"},
            "min_leverage_after": 5,
            "value_at_risk": {"value": "0.02", "action": "reduce"},
            "risk_bars": 100,
            "correlated_exposure": 0.5,
            "correlated_above": "0.9",
            "flatten": True,
        }
    )
    assert read == controls(**FULL)


@pytest.mark.parametrize(
    ("given", "message", "where"),
    [
        ({"drawdwn": 1}, "there is no field 'drawdwn'", "controls, drawdwn"),
        ({"drawdown": {"value": 1, "actoin": "warn"}}, "drawdown has the fields value, actoin", "controls, drawdown"),
        ({"drawdown": {"action": "warn"}}, "drawdown has the fields action", "controls, drawdown"),
        ({"drawdown": {"value": "0.1", "action": ["warn"]}}, r"action \['warn'\] is unknown", "controls, drawdown, action"),
        ({"drawdown": {"value": "0.1", "action": "reduce"}}, "drawdown cannot reduce", "controls, drawdown"),
        ({"restricted": {"A": ["2012-05-18"]}}, "of 'A' are not two days", "controls, restricted"),
        ({"restricted": {"A": {"first": "2012-05-18"}}}, "of 'A' are not two days", "controls, restricted"),
        ({"asset_dates": {"A": "2012"}}, "'2012' of 'A' are not two days", "controls, asset_dates"),
    ],
)
def test_nonsense_in_plain_values_is_refused_by_its_field(given: dict[str, Any], message: str, where: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Controls.from_dict(given)
    assert caught.value.where == where


BARS = pl.concat([make_bars({"A": [100, 100, 80, 82, 90, 95]}), make_bars({"B": [50, 51, 52, 53, 54, 55]})])


@pytest.fixture
def run_controls() -> Controls:
    return controls(order_quantity=limit({"A": 50}, action="reduce"), restricted={"B": ("2020-01-06", "2020-01-07")}, drawdown="0.05")


def test_a_run_lists_its_violations_and_engines_agree(run_controls: Controls) -> None:
    """60 A are cut to 50 at 100. B is restricted on the first two days. At 80 equity is 9000 < 9500: nothing is bought any more."""
    panel = rbt.load(BARS, stamp="close", tick_size="0.01")
    wish = pl.when(pl.col("asset") == "A").then(60.0).otherwise(pl.int_range(pl.len()).over("asset") + 1.0)
    strategy = rbt.Strategy("wish", target=rbt.quantity(wish))
    result = rbt.run(strategy, panel, cash="10000", controls=run_controls)
    steps = walk(sleeves_of(strategy), panel, configure(cash="10000", controls=run_controls))
    assert differences(result.outcome, steps.outcome) == []
    seen = result.violations
    assert seen["control"].to_list() == ["order_quantity", "restricted", "restricted", "drawdown", "halted", "halted", "halted", "halted"]
    assert seen["action"].to_list()[:4] == ["reduce", "reject", "reject", "halt"]
    assert seen["asset"].to_list()[:4] == ["A", "B", "B", None]
    assert seen["requested"].to_list()[:4] == [60, 1, 2, None]
    assert result.fills.select("asset", "quantity").rows() == [("A", 50)]
    assert result.counts()["rejected"] == 6


def test_exposure_and_dates_hold_in_a_run_and_engines_agree() -> None:
    """At most 70 % of 10000: 60 A at 100 are 6000, so 20 B at 50 are left. On 2020-01-08 A is past its last day and leverage has been
    watched: 6000 of 10000 and later less are below 1.5 once the first two sessions are over."""
    panel = rbt.load(BARS, stamp="close", tick_size="0.01")
    wish = pl.when(pl.col("asset") == "A").then(pl.when(pl.col("close") == 90).then(61).otherwise(60)).otherwise(40)
    strategy = rbt.Strategy("wish", target=rbt.quantity(wish))
    wanted = controls(
        gross_exposure=limit("0.7", action="reduce"),
        asset_dates={"A": (None, "2020-01-08")},
        min_leverage=limit("1.5", action="warn"),
        min_leverage_after=2,
    )
    result = rbt.run(strategy, panel, cash="10000", controls=wanted)
    steps = walk(sleeves_of(strategy), panel, configure(cash="10000", controls=wanted))
    assert differences(result.outcome, steps.outcome) == []
    assert result.fills.select("asset", "quantity").rows() == [("A", 60), ("B", 20)]
    assert result.violations["control"].to_list()[:2] == ["gross_exposure", "min_leverage"]
    assert "asset_dates" in result.violations["control"].to_list()
    assert any("'min_leverage' was passed 1 times" in said for said in result.warnings)


def test_risk_is_limited_in_a_run_and_engines_agree() -> None:
    """Real prices of five shares: everything is wished for at once, and what moves together has to share."""
    panel = rbt.load("demo", start="2010-01-01", end="2010-12-31")
    strategy = rbt.Strategy("rush", target=rbt.weight(pl.when(pl.col("session").dt.day() > 15).then(0.2).otherwise(0.05)))
    wanted = controls(
        value_at_risk=limit("0.015", action="reduce"),
        max_value_at_risk=limit("0.014", action="warn"),
        risk_bars=60,
        correlated_exposure=limit("0.5", action="reduce"),
        correlated_above="0.4",
        correlated_bars=40,
        price_move=limit("0.05", action="warn"),
    )
    result = rbt.run(strategy, panel, controls=wanted)
    steps = walk(sleeves_of(strategy), panel, configure(controls=wanted))
    assert differences(result.outcome, steps.outcome) == []
    seen = set(result.violations["control"].unique())
    assert seen == {"value_at_risk", "max_value_at_risk", "correlated_exposure", "price_move"}
    assert result.fills["quantity"].abs().sum() < rbt.run(strategy, panel).fills["quantity"].abs().sum()


def test_a_warning_is_said_by_the_run() -> None:
    panel = rbt.load(BARS, stamp="close", tick_size="0.01")
    strategy = rbt.Strategy("hold", target=rbt.quantity(10))
    result = rbt.run(strategy, panel, controls=controls(position=limit(5, action="warn")))
    assert "the control 'position' was passed 2 times; it warns and changes nothing." in result.warnings
    assert result.fills["quantity"].to_list() == [10, 10]
