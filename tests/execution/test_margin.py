"""Margin as users write it, refused where it is nonsense."""

from __future__ import annotations

from typing import Any

import pytest

from rustybt.errors import ConfigError
from rustybt.execution import Margin, margin
from rustybt.model import Asset

FUTURE = Asset.of("ES", "future", multiplier="50", tick_size="0.25")


def test_fractions_become_rates_and_amounts_money_per_lot() -> None:
    both = margin("0.5", "0.25", liquidation_fee="0.01", by_asset={"ES": margin(13_200, "12000.50", per_contract=True)})
    assert both.rows(Asset.of("A"), 2) == {
        "margin_initial": 50_000_000, "margin_maintenance": 25_000_000, "margin_lot_initial": 0, "margin_lot_maintenance": 0,
        "isolated": 0, "top_up": 0, "fee_liquidation": 1_000_000,
    }  # fmt: skip
    assert both.rows(FUTURE, 2) == {
        "margin_initial": 0, "margin_maintenance": 0, "margin_lot_initial": 1_320_000, "margin_lot_maintenance": 1_200_050,
        "isolated": 0, "top_up": 0, "fee_liquidation": 0,
    }  # fmt: skip
    assert both.to_dict()["by_asset"]["ES"]["per_contract"] is True


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0, 0), "initial is 0"),
        (("-0.5", "0.1"), "initial -0.5 is negative"),
        (("0.5", "-0.1"), "maintenance -0.1 is negative"),
        (("0.25", "0.5"), "maintenance 0.5 is above initial 0.25"),
        ((50, 25), "initial 50 is above 1"),
        (("0.123456789", 0), "finer than 1e-8"),
        (("half", 0), "margin, initial 'half' is not a number"),
    ],
)
def test_nonsense_is_refused_by_name(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        margin(*given)


@pytest.mark.parametrize("name", ["per_contract", "isolated", "top_up"])
def test_what_is_no_flag_is_refused(name: str) -> None:
    given: Any = {name: "yes"}
    with pytest.raises(ConfigError, match=f"{name} 'yes' is not True or False"):
        margin("0.5", "0.25", **given)


def test_margin_of_one_asset_is_a_margin_without_exceptions_of_its_own() -> None:
    nested: Any = {"A": margin("0.5", "0.25", by_asset={"B": margin(1, 1)})}
    plain: Any = {"A": 0.5}
    table: Any = 5
    for wrong, words in (
        (nested, "not the margin of one asset"),
        (plain, "not the margin of one asset"),
        (table, "not a table of symbols"),
    ):
        with pytest.raises(ConfigError, match=words):
            margin("0.5", "0.25", by_asset=wrong)


def test_an_amount_that_is_no_whole_money_unit_for_a_lot_is_refused() -> None:
    asset = Asset.of("BTC", "crypto", lot_size="0.001")
    assert margin(100, 10, per_contract=True).rows(asset, 2)["margin_lot_initial"] == 10
    with pytest.raises(ConfigError, match="maintenance 5 per contract"):
        margin(100, 5, per_contract=True).rows(asset, 2)
    assert isinstance(margin(1, 1), Margin)
