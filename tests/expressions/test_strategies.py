"""The ready strategies: each builds, passes the guard, survives JSON, and trades as its page says."""

from __future__ import annotations

import importlib
import pkgutil
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from expressions import strategies
from rustybt.model import Panel
from rustybt.spec import StrategyFunction, from_json, to_json
from rustybt.spec.causality import truncation
from rustybt.spec.guard import check
from rustybt.testing import markets
from tests.expressions.short import SHORT

NAMES = sorted(module.name for module in pkgutil.iter_modules(strategies.__path__))


def made(name: str, **params: Any) -> rbt.Strategy:
    function: StrategyFunction = getattr(importlib.import_module(f"expressions.strategies.{name}"), name)
    return function(**params)


@lru_cache
def demo() -> Panel:
    return rbt.load("demo")


@lru_cache
def ragged() -> Panel:
    return markets.panel(
        assets=4, bars=160, seed=3, gaps=0.05, halts=0.5, listings=0.5, delistings=0.3, ties=0.05, splits=0.5, dividends=0.5
    )


@lru_cache
def on_demo(name: str) -> rbt.Result:
    return rbt.run(made(name), demo(), cash="1000000")


def test_the_ten_are_there() -> None:
    assert sorted(SHORT) == NAMES
    assert len(NAMES) == 10


@pytest.mark.parametrize("name", NAMES)
def test_a_module_holds_one_strategy_of_its_name(name: str) -> None:
    module = importlib.import_module(f"expressions.strategies.{name}")
    assert [key for key, value in vars(module).items() if isinstance(value, StrategyFunction)] == [name]
    assert "Source:" in (module.__doc__ or "") or name == "sma_cross"


@pytest.mark.parametrize("name", NAMES)
def test_the_guard_proves_it_and_json_keeps_it(name: str) -> None:
    strategy = made(name)
    verdict = check(strategy)
    assert strategy.name == name
    assert not verdict.opaque
    assert not verdict.trusted
    assert not verdict.unbounded or strategy.warmup is not None
    back = from_json(to_json(strategy))
    assert (back, back.spec_id) == (strategy, strategy.spec_id)


@pytest.mark.parametrize("name", NAMES)
def test_later_bars_change_no_signal(name: str) -> None:
    assert [check.detail for check in truncation(made(name, **SHORT[name]), ragged(), points=6) if not check.ok] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_trades_the_demo_data_within_its_means(name: str) -> None:
    outcome = on_demo(name).outcome
    assert on_demo(name).counts()["fills"] > 0
    assert on_demo(name).counts()["rejected"] == 0
    assert outcome.equity.min() > 0
    exposure = outcome.gross / outcome.equity
    assert exposure.max() <= (1.2 if name == "pairs_zscore" else 1.0)  # shorts that rise take a larger part of less until the next decision


@pytest.mark.parametrize("name", NAMES)
def test_it_trades_a_ragged_market_within_its_means(name: str) -> None:
    result = rbt.run(made(name, **SHORT[name]), ragged())
    assert result.counts()["fills"] > 0
    assert result.outcome.equity.min() > 0.5 * result.outcome.equity[0]
    weights = result.signals.group_by("ts").agg(pl.col("target").abs().sum())["target"]
    assert weights.max() <= 1.0  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("sma_cross", {"fast": 50, "slow": 20}, "fast 50 is not below slow 20"),
        ("macd", {"fast": 26, "slow": 26}, "fast 26 is not below slow 26"),
        ("rsi_reversion", {"low": 60.0, "high": 40.0}, "low 60.0 is not below high 40.0"),
        ("donchian_breakout", {"entry": 10, "leave": 20}, "leave 20 is longer than entry 10"),
        ("momentum", {"lookback": 20, "skip": 20}, "skip 20 is not below lookback 20"),
        ("pairs_zscore", {"first": "A", "second": "A"}, "first and second are both 'A'"),
        ("pairs_zscore", {"entry": 1.0, "leave": 1.0}, "leave 1.0 is not below entry 1.0"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(name: str, params: dict[str, Any], said: str) -> None:
    with pytest.raises(rbt.SpecError, match=said):
        made(name, **params)


def test_buy_and_hold_buys_once_and_is_worth_what_it_bought() -> None:
    panel = markets.panel(assets=1, bars=30, seed=8)
    result = rbt.run(made("buy_and_hold"), panel, cash="100000")
    opened, closed = panel.frame["open"].to_list(), panel.frame["close"].to_list()
    lots = Decimal(99000) // Decimal(str(closed[0]))
    assert result.counts()["fills"] == 1
    expected = Decimal(100_000) + lots * (Decimal(str(closed[-1])) - Decimal(str(opened[1])))
    assert Decimal(int(result.outcome.equity[-1])) / 10**8 == expected


def test_equal_weight_gives_equal_parts_each_month() -> None:
    panel = markets.panel(assets=3, bars=60, seed=9)
    result = rbt.run(made("equal_weight"), panel, cash="10000000")
    decided = result.signals["ts"].unique().sort()
    months = panel.frame["session"].unique().sort().dt.truncate("1mo")
    assert len(decided) == months.n_unique()
    assert (result.signals["target"] - 0.33).abs().max() < 1e-12  # type: ignore[operator]


def test_volatility_target_holds_less_of_what_moves_more() -> None:
    calm, wild = (markets.market(assets=1, bars=80, seed=4, volatility=v).bars for v in (0.005, 0.03))
    bars = pl.concat([calm.with_columns(asset=pl.lit("CALM")), wild.with_columns(asset=pl.lit("WILD"))])
    result = rbt.run(made("volatility_target", window=20), rbt.load(bars, stamp="close"))
    last = dict(result.signals.filter(pl.col("ts") == pl.col("ts").max()).select("asset", "scale").iter_rows())
    assert last["WILD"] < 0.7 < last["CALM"] <= 1.0


def test_pairs_are_long_one_and_short_the_other() -> None:
    result = rbt.run(made("pairs_zscore", **SHORT["pairs_zscore"]), ragged())
    wide = result.signals.filter((pl.col("target") != 0) & pl.col("asset").cast(pl.String).is_in(["A0", "A1"]))
    assert wide.height
    signs = wide.group_by("asset").agg(pl.col("target").sign().unique().sort())
    assert signs.height == 2
    assert set(result.signals.filter(~pl.col("asset").cast(pl.String).is_in(["A0", "A1"]))["target"]) <= {0.0}
    nets = wide.group_by("ts").agg(pl.col("target").sum().alias("net"), pl.len()).filter(pl.col("len") == 2)["net"]
    assert np.abs(nets.to_numpy()).max() < 1e-12


def test_a_pair_that_is_not_in_the_data_trades_nothing() -> None:
    assert rbt.run(made("pairs_zscore", first="NONE", second="A1"), ragged()).counts()["fills"] == 0


def test_donchian_stops_are_written_into_the_log() -> None:
    result = rbt.run(made("donchian_breakout", **SHORT["donchian_breakout"]), ragged())
    assert "trailing_stop" in set(result.fills["reason"])
