"""What a hostile or hurried user gives to searches, walk-forwards, cross-validations and Monte Carlo: one clear message each."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import (
    DrawnLatency,
    ExtraSlippage,
    ParameterJitter,
    PriceNoise,
    SyntheticBars,
    perturb,
    resample_returns,
    resample_trades,
)
from rustybt.sweeps.work import Work
from rustybt.testing import markets
from tests.sweeps.strategies import cross


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=1, bars=120, seed=7)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may run."""

    def refuse(*_: object) -> None:
        raise AssertionError("a variant was run")

    monkeypatch.setattr(Work, "rows", refuse)


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"space": {}}, "says of no parameter where to look"),
        ({"space": ["fast"]}, "is no mapping of names to ranges"),
        ({"space": {"fast": 5}}, "5 is neither values nor a range"),
        ({"space": {"fats": [1]}}, "no parameter 'fats'"),
        ({"where": 5}, "the condition 5 is no text"),
        ({"where": "fast > 1000"}, "let 0 of"),
        ({"metric": None}, "objectives None"),
        ({"metric": "luck"}, "there is no metric 'luck'"),
        ({"metric": "error"}, "there is no metric 'error'"),
        ({"require": "luck > 1"}, "'luck > 1' cannot be used"),
        ({"require": "sharpe >>"}, "'sharpe >>' cannot be used"),
        ({"require": 5}, "the condition 5 is no text"),
        ({"seed": "x"}, "'x' is no whole number"),
        ({"seed": -1}, "-1 is no whole number"),
        ({"seed": 2**32}, "too large for a seed"),
        ({"storage": 5}, "storage 5 is no file"),
        ({"trials": 0}, "trials 0 is no number of variants"),
        ({"foo": 1}, "there is no setting 'foo'"),
        ({"threads": 2}, "there is no setting 'threads'"),
        ({"directions": 5}, "directions 5"),
        ({"progress": 5}, "progress 5 cannot be told"),
        ({"require": "sharpe"}, "'sharpe' is no condition: it gives Float64"),
    ],
)
def test_a_search(panel: Panel, wrong: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"space": {"fast": [3, 5]}, "trials": 4, "registry": "off"}
    with pytest.raises(rbt.ConfigError, match=words):
        rbt.search(cross, panel, **(usual | wrong))


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"grid": {}}, "the grid has no values"),
        ({"grid": {"fast": 5}}, "5 is no list of values for 'fast'"),
        ({"grid": {"fast": "35"}}, "'35' is no list of values for 'fast'"),
        ({"grid": [1]}, "is no mapping of names to values"),
        ({"where": "fast > 1000"}, "leaves none of 2 variants"),
        ({"where": 5}, "the condition 5 is no text"),
        ({"metric": "luck"}, "there is no metric 'luck'"),
        ({"finalists": "a", "validation": 10}, "'a' finalists"),
        ({"finalists": 3}, "there are finalists and no validation"),
        ({"grid": None, "search": 5}, "search 5 is no mapping"),
        ({"grid": None, "search": {"space": {"fast": [3]}, "metric": "cagr"}}, "another metric than the walk-forward"),
        ({"grid": None, "search": {"space": {"fast": [3]}, "where": "fast > 2"}, "where": "fast > 3"}, "another where than"),
        ({"progress": 5}, "progress 5 cannot be told"),
        ({"finalists": True, "validation": 10}, "True finalists"),
        ({"foo": 1}, "there is no setting 'foo'"),
    ],
)
def test_a_walk_forward(panel: Panel, wrong: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"grid": {"fast": [3, 5]}, "train": 50, "test": 30, "trials": "off"}
    with pytest.raises(rbt.ConfigError, match=words):
        rbt.walk_forward(cross, panel, **(usual | wrong))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"grid": {"fast": 5}}, "5 is no list of values for 'fast'"),
        ({"groups": 3.5}, "3.5 groups cannot be combined"),
        ({"groups": 60, "tests": 30}, "118,264,581,564,861,424 splits are too many"),
        ({"tests": 1.5}, "1.5 of 4 groups cannot test"),
        ({"workers": 0}, "0 workers"),
        ({"progress": 5}, "progress 5 cannot be told"),
        ({"foo": 1}, "there is no setting 'foo'"),
    ],
)
def test_a_cross_validation(panel: Panel, wrong: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"grid": {"fast": [3, 5]}, "groups": 4, "tests": 2, "trials": "off"}
    with pytest.raises(rbt.ConfigError, match=words):
        rbt.cross_validate(cross, panel, **(usual | wrong))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"changes": []}, "there are no changes"),
        ({"changes": "noise"}, "'n' is no change"),
        ({"changes": [5]}, "5 is no change"),
        ({"changes": [PriceNoise]}, "PriceNoise'> is no change"),
        ({"changes": PriceNoise(0.1)}, "is no list of changes"),
        ({"progress": 5}, "progress 5 cannot be told"),
        ({"count": 1.5}, "1.5 runs say nothing"),
        ({"seed": "x"}, "'x' is no whole number"),
        ({"workers": -1}, "-1 workers"),
        ({"foo": 1}, "there is no setting 'foo'"),
    ],
)
def test_monte_carlo(panel: Panel, wrong: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"changes": [PriceNoise(0.001)], "count": 2}
    with pytest.raises(rbt.ConfigError, match=words):
        perturb(cross(), panel, **(usual | wrong))


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"grid": {"fast": [3]}, "samples": 5}, "samples= is of a drawing, and grid= runs whole"),
        ({"grid": {"fast": [3]}, "method": "latin"}, "method= is of a drawing, and grid= runs whole"),
        ({"grid": {"fast": [3]}, "seed": 0}, "seed= is of a drawing, and grid= runs whole"),
        ({"variants": [{"fast": 3}], "log": ["fast"]}, "log= is of a drawing, and variants= runs whole"),
        ({"variants": [{"fast": 3}], "samples": 5}, "samples= is of a drawing, and variants= runs whole"),
        ({"grid": {"fast": [3]}, "variants": [{"fast": 3}]}, "grid and variants are given together"),
        ({"variants": 5}, "5 is no list of variants"),
        ({"space": 5}, "5 is no mapping of names to ranges"),
        ({"space": {}}, "the space has no parameters"),
        ({"space": {"fast": [[3], [5]]}}, r"\[3\] is no choice that can be told from others"),
        ({"space": {"fast": rbt.Range(2, 9)}, "log": "fast"}, "log 'fast' is no list of parameters"),
        ({"grid": {"fast": [3]}, "executor": []}, r"there is no executor \[\]"),
        ({"grid": {"fast": [3]}, "trials": 5}, "5 is no file of trials"),
        ({"grid": {"fast": [3]}, "curves": "no"}, "curves 'no' is neither True nor False"),
        ({"grid": {"fast": [3]}, "resume": True}, "there is no setting 'resume'"),
    ],
)
def test_a_sweep(panel: Panel, given: dict[str, Any], words: str) -> None:
    with pytest.raises(rbt.ConfigError, match=words):
        rbt.sweep(cross, panel, **({"trials": "off"} | given))


