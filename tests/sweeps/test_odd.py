"""Values of parameters that nobody would give: each is a row, with its error where it cannot be run, and costs no other its row."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps import batch
from rustybt.testing import markets
from tests.sweeps.strategies import cross

LONG = [5, 2**31, 2**32, 2**32 + 3, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, 10**40]


@rbt.strategy
def mean(bars: int = 5) -> rbt.Strategy:
    up = pl.col("close") > pl.col("close").rolling_mean(bars)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))


@rbt.strategy
def summed(bars: int = 5) -> rbt.Strategy:
    up = pl.col("close").rolling_sum(bars, min_samples=3) > 500
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))


@rbt.strategy
def spread(bars: int = 5) -> rbt.Strategy:
    up = pl.col("close").rolling_std(bars) > 1
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))


@rbt.strategy
def shifted(bars: int = 5) -> rbt.Strategy:
    up = pl.col("close") > pl.col("close").shift(bars)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=60, seed=1)


@pytest.mark.parametrize("family", [mean, summed, spread, shifted], ids=lambda family: family.name)
@pytest.mark.parametrize("later", [False, True])
def test_windows_that_no_data_fill_do_what_a_run_does(panel: Panel, family: StrategyFunction, later: bool) -> None:
    """In one sweep, and each alone; the window that can be filled is in it to see that it loses nothing."""
    settings: dict[str, Any] = {"trade_from": date.fromordinal(date(1970, 1, 1).toordinal() + int(panel.sessions[30]))} if later else {}
    rows = rbt.sweep(family, panel, grid={"bars": LONG}, trials="off", **settings).frame
    for bars, row in zip(LONG, rows.iter_rows(named=True), strict=True):
        try:
            alone, said = rbt.run(family(bars=bars), panel, **settings), ""
        except Exception as error:  # noqa: BLE001 - Polars has its own on numbers that it cannot take
            alone, said = None, str(error)
        if alone is None:
            assert said.splitlines()[0] in row["error"]
        else:
            assert (row["error"], row["final_equity"], row["fills"]) == (None, Decimal(alone.final_equity), alone.counts()["fills"]), bars
    assert rows["fills"][0] > 0


@pytest.mark.parametrize("place", ["evaluate", "fill", "both"])
def test_what_nobody_foresaw_in_one_variant_costs_no_other(panel: Panel, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    grid: dict[str, Any] = {"fast": list(range(2, 12)), "slow": [13, 17]}
    plain = rbt.sweep(cross, panel, grid=grid, trials="off", curves=True)
    evaluate, fill = batch.Batches.evaluate, batch.Batches.fill

    def broken(self: batch.Batches, sketches: Any, found: Any, *, curves: bool) -> None:
        if any(sketch.params["fast"] == 7 for sketch in sketches):
            raise OverflowError("too large")
        evaluate(self, sketches, found, curves=curves)

    def broken_too(self: batch.Batches, filled: Any, found: Any, *, curves: bool) -> Any:
        raise OverflowError("too large")

    if place != "fill":
        monkeypatch.setattr(batch.Batches, "evaluate", broken)
        monkeypatch.setattr(batch.Batches, "fill", lambda self, filled, found, *, curves: filled.at)
    if place != "evaluate":
        monkeypatch.setattr(batch.Batches, "fill", broken_too)
    found = rbt.sweep(cross, panel, grid=grid, trials="off", curves=True)
    assert found.frame.equals(plain.frame)
    assert found.curves is not None
    assert plain.curves is not None
    assert found.curves.collect().equals(plain.curves.collect())
    assert fill is not batch.Batches.fill


ODD: list[Any] = [5, "x", None, 2.5, True, b"x", [1], {"a": 1}, {1}, (1, 2), len, pl.col("close"), "\ud800", "\x00", date(2020, 1, 1)]


@pytest.mark.parametrize("alone", [True, False])
def test_values_of_all_kinds_are_rows(panel: Panel, tmp_path: Path, alone: bool) -> None:
    lists = [[value] for value in ODD] if alone else [ODD]
    for number, values in enumerate(lists):
        out = tmp_path / f"{number}"
        done = rbt.sweep(cross, panel, variants=[{"fast": value} for value in values], out=out, trials="off")
        good = [at for at, value in enumerate(values) if type(value) is int]
        assert done.frame["error"].is_null().arg_true().to_list() == good
        assert done.top(3)["variant"].to_list() == good
        assert done.report(tmp_path / "page.html").stat().st_size > 10_000
        assert rbt.sweep(cross, panel, variants=[{"fast": value} for value in values], out=out, trials="off").frame.equals(done.frame)


def test_a_choice_among_kinds_that_do_not_go_together_is_what_was_given(panel: Panel) -> None:
    grid: dict[str, Any] = {"fast": [np.int64(3), np.int32(5), 8, "x"], "slow": [12, 20]}
    walked = rbt.walk_forward(cross, panel, grid=grid, train=20, test=15, validation=5, trials="off", metric="total_return")
    assert set(walked.windows["fast"].to_list()) <= {3, 5, 8}
    assert walked.run(0).final_equity
    found = rbt.search(cross, panel, space=grid, trials=8, method="random", registry="off")
    assert found.run(int(found.top(1)["trial"][0])).final_equity
    assert found.judgement().variants == found.frame.filter(pl.col("error").is_null()).select("fast", "slow").n_unique()
    plain = rbt.sweep(cross, panel, grid={"fast": np.array([3, 5])}, trials="off").frame
    assert plain.equals(rbt.sweep(cross, panel, grid={"fast": [3, 5]}, trials="off").frame)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 1), (1, 12)])
def test_next_to_no_data(shape: tuple[int, int], tmp_path: Path) -> None:
    """Each study does what can be done, or says that it cannot."""
    assets, bars = shape
    panel, grid = markets.panel(assets=assets, bars=bars, seed=1), {"fast": [2, 3], "slow": [3, 4]}
    done = rbt.sweep(cross, panel, grid=grid, out=tmp_path / "s", curves=True, trials="off")
    assert done.frame["final_equity"].to_list() == [Decimal(done.run(at).final_equity) for at in range(4)]
    assert done.report(tmp_path / "page.html").stat().st_size > 10_000
    assert repr(done)
    calls: list[Any] = [
        lambda: done.overfitting(2),
        done.superiority,
        lambda: done.surface("fast", "slow"),
        lambda: rbt.search(cross, panel, space=grid, trials=3, registry="off", prune=0.5),
        lambda: rbt.walk_forward(cross, panel, grid=grid, train=2, test=2, trials="off"),
        lambda: rbt.cross_validate(cross, panel, grid=grid, groups=3, trials="off"),
        lambda: rbt.sweeps.resample_returns(done.run(0)),
        lambda: rbt.sweeps.resample_trades(done.run(0)),
        lambda: rbt.sweeps.perturb(cross(), panel, [rbt.sweeps.PriceNoise(0.01)], count=2).summary(),
    ]
    for call in calls:
        with suppress(rbt.ConfigError):
            assert repr(call())


@rbt.strategy
def alone(bars: int = 5, symbol: str = "A0", narrow: bool = False) -> rbt.Strategy:
    """One asset, by name."""
    up, here = pl.col("close") > pl.col("close").rolling_mean(bars), pl.col("asset") == symbol
    target = rbt.weight(pl.when(up if narrow else up & here).then(0.3).otherwise(0.0))
    return rbt.Strategy(target=target, universe=here if narrow else None)


@pytest.mark.parametrize("narrow", [False, True])
def test_variants_for_an_asset_that_the_data_lack_are_rows_with_that_error(narrow: bool) -> None:
    panel = markets.panel(assets=2, bars=60, seed=2)
    known = panel.symbols[0]
    grid = {"bars": range(2, 14), "symbol": [known, "NOPE"], "narrow": [narrow]}
    rows = rbt.sweep(alone, panel, grid=grid, trials="off", progress=False).frame
    right, wrong = (rows.filter(pl.col("symbol") == symbol) for symbol in (known, "NOPE"))
    assert right["error"].null_count() == right.height == 12
    assert wrong["error"].null_count() == 0
    assert all("is in the data: 'NOPE'" in error for error in wrong["error"])
