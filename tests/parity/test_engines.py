"""All bars at once and one bar at a time: identical signals, orders, fills and balances, to the last byte."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import replay
from rustybt.engine import Result, configure, run_configured, walk
from rustybt.engine.compare import outcome_difference, signal_difference
from rustybt.model import Panel
from rustybt.spec import Context, OnBar
from rustybt.spec.planner import plan
from rustybt.spec.window import Window
from rustybt.testing import markets
from tests.expressions.short import SHORT
from tests.parity.strategies import case

GENERATED = range(28)
TERMS = range(100, 116)
FRAMES = ("orders", "fills", "trades", "positions", "equity", "journal")


@lru_cache
def ragged() -> Panel:
    return markets.panel(
        assets=4, bars=90, seed=3, gaps=0.05, halts=0.5, listings=0.5, delistings=0.3, ties=0.05, splits=0.5, dividends=0.5
    )


def ready(name: str) -> rbt.Strategy:
    function: Callable[..., rbt.Strategy] = getattr(importlib.import_module(f"expressions.strategies.{name}"), name)
    return function(**SHORT[name])


def assert_same(bulk: Result, stepped: Result) -> None:
    assert outcome_difference(bulk.outcome, stepped.outcome) == ""
    assert signal_difference(bulk, stepped) == ""
    for frame in FRAMES:
        assert getattr(bulk, frame).equals(getattr(stepped, frame), null_equal=True), frame
    assert bulk.identity == stepped.identity


def assert_same_signals(strategy: rbt.Strategy, panel: Panel) -> None:
    made = plan(strategy)
    window = Window(made, panel.assets, adj_digits=panel.adj_digits)
    parts = [rows.select("asset", "ts").hstack(window.push(rows).drop("row")) for _, _, rows in replay(panel)]
    stepped = pl.concat(parts).sort("asset", "ts")
    bulk = made.evaluate(panel.frame, panel)
    for name in bulk.columns[1:]:
        one, two = bulk[name], stepped[name]
        if one.dtype.is_float():
            one, two = (s.cast(pl.Float64).reinterpret(dtype=pl.Int64) for s in (one, two))
        assert one.equals(two, null_equal=True), f"{name} of {strategy!r}"


@pytest.mark.parametrize("name", sorted(SHORT))
def test_a_ready_strategy_runs_the_same_bar_by_bar(name: str) -> None:
    priced = rbt.costs(commission=rbt.bps("5", minimum="1"), slippage=rbt.bps("2"))
    sleeves, config = {name: ready(name)}, configure(costs=priced)
    bulk = run_configured(sleeves, ragged(), config)
    assert bulk.counts()["fills"]
    assert_same(bulk, walk(sleeves, ragged(), config))


@pytest.mark.parametrize("seed", GENERATED)
def test_generated_strategies_run_the_same_bar_by_bar(seed: int) -> None:
    sleeves, panel, config = case(seed)
    assert_same(run_configured(sleeves, panel, config), walk(sleeves, panel, config))


@pytest.mark.parametrize("seed", TERMS)
def test_generated_terms_are_the_same_bar_by_bar(seed: int) -> None:
    sleeves, panel, _ = case(seed)
    for strategy in sleeves.values():
        assert_same_signals(strategy, panel)


def test_generated_strategies_trade() -> None:
    traded = [run_configured(*case(seed)).counts() for seed in GENERATED]
    assert sum(counts["fills"] > 0 for counts in traded) > len(GENERATED) * 0.6


def test_all_ready_strategies_share_one_pot() -> None:
    # Ten sleeves, each with weights up to 1: together they may hold many times the equity.
    sleeves = {name: ready(name) for name in sorted(SHORT)}
    config = configure(cash="1000000", max_gross=20)
    bulk = run_configured(sleeves, ragged(), config)
    assert set(bulk.fills["sleeve"].cast(pl.String)) == set(SHORT)
    assert_same(bulk, walk(sleeves, ragged(), config))


def test_sleeves_may_name_signals_of_different_types_alike() -> None:
    held = rbt.weight(0.1)
    sleeves = {
        "label": rbt.Strategy("label", target=held, signals={"mark": pl.lit("up").cast(pl.Enum(["up"]))}),
        "number": rbt.Strategy("number", target=held, signals={"mark": pl.col("close") > 0}),
        "whole": rbt.Strategy("whole", target=rbt.quantity(1)),
    }
    marks = run_configured(sleeves, ragged(), configure()).signals
    assert set(marks["mark"]) == {"up", "true", None}
    assert marks["target"].dtype == pl.Float64


def rotate(context: Context) -> None:
    """Hold the asset that rose most over the rows it is shown, and count the switches in its state."""
    last = context.bars.group_by("asset", maintain_order=True).agg((pl.col("close").last() / pl.col("close").first()).alias("rise"))
    best = str(last.sort("rise", "asset", descending=[True, False])["asset"][0])
    if context.state.get("held") == best:
        return
    for asset in context.positions:
        context.order_target(asset, 0)
    context.order_target(best, weight=Decimal("0.9"))
    context.state["held"] = best
    context.state["switches"] = context.state.get("switches", 0) + 1


def test_a_callback_sees_nothing_of_later_bars() -> None:
    """The same strategy on a market cut short gives the same bars until there."""
    bars = markets.market(assets=3, bars=60, seed=12, ties=0.1).bars
    cut = bars["ts"].unique().sort()[39]
    sleeves = {"rotate": rbt.Strategy("rotate", on_bar=OnBar(rotate, lookback=5))}
    full, short = (walk(sleeves, rbt.load(part, stamp="close"), configure()) for part in (bars, bars.filter(pl.col("ts") <= cut)))
    assert full.counts()["fills"] > 10
    for column in ("equity", "cash", "gross"):
        assert np.array_equal(getattr(full.outcome, column)[:40], getattr(short.outcome, column))


def test_a_callback_beside_a_target_gives_the_same_from_run_and_walk() -> None:
    sleeves = {"rotate": rbt.Strategy("rotate", on_bar=OnBar(rotate, lookback=5)), "cross": ready("sma_cross")}
    config = configure(max_gross=2)
    bulk = run_configured(sleeves, ragged(), config)
    assert set(bulk.fills["sleeve"].cast(pl.String)) == {"rotate", "cross"}
    assert_same(bulk, walk(sleeves, ragged(), config))


@pytest.mark.parametrize("name", ["bollinger", "donchian_breakout", "momentum"])
def test_a_sleeve_that_never_trades_changes_nothing(name: str) -> None:
    idle = rbt.Strategy("idle", target=rbt.weight(pl.when(pl.col("close") < 0).then(0.1).otherwise(0.0)))
    alone = walk({name: ready(name)}, ragged(), configure())
    beside = walk({name: ready(name), "idle": idle}, ragged(), configure())
    assert np.array_equal(alone.outcome.equity, beside.outcome.equity)
    assert alone.fills.drop("sleeve", strict=False).equals(beside.fills.drop("sleeve", strict=False), null_equal=True)