def test_what_is_of_a_drawing_may_be_left_at_none(panel: Panel) -> None:
    none: dict[str, Any] = {"samples": None, "method": None, "seed": None, "log": []}
    assert rbt.sweep(cross, panel, grid={"fast": [3, 5]}, trials="off", **none).frame.height == 2
    space = {"fast": rbt.Range(2, 30), "slow": rbt.Range(2, 30)}
    drawn = rbt.sweep(cross, panel, space=space, trials="off", **none).frame
    assert drawn.height == 100
    usual = rbt.sweep(cross, panel, space=space, trials="off", samples=100, method="random", seed=0)
    assert drawn.equals(usual.frame)


def test_a_sweep_and_its_answers(panel: Panel) -> None:
    with pytest.raises(rbt.ConfigError, match="there is no setting 'foo'"):
        rbt.sweep(cross, panel, grid={"fast": [3]}, foo=1)
    with pytest.raises(rbt.ConfigError, match="5 is no list of values for 'fast'"):
        rbt.sweep(cross, panel, grid={"fast": 5})  # type: ignore[dict-item]
    with pytest.raises(rbt.ConfigError, match="'a' is outside"):
        PriceNoise("a")  # type: ignore[arg-type]
    for wrong in (-1, 1.5, "x"):
        with pytest.raises(rbt.ConfigError, match="no whole number"):
            rbt.sweep(cross, panel, space={"fast": [3, 5, 8]}, samples=2, seed=wrong)  # type: ignore[arg-type]
    with pytest.raises(rbt.ConfigError, match="there are no data"):
        rbt.sweep(cross, {}, grid={"fast": [3]})
    with pytest.raises(rbt.ConfigError, match="'x' is no run"):
        resample_returns("x")  # type: ignore[arg-type]
    with pytest.raises(rbt.ConfigError, match="'x' is no run"):
        resample_trades("x")  # type: ignore[arg-type]
    done: Any = rbt.sweep(cross, panel, grid={"fast": [3, 5]}, trials="off")
    calls: list[tuple[Any, str]] = [
        (lambda: done.top(-1), "-1 is no whole number"),
        (lambda: done.run("a"), "there is no variant 'a'"),
        (lambda: done.run(0.0), "there is no variant 0.0"),
        (lambda: done.run(True), "there is no variant True"),
        (lambda: done.slice(fast="a"), "no variant can have fast='a'"),
        (lambda: done.judgement("luck"), "no metric 'luck'"),
        (lambda: done.judgement("cagr", executor="fibres"), "no executor 'fibres'"),
        (lambda: done.superiority(5), "5 is no run to beat"),
        (lambda: done.superiority(seed=-1), "-1 is no whole number"),
    ]
    found: Any = rbt.search(cross, panel, space={"fast": [3, 5]}, trials=2, registry="off")
    calls += [
        (lambda: found.top(-1), "-1 is no whole number"),
        (lambda: found.run("a"), "no trial 'a'"),
        (lambda: found.run(True), "no trial True"),
        (lambda: found.judgement(limit="a"), "limit 'a' is no number of seconds"),
        (lambda: done.judgement(limit=-1), "limit -1 is no number of seconds"),
        (lambda: done.report(5), "'5' is no file for a page"),
        (lambda: found.report(""), "'' is no file for a page"),
        (lambda: done.sql(5), "5 is no query"),
        (lambda: done.overfitting("a"), "'a' parts cannot be halved"),
        (lambda: done.superiority(count="a"), "'a' resamples say nothing"),
        (lambda: done.superiority(block="a"), "blocks of a do not go into"),
        (lambda: ParameterJitter(0.1), "0.1 is not a @strategy function"),  # type: ignore[arg-type]
        (lambda: ExtraSlippage("a"), "slippage of 'a' basis points"),  # type: ignore[arg-type]
        (lambda: SyntheticBars(float("inf")), "blocks of inf bars"),
        (lambda: DrawnLatency("1s"), "'1s' is no latency"),  # type: ignore[arg-type]
        (lambda: found.run(2), "give 0 to 1"),
    ]
    for call, words in calls:
        with pytest.raises(rbt.ConfigError, match=words):
            call()


