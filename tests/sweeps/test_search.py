from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.errors import ConfigError, MissingExtraError
from rustybt.model import Panel
from rustybt.sweeps.gaussian import fit, improvement, matern, next_point
from rustybt.sweeps.samplers import METHODS, lifted, placed
from rustybt.sweeps.space import Between, Values, allowed, space_of
from rustybt.testing import markets


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=120, seed=8)


@rbt.strategy
def cross(fast: Annotated[int, rbt.Range(2, 30)] = 5, slow: int = 20, part: Annotated[float, rbt.Range(0.05, 0.45)] = 0.3) -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(part).otherwise(0.0)))


SPACE: dict[str, Any] = {"fast": rbt.Range(2, 12), "slow": range(14, 60), "part": rbt.Range(0.05, 0.45)}


def hunted(panel: Panel, **more: Any) -> Any:
    usual: dict[str, Any] = {"space": SPACE, "trials": 24, "batch": 6, "seed": 4}
    return rbt.search(cross, panel, **(usual | more))


@pytest.mark.parametrize("method", METHODS)
def test_a_search_follows_from_its_seed_alone(panel: Panel, method: str) -> None:
    one, other = hunted(panel, method=method, workers=1), hunted(panel, method=method, workers=3)
    assert one.frame.equals(other.frame)
    assert not one.frame.equals(hunted(panel, method=method, seed=5).frame)
    assert one.frame["batch"].to_list() == [at // 6 for at in range(24)]
    assert one.failed == 0
    assert one.frame["fast"].is_between(2, 12).all()
    assert one.frame["slow"].is_between(14, 59).all()


def test_every_row_is_the_run_of_its_variant(panel: Panel) -> None:
    found = hunted(panel, costs=rbt.costs(commission=rbt.bps(3)))
    for row in found.frame.head(8).iter_rows(named=True):
        alone = rbt.run(cross(fast=row["fast"], slow=row["slow"], part=row["part"]), panel, costs=rbt.costs(commission=rbt.bps(3)))
        assert str(row["final_equity"]) == alone.final_equity
        assert row["sharpe"] == alone.metrics["sharpe"]
        assert found.run(row["trial"]).final_equity == alone.final_equity
    assert found.best["sharpe"] == found.frame["sharpe"].max()
    assert found.top(3)["sharpe"].is_sorted(descending=True)


def rising() -> pl.DataFrame:
    days = pl.datetime_range(pl.datetime(2020, 1, 1, 21), pl.datetime(2020, 3, 1, 21), "1d", time_zone="UTC", eager=True)
    price = (100 * 1.01 ** pl.Series(range(len(days)))).round(2)
    return pl.DataFrame({"ts": days, "asset": "A", "open": price, "high": price, "low": price, "close": price, "volume": 1e6})


def hill(most: int = 100) -> Any:
    @rbt.strategy
    def shares(part: int = 1, other: int = 1) -> rbt.Strategy:
        if part > most:
            raise ValueError("too much")
        return rbt.Strategy(target=rbt.weight(part / 100 * (1 - (other - 20) ** 2 / 10_000)))

    return shares


@pytest.mark.parametrize("method", ["tpe", "gp", "cmaes", "nsga2"])
def test_a_search_learns(method: str) -> None:
    """The best part of the money grows with it in a rising market: later batches lie higher than the first ones."""

    @rbt.strategy
    def shares(part: float = 0.1, other: float = 0.1) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(max(0.0, 1.0 - 4 * (part - 0.7) ** 2 - 4 * (other - 0.2) ** 2)))

    space = {"part": rbt.Range(0.0, 1.0), "other": rbt.Range(0.0, 1.0)}
    found = rbt.search(shares, rising(), space=space, method=method, metric="total_return", trials=72, batch=8, seed=2)
    by_batch = found.frame.group_by("batch", maintain_order=True).agg(pl.col("total_return").mean())["total_return"]
    assert by_batch[-1] > by_batch[0]
    assert by_batch.to_numpy()[-3:].mean() > by_batch.to_numpy()[:2].mean() + 0.1
    assert (found.best or {})["total_return"] > 0.7
    assert found.history()["best"].is_sorted()


