from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import options, plan
from rustybt.testing import markets
from tests.sweeps.strategies import breakout, cross, deadly


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=120, seed=2)


def test_processes_give_the_same_bytes(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = {"fast": [3, 5, 8, 99], "slow": [5, 20]}
    found = set()
    for number, (executor, workers, chunk) in enumerate((("threads", 1, 64), ("threads", 3, 1), ("processes", 1, 3), ("processes", 2, 2))):
        monkeypatch.setattr(options, "CHUNK", chunk)
        out = tmp_path / str(number)
        done = rbt.sweep(cross, panel, grid=grid, executor=executor, workers=workers, trials="off", curves=True, out=out)
        assert done.failed == 2
        found.add(((out / "results.parquet").read_bytes(), (out / "curves.parquet").read_bytes()))
    assert len(found) == 1


def test_a_variant_that_kills_its_process_is_a_row(panel: Panel) -> None:
    done = rbt.sweep(deadly, panel, grid={"fast": [5, 6, 7, 8]}, executor="processes", workers=2, trials="off")
    assert done.frame["error"].to_list() == [None, None, "the process that ran this variant died", None]


def test_what_cannot_be_sent_is_refused(panel: Panel) -> None:
    @rbt.strategy
    def local(n: int = 1) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight(0.1 * n))

    with pytest.raises(rbt.ConfigError, match="cannot be sent to another process"):
        rbt.sweep(local, panel, grid={"n": [1, 2]}, executor="processes", trials="off")
    with pytest.raises(rbt.ConfigError, match="no executor 'fibres'"):
        rbt.sweep(cross, panel, grid={"fast": [3]}, executor="fibres", trials="off")
    with pytest.raises(rbt.ConfigError, match="0 workers"):
        rbt.sweep(cross, panel, grid={"fast": [3]}, workers=0, trials="off")


def test_several_strategies_on_several_datasets(panel: Panel) -> None:
    other = markets.panel(assets=1, bars=80, seed=5)
    grid: dict[str, list[Any]] = {"fast": [3, 5], "slow": [20], "window": [4, 9, 30], "share": [0.1, 0.2]}
    done = rbt.sweep([cross, breakout], {"two": panel, "one": other}, grid=grid, trials="off")
    frame = done.frame
    assert frame.columns[:7] == ["variant", "data", "strategy", "fast", "slow", "window", "share"]
    assert frame.group_by("data", "strategy", maintain_order=True).len().rows() == [
        ("two", "cross", 2), ("two", "breakout", 6), ("one", "cross", 2), ("one", "breakout", 6),
    ]  # fmt: skip
    assert frame["window"].null_count() == 4
    row = frame.row(10, named=True)
    alone = rbt.run(breakout(window=row["window"], share=row["share"]), other)
    assert (str(row["final_equity"]), row["sharpe"]) == (alone.final_equity, alone.metrics["sharpe"])
    assert done.run(10).final_equity == alone.final_equity
    assert done.slice(data="one", strategy="breakout", share=0.1)["window"].to_list() == [4, 9, 30]
    assert done.surface("window", "share", data="two").shape == (2, 4)
    assert {name: tally.trials for name, tally in done.tallies.items()} == {"two": 8, "one": 8}
    assert done.top(20).height == 16
    assert done.sql("select strategy, count(*) as n from sweep group by strategy order by strategy")["n"].to_list() == [12, 4]


def test_bad_questions_have_answers(panel: Panel) -> None:
    done = rbt.sweep(cross, panel, grid={"fast": [3, 5]}, trials="off")
    for ask, words in (
        (lambda: done.slice(slow=3), "'slow' was not varied"),
        (lambda: done.slice(fast=4), "no variant has fast=4"),
        (lambda: done.sql("select luck from sweep"), "cannot be answered"),
        (lambda: done.run(2), "no variant 2"),
    ):
        with pytest.raises(rbt.ConfigError, match=words):
            ask()


def test_one_of_grid_list_and_space(panel: Panel) -> None:
    listed = rbt.sweep(cross, panel, variants=[{"fast": 3}, {"slow": 9}], trials="off").frame
    assert listed.select("fast", "slow").rows() == [(3, None), (None, 9)]
    drawn = rbt.sweep(cross, panel, space={"fast": rbt.Range(2, 9), "slow": rbt.Range(5, 30)}, samples=7, where="fast < slow", trials="off")
    assert drawn.frame.height == 7
    with pytest.raises(rbt.ConfigError, match="grid and space are given together"):
        rbt.sweep(cross, panel, grid={"fast": [3]}, space={"fast": [3]})
    with pytest.raises(rbt.ConfigError, match="there are no variants"):
        rbt.sweep(cross, panel)
    with pytest.raises(rbt.ConfigError, match="two strategies are called 'cross'"):
        rbt.sweep([cross, cross], panel, grid={"fast": [3]})
    with pytest.raises(rbt.ConfigError, match="'breakout' has none"):
        rbt.sweep([cross, breakout], panel, grid={"fast": [3]})
    with pytest.raises(rbt.ConfigError, match="no strategy has parameter 'fats'"):
        rbt.sweep([cross, breakout], panel, grid={"fats": [3]})
    with pytest.raises(rbt.ConfigError, match="the list has no variants"):
        rbt.sweep(cross, panel, variants=[])


def test_a_plan_says_what_a_sweep_would_do(panel: Panel) -> None:
    made = plan(cross, panel, grid={"fast": [3, 5, 8], "slow": [20, 40]}, where="fast < slow", workers=2)
    assert (made.variants, made.together, made.features, made.shapes, made.chunks) == (6, 6, 5, 1, 4)
    assert made.feature_bytes == 5 * 9 * 240
    assert rbt.explain(made) is made
    assert "5, 10.8 kB, kept" in str(made)
    both = plan([cross, breakout], {"a": panel, "b": panel}, grid={"fast": [3, 5], "window": [4]})
    assert (both.variants, both.datasets) == (6, 2)
    assert made.to_dict()["budget"] == 2 * 10**9
    with pytest.raises(rbt.ConfigError, match=r"the budget of 1\.0 kB is less than"):
        plan(cross, panel, grid={"fast": [3]}, budget="1kB")
