from __future__ import annotations

from decimal import Decimal

import pytest

from rustybt.errors import ConfigError
from rustybt.execution import Costs, Slippage, bps, costs, maker_taker, per_share, per_trade, profiles, ticks, tiered
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


def test_maker_and_taker_are_basis_points() -> None:
    rows = maker_taker(maker=2, taker="5.5").rows(COIN, 8)
    assert (rows["fee_rate"], rows["fee_maker"]) == (55_000, 20_000)
    assert bps(10).rows(COIN, 8)["fee_maker"] == -1


def test_adding_a_plain_rate_to_maker_and_taker_raises_both() -> None:
    both = maker_taker(maker=2, taker=5) + bps(1)
    assert (both.maker, both.rate) == (Decimal("0.0003"), Decimal("0.0006"))


def test_tiers_by_value_are_money_units_and_by_quantity_1e8_of_the_quantity() -> None:
    value = tiered({0: bps(10), "1000.50": maker_taker(1, 2)})
    assert value.tier_columns(EQUITY, 2) == ((0, 100_000, -1, 0, 1), (100_050, 20_000, 10_000, 0, 1))
    shares = tiered({0: per_share("0.0035"), 300_000: per_share("0.002")}, by="quantity", minimum="0.35", cap="0.01")
    assert shares.tier_columns(EQUITY, 8) == ((0, 0, -1, 350_000, 1), (300_000 * 10**8, 0, -1, 200_000, 1))
    assert shares.rows(EQUITY, 8)["fee_min"] == 35_000_000


def test_a_commission_on_top_is_in_every_tier() -> None:
    both = tiered({0: bps(10), 50: maker_taker(4, 8)}) + bps(1) + per_trade("2")
    assert [(tier.rate, tier.maker) for tier in both.tiers] == [(Decimal("0.0011"), None), (Decimal("0.0009"), Decimal("0.0005"))]
    assert both.flat == 2


def test_what_is_traded_counts_by_commission() -> None:
    venue = tiered({0: bps(10), 50: bps(8)})
    run = costs(commission=venue, by_asset={"B": costs(commission=tiered({0: bps(9)})), "C": costs(commission=venue)})
    ladders = [run.ladder(Asset.of(symbol), 8) for symbol in "ABC"]
    assert [None if one is None else one.group for one in ladders] == [0, 1, 0]
    assert costs(commission=bps(1)).ladder(EQUITY, 8) is None


def test_every_profile_says_where_and_when_it_was_published() -> None:
    found = profiles()
    names = {"binance_spot", "bybit_perpetual", "bybit_spot", "coinbase_advanced", "hyperliquid_perpetual"}
    assert {profile.name for profile in found} == names | {"ib_us_equity_fixed", "ib_us_equity_tiered"}
    for profile in found:
        assert profile.source.startswith("https://")
        assert profile.as_of.year >= 2022
        assert profile.notes
        assert costs(profile=profile.name).commission == profile.commission
        assert profile.name in str(profile)


def test_a_profile_charges_what_was_published() -> None:
    fixed, stepped = costs(profile="ib_us_equity_fixed").commission, costs(profile="ib_us_equity_tiered").commission
    assert (fixed.per_unit, fixed.minimum, fixed.cap) == (Decimal("0.005"), Decimal(1), Decimal("0.01"))
    assert [tier.floor for tier in stepped.tiers] == [0, 300_000, 3_000_000, 20_000_000, 100_000_000]
    assert costs(profile="bybit_perpetual").commission == maker_taker(maker=2, taker="5.5")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: bps(10_001), "rate 1.0001 is more than all of the value"),
        (lambda: maker_taker(-1, 5), "maker -0.0001 is negative"),
        (lambda: tiered({}), "there are no tiers"),
        (lambda: tiered({5: bps(1)}), "first tier begins at 5"),
        (lambda: tiered({0: bps(1), 50: bps(2), 20: bps(3)}), "tier 20 comes after 50"),
        (lambda: tiered({0: bps(1), "0.0": bps(2)}), "tier 0.0 comes after 0"),
        (lambda: tiered({0: per_trade(1)}), "is not a plain rate"),
        (lambda: tiered({0: 0.001}), "is not a plain rate"),  # type: ignore[dict-item]
        (lambda: tiered({0: bps(1)}, by="weight"), "by 'weight' is unknown"),
        (lambda: tiered({"-1": bps(1)}), "first tier begins at -1"),
        (lambda: tiered({0: bps(1)}) + tiered({0: bps(1)}), "both commissions set tiers"),
        (lambda: costs(profile="nobody"), "there is no profile 'nobody'"),
        (lambda: costs(bps(1), profile="binance_spot"), "both a commission and a profile"),
        (lambda: tiered(5), "5 is not a table of tiers"),  # type: ignore[arg-type]
        (lambda: costs(by_asset=5), "5 is not a table of symbols"),  # type: ignore[arg-type]
        (lambda: costs(by_asset={"A": bps(1)}), "is not a Costs"),  # type: ignore[dict-item]
        (
            lambda: costs(tiered({0: per_share(1)}, by="quantity")).ladder(Asset.of("A", "crypto", lot_size="0.0000000001"), 8),
            "finer than 1e-8",
        ),
    ],
)
def test_nonsense_in_tiers_and_profiles_is_refused(make: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()  # type: ignore[operator]
