from __future__ import annotations

from decimal import Decimal

import pytest

from rustybt.errors import ConfigError
from rustybt.execution import Costs, Slippage, bps, costs, per_share, per_trade, ticks
from rustybt.model import Asset

EQUITY = Asset.of("A")
COIN = Asset.of("B", "crypto")


def test_ten_bps_is_a_tenth_of_a_percent_in_1e8_units() -> None:
    assert costs(commission=bps(10)).rows(EQUITY, 8)["fee_rate"] == 100_000


def test_per_share_of_a_whole_lot_is_money_units() -> None:
    rows = per_share("0.005", minimum="1.00", cap="0.01").rows(EQUITY, 8)
    assert (rows["fee_lot_num"], rows["fee_lot_den"]) == (500_000, 1)
    assert rows["fee_min"] == 100_000_000
    assert rows["fee_cap"] == 1_000_000
    assert rows["fee_max"] == -1


def test_per_unit_of_a_tiny_lot_stays_an_exact_fraction() -> None:
    rows = per_share("0.005").rows(COIN, 8)
    assert (rows["fee_lot_num"], rows["fee_lot_den"]) == (1, 200)


def test_sum_of_commissions_charges_both() -> None:
    both = per_trade("1.50") + bps(5, minimum="2")
    assert (both.flat, both.rate, both.minimum) == (Decimal("1.50"), Decimal("0.0005"), Decimal(2))


def test_sum_refuses_two_minimums() -> None:
    with pytest.raises(ConfigError, match="both commissions set minimum"):
        bps(5, minimum="1") + bps(5, minimum="2")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: bps(-1), "rate -0.0001 is negative"),
        (lambda: bps("many"), "is not a number"),
        (lambda: bps(float("nan")), "is not finite"),
        (lambda: bps(5, minimum="2", maximum="1"), "maximum 1 is below minimum 2"),
        (lambda: bps("0.00001"), "finer than 1e-8"),
        (lambda: costs(commission=0.001), "is not a commission"),
        (lambda: costs(slippage=bps(5, minimum=1)), "plain rate"),
        (lambda: costs(slippage=1.5), "outside 0..1"),
        (lambda: ticks(-1), "whole number"),
        (lambda: Slippage(rate=Decimal("0.000000001")), "finer than 1e-8"),
    ],
)
def test_nonsense_is_refused_with_the_value(make: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()  # type: ignore[operator]


def test_one_asset_may_cost_differently() -> None:
    mixed = costs(commission=bps(10), by_asset={"B": costs(commission=bps(1))})
    assert mixed.rows(COIN, 8)["fee_rate"] == 10_000
    assert mixed.rows(EQUITY, 8)["fee_rate"] == 100_000


def test_slippage_from_bps_and_fraction_agree() -> None:
    assert costs(slippage=bps(5)).slippage == costs(slippage="0.0005").slippage


def test_equal_costs_have_equal_plain_form() -> None:
    assert costs(commission=bps("10")).to_dict() == costs(commission=bps("10.0")).to_dict()
    assert Costs() == costs()
