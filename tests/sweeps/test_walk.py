from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.sweeps import Walk, combinatorial, groups, paths, windows
from rustybt.sweeps.splits import instant, read_length
from rustybt.testing import markets


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=3, bars=500, seed=5, gaps=0.03, splits=0.5, dividends=0.5)


@rbt.strategy
def cross(fast: int = 5, slow: int = 20) -> rbt.Strategy:
    up = pl.col("adj_close").rolling_mean(fast) > pl.col("adj_close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))


GRID = {"fast": [3, 5, 8], "slow": [15, 30, 45]}
COSTS = rbt.costs(commission=rbt.bps(5))


# --- splits -----------------------------------------------------------------------------------------------------------------------------

LENGTHS = st.one_of(st.integers(2, 120), st.sampled_from(["1mo", "2mo", "3w", "40d", "1q"]))


@given(
    train=LENGTHS,
    test=LENGTHS,
    validation=st.one_of(st.none(), LENGTHS),
    embargo=st.one_of(st.integers(0, 20), st.sampled_from(["0d", "5d", "1w"])),
    mode=st.sampled_from(["rolling", "expanding", "anchored"]),
)
def test_no_bar_is_learned_from_and_tested(train: Any, test: Any, validation: Any, embargo: Any, mode: str) -> None:
    panel = BARS
    walk = Walk(train, test, validation, embargo, mode)
    asked = sum(400 if isinstance(x, str) else x for x in (train, test, validation or 0, embargo, embargo))
    if asked > 380:
        try:
            found = windows(panel, walk)
        except ConfigError:  # too long for the data, or a part of a month that is too short
            return
    else:
        found = windows(panel, walk)
    tested: list[int] = []
    for step in found:
        parts = [step.train, *([step.validation] if step.validation else []), step.test]
        for (first, stop), (after, _) in pairwise(parts):
            assert first < stop <= after
            if isinstance(embargo, int):
                assert after - stop >= embargo
            else:
                days = int(panel.sessions[after]) - int(panel.sessions[stop - 1])
                assert days > int(embargo[:-1]) * (7 if embargo[-1] == "w" else 1)
        if mode != "rolling":
            assert step.train[0] == 0
        elif isinstance(train, int):
            assert step.train[1] - step.train[0] == train
        if isinstance(test, int) and step is not found[-1]:
            assert step.test[1] - step.test[0] == test
        tested += range(*step.test)
    assert tested == list(range(found[0].test[0], found[-1].test[1]))
    assert panel.bars - found[-1].test[1] < 2


BARS = markets.panel(assets=1, bars=400, seed=1)


@given(bars=st.integers(12, 300), count=st.integers(2, 6), data=st.data(), purge=st.integers(0, 12), embargo=st.integers(0, 12))
def test_purge_and_embargo_hold_for_every_combination(bars: int, count: int, data: st.DataObject, purge: int, embargo: int) -> None:
    tests = data.draw(st.integers(1, count - 1))
    spans = groups(bars, count)
    splits = combinatorial(spans, tests, purge, embargo)
    for split in splits:
        tested = {bar for group in split.groups for bar in range(*spans[group])}
        learned = {bar for first, stop in split.train for bar in range(first, stop)}
        near = {bar for bar in range(bars) if any(bar + k in tested for k in range(1, purge + 1))}
        near |= {bar for bar in range(bars) if any(bar - k in tested for k in range(1, embargo + 1))}
        assert learned == set(range(bars)) - tested - near
    routes = paths(splits, count)
    used = [(split, group) for route in routes for group, split in enumerate(route)]
    assert len(used) == len(set(used)) == len(splits) * tests
    assert all(group in splits[split].groups for split, group in used)


def test_the_combinations_of_the_book() -> None:
    """Six groups of which two test: 15 splits and 5 paths (Lopez de Prado 2018, ch. 12, fig. 12.1 and 12.2)."""
    splits = combinatorial(groups(600, 6), 2)
    routes = paths(splits, 6)
    assert len(splits) == 15
    assert len(routes) == 5
    assert [s.groups for s in splits[:6]] == [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 2)]
    assert routes[0] == [0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(("day", "length", "then"), [("2024-01-31", "1mo", "2024-02-29"), ("2024-02-29", "1y", "2025-02-28")])
def test_months_end_where_the_calendar_says(day: str, length: str, then: str) -> None:
    from rustybt.sweeps.splits import moved

    assert moved(date.fromisoformat(day), *read_length(length, "x")) == date.fromisoformat(then)


@pytest.mark.parametrize(
    ("walk", "says"),
    [
        ({"train": 0, "test": 5}, "train of 0 bars is too short"),
        ({"train": "2 moons", "test": 5}, "train '2 moons' is no length"),
        ({"train": True, "test": 5}, "train True is no length"),
        ({"train": 5, "test": 5, "mode": "sideways"}, "mode 'sideways' is unknown"),
        ({"train": 5, "test": 5, "embargo": -1}, "embargo of -1 bars"),
        ({"train": 399, "test": 5}, "400 bars are too few"),
        ({"train": "9y", "test": 5}, "400 bars are too few"),
    ],
)
def test_windows_that_cannot_be(walk: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        windows(BARS, Walk(**walk))


# --- the walk ---------------------------------------------------------------------------------------------------------------------------


def walked(panel: Panel, **more: Any) -> rbt.sweeps.WalkForward:
    usual: dict[str, Any] = {"grid": GRID, "train": 150, "test": 60, "embargo": 3, "costs": COSTS}
    return rbt.walk_forward(cross, panel, **(usual | more))


def test_stitched_equity_is_the_chain_of_the_windows(panel: Panel) -> None:
    """Run by hand: cut the data, begin with what the window before has left, take the parameters of the frame."""
    found = walked(panel)
    cash, curve = Decimal(100_000), []
    for step, row in zip(found.steps, found.windows.iter_rows(named=True), strict=True):
        bars = panel.frame.filter(pl.col("ts") <= instant(panel, step.test[1] - 1))
        assert bars["ts"].max() == instant(panel, step.test[1] - 1)
        result = found.run(row["step"])
        assert row["opening"] == cash
        assert result.panel.bars == row["test_bars"]
        assert (result.fills["ts"] > instant(panel, step.test[0])).all()
        cash = Decimal(result.final_equity)
        assert row["final_equity"] == cash
        assert row["out_of_sample"] == result.metrics["sharpe"]
        curve.append(result.equity.select("ts", "equity"))
    assert found.equity.select("ts", "equity").equals(pl.concat(curve))
    assert found.equity.height == found.windows["test_bars"].sum()
    assert found.metrics["total_return"] == pytest.approx(float(cash) / 100_000 - 1)


def test_each_choice_is_the_best_of_its_training(panel: Panel) -> None:
    found = walked(panel)
    for step, row in zip(found.steps, found.windows.iter_rows(named=True), strict=True):
        rows = found.variants.filter(pl.col("step") == row["step"])
        assert rows.height == 9
        assert row["in_sample"] == rows["sharpe"].max()
        alone = rbt.run(
            cross(fast=row["fast"], slow=row["slow"]),
            rbt.data.cut.until(panel, step.train[1]),
            trade_from=instant(panel, step.train[0]),
            costs=COSTS,
        )
        assert row["in_sample"] == alone.metrics["sharpe"]
        assert row["degradation"] == row["in_sample"] - row["out_of_sample"]


def test_what_comes_later_changes_nothing(panel: Panel) -> None:
    """The first windows of a walk over half of the data are those of a walk over all of them."""
    whole, half = walked(panel), walked(rbt.data.cut.until(panel, 320))
    count = half.windows.height - 1
    assert whole.windows.head(count).equals(half.windows.head(count))


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(panel: Panel, threads: int) -> None:
    one, other = walked(panel, workers=1), walked(panel, workers=threads)
    assert one.windows.equals(other.windows)
    assert one.equity.equals(other.equity)


def test_positions_that_are_carried_are_one_run(panel: Panel) -> None:
    """The same walk in which parameters change under way: one run, whose targets are those of the choices."""
    flat, carried = walked(panel), walked(panel, positions="carry")
    assert flat.windows.select("fast", "slow", "in_sample").equals(carried.windows.select("fast", "slow", "in_sample"))
    rows = carried.windows
    assert rows["opening"].to_list() == [Decimal(100_000), *rows["final_equity"].to_list()[:-1]]
    assert (rows["opening"].to_list()[1:]) == rows["final_equity"].to_list()[:-1]
    # One window only: nothing is carried, and both ways are the same.
    first = {"test": 10_000}
    assert walked(panel, **first).equity.equals(walked(panel, positions="carry", **first).equity)


def test_carrying_one_choice_is_running_it(panel: Panel) -> None:
    """With one variant nothing ever changes: the walk is a run that begins with the first test."""
    found = walked(panel, grid={"fast": [5], "slow": [30]}, positions="carry")
    alone = rbt.run(cross(fast=5, slow=30), panel, trade_from=instant(panel, found.steps[0].test[0]), costs=COSTS)
    assert found.equity.select("ts", "equity").equals(alone.equity.select("ts", "equity"))
    assert found.windows["fills"].sum() == alone.fills.height


def test_worked_by_hand() -> None:
    """Prices rise by 1 to the 6th bar and fall by 1 from then on; long or short with 5 units, 4 bars to learn, 3 to test.

    Bars (open = close before, close):   1:10 2:11 3:12 4:13 5:14 6:15 | 7:14 8:13 9:12 10:11
    Learning 1-4: decided at 1, filled at the open of 2 (10): long gains 3 x 5 = 15 by bar 4, short loses 15. Long is chosen.
    Test 5-7: decided at 5, filled at the open of 6 (14) and valued at 15, 14: gain (14 - 14) x 5 = 0, in between 5.
    Learning 4-7: decided at 4, filled at the open of 5 (13): long gains (14 - 13) x 5 = 5, short loses 5. Long is chosen.
    Test 8-10: decided at 8, filled at the open of 9 (13), valued at 12 and 11: loses 10.
    """
    closes = [10, 11, 12, 13, 14, 15, 14, 13, 12, 11]
    opens = [10, *closes[:-1]]
    start = datetime(2024, 1, 1, 21, tzinfo=UTC)
    bars = pl.DataFrame(
        [
            {"ts": start + timedelta(days=day), "asset": "A", "open": o, "high": max(o, c), "low": min(o, c), "close": c, "volume": 1}
            for day, (o, c) in enumerate(zip(opens, closes, strict=True))
        ],
        schema_overrides={"ts": pl.Datetime("us", "UTC"), "volume": pl.Float64},
    ).with_columns(pl.col("open", "high", "low", "close").cast(pl.Float64))

    @rbt.strategy
    def hold(side: int = 1) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.quantity(5 * side))

    found = rbt.walk_forward(hold, bars, grid={"side": [1, -1]}, train=4, test=3, metric="total_return", cash="1000")
    assert found.windows.select("side", "train_bars", "test_bars").rows() == [(1, 4, 3), (1, 4, 3)]
    assert found.windows["in_sample"].to_list() == pytest.approx([0.015, 0.005])
    assert [str(x) for x in found.equity["equity"]] == [f"{x}.00000000" for x in (1000, 1005, 1000, 1000, 995, 990)]
    assert found.windows["out_of_sample"].to_list() == pytest.approx([0.0, -0.01])
    assert found.windows["degradation"].to_list() == pytest.approx([0.015, 0.015])
    assert found.windows["fills"].to_list() == [1, 1]
    assert found.windows["held"].to_list() == pytest.approx([70 / 1000, 55 / 990])
    # Carried: the first window is the same, and what it holds loses 5 more at bar 8 before the second begins.
    carried = rbt.walk_forward(hold, bars, grid={"side": [1, -1]}, train=4, test=3, metric="total_return", cash="1000", positions="carry")
    assert [str(x) for x in carried.equity["equity"]] == [f"{x}.00000000" for x in (1000, 1005, 1000, 995, 990, 985)]
    assert carried.windows["fills"].to_list() == [1, 0]


def test_a_validation_decides_among_the_finalists(panel: Panel) -> None:
    found = walked(panel, validation=50, finalists=3)
    assert found.steps[0].validation == (153, 203)
    for step, row in zip(found.steps, found.windows.iter_rows(named=True), strict=True):
        assert step.validation is not None
        last = found.variants.filter(pl.col("step") == row["step"]).sort("sharpe", descending=True).head(3)
        again = rbt.sweeps.evaluate(
            cross,
            rbt.data.cut.until(panel, step.validation[1]),
            last.select("fast", "slow").to_dicts(),
            trade_from=instant(panel, step.validation[0]),
            costs=COSTS,
        )
        assert row["validated"] == again["sharpe"].max()
        assert row["in_sample"] in last["sharpe"].to_list()


def test_a_plateau_is_picked_in_each_window(panel: Panel) -> None:
    found = walked(panel, pick="plateau", grid={"fast": [3, 4, 5, 6], "slow": [20, 25, 30, 35]})
    for row in found.windows.iter_rows(named=True):
        rows = found.variants.filter(pl.col("step") == row["step"]).drop("step")
        middle = rbt.sweeps.pick(rows, ["fast", "slow"]).plateau
        assert (row["fast"], row["slow"]) == (middle["fast"], middle["slow"])


def test_less_volatility_is_better(panel: Panel) -> None:
    found = walked(panel, metric="volatility")
    for row in found.windows.iter_rows(named=True):
        assert row["in_sample"] == found.variants.filter(pl.col("step") == row["step"])["volatility"].min()
        assert row["degradation"] == row["out_of_sample"] - row["in_sample"]


def test_a_window_in_which_nothing_ran_holds_cash(panel: Panel) -> None:
    """Targets above the limit only in the first training: that window has an error and cash, the others go on."""
    wild = panel.frame.filter(pl.col("ts") == instant(panel, 100))["ts"][0]

    @rbt.strategy
    def breaks(part: float = 0.2) -> rbt.Strategy:
        at = pl.col("ts") == pl.lit(wild)
        return rbt.Strategy(target=rbt.weight(pl.when(at).then(3.0).otherwise(part)))

    found = rbt.walk_forward(breaks, panel, grid={"part": [0.1, 0.2]}, train=120, test=60)
    first = found.windows.row(0, named=True)
    assert "add up to" in first["error"]
    assert first["opening"] == first["final_equity"] == Decimal(100_000)
    assert first["failed"] == 2
    assert found.windows["error"].null_count() == found.windows.height - 1 - found.windows["error"][1:].drop_nulls().len()
    assert any("No variant ran in window 0" in note for note in found.notes)
    with pytest.raises(ConfigError, match="no variant ran in window 0"):
        found.run(0)
    with pytest.raises(ConfigError, match="no variant ran in window 0"):
        rbt.walk_forward(breaks, panel, grid={"part": [0.1, 0.2]}, train=120, test=60, positions="carry")


def test_progress_reaches_its_end(panel: Panel) -> None:
    seen: list[tuple[int, int]] = []
    found = walked(panel, progress=lambda done, total: seen.append((done, total)))
    total = 9 * found.windows.height
    assert seen[0] == (1, total)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == list(range(1, total + 1))


def test_a_walk_is_one_trial(panel: Panel, tmp_path: Any) -> None:
    file = tmp_path / "trials.sqlite"
    assert walked(panel, trials=file).tally.trials == 1
    assert walked(panel, trials=file).tally.trials == 1
    again = walked(panel, trials=file, metric="total_return")
    assert again.tally.trials <= 2
    assert "out of sample" in again.luck


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"grid": None}, "neither a grid nor a search"),
        ({"search": {"trials": 5}}, "both a grid and a search"),
        ({"grid": {"speed": [1]}}, "has no parameter 'speed'"),
        ({"metric": "beauty"}, "there is no metric 'beauty'"),
        ({"metric": "error"}, "there is no metric 'error'"),
        ({"pick": "first"}, "pick 'first' is unknown"),
        ({"finalists": 0, "validation": 20}, "0 finalists"),
        ({"positions": "short"}, "positions 'short' is unknown"),
        ({"flows": [("2020-01-02", "5")]}, "flows cannot be divided"),
        ({"trade_from": "2020-01-02"}, "trade_from cannot be divided"),
        ({"where": "fast > slow"}, "leaves none of 9"),
        ({"grid": {"fast": [0, -1]}}, "no variant ran in any window"),
        ({"pick": "plateau", "grid": {"fast": [5]}}, "no variant has two neighbours"),
    ],
)
def test_bad_input(panel: Panel, more: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        walked(panel, **more)


def test_a_parameter_may_not_be_called_like_a_column(panel: Panel) -> None:
    @rbt.strategy
    def taken(held: int = 5, fills: int = 3, trial: int = 1) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(0.1))

    for name in ("held", "fills"):
        with pytest.raises(ConfigError, match=f"the parameter '{name}' has the name of a column"):
            rbt.walk_forward(taken, panel, grid={name: [1, 2]}, train=60, test=40)
    for name in ("trial", "fills"):
        with pytest.raises(ConfigError, match=f"the parameter '{name}' has the name of a column"):
            rbt.search(taken, panel, space={name: [1, 2]})


def test_what_cannot_change_under_way(panel: Panel) -> None:
    @rbt.strategy
    def stopped(loss: str = "0.05") -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(0.3), exits=rbt.exits(stop_loss=loss))

    grid = {"loss": ["0.01", "0.02", "0.10"]}
    assert rbt.walk_forward(stopped, panel, grid=grid, train=60, test=40).windows["loss"].n_unique() > 1
    with pytest.raises(ConfigError, match="the exits depends on the parameters"):
        rbt.walk_forward(stopped, panel, grid=grid, train=60, test=40, positions="carry")


def test_hundreds_of_assets_and_few_bars() -> None:
    wide = markets.panel(assets=300, bars=40, seed=3)
    rank = pl.col("close").pct_change(3).over("asset").rank().over("ts")

    @rbt.strategy
    def leaders(count: int = 5) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(pl.when(rank > 300 - count).then(1 / 50).otherwise(0.0)))

    for positions in ("flat", "carry"):
        found = rbt.walk_forward(leaders, wide, grid={"count": [5, 20]}, train=15, test=10, positions=positions, metric="total_return")
        assert found.windows["test_bars"].to_list() == [10, 10, 5]
        assert np.isfinite(found.metrics["total_return"])