def test_several_objectives_make_a_front(panel: Panel) -> None:
    for method in ("random", "tpe", "nsga2"):
        found = hunted(panel, method=method, metric=["total_return", "volatility"], trials=30)
        assert found.plan.directions == ("max", "min")
        front = found.pareto
        rows = found.frame.filter("feasible")
        for row in front.iter_rows(named=True):
            better = (pl.col("total_return") >= row["total_return"]) & (pl.col("volatility") <= row["volatility"])
            strictly = (pl.col("total_return") > row["total_return"]) | (pl.col("volatility") < row["volatility"])
            assert not rows.filter(better & strictly).height
        assert front["total_return"].is_sorted(descending=True)
        assert front["volatility"].is_sorted(descending=True)  # what gains more risks more, else it would not be on the front


def test_conditions_on_parameters_and_results(panel: Panel) -> None:
    found = hunted(panel, space={"fast": rbt.Range(2, 30), "slow": rbt.Range(2, 60)}, where="fast < slow", require="fills >= 12")
    assert (found.frame["fast"] < found.frame["slow"]).all()
    assert found.frame.filter("feasible").equals(found.frame.filter(pl.col("fills") >= 12))
    assert found.best["fills"] >= 12
    nothing = hunted(panel, require="fills > 99999")
    assert nothing.best is None
    assert nothing.pareto.height == 0
    assert any("No variant meets" in note for note in nothing.notes)
    assert "0 variants" not in repr(nothing)


@pytest.mark.parametrize("method", METHODS)
def test_a_condition_stops_no_method_where_the_best_lies_beyond_it(method: str) -> None:
    """The process expected the most where nothing may run, and asked for nothing else."""
    space = {"part": rbt.Range(0, 100), "other": rbt.Range(0, 100)}
    found: Any = rbt.search(
        hill(), rising(), space=space, method=method, trials=48, batch=8, seed=2, where="part <= 60", metric="total_return"
    )
    assert found.frame.height == 48
    assert found.frame["part"].max() <= 60
    assert found.best["part"] > 50


def test_the_process_leaves_what_fails() -> None:
    space = {"part": rbt.Range(0, 100), "other": rbt.Range(0, 100)}
    found: Any = rbt.search(hill(70), rising(), space=space, method="gp", trials=64, batch=8, seed=2, metric="total_return")
    assert found.failed < 35
    assert 60 < found.best["part"] <= 70


def test_words_and_truths_are_alternatives(panel: Panel) -> None:
    @rbt.strategy
    def sided(
        side: Literal["long", "flat"] = "long",
        half: bool = False,
        cap: Annotated[Decimal, rbt.Range(Decimal("0.1"), Decimal("0.3"))] = Decimal("0.2"),
    ) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(float(cap) * (side == "long") / (2 if half else 1)))

    for method in ("tpe", "gp", "nsga2"):
        found = rbt.search(sided, panel, method=method, trials=30, batch=5, metric="volatility", directions=["max"])
        assert set(found.frame["side"]) <= {"long", "flat"}
        best = found.best or {}
        assert best["side"] == "long"
        assert best["half"] is False
    with pytest.raises(ConfigError, match="'side' has no order"):
        rbt.search(sided, panel, method="cmaes", trials=4)


def test_a_bad_variant_is_a_row_with_its_error(panel: Panel) -> None:
    found = hunted(panel, space={"fast": [5, 500], "slow": [20, 30, 40]}, method="random", trials=12)
    assert 0 < found.failed < 12
    assert found.frame.filter(pl.col("fast") == 500)["error"].null_count() == 0
    assert not found.frame.filter(pl.col("fast") == 500)["feasible"].any()
    assert found.best["fast"] == 5
    assert found.evaluated == found.frame.select("fast", "slow").n_unique()
    assert any("asked for a variant again" in note for note in found.notes)
    assert "The first that failed: parameter 'fast' cannot be 500" in repr(found)
    assert "asked for a variant again" in repr(found)


