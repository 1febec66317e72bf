"""Increments of venues by name."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.errors import ConfigError
from rustybt.model import Asset


def loaded(symbol: str, **options: Any) -> Asset:
    bar = {"ts": [datetime(2024, 1, 2, 21, tzinfo=UTC)], "asset": [symbol], "volume": [1.0]}
    return rbt.load(pl.DataFrame(bar | {price: [100.0] for price in ("open", "high", "low", "close")}), **options).assets[0]


def test_every_preset_says_where_and_when_it_was_published() -> None:
    found = rbt.presets()
    assert {preset.name for preset in found} == {"binance_spot", "cme_futures", "hyperliquid_perpetual", "oanda_fx", "us_equity"}
    for preset in found:
        assert preset.source.startswith("https://")
        assert preset.as_of.year >= 2023
        assert preset.notes
        assert preset.name in str(preset)


@pytest.mark.parametrize("preset", rbt.presets(), ids=lambda preset: preset.name)
def test_every_size_of_a_preset_makes_an_asset(preset: Any) -> None:
    for symbol in ("ANY", *preset.assets):
        asset = loaded(symbol, preset=preset.name)
        assert asset.asset_class == preset.asset_class
        for name, size in preset.sizes(symbol).items():
            assert getattr(asset, name) == Decimal(size)


def test_one_tick_of_a_contract_is_worth_what_its_exchange_says() -> None:
    worth = {"ES": "12.5", "CL": "10", "GC": "10", "ZN": "15.625", "ZB": "31.25", "6E": "6.25", "6J": "6.25", "ZC": "12.5", "NG": "10"}
    for symbol, dollars in worth.items():
        asset = loaded(symbol, preset="cme_futures")
        assert asset.tick_size * asset.multiplier == Decimal(dollars), symbol


def test_what_is_given_beside_a_preset_goes_first() -> None:
    asset = loaded("ES", preset="cme_futures", tick_size="0.05", assets={"ES": {"multiplier": 5}})
    assert (asset.tick_size, asset.multiplier, asset.asset_class) == (Decimal("0.05"), Decimal(5), "future")


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match="no preset 'nyse'"):
        loaded("A", preset="nyse")


def test_a_preset_of_another_class_is_refused() -> None:
    with pytest.raises(ConfigError, match="another class than 'crypto'"):
        loaded("A", preset="oanda_fx", asset_class="crypto")
