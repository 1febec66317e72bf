"""What a result tells its reader without being asked."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.bulk import panel_of
from rustybt.engine.config import configure
from rustybt.engine.incremental import walk
from rustybt.spec import OnBar
from rustybt.spec.hooks import Context
from tests.engine.conftest import bars_of

RISE = [(p, p, p, p) for p in (10.0, 11.0, 12.0, 13.0)]


def nothing(context: Context) -> None:
    """Sends no order."""


@pytest.mark.parametrize(
    ("strategy", "why"),
    [
        (rbt.Strategy("s", target=rbt.weight(0.5), universe=pl.col("close") > 99), "its universe is true on none of 4 rows"),
        (rbt.Strategy("s", target=rbt.weight(pl.when(pl.col("close") > 99).then(0.5))), "its target is null on all 4 rows"),
        (rbt.Strategy("s", target=rbt.weight(0.0)), "its target is 0 or null on all 4 rows"),
        (rbt.Strategy("s", target=rbt.weight(pl.col("close").rolling_mean(9) / 1e9)), "its warm-up of 8 bars is not over"),
        (rbt.Strategy("s", target=rbt.weight(0.5), schedule=rbt.every(50), warmup=1), "its schedule fires at no bar"),
        (rbt.Strategy("s", target=rbt.weight(0.005)), "no target on its 4 rows that decide comes to a whole lot"),
        (rbt.Strategy("s", target=rbt.quantity(pl.when(pl.col("close") > 12).then(1))), "of its orders 1 working, 0 filled"),
        (rbt.Strategy("s", on_bar=OnBar(nothing)), "its callback sent no order"),
    ],
)
def test_a_run_without_a_fill_says_why(strategy: rbt.Strategy, why: str) -> None:
    result = rbt.run(strategy, bars_of("A", RISE), cash="1000")
    assert result.fills.is_empty()
    said = [note for note in result.warnings if "traded nothing" in note]
    assert len(said) == 1
    assert why in said[0]
    walked = walk({"s": strategy}, panel_of(bars_of("A", RISE)), configure(cash="1000"))
    assert walked.warnings == result.warnings


def test_only_the_sleeve_that_traded_nothing_is_named() -> None:
    idle, busy = rbt.Strategy("idle", target=rbt.weight(0.0)), rbt.Strategy("busy", target=rbt.weight(0.5))
    notes = rbt.run({"busy": busy, "idle": idle}, bars_of("A", RISE)).warnings
    assert [note.split(":")[0] for note in notes if "traded nothing" in note] == ["strategy 'idle' traded nothing"]


@pytest.mark.parametrize(
    ("condition", "strangers"),
    [
        ((pl.col("asset") == "NOPE") | (pl.col("asset") == "A"), "1 assets that are not in the data: 'NOPE'"),
        (~(pl.col("asset") == "NOPE"), "1 assets that are not in the data: 'NOPE'"),
        (pl.lit("NOPE") != pl.col("asset").cast(pl.String), "1 assets that are not in the data: 'NOPE'"),
        (pl.col("asset").is_in(["A", "X", "Y"]), "2 assets that are not in the data: 'X', 'Y'"),
        (pl.col("asset").is_in(pl.Series(["A", "X"])), "1 assets that are not in the data: 'X'"),
        (pl.col("asset") == "A", None),
        (pl.col("close") > 11, None),
    ],
)
def test_assets_that_a_term_names_and_the_data_lack_are_said(condition: pl.Expr, strangers: str | None) -> None:
    strategy = rbt.Strategy("s", target=rbt.weight(pl.when(condition).then(0.5).otherwise(0.0)))
    said = [note for note in rbt.run(strategy, bars_of("A", RISE)).warnings if "not in the data" in note]
    assert said == ([f"term 'target' of 's' names {strangers}."] if strangers else [])


@pytest.mark.parametrize("alone", [pl.col("asset") == "NOPE", pl.col("asset").is_in(["X", "NOPE"]) & (pl.col("close") > 0)])
@pytest.mark.parametrize("place", ["target", "universe", "signal"])
def test_a_term_for_assets_of_which_the_data_have_none_is_refused(alone: pl.Expr, place: str) -> None:
    target = rbt.weight(pl.when(alone if place == "target" else pl.lit(True)).then(0.5).otherwise(0.0))
    every: dict[str, dict[str, Any]] = {"target": {}, "universe": {"universe": alone}, "signal": {"signals": {"here": alone}}}
    strategy = rbt.Strategy("s", target=target, **every[place])
    panel = panel_of(bars_of("A", RISE))
    with pytest.raises(rbt.SpecError, match=r"is for is in the data: '.*NOPE'"):
        rbt.run(strategy, panel)
    with pytest.raises(rbt.SpecError, match="use some of A"):
        walk({"s": strategy}, panel, configure())


def test_trusted_columns_are_said_once() -> None:
    bars = bars_of("A", RISE).with_columns(factor=pl.lit(1.0))
    notes = rbt.run(rbt.Strategy(target=rbt.weight(0.5)), bars).warnings
    assert sum("factor" in note for note in notes) == 1


CHANGE = pl.col("close").diff()


@pytest.mark.parametrize(
    ("expr", "nans"),
    [
        ((CHANGE / CHANGE.abs()).ewm_mean(span=3), 1),
        ((CHANGE / CHANGE.abs()).cum_sum(), 1),
        ((pl.col("close") - 11).log().ewm_mean(span=3), 1),
        (pl.col("factor").ewm_mean(span=3), 2),
        ((CHANGE / CHANGE.abs()).fill_nan(None).ewm_mean(span=3), 0),
        (CHANGE.ewm_mean(span=3), 0),
        ((CHANGE / CHANGE.abs()).rolling_mean(3), 0),
    ],
)
def test_a_nan_inside_a_running_term_is_said_though_a_comparison_hides_it(expr: pl.Expr, nans: int) -> None:
    prices = [(p, p, p, p) for p in (10.0, 11.0, 11.0, 12.0, 13.0)]
    bars = bars_of("A", prices).with_columns(factor=pl.Series([1.0, 2.0, float("nan"), float("nan"), 1.0]))
    strategy = rbt.Strategy(target=rbt.weight(pl.when(expr > 1).then(0.5).otherwise(0.0)))
    said = [note for note in rbt.run(strategy, bars).warnings if "never gets rid of it" in note]
    assert len(said) == (nans > 0)
    assert not nans or f"is NaN on {nans} rows (first: asset 'A', 2024-01-0" in said[0]
