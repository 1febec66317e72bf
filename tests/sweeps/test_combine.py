from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.analysis.metrics import periods_per_year
from rustybt.data.cut import until
from rustybt.engine.summary import curve_of
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.sweeps.splits import instant
from rustybt.testing import markets

COSTS = rbt.costs(commission=rbt.bps(5))


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=240, seed=6)


@rbt.strategy
def cross(fast: int = 5, slow: int = 20) -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.4).otherwise(0.0)))


def combined(panel: Panel, **more: Any) -> rbt.sweeps.CrossValidation:
    usual: dict[str, Any] = {"grid": {"fast": [3, 8], "slow": [12, 30]}, "groups": 4, "tests": 2, "purge": 2, "embargo": 10, "costs": COSTS}
    return rbt.cross_validate(cross, panel, **(usual | more))


def alone(panel: Panel, group: tuple[int, int], cash: object = "100000", **parameters: Any) -> rbt.Result:
    return rbt.run(cross(**parameters), until(panel, group[1]), trade_from=instant(panel, group[0]), cash=cash, costs=COSTS)


def test_every_path_is_the_chain_of_its_groups(panel: Panel) -> None:
    found = combined(panel)
    assert found.splits.height == 6
    assert found.paths.height == 3
    for path, route in enumerate(found.routes):
        cash, curve = Decimal(100_000), []
        for group, split in zip(found.groups, route, strict=True):
            row = found.splits.row(split, named=True)
            result = alone(panel, group, cash, fast=row["fast"], slow=row["slow"])
            cash = Decimal(result.final_equity)
            curve.append(result.equity.select("ts", "equity"))
        assert found.equity.filter(pl.col("path") == path).select("ts", "equity").equals(pl.concat(curve))
        assert found.paths["final_equity"][path] == cash


def test_each_split_chooses_by_its_training_alone(panel: Panel) -> None:
    """The first split tests groups 0 and 1: it learns on groups 2 and 3 less 10 bars after group 1."""
    found = combined(panel)
    first = found.splits.row(0, named=True)
    assert first["groups"] == [0, 1]
    assert first["train_bars"] == 120 - 10
    best: dict[tuple[int, int], float] = {}
    for fast in (3, 8):
        for slow in (12, 30):
            two, three = (curve_of(alone(panel, group, fast=fast, slow=slow)) for group in found.groups[2:])
            equity = two.equity[9:] / 1e8
            returns = np.concatenate([np.diff(equity) / equity[:-1], three.closes().returns])
            best[fast, slow] = returns.mean() / returns.std(ddof=1)
    chosen = max(best, key=lambda key: best[key])
    assert (first["fast"], first["slow"]) == chosen
    assert first["in_sample"] == pytest.approx(best[chosen] * periods_per_year(np.unique(panel.sessions)) ** 0.5)


def test_ranks_are_shares_of_the_variants(panel: Panel) -> None:
    found = combined(panel)
    assert found.splits["rank"].is_between(0, 1).all()
    assert set(found.splits["rank"].to_list()) <= {k / 5 for k in range(1, 5)} | {k / 10 for k in range(1, 10)}
    assert found.overfit is not None
    assert 0 <= found.overfit <= 1
    assert found.summary()["metric"].len() == 5
    assert "below the middle" in repr(found)


def test_threads_and_progress(panel: Panel) -> None:
    seen: list[tuple[int, int]] = []
    one = combined(panel, workers=1, progress=lambda done, total: seen.append((done, total)))
    other = combined(panel, workers=3)
    assert one.splits.equals(other.splits)
    assert one.equity.equals(other.equity)
    assert seen == [(done, 16) for done in range(1, 17)]


def test_a_bad_variant_is_left_out(panel: Panel) -> None:
    found = combined(panel, grid={"fast": [0, 3], "slow": [12, 30]})
    assert found.splits["fast"].unique().to_list() == [3]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"grid": {"speed": [1]}}, "has no parameter 'speed'"),
        ({"grid": {"fast": [0, -1]}}, "no variant ran"),
        ({"metric": "beauty"}, "there is no metric 'beauty'"),
        ({"groups": 1}, "1 groups cannot be combined"),
        ({"groups": 200}, "240 bars make no 200 groups"),
        ({"tests": 4}, "4 of 4 groups cannot test"),
        ({"tests": 0}, "0 of 4 groups cannot test"),
        ({"purge": -1}, "purge of -1 bars"),
        ({"embargo": 300}, "has nothing left to learn from"),
        ({"flows": [("2020-01-02", "5")]}, "flows cannot be divided"),
        ({"groups": 40, "tests": 8}, "splits are too many"),
    ],
)
def test_bad_input(panel: Panel, more: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        combined(panel, **more)


def test_a_plain_function_is_told_so(panel: Panel) -> None:
    with pytest.raises(ConfigError, match="is not a @strategy function"):
        rbt.cross_validate(len, panel, grid={"x": [1]})  # type: ignore[arg-type]
