from __future__ import annotations

from typing import Annotated, Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import assignments
from rustybt.testing import markets


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=3, bars=150, seed=2)


@rbt.strategy
def cross(fast: Annotated[int, rbt.Range(2, 30)] = 5, slow: int = 20) -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))


GRID = {"fast": [3, 5, 8], "slow": [5, 20, 40]}


def test_every_row_equals_the_variant_run_alone(panel: Panel) -> None:
    found = rbt.sweep(cross, panel, grid=GRID, where="fast < slow", costs=rbt.costs(commission=rbt.bps(5)))
    assert found.frame.height == 7
    for row in found.frame.iter_rows(named=True):
        alone = rbt.run(cross(fast=row["fast"], slow=row["slow"]), panel, costs=rbt.costs(commission=rbt.bps(5)))
        assert str(row["final_equity"]) == alone.final_equity
        assert row["sharpe"] == alone.metrics["sharpe"]
        assert found.run(row["variant"]).fills.equals(alone.fills)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_nothing(panel: Panel, threads: int) -> None:
    one, other = rbt.sweep(cross, panel, grid=GRID, workers=1), rbt.sweep(cross, panel, grid=GRID, workers=threads)
    assert one.frame.equals(other.frame, null_equal=True)


def test_a_bad_variant_is_a_row_with_its_error(panel: Panel) -> None:
    found = rbt.sweep(cross, panel, grid={"fast": [5, 99]})
    assert found.failed == 1
    assert "fast" in found.frame["error"][1]
    assert found.top(5)["variant"].to_list() == [0]
    assert "1 failed" in repr(found)
    assert "The first that failed: parameter 'fast' cannot be 99" in repr(found)


def test_progress_is_told(panel: Panel) -> None:
    seen: list[tuple[int, int]] = []
    rbt.sweep(cross, panel, grid={"fast": [3, 5]}, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("grid", "where", "words"),
    [
        ({}, None, "no values"),
        ({"fast": []}, None, "no values for 'fast'"),
        ({"fats": [1]}, None, "no parameter 'fats'"),
        ({"fast": [5]}, "fast > 9", "leaves none of 1"),
        ({"fast": [5]}, "fast <<", "cannot be used"),
        ({"fast": [5]}, "slow > 1", "cannot be used"),
    ],
)
def test_a_bad_grid_is_refused(panel: Panel, grid: dict[str, Any], where: str | None, words: str) -> None:
    with pytest.raises(rbt.ConfigError, match=words):
        rbt.sweep(cross, panel, grid=grid, where=where)


def test_a_metric_that_does_not_exist_is_named(panel: Panel) -> None:
    with pytest.raises(rbt.ConfigError, match="'luck'"):
        rbt.sweep(cross, panel, grid={"fast": [3]}).top(by="luck")


def test_last_name_varies_fastest() -> None:
    assert assignments({"a": [1, 2], "b": [3, 4]}) == [{"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4}]


def test_the_returns_of_all_variants_can_be_judged_together(panel: Panel) -> None:
    found = rbt.sweep(cross, panel, grid={"fast": [5, 99, 8], "slow": [20, 40]})
    table = found.returns()
    assert table.shape == (150, 4)
    wanted = rbt.run(cross(fast=8, slow=40), panel).metrics["sharpe"]
    assert table[:, 3].mean() / table[:, 3].std(ddof=1) * 252**0.5 == pytest.approx(wanted)
    assert 0 <= found.overfitting(parts=6).probability <= 1
    judged = found.superiority(count=200, block=5)
    assert judged.best in range(4)
    assert judged.lower <= judged.p_value <= judged.upper
    idle = rbt.run(rbt.Strategy("idle", target=rbt.weight(0.0)), panel)
    assert found.superiority(idle, count=200, block=5) == judged
    with pytest.raises(rbt.ConfigError, match="has 30 sessions, the variants have 150"):
        found.superiority(rbt.run(cross(), markets.panel(assets=1, bars=30)))


def test_a_sweep_of_failures_has_no_returns(panel: Panel) -> None:
    found = rbt.sweep(cross, panel, grid={"fast": [99]})
    assert found.top().height == 0
    assert "no Sharpe ratio" in found.luck
    with pytest.raises(rbt.ConfigError, match="no variant has run"):
        found.overfitting()
