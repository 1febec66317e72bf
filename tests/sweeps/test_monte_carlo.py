from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.analysis.honesty import Draw
from rustybt.engine import Result, configure
from rustybt.model import Panel
from rustybt.spec import OnBar
from rustybt.sweeps import (
    Case,
    Change,
    DrawnLatency,
    ExtraSlippage,
    MissedFills,
    ParameterJitter,
    PriceNoise,
    SyntheticBars,
    perturb,
    resample_returns,
    resample_trades,
)
from rustybt.testing import markets


@rbt.strategy
def cross(fast: Annotated[int, rbt.Range(2, 30)] = 5, slow: int = 20, share: float = 0.3, on: bool = True) -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up & on).then(share).otherwise(0.0)))


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=3, bars=250, seed=2, gaps=0.02)


@pytest.fixture(scope="module")
def result(panel: Panel) -> Result:
    return rbt.run(cross(), panel, costs=rbt.costs(commission=rbt.bps(5)))


def test_resampled_returns_surround_the_run(result: Result) -> None:
    found = resample_returns(result, Draw(count=400))
    assert found.height == 400
    own = result.metrics["sharpe"]
    assert found["sharpe"].quantile(0.05) < own < found["sharpe"].quantile(0.95)
    assert found.equals(resample_returns(result, Draw(count=400)))


def test_a_shuffle_of_trades_changes_what_depends_on_their_order_alone(result: Result) -> None:
    found = resample_trades(result, count=200)
    for name in ("profit", "win_rate", "profit_factor", "expectancy"):
        assert found[name].n_unique() == 1, name
    assert found["win_rate"][0] == pytest.approx(result.metrics["win_rate"])
    assert found["profit_factor"][0] == pytest.approx(result.metrics["profit_factor"])
    assert found["max_drawdown"].n_unique() > 20
    assert found["longest_losing_run"].n_unique() > 1


def test_trades_that_are_drawn_change_everything(result: Result) -> None:
    found = resample_trades(result, "draw", count=200)
    assert found["profit"].n_unique() > 100
    assert found["profit"].mean() == pytest.approx(float(result.trades["pnl"].cast(pl.Float64).sum()), rel=0.6, abs=2000)


def test_runs_do_not_depend_on_workers_nor_on_how_many_there_are(panel: Panel) -> None:
    changes: list[Change] = [PriceNoise(0.001), ExtraSlippage(5), MissedFills(0.1)]
    one, other = (perturb(cross(), panel, changes, count=count, workers=workers) for count, workers in ((6, 1), (4, 3)))
    assert one.frame.head(4).equals(other.frame, null_equal=True)
    assert one.frame["final_equity"].n_unique() == 6


def test_each_change_alone_changes_the_run(panel: Panel) -> None:
    each: tuple[Change, ...] = (
        PriceNoise(0.01),
        SyntheticBars(5),
        MissedFills(0.3),
        ExtraSlippage(20),
        ParameterJitter(cross, 0.5, ("fast", "slow")),
    )
    for change in each:
        found = perturb(cross(), panel, [change], count=4)
        assert found.failed == 0, found.frame["error"][0]
        assert str(found.frame["final_equity"][0]) != found.base.final_equity, change


def test_changes_of_no_size_change_nothing(panel: Panel) -> None:
    found = perturb(
        cross(), panel, [PriceNoise(0.0), MissedFills(0.0), ExtraSlippage(0.0), ParameterJitter(cross, 0.0, ("share",))], count=2
    )
    assert [str(value) for value in found.frame["final_equity"]] == [found.base.final_equity] * 2


def test_slippage_makes_it_worse_and_the_summary_says_so(panel: Panel) -> None:
    costs = rbt.costs(slippage=rbt.asymmetric(buy=rbt.bps(1), sell=rbt.bps(2)), by_asset={"A1": rbt.costs(slippage=rbt.ticks(1))})
    found = perturb(cross(), panel, [ExtraSlippage(50)], count=10, costs=costs)
    rows = {row["metric"]: row for row in found.summary().iter_rows(named=True)}
    assert rows["total_return"]["below"] == 1.0
    assert rows["total_return"]["q05"] <= rows["total_return"]["q50"] <= rows["total_return"]["q95"] < rows["total_return"]["run"]