def test_poor_variants_are_given_up(panel: Panel) -> None:
    found = hunted(panel, trials=36, prune=0.4, method="random")
    pruned = found.frame.filter("pruned")
    assert pruned.height > 2
    assert pruned["sharpe"].null_count() == pruned.height
    assert not pruned["feasible"].any()
    assert found.frame.head(6)["pruned"].any() is False
    assert any("given up" in note for note in found.notes)


# --- storage ----------------------------------------------------------------------------------------------------------------------------


def test_rows_that_are_damaged_in_the_file_are_run_again(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "rows.sqlite"
    first = hunted(panel, storage=file)
    with sqlite3.connect(file) as db:
        rows = db.execute("SELECT key, made FROM variants ORDER BY key").fetchall()
        at = len(rows[1][1]) - 300  # one bit, within the values or what says where they are
        flipped = rows[1][1][:at] + bytes([rows[1][1][at] ^ 1]) + rows[1][1][at + 1 :]
        for (key, _), made in zip(rows, (b"", flipped, rows[2][1][:200], rows[3][1][32:]), strict=False):
            db.execute("UPDATE variants SET made = ? WHERE key = ?", (made, key))
    db.close()
    again = hunted(panel, storage=file)
    assert again.frame.equals(first.frame)
    assert again.evaluated == 3  # the fourth is as earlier versions wrote it
    assert hunted(panel, storage=file).evaluated == 0


def test_a_search_goes_on_where_it_was(panel: Panel, tmp_path: Path) -> None:
    """A short search, then a longer one in the same file: the rows are those of the longer one alone, and only the rest is run."""
    file = tmp_path / "search.sqlite"
    for method in METHODS:
        first = hunted(panel, method=method, trials=12, storage=file, seed=9)
        longer = hunted(panel, method=method, trials=24, storage=file, seed=9)
        alone = hunted(panel, method=method, trials=24, seed=9)
        assert longer.frame.equals(alone.frame)
        assert longer.frame.schema == alone.frame.schema
        assert longer.evaluated <= alone.evaluated - first.evaluated if first.evaluated else True
        again = hunted(panel, method=method, trials=24, storage=file, seed=9)
        assert again.evaluated == 0
        assert again.frame.equals(alone.frame)


def test_other_settings_find_nothing(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "search.sqlite"
    hunted(panel, storage=file)
    dearer = hunted(panel, storage=file, costs=rbt.costs(commission=rbt.bps(50)))
    assert dearer.evaluated == 24
    shorter = rbt.data.cut.until(panel, 100)
    assert hunted(shorter, storage=file).evaluated == 24


SCRIPT = """
import sys
import polars as pl
import rustybt as rbt
from rustybt.testing import markets

@rbt.strategy
def cross(fast: int = 5, slow: int = 20) -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.4).otherwise(0.0)))

def told(done, total):
    print(done, flush=True)

found = rbt.search(cross, markets.panel(assets=2, bars=400, seed=8), space={"fast": rbt.Range(2, 20), "slow": rbt.Range(21, 200)},
                   trials=int(sys.argv[2]), batch=4, seed=1, storage=sys.argv[1], progress=told, registry="off")
print("evaluated", found.evaluated, found.frame["final_equity"].sum(), flush=True)
"""


def test_a_killed_search_loses_at_most_a_batch(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, str(tmp_path / "script.py")]
    running = subprocess.Popen([*command, str(tmp_path / "s.sqlite"), "4000"], stdout=subprocess.PIPE, text=True, env=environment)
    assert running.stdout is not None
    done = 0
    for line in running.stdout:
        done = int(line)
        if done >= 12:
            break
    running.send_signal(signal.SIGKILL)
    running.communicate()
    resumed = subprocess.run([*command, str(tmp_path / "s.sqlite"), "24"], capture_output=True, text=True, env=environment, check=True)
    fresh = subprocess.run([*command, str(tmp_path / "t.sqlite"), "24"], capture_output=True, text=True, env=environment, check=True)
    told, alone = (text.stdout.splitlines()[-1].split() for text in (resumed, fresh))
    assert int(told[1]) <= int(alone[1]) - 8
    assert told[2] == alone[2]


def test_a_locked_file_says_so(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "search.sqlite"
    hunted(panel, trials=2, storage=file)
    monkeypatch.setattr("rustybt.sweeps.kept.KeptRows.__init__", _impatient)
    holder = sqlite3.connect(file)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(ConfigError, match="the store of searched variants is locked by another process"):
        hunted(panel, storage=file)
    assert time.monotonic() - began < 5
    holder.close()
    (tmp_path / "other.sqlite").write_text("this is a text of some length, and no database at all: nothing that SQLite could open")
    with pytest.raises(ConfigError, match="no SQLite file"):
        hunted(panel, storage=tmp_path / "other.sqlite")


def _impatient(self: Any, path: Any, wait: float = 0.1) -> None:
    self.path, self.wait = Path(path), 0.1


# --- inside a walk-forward --------------------------------------------------------------------------------------------------------------


def test_a_search_inside_a_walk_forward(panel: Panel, tmp_path: Path) -> None:
    how = {"method": "tpe", "trials": 10, "batch": 5, "space": SPACE, "storage": tmp_path / "s.sqlite"}
    found = rbt.walk_forward(cross, panel, search=how, train=60, test=30)
    assert found.windows.height == 2
    assert found.variants.height == 20
    first, second = (found.variants.filter(pl.col("step") == at).select("fast", "slow", "part") for at in (0, 1))
    assert not first.equals(second)
    for row in found.windows.iter_rows(named=True):
        assert row["in_sample"] == found.variants.filter(pl.col("step") == row["step"])["sharpe"].max()
    again = rbt.walk_forward(cross, panel, search=how, train=60, test=30)
    assert again.windows.equals(found.windows)


def test_a_condition_on_results_holds_in_every_window(panel: Panel) -> None:
    how = {"method": "random", "trials": 30, "batch": 10, "space": SPACE, "require": "fills <= 8"}
    found = rbt.walk_forward(cross, panel, search=how, train=60, test=30, metric="total_return")
    for row in found.windows.iter_rows(named=True):
        rows = found.variants.filter((pl.col("step") == row["step"]) & (pl.col("fills") <= 8))
        assert row["in_sample"] == rows["total_return"].max()
    with pytest.raises(ConfigError, match="and meets the condition"):
        rbt.walk_forward(cross, panel, search=how | {"require": "fills > 999"}, train=60, test=30)


# --- errors -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"method": "magic"}, "method 'magic' is unknown"),
        ({"metric": "beauty"}, "there is no metric 'beauty'"),
        ({"metric": ["sharpe", "cagr"], "method": "gp"}, "gp follows one objective"),
        ({"metric": []}, "objectives"),
        ({"directions": ["up"]}, "directions"),
        ({"trials": 0}, "trials 0 is no number"),
        ({"batch": True}, "batch True is no number"),
        ({"space": {}}, "says of no parameter where to look"),
        ({"space": {"speed": [1]}}, "has no parameter 'speed'"),
        ({"space": {"fast": []}}, "there are no values"),
        ({"space": {"fast": 5}}, "5 is neither values nor a range"),
        ({"space": {"fast": "abc"}}, "'abc' is neither values nor a range"),
        ({"space": {"fast": rbt.Range(low=2)}}, "has no end"),
        ({"space": {"fast": rbt.Range(2, 10**9)}}, "has more than 1,000,000 values"),
        ({"where": "fast > 100"}, "let 0 of 1,200 variants through"),
        ({"where": "fast <"}, "cannot be used"),
        ({"require": "beauty > 1"}, "cannot be used"),
        ({"prune": 2.0}, "prune 2.0 is no share"),
        ({"prune": 0.5, "metric": ["sharpe", "cagr"]}, "pruning with several objectives"),
        ({"method": "nsga2", "batch": 1}, "a generation of 1"),
        ({"method": "cmaes", "space": {"fast": rbt.Range(2, 9)}}, "there is one parameter"),
    ],
)
def test_bad_input(panel: Panel, more: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        hunted(panel, **more)


def test_the_extra_is_named(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match="optuna") as caught:
        hunted(panel)
    assert "rustybt[optuna]" in caught.value.do


def test_optuna_is_not_loaded_before_it_is_needed() -> None:
    code = "import rustybt, sys; rustybt.search, rustybt.walk_forward; assert 'optuna' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)})


def test_what_the_annotations_say_is_the_space() -> None:
    assert list(space_of(cross, None)) == ["fast", "part"]
    assert space_of(cross, {"slow": [30, 10, 20]})["slow"] == Values((10, 20, 30), ordered=True)
    assert allowed([{"fast": 1}], None) == [True]


# --- the Gaussian process ---------------------------------------------------------------------------------------------------------------


def test_improvement_is_the_mean_of_what_lies_above() -> None:
    draws = np.random.default_rng(0).normal(size=2_000_000)
    for z in (-1.5, -0.3, 0.0, 0.8):
        assert improvement(np.array([z]))[0] == pytest.approx(np.maximum(draws + z, 0).mean(), abs=2e-3)


def test_correlations_of_the_process() -> None:
    """Matern 5/2 at a distance of one length: (1 + sqrt 5 + 5/3) exp(-sqrt 5)."""
    found = matern(np.array([[0.0]]), np.array([[0.0], [0.5]]), np.array([0.5]))
    assert found[0, 0] == 1.0
    assert found[0, 1] == pytest.approx((1 + math.sqrt(5) + 5 / 3) * math.exp(-math.sqrt(5)))


def test_the_process_goes_through_its_points() -> None:
    rng = np.random.default_rng(1)
    points = rng.random((25, 2))
    values = np.sin(4 * points[:, 0]) + points[:, 1] ** 2
    process = fit(points, values, rng)
    mean, spread = process.predict(points)
    assert np.abs(mean - values).max() < 0.05
    far = process.predict(np.array([[0.5, 0.5]]))
    assert far[0][0] == pytest.approx(math.sin(2) + 0.25, abs=0.1)
    assert (spread >= 0).all()
    chosen = next_point(process, float(values.max()), rng)
    assert process.predict(chosen[None, :])[0][0] > np.quantile(values, 0.9)


def test_a_flat_field_is_no_trouble() -> None:
    rng = np.random.default_rng(1)
    process = fit(rng.random((10, 1)), np.ones(10), rng)
    assert np.isfinite(next_point(process, 1.0, rng)).all()


@given(st.data())
def test_points_and_variants_are_the_same(data: st.DataObject) -> None:
    space: dict[str, Any] = {
        "n": Values(tuple(range(data.draw(st.integers(1, 9)))), True),
        "w": Values(("a", "b", "c"), False),
        "x": Between(-1.0, 2.0),
    }
    variant = {
        "n": data.draw(st.integers(0, len(space["n"].values) - 1)),
        "w": data.draw(st.integers(0, 2)),
        "x": data.draw(st.floats(-1, 2)),
    }
    back = lifted(space, placed(space, variant))
    assert back["n"] == variant["n"]
    assert back["w"] == variant["w"]
    assert back["x"] == pytest.approx(variant["x"])
