from __future__ import annotations

import dataclasses
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine import run_configured, same_run, walk
from rustybt.engine.compare import outcome_difference, signal_difference
from rustybt.errors import LookaheadError
from rustybt.model import Panel
from rustybt.spec import tree
from rustybt.testing import markets


@pytest.fixture(scope="module")
def small() -> Panel:
    return markets.panel(assets=3, bars=80, seed=5, gaps=0.1, splits=0.4)


def test_a_clean_strategy_passes_every_check(small: Panel, cross: rbt.Strategy) -> None:
    verdict = rbt.verify(cross, small, points=3, costs=rbt.costs(commission=rbt.bps(5)))
    assert verdict.ok
    names = [check.name for check in verdict.checks]
    assert names[0] == "window bounds"
    assert names[-3:] == ["bulk = bar by bar", "books", "journal"]
    assert "FAIL" not in str(verdict)
    assert verdict.to_dict()["ok"] is True
    assert "✓" in verdict._repr_html_()


@pytest.mark.parametrize(("name", "value"), [("points", 0), ("points", "x"), ("points", True), ("seed", -1), ("seed", 0.5)])
def test_what_is_no_number_of_points_is_refused(small: Panel, cross: rbt.Strategy, name: str, value: Any) -> None:
    with pytest.raises(rbt.ConfigError, match=f"{name} {value!r} is not a whole number"):
        rbt.verify(cross, small, **{name: value})


def test_a_setting_that_does_not_exist_is_refused_by_name(small: Panel, cross: rbt.Strategy) -> None:
    with pytest.raises(rbt.SpecError, match="5 is not a Strategy"):
        rbt.verify(5, small)  # type: ignore[arg-type]
    with pytest.raises(rbt.ConfigError, match="there is no setting 'cahs'") as caught:
        rbt.verify(cross, small, cahs="5000")
    assert caught.value.where == "verify"


def test_progress_names_each_check(small: Panel, cross: rbt.Strategy) -> None:
    seen: list[str] = []
    rbt.verify(cross, small, points=2, progress=seen.append)
    assert seen == ["window bounds", "truncation", "window sufficiency", "bulk = bar by bar"]


def test_a_changed_balance_is_found(small: Panel, cross: rbt.Strategy) -> None:
    first = rbt.run(cross, small)
    equity = first.outcome.equity.copy()
    equity[40] += 1
    second = dataclasses.replace(first, outcome=dataclasses.replace(first.outcome, equity=equity))
    assert outcome_difference(first.outcome, second.outcome).startswith("equity: row 40")
    assert not same_run("same", first, second).ok


def test_a_changed_fill_is_found(small: Panel, cross: rbt.Strategy) -> None:
    first = rbt.run(cross, small)
    price = first.outcome.log.price.copy()
    price[0] += 1
    log = dataclasses.replace(first.outcome.log, price=price)
    second = dataclasses.replace(first.outcome, log=log)
    assert outcome_difference(first.outcome, second).startswith("log column 'price': row 0")


def test_a_signal_that_differs_by_one_bit_is_found(small: Panel, cross: rbt.Strategy) -> None:
    first = rbt.run(cross, small)
    second = dataclasses.replace(first)
    name = next(iter(first.evaluated))
    held = first.evaluated[name]
    moved = held.frame.with_columns(target=pl.col("target") * (1 + 2**-52))
    object.__setattr__(second, "evaluated", {name: dataclasses.replace(held, terms=moved)})
    assert signal_difference(first, second).startswith("signal 'target'")


def test_walking_gives_the_same_result_object(small: Panel, cross: rbt.Strategy) -> None:
    bulk = rbt.run(cross, small)
    stepped = walk(bulk.sleeves, small, bulk.config)
    assert same_run("bulk = bar by bar", run_configured(bulk.sleeves, small, bulk.config), stepped).ok
    assert stepped.identity == bulk.identity
    assert stepped.orders.equals(bulk.orders)
    assert stepped.trades.equals(bulk.trades)
    assert stepped.metrics == bulk.metrics


@pytest.mark.parametrize(("rows", "holds"), [(2, True), (1, False)])
def test_a_declared_python_function_runs_and_its_declaration_is_tried(rows: int, holds: bool) -> None:
    def three(series: pl.Series) -> pl.Series:
        return series.rolling_mean(3)

    average = pl.col("close").map_batches(three, return_dtype=pl.Float64).over("asset")
    target = rbt.quantity(pl.when(average > pl.col("close")).then(1).otherwise(0))
    digest = next(tree.symbol(node) for node in tree.walk(tree.parse(average)) if "AnonymousFunction" in node)
    with pytest.raises(LookaheadError, match=digest):
        rbt.Strategy("averaging", target=target)
    strategy = rbt.Strategy("averaging", target=target, declared={digest: rows})
    panel = markets.panel(assets=2, bars=60, seed=4)
    assert rbt.run(strategy, panel).counts()["fills"] > 10
    assert rbt.verify(strategy, panel, points=6).ok is holds