def test_a_missed_decision_is_tried_again_at_the_next_bar() -> None:
    panel = markets.panel(assets=1, bars=40, seed=1)
    hold = rbt.Strategy("hold", target=rbt.weight(0.5))
    case = MissedFills(0.5).apply(Case(hold, panel, configure()), np.random.default_rng(2))
    kept = case.panel.frame["decision_kept"].to_list()
    found = rbt.run(case.strategy, case.panel)
    assert not kept[0]
    assert found.fills["ts"][0] == panel.frame["ts"][kept.index(True) + 1]


def test_latency_is_drawn_anew_in_every_run() -> None:
    panel = markets.panel(assets=2, bars=300, seed=2, frequency="1m")
    found = perturb(cross(), panel, [DrawnLatency(rbt.latency(uniform=("1s", "150s"), bar="1m"))], count=5)
    assert found.failed == 0, found.frame["error"].to_list()
    assert found.frame["final_equity"].n_unique() > 1
    fixed = perturb(cross(), panel, [DrawnLatency(rbt.latency("61s", bar="1m"))], count=3)
    assert fixed.frame["final_equity"].n_unique() == 1


@pytest.mark.parametrize("change", [PriceNoise(), SyntheticBars()])
def test_finer_bars_would_hold_other_prices(change: Change) -> None:
    bars = markets.market(assets=1, bars=48, seed=2, frequency="1h").bars
    coarse = bars.group_by_dynamic("ts", every="4h", period="4h", closed="right", label="right", group_by="asset").agg(
        pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(), pl.col("volume").sum()
    )
    found = perturb(
        rbt.Strategy("h", target=rbt.weight(0.1)), rbt.load(coarse, stamp="close"), [change], count=1, finer=rbt.load(bars, stamp="close")
    )
    assert "finer bars, which hold other prices" in found.frame["error"][0]


def test_neighbouring_parameters_are_allowed_ones() -> None:
    jitter, rng = ParameterJitter(cross, 0.5, ("fast", "share")), np.random.default_rng(1)
    drawn = [jitter.near(cross(fast=2).params, rng) for _ in range(300)]
    assert {values["fast"] for values in drawn} == {2, 3}
    assert {values["slow"] for values in drawn} == {20}
    assert {values["on"] for values in drawn} == {True}
    shares = [float(values["share"]) for values in drawn]  # type: ignore[arg-type]
    assert 0.15 <= min(shares) < 0.2 < 0.4 < max(shares) <= 0.45


def test_a_change_that_fails_is_a_row_with_its_error() -> None:
    @rbt.strategy
    def picky(n: int = 10) -> rbt.Strategy:
        if n != 10:
            raise ValueError("ten or nothing")
        return rbt.Strategy(target=rbt.weight(0.1))

    found = perturb(picky(), markets.panel(assets=1, bars=30), [ParameterJitter(picky, 0.3)], count=8)
    assert 0 < found.failed <= 8
    assert "ten or nothing" in found.frame["error"].drop_nulls()[0]


def on_bar(context: Any) -> None:
    """Does nothing."""


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda p, r: perturb(cross(), p, []), "no changes"),
        (lambda p, r: perturb(cross(), p, [PriceNoise()], count=0), "0 runs"),
        (lambda p, r: PriceNoise(2.0), "2.0 is outside 0..1"),
        (lambda p, r: MissedFills(-1), "-1 is outside 0..1"),
        (lambda p, r: SyntheticBars(0), "blocks of 0 bars"),
        (lambda p, r: ExtraSlippage(-1), "slippage of -1"),
        (lambda p, r: ParameterJitter(cross, 0.1, ("fats",)), "no parameter 'fats'"),
        (lambda p, r: ParameterJitter(cross, 3), "3 is outside 0..1"),
        (lambda p, r: resample_trades(r, how="mix"), "how 'mix'"),  # type: ignore[arg-type]
        (lambda p, r: resample_trades(r, count=0), "0 is no whole number of 1 or more"),
        (lambda p, r: resample_trades(rbt.run(rbt.Strategy("h", target=rbt.weight(0.1)), p)), "0 closed trades"),
        (lambda p, r: perturb(rbt.Strategy("c", on_bar=OnBar(on_bar)), p, [MissedFills()], count=1).frame["error"], None),
    ],
)
def test_what_cannot_be_done_is_said(panel: Panel, result: Result, wrong: Any, words: str | None) -> None:
    if words is None:
        assert "has no target" in wrong(panel, result)[0]
        return
    with pytest.raises(rbt.ConfigError, match=words):
        wrong(panel, result)
