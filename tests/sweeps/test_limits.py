"""What a grid, a space or a name may be: told before anything runs, and before a list of everything is made."""

from __future__ import annotations

import tracemalloc
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import progress
from rustybt.sweeps.measure import columns
from rustybt.sweeps.sampling import Drawing, sampled
from rustybt.testing import markets
from tests.sweeps.strategies import cross


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=1, bars=120, seed=7)


HUGE: list[tuple[dict[str, Any], str]] = [
    ({"grid": {"fast": range(1, 10**5), "slow": range(1, 10**6)}}, "99,998,900,001 variants are more than 100,000,000"),
    ({"grid": {"fast": range(10**12)}}, "1,000,000,000,000 variants"),
    ({"grid": {"fast": range(10**30)}}, "variants are more than"),
    ({"grid": {"fast": count()}}, "more than 1,000,000 values"),
    ({"space": {"fast": rbt.Range(0.0, 1.0)}, "samples": 10**9}, "1,000,000,000 variants are more than 10,000,000"),
    ({"space": {"fast": rbt.Range(0, 1, 1e-9)}}, "more than 1,000,000 values"),
]


@pytest.mark.parametrize("how", [rbt.sweep, rbt.plan])
@pytest.mark.parametrize(("asked", "words"), HUGE)
def test_a_huge_sweep_is_refused_before_it_takes_memory(panel: Panel, how: Any, asked: dict[str, Any], words: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(rbt.ConfigError, match=words):
            how(cross, panel, **asked)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_a_huge_walk_forward_and_a_huge_search_are_refused(panel: Panel) -> None:
    with pytest.raises(rbt.ConfigError, match="variants are more than 1,000,000"):
        rbt.walk_forward(cross, panel, grid={"fast": range(10**7)}, train=50, test=30, trials="off")
    with pytest.raises(rbt.ConfigError, match="more than 1,000,000 values"):
        rbt.search(cross, panel, space={"fast": range(10**12)}, trials=2, registry="off")


@pytest.mark.parametrize("method", ["random", "latin"])
def test_a_small_space_is_taken_in_full_however_many_samples_are_asked_for(method: Any) -> None:
    assert sampled({"fast": [5, 6, 5]}, Drawing(10**7, method)).columns["fast"][:] is not None
    found = sampled({"fast": [5, 6, 5], "slow": rbt.Range(1, 3)}, Drawing(10**7, method), "slow > 1")
    assert [tuple(found[at].values()) for at in range(found.count)] == [(5, 2), (5, 3), (6, 2), (6, 3)]
    wide = sampled({"fast": rbt.Range(1, 10**15)}, Drawing(5, method))
    assert wide.count == 5
    assert all(isinstance(value, int) and 1 <= value <= 10**15 for value in wide.columns["fast"])


def test_a_window_that_is_no_number_is_refused(panel: Panel) -> None:
    done: Any = rbt.walk_forward(cross, panel, grid={"fast": [3, 5]}, train=50, test=30, trials="off")
    for wrong in ("a", True, 0.0, 99):
        with pytest.raises(rbt.ConfigError, match=f"there is no window {wrong!r}"):
            done.run(wrong)


def test_a_value_that_is_given_twice_is_refused(panel: Panel) -> None:
    with pytest.raises(rbt.ConfigError, match="the value 5 of 'fast' is given twice"):
        rbt.sweep(cross, panel, grid={"fast": [5, 6, 5]}, trials="off")


TAKEN = (*columns(8), "probabilistic_sharpe", "deflated_sharpe", "variant", "data", "strategy")


@pytest.mark.parametrize("name", TAKEN)
def test_a_parameter_that_is_called_like_a_column_is_refused(name: str) -> None:
    scope: dict[str, Any] = {"rbt": rbt}
    exec(f"def f({name}: float = 0.1) -> rbt.Strategy:\n    return rbt.Strategy(target=rbt.weight(0.1))", scope)
    family = rbt.strategy(scope["f"])
    calls: list[Any] = [
        lambda: rbt.sweep(family, "nowhere.parquet", grid={name: [0.1, 0.2]}),
        lambda: rbt.plan(family, "nowhere.parquet", space={name: [0.1, 0.2]}),
    ]
    for call in calls:
        with pytest.raises(rbt.ConfigError, match=f"the parameter '{name}' has the name of a column"):
            call()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"where": "fast + slow"}, "'fast . slow' is no condition: it gives Int64"),
        ({"where": "fast"}, "'fast' is no condition"),
        ({"out": "x.parquet"}, "'x.parquet' is named like a file"),
        ({"out": 5}, "out 5 is no directory"),
        ({"progress": "yes"}, "progress 'yes' cannot be told"),
        ({"progress": 1}, "progress 1 cannot be told"),
    ],
)
def test_what_only_looks_right_is_refused(panel: Panel, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(rbt.ConfigError, match=words):
        rbt.sweep(cross, panel, grid={"fast": [3, 5], "slow": [20]}, trials="off", **wrong)


def test_the_rate_after_a_resume_is_that_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=iter([0.0, 2.0, 2.0]).__next__))
    bar = progress._Bar(1000, 900, at_once=True)
    monkeypatch.setattr(bar, "_show", lambda done: None)
    bar.shown = SimpleNamespace(update=lambda task, **more: told.append(more["rate"]))
    bar.update(950, 1000)
    assert told == ["25/s"]


@rbt.strategy
def leaving(n: int = 1) -> rbt.Strategy:
    if n == 2:
        raise SystemExit(3)
    return rbt.Strategy(target=rbt.weight(0.1))


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_variant_that_wants_to_end_the_program_is_a_row(panel: Panel, executor: str) -> None:
    found = rbt.sweep(leaving, panel, grid={"n": [1, 2, 3]}, trials="off", workers=1, executor=executor).frame
    errors = found["error"].to_list()
    assert (errors[0], errors[2]) == (None, None)
    assert "SystemExit" in errors[1]


def test_the_calmest_come_first(panel: Panel) -> None:
    done = rbt.sweep(cross, panel, grid={"fast": [3, 5, 8], "slow": [20, 40]}, trials="off")
    calm = done.top(6, by="volatility")["volatility"].to_list()
    assert calm == sorted(calm)
    assert done.top(6, by="volatility", descending=True)["volatility"].to_list() == calm[::-1]
    assert done.top(1, by="final_equity").height == 1
    for wrong in ("error", "fast", "variant", "luck"):
        with pytest.raises(rbt.ConfigError, match=rf"(?s)no metric '{wrong}'.*final_equity.*deflated_sharpe"):
            done.top(by=wrong)


def test_a_sweep_explains_itself_before_and_after(panel: Panel) -> None:
    grid = {"fast": [3, 5], "slow": [20, 40]}
    before, after = rbt.plan(cross, panel, grid=grid), rbt.sweep(cross, panel, grid=grid, trials="off")
    assert rbt.explain(before) is before
    assert rbt.explain(after) == before
    wrong: Any
    for wrong in (5, cross, "cross", None):
        with pytest.raises(rbt.ConfigError, match="does not explain itself"):
            rbt.explain(wrong)
