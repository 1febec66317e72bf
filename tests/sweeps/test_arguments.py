"""Nonsense for every argument of every public function of the room, and of the tests of luck that it uses: our own errors and no others."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt import sweeps
from rustybt.analysis import honesty
from rustybt.errors import RustyBTError
from rustybt.sweeps import PriceNoise, Split, Sweep, Tally, Trial, TrialRegistry, Walk
from rustybt.testing import markets
from tests.sweeps.strategies import cross

type Call = tuple[Callable[..., object], dict[str, Any]]


class Odd:
    def __repr__(self) -> str:
        return "<odd>"


NONSENSE: list[Any] = [
    -1, 0, 1.5, float("nan"), float("inf"), -float("inf"), True, False, None, "x", "", b"x", [], {}, (), [1], ["x"], {"a": 1}, {1: 2},
    10**30, -(10**30), Decimal(1), Decimal("NaN"), np.float64("nan"), np.int64(3), np.bool_(True), np.array([1.0]), Odd(), Odd, range(3),
    "\x00", "\ud800", pl.col("a"), pl.DataFrame(), 1j,
]  # fmt: skip
FREE = {"settings", "fixed"}
NOT_CALLED = {"apply", "near"}
"""Of changes, which the engine calls."""
PLAIN = {
    "Case", "Change", "CrossValidation", "Interval", "Overfitting", "PartSums", "Perturbed", "Pick", "Search", "Split", "Superiority",
    "Sweep", "SweepPlan", "Tally", "TradeSample", "Trial", "WalkForward", "Window",
}  # fmt: skip
"""What is given back, and is not made by users."""


def made(folder: Path) -> dict[str, Call]:
    """A call of each that works."""
    panel = markets.panel(assets=1, bars=130, seed=7)
    grid, off = {"fast": [3, 5]}, {"trials": "off"}
    done: Any = rbt.sweep(cross, panel, grid={"fast": [3, 5, 8], "slow": [10, 20]}, trials="off")
    found: Any = rbt.search(cross, panel, space=grid, trials=2, registry="off")
    walked: Any = rbt.walk_forward(cross, panel, grid=grid, train=50, test=30, trials="off")
    combined: Any = rbt.cross_validate(cross, panel, grid=grid, groups=4, trials="off")
    changed, run = sweeps.perturb(cross(), panel, [PriceNoise(0.001)], count=2), done.run(0)
    registry, page = TrialRegistry(folder / "trials.sqlite"), folder / "page.html"
    spans, usual = sweeps.groups(panel.bars, 4), {"strategy": cross, "data": panel}

    def walk_over(**given: Any) -> object:
        return sweeps.windows(panel, Walk(**({"train": 50, "test": 30} | given)))

    calls: dict[str, Call] = {
        "sweep": (rbt.sweep, usual | off | {"grid": grid}),
        "sweep of a space": (rbt.sweep, usual | off | {"space": {"fast": rbt.Range(2, 9)}, "samples": 2}),
        "sweep of variants": (rbt.sweep, usual | off | {"variants": [{"fast": 3}]}),
        "plan": (sweeps.plan, usual | {"grid": grid}),
        "search": (rbt.search, usual | {"space": grid, "trials": 2, "registry": "off"}),
        "walk_forward": (rbt.walk_forward, usual | off | {"grid": grid, "train": 50, "test": 30}),
        "walk_forward by search": (rbt.walk_forward, usual | off | {"search": {"space": grid, "trials": 2}, "train": 50, "test": 30}),
        "cross_validate": (rbt.cross_validate, usual | off | {"grid": grid, "groups": 4}),
        "perturb": (sweeps.perturb, {"strategy": cross(), "data": panel, "changes": [PriceNoise(0.001)], "count": 2}),
        "resample_returns": (sweeps.resample_returns, {"result": run}),
        "resample_trades": (sweeps.resample_trades, {"result": run, "count": 10}),
        "assignments": (sweeps.assignments, {"grid": grid}),
        "evaluate": (sweeps.evaluate, {"strategy": cross, "panel": panel, "variants": [{"fast": 3}]}),
        "judged": (sweeps.judged, {"frame": done.frame, "tally": Tally(5, 0.1, 5)}),
        "curve": (sweeps.curve, {"frame": done.frame, "parameter": "fast"}),
        "surface": (sweeps.surface, {"frame": done.frame, "x": "fast", "y": "slow"}),
        "pick": (sweeps.pick, {"frame": done.frame, "parameters": ["fast", "slow"]}),
        "stability": (sweeps.stability, {"frame": done.frame, "parameters": ["fast"]}),
        "combinatorial": (sweeps.combinatorial, {"spans": spans, "tests": 2}),
        "groups": (sweeps.groups, {"bars": 60, "count": 4}),
        "paths": (sweeps.paths, {"splits": sweeps.combinatorial(spans, 2), "count": 4}),
        "windows": (sweeps.windows, {"panel": panel, "walk": Walk(50, 30)}),
        "trial_of": (sweeps.trial_of, {"result": run}),
        "Walk": (walk_over, dict.fromkeys(inspect.signature(Walk).parameters, 50) | {"embargo": 0, "mode": "rolling"}),
        "DrawnLatency": (sweeps.DrawnLatency, {"latency": rbt.latency("1s")}),
        "ParameterJitter": (sweeps.ParameterJitter, {"family": cross}),
        **{name: (getattr(sweeps, name), {}) for name in ("PriceNoise", "SyntheticBars", "MissedFills", "ExtraSlippage")},
        "TrialRegistry": (lambda **given: TrialRegistry(**given).check(), {"path": folder / "other.sqlite", "wait": 1.0}),
        "TrialRegistry.check": (registry.check, {}),
        "TrialRegistry.frame": (registry.frame, {}),
        "TrialRegistry.lacking": (registry.lacking, {"snapshot": "a", "trials": [Trial("a", "b", 0.1)]}),
        "TrialRegistry.record": (registry.record, {"snapshot": "a", "trials": [Trial("a", "b", 0.1)]}),
        "TrialRegistry.tally": (registry.tally, {"snapshot": "a"}),
        "Sweep.slice": (done.slice, {"fast": 3}),
        "Sweep.surface": (done.surface, {"x": "fast", "y": "slow"}),
        "Sweep.sql": (done.sql, {"query": "select 1"}),
        "Sweep.run": (done.run, {"variant": 0}),
        "Sweep.overfitting": (done.overfitting, {"parts": 4}),
        "Sweep.superiority": (done.superiority, {"count": 20}),
        "Search.run": (found.run, {"trial": 0}),
        "WalkForward.run": (walked.run, {"window": 0}),
        **{f"Sweep.{name}": (getattr(done, name), {}) for name in ("top", "explained", "returns", "judgement", "figures")},
        **{f"Search.{name}": (getattr(found, name), {}) for name in ("top", "history", "judgement", "figures")},
        **{f"WalkForward.{name}": (getattr(walked, name), {}) for name in ("compared", "figures")},
        **{f"CrossValidation.{name}": (getattr(combined, name), {}) for name in ("summary", "figures")},
        "Perturbed.summary": (changed.summary, {}),
        "SweepPlan.explained": (done.explained().explained, {}),
        "SweepPlan.to_dict": (done.explained().to_dict, {}),
        **{f"{type(one).__name__}.report": (one.report, {"path": page}) for one in (done, found, walked, combined)},
    }
    return calls | of_luck()


def of_luck() -> dict[str, Call]:
    """The same of the tests of luck."""
    returns = np.random.default_rng(0).normal(0, 0.01, (60, 5))
    moments, rng = honesty.Moments(0.1, 100), np.random.default_rng(0)

    def drawn(**given: Any) -> object:
        return honesty.intervals(returns[:, 0], 252, honesty.Draw(**({"count": 20} | given)))

    return {
        "superior_ability": (honesty.superior_ability, {"excess": returns, "count": 20}),
        "reality_check": (honesty.reality_check, {"excess": returns, "count": 20}),
        "Contest": (honesty.Contest, {"sessions": 60, "block": 3.0, "count": 20}),
        "overfitting": (honesty.overfitting, {"returns": returns, "parts": 4}),
        "overfitting_of": (honesty.overfitting_of, {"found": honesty.part_sums(returns, 4)}),
        "part_sums": (honesty.part_sums, {"table": returns, "parts": 4}),
        "best_block": (honesty.best_block, {"returns": returns[:, 0]}),
        "leading_block": (honesty.leading_block, {"returns": returns}),
        "block_indices": (honesty.block_indices, {"length": 10, "block": 2, "count": 3, "rng": rng}),
        "stationary_indices": (honesty.stationary_indices, {"length": 10, "block": 2, "count": 3, "rng": rng}),
        "Draw": (drawn, {"count": 20, "block": None, "stationary": True, "seed": 0, "confidence": 0.95}),
        "intervals": (honesty.intervals, {"returns": returns[:, 0], "periods": 252.0, "draw": honesty.Draw(20)}),
        "resampled": (honesty.resampled, {"returns": returns[:, 0], "periods": 252.0, "draw": honesty.Draw(20)}),
        "trade_intervals": (honesty.trade_intervals, {"trades": honesty.TradeSample(returns[:, 0], returns[:, 1])}),
        "Moments": (honesty.Moments, {"sharpe": 0.1, "returns": 100}),
        "probabilistic_sharpe": (honesty.probabilistic_sharpe, {"record": moments}),
        "deflated_sharpe": (honesty.deflated_sharpe, {"record": moments, "trials": 10, "variance": 0.1}),
        "expected_best": (honesty.expected_best, {"trials": 10}),
        "independent_trials": (honesty.independent_trials, {"trials": 10, "correlation": 0.1}),
        "minimum_backtest_years": (honesty.minimum_backtest_years, {"trials": 10}),
        "minimum_track_record": (honesty.minimum_track_record, {"record": moments}),
    }


def names() -> list[str]:
    """Everything public that can be called."""
    found = []
    for room in (sweeps, honesty):
        for name in room.__all__:
            one = getattr(room, name)
            if callable(one) and name not in PLAIN:
                found.append(name)
            if inspect.isclass(one) and room is sweeps:
                own = {key for key, value in vars(one).items() if inspect.isfunction(value) and not key.startswith("_")}
                found += [f"{name}.{key}" for key in sorted(own - NOT_CALLED)]
    return found


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    return made(tmp_path_factory.mktemp("arguments"))


def test_every_public_function_is_tried(calls: dict[str, Call]) -> None:
    assert set(names()) <= set(calls)


CALLED = [*names(), "sweep of a space", "sweep of variants", "walk_forward by search"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLED)
def test_nonsense_is_told_by_our_own_errors(calls: dict[str, Call], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    function, usual = calls[name]
    plain = set(inspect.signature(function).parameters) | set(usual)
    wrong = []
    for parameter in sorted(plain - FREE - {"given"}):
        for value in NONSENSE:
            if parameter == "progress" and callable(value):
                continue  # what a function of the user's raises is the user's
            try:
                function(**(usual | {parameter: value}))
            except RustyBTError as error:
                wrong += [] if error.what and (error.where or error.do) else [f"{parameter}={value!r}: {error}"]
            except Exception as error:  # noqa: BLE001 - what the test is about
                wrong.append(f"{parameter}={value!r}: {type(error).__name__}: {error}")
    assert not wrong


@pytest.mark.parametrize("wrong", [True, False, np.bool_(True)])
def test_where_a_count_is_wanted_true_is_a_mistake(calls: dict[str, Call], wrong: object) -> None:
    counts = {
        "sweep": ["workers"], "sweep of a space": ["samples", "seed"], "search": ["trials", "batch", "seed", "workers"],
        "walk_forward": ["train", "test", "validation", "embargo", "workers"],
        "cross_validate": ["groups", "tests", "purge", "embargo", "workers"], "perturb": ["count", "seed", "workers"],
        "resample_trades": ["count", "seed"], "evaluate": ["threads"], "combinatorial": ["tests", "purge", "embargo"],
        "groups": ["bars", "count"], "paths": ["count"], "Sweep.top": ["count"], "Sweep.run": ["variant"], "Sweep.returns": ["workers"],
        "Sweep.superiority": ["count", "block", "seed"], "Sweep.overfitting": ["parts"], "Search.run": ["trial"],
        "WalkForward.run": ["window"], "superior_ability": ["count", "block", "seed"], "overfitting": ["parts"],
        "Draw": ["count", "block", "seed", "confidence"], "Moments": ["returns", "sharpe"], "PriceNoise": ["size"],
        "SyntheticBars": ["block"], "MissedFills": ["share"], "ExtraSlippage": ["mean"], "TrialRegistry": ["wait"],
    }  # fmt: skip
    for name, parameters in counts.items():
        function, usual = calls[name]
        for parameter in parameters:
            with pytest.raises(rbt.ConfigError):
                function(**(usual | {parameter: wrong}))


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    panel = markets.panel(assets=1, bars=130, seed=7)
    two: Any = np.int64(2)
    done: Sweep = rbt.sweep(cross, panel, space={"fast": rbt.Range(2, 9)}, samples=two, seed=two, workers=two, trials="off")
    assert done.top(two).height == done.frame.height == 2
    assert len(sweeps.combinatorial(sweeps.groups(60, np.int64(4)), two)) == 6  # type: ignore[arg-type]
    with pytest.raises(rbt.ConfigError, match="some splits are missing"):
        sweeps.paths([Split(0, (0, 1), ()), Split(1, (0, 2), ())], 3)