@pytest.mark.usefixtures("idle")
def test_a_study_database_that_is_locked(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rustybt.sweeps.kept import KeptRows

    monkeypatch.setattr(KeptRows.__init__, "__defaults__", (0.05,))
    file = tmp_path / "rows.sqlite"
    KeptRows(file).find([])
    with sqlite3.connect(file) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        with pytest.raises(rbt.ConfigError, match=r"(?s)locked by another process.*rows\.sqlite"):
            rbt.search(cross, panel, space={"fast": [3, 5]}, trials=2, registry="off", storage=file)


def test_every_setting_of_a_run_is_taken() -> None:
    """Those of the order of things inside a bar too."""
    from rustybt.engine.config import configured

    given: dict[str, Any] = {"cash": "5000", "intrabar": "optimistic", "latency": rbt.latency("1s"), "cancel_policy": "never"}
    config = configured(given, "sweep")
    assert (str(config.cash), config.timing.to_dict()["intrabar"], config.timing.cancel_policy) == ("5000", "optimistic", "never")
    assert config.timing.latency is not None


@pytest.mark.parametrize("shown", [True, False])
def test_all_studies_take_the_progress_of_a_sweep(panel: Panel, capsys: pytest.CaptureFixture[str], shown: bool) -> None:
    grid: dict[str, Any] = {"fast": [3, 5]}
    assert rbt.search(cross, panel, space=grid, trials=2, registry="off", progress=shown).frame.height == 2
    assert rbt.walk_forward(cross, panel, grid=grid, train=50, test=30, trials="off", progress=shown).windows.height
    assert rbt.cross_validate(cross, panel, grid=grid, groups=4, trials="off", progress=shown).splits.height == 6
    assert perturb(cross(), panel, [PriceNoise(0.001)], count=2, progress=shown).frame.height == 2
    assert ("variants" in capsys.readouterr().err) <= shown


def test_a_page_of_variants_that_leave_a_parameter_at_its_default(panel: Panel, tmp_path: Path) -> None:
    done = rbt.sweep(cross, panel, variants=[{"fast": 3}, {"fast": 5}, {"slow": 9}, {}], trials="off")
    assert done.report(tmp_path / "page.html").stat().st_size > 10_000
    assert done.figures()["Sharpe ratio along fast"].data[0].x == (3.0, 5.0)


def test_variants_that_do_the_same_are_not_called_overfitting(panel: Panel) -> None:
    same = rbt.sweep(cross, panel, variants=[{"fast": 3}, {"fast": 3}], trials="off").judgement()
    assert same.overfitting is None
    assert any("all variants did the same" in sentence for sentence in same.sentences())
    assert rbt.sweep(cross, panel, variants=[{"fast": 3}, {"fast": 5}], trials="off").judgement().overfitting is not None


@pytest.mark.parametrize("where", ["fast = max(fast)", "slow > avg(slow)", "fast < slow and count(fast) > 1", "row_number() over () > 2"])
def test_a_condition_looks_at_one_variant(where: str, panel: Panel) -> None:
    with pytest.raises(rbt.ConfigError, match="looks at several variants together") as caught:
        rbt.sweep(cross, panel, grid={"fast": [3, 5], "slow": [10, 20]}, where=where, trials="off", progress=False)
    assert caught.value.where == "where"
    with pytest.raises(rbt.ConfigError, match="looks at several variants together"):
        rbt.search(cross, panel, space={"fast": [3, 5], "slow": [10, 20]}, where=where, trials=2, progress=False)


@pytest.mark.parametrize("where", ["fast < slow", "fast in (3, 5) and abs(slow - fast) > 2", "fast between 3 and 5 or not slow = 10"])
def test_a_condition_of_one_variant_is_taken(where: str, panel: Panel) -> None:
    found = rbt.sweep(cross, panel, grid={"fast": [3, 5], "slow": [10, 20]}, where=where, trials="off", progress=False)
    assert found.frame.height == 4
