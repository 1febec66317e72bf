"""What every leaderboard is shown with: the same numbers as the tests asked for one by one, from whoever runs the variants, made once."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.analysis.honesty import Draw, intervals, overfitting, reality_check, superior_ability
from rustybt.engine.summary import curve_of
from rustybt.model import Panel
from rustybt.sweeps import Sweep, options
from rustybt.sweeps import judgement as judging
from rustybt.sweeps.again import Tried
from rustybt.sweeps.judgement import Judgement, parts_for
from rustybt.testing import markets
from tests.sweeps.strategies import breakout, cross

GRID = {"fast": [3, 5, 8, 99], "slow": [12, 20, 40]}
"""A quarter of the variants cannot be run."""


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=260, seed=6)


def told(found: Judgement) -> str:
    return json.dumps(found.to_dict())


def test_it_is_what_the_tests_say_when_they_are_asked_for(panel: Panel) -> None:
    done = rbt.sweep(cross, panel, grid=GRID, trials="off")
    found, table = done.judgement(), done.returns()
    split = overfitting(table, 16)
    assert found.overfitting is not None
    assert (found.overfitting.probability, found.overfitting.logits.tolist()) == (split.probability, split.logits.tolist())
    assert found.superior_ability == superior_ability(table)
    assert found.reality_check == reality_check(table)
    best = done.top(1)["variant"][0]
    ran = done.run(best)
    closes = curve_of(ran).closes()
    wanted = intervals(closes.returns, ran.metrics["periods_per_year"], Draw(1000))
    rows = found.intervals.filter(pl.col("variant") == best)
    assert rows["metric"].to_list() == ["total_return", "cagr", "volatility", "sharpe", "max_drawdown"]
    for row in rows.iter_rows(named=True):
        around = wanted[row["metric"]]
        assert (row["value"], row["low"], row["high"]) == (around.value, around.low, around.high)
    assert found.interval(best, "sharpe") == (wanted["sharpe"].low, wanted["sharpe"].high)
    assert found.interval(99, "sharpe") is None


@pytest.mark.parametrize(
    "settings", [{}, {"trade_from": "2020-03-02"}, {"flows": [("2020-05-04", "5000")]}], ids=["plain", "later", "flows"]
)
def test_returns_are_those_of_full_runs(panel: Panel, settings: dict[str, Any]) -> None:
    done = rbt.sweep([cross, breakout], panel, grid={"fast": [3, 99, 8], "slow": [20], "window": [4, 9]}, trials="off", **settings)
    table, good = done.returns(), done.frame.filter(pl.col("error").is_null())["variant"].to_list()
    assert table.shape[1] == len(good) == 4
    for at, variant in enumerate(good):
        assert table[:, at].tolist() == curve_of(done.run(variant)).closes().returns.tolist()


def test_who_runs_the_variants_changes_nothing(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for executor, workers, chunk in (("threads", 1, 64), ("threads", 3, 1), ("processes", 2, 3)):
        monkeypatch.setattr(options, "CHUNK", chunk)
        done = rbt.sweep(cross, panel, grid=GRID, executor=executor, workers=workers, trials="off")
        found.add(told(done.judgement(executor=executor, workers=workers)))
    assert len(found) == 1


def refused(*_: object) -> Any:
    raise AssertionError("a variant was run again")


def test_a_second_look_runs_nothing(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def swept() -> Sweep:
        return rbt.sweep(cross, panel, grid=GRID, out=tmp_path / "s", trials="off")

    first = swept().judgement()
    assert {"judgement.json", "judgement.parquet"} < {file.name for file in (tmp_path / "s").iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(Tried, "returns", refused)
        second = swept().judgement()
        assert told(second) == told(first)
        assert first.overfitting is not None
        assert second.overfitting is not None
        assert second.overfitting.logits.tolist() == first.overfitting.logits.tolist()
        assert "Probability of overfitting" in repr(swept())
    other = swept()
    asked, kept = list[list[int]](), Tried.returns

    def watched(self: Tried, numbers: list[int], site: Any) -> Any:
        asked.append(numbers)
        return kept(self, numbers, site)

    monkeypatch.setattr(Tried, "returns", watched)
    assert other.judgement("cagr").superior_ability == first.superior_ability
    assert len(asked) == 1  # the leaders alone: the tests over all variants are those that are there


def test_what_another_sweep_or_a_fault_left_behind_is_made_again(panel: Panel, tmp_path: Path) -> None:
    def swept(name: str, fast: list[int]) -> Sweep:
        return rbt.sweep(cross, panel, grid={"fast": fast, "slow": [20, 40]}, out=tmp_path / name, trials="off")

    one, other = swept("one", [3, 5]).judgement(), swept("other", [8, 9]).judgement()
    assert told(one) != told(other)
    for file in ("judgement.json", "judgement.parquet"):
        (tmp_path / "other" / file).write_bytes((tmp_path / "one" / file).read_bytes())
    assert told(swept("other", [8, 9]).judgement()) == told(other)
    (tmp_path / "one" / "judgement.parquet").unlink()
    assert told(swept("one", [3, 5]).judgement()) == told(one)


def of_another_value(file: Path) -> None:
    file.write_text(file.read_text().replace('"p_value": 0.', '"p_value": 0.0'))


def of_another_bit(file: Path) -> None:
    held = bytearray(file.read_bytes())
    held[len(held) // 3] ^= 4
    file.write_bytes(held)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("judgement.json", of_another_value, "it holds other values than were written"),
        ("judgement.json", cut, "it is no whole JSON object"),
        ("judgement.json", Path.touch, ""),
        ("judgement.parquet", of_another_bit, "it holds other bytes than were written"),
        ("judgement.parquet", cut, "it holds other bytes than were written"),
    ],
)
@pytest.mark.parametrize("by", ["sharpe", "cagr"])
def test_a_damaged_judgement_is_named_and_made_again(panel: Panel, tmp_path: Path, name: str, damage: Any, words: str, by: str) -> None:
    def swept() -> Sweep:
        return rbt.sweep(cross, panel, grid=GRID, out=tmp_path / "s", trials="off")

    swept().judgement()
    before = swept().judgement(by)
    file = tmp_path / "s" / name
    held = file.read_bytes()
    damage(file)
    again = swept().judgement(by)
    said = tuple(note for note in again.notes if note not in before.notes)
    if words:
        assert [note.startswith(f"{name} cannot be read, it is damaged: {words}") for note in said] == [True]
        assert said[0].endswith("the judgement was made again.")
    assert told(swept().judgement(by)) == told(before)  # and the note is gone
    swept().judgement()
    if by == "sharpe" or name == "judgement.parquet":
        assert file.read_bytes() == held
    assert not list((tmp_path / "s").glob(".*"))


def test_what_would_take_long_is_said_and_made_when_asked_for(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = rbt.sweep(cross, panel, grid=GRID, trials="off", out=tmp_path / "s")
    monkeypatch.setattr(judging, "A_SPLIT", 1.0)
    early = done.judgement(limit=2.5)
    assert (early.overfitting, early.reality_check, early.superior_ability) == (None, None, None)
    assert early.intervals.height == 5 * 9
    (note,) = early.notes
    assert note.startswith("The tests over all variants were not computed: running 9 variants again would take about 32.2 hours; ")
    assert note.endswith("Sweep.judgement() (or rustybt sweep --judge) computes them.")
    assert "32.2 hours" in repr(done)
    assert "32.2 hours" in done.report(tmp_path / "page.html").read_text(encoding="utf-8")
    late = done.judgement()
    assert late.tested
    assert told(done.judgement(limit=2.5)) == told(late)
    assert "hours" not in repr(rbt.sweep(cross, panel, grid=GRID, trials="off", out=tmp_path / "s"))


def test_slow_variants_are_not_run_again_unasked(panel: Panel) -> None:
    done = rbt.sweep(cross, panel, grid=GRID, trials="off")
    slow = Sweep(done.results, done.variants, done.panels, done.config, done.tallies, seconds=9.0)
    assert slow.judgement(limit=2.5).intervals.height == 0
    assert (
        slow.judgement(limit=2.5).notes[0].startswith("The intervals and the tests over all variants were not computed: running 9 variants")
    )
    assert told(slow.judgement()) == told(done.judgement())


@pytest.mark.parametrize(
    ("bars", "grid", "words"),
    [
        (260, {"fast": [5]}, "one variant has nothing to be ranked among"),
        (36, {"fast": [3, 5], "slow": [6]}, "36 sessions are too few, 40 are needed"),
        (8, {"fast": [3, 5], "slow": [6]}, "8 sessions are too few to resample"),
        (260, {"fast": [99]}, "no variant has run"),
        (60, {"fast": [3, 5], "slow": [400]}, "no variant differs from the benchmark in any session"),
    ],
)
def test_what_cannot_be_tested_is_said(bars: int, grid: dict[str, Any], words: str) -> None:
    found = rbt.sweep(cross, markets.panel(assets=1, bars=bars, seed=6), grid=grid, trials="off").judgement()
    assert any(words in note for note in found.notes)
    assert words in repr(found)


def test_several_datasets_of_one_length_are_tested_together(panel: Panel) -> None:
    other = markets.panel(assets=2, bars=260, seed=9)
    done = rbt.sweep(cross, {"one": panel, "two": other}, grid={"fast": [3, 5], "slow": [20, 40]}, trials="off")
    assert done.judgement().superior_ability == superior_ability(done.returns())
    short = markets.panel(assets=2, bars=200, seed=9)
    done = rbt.sweep(cross, {"one": panel, "two": short}, grid={"fast": [3, 5], "slow": [20, 40]}, trials="off")
    assert done.judgement().notes == ("Nothing was tested: the datasets have different sessions.",)


def test_an_account_that_lost_everything_stays_where_it_is(panel: Panel) -> None:
    done = rbt.sweep(ruin, panel, grid={"share": [0.5, -3.0, -20.0]}, trials="off", max_gross=100)
    assert not np.isfinite(done.returns()).all()
    found = done.judgement()
    assert any("lost everything" in note for note in found.notes)
    assert found.overfitting is not None
    assert found.superior_ability == superior_ability(np.nan_to_num(done.returns()))


@rbt.strategy
def ruin(share: float = 0.5) -> rbt.Strategy:
    return rbt.Strategy(target=rbt.weight(share))


def test_every_variant_that_a_search_asked_for_is_tested(panel: Panel) -> None:
    space: dict[str, Any] = {"fast": [3, 5, 8, 99], "slow": rbt.Range(12, 40)}
    done = rbt.search(cross, panel, space=space, trials=40, batch=8, prune=0.5, registry="off", seed=2)
    found, frame = done.judgement(), done.frame
    assert frame["pruned"].any()
    wanted = frame.filter(pl.col("error").is_null()).unique(["fast", "slow"], keep="first", maintain_order=True)
    assert found.variants == wanted.height < 40
    table = np.column_stack([curve_of(done.run(trial)).closes().returns for trial in wanted["trial"]])
    assert found.superior_ability is not None
    assert found.superior_ability == superior_ability(table, block=found.superior_ability.block)
    assert found.overfitting is not None
    assert found.overfitting.probability == overfitting(table).probability
    assert set(found.intervals["variant"]) == set(done.top(10)["trial"])
    assert found.sentences()[0] in repr(done)
    assert "Probability of overfitting" in done._repr_html_()


def test_a_walk_forward_has_intervals_of_what_was_stitched(panel: Panel) -> None:
    done = rbt.walk_forward(cross, panel, grid={"fast": [3, 5, 8]}, train=90, test=40, trials="off")
    closes = [float(value) for value in done.equity["equity"]]
    returns = np.array(closes) / np.array([float(done.windows["opening"][0]), *closes[:-1]]) - 1.0
    around = intervals(returns, done.metrics["periods_per_year"])["sharpe"]
    row = done.compared().row(by_predicate=pl.col("metric") == "sharpe", named=True)
    assert (row["low"], row["high"]) == (around.low, around.high)
    assert around.low is not None
    assert around.high is not None
    assert around.low < row["stitched"] < around.high


def test_parts_have_ten_sessions() -> None:
    assert [parts_for(count) for count in (39, 40, 59, 60, 159, 160, 9999)] == [None, 4, 4, 6, 14, 16, 16]


def test_leaderboards_show_it(panel: Panel, tmp_path: Path) -> None:
    done = rbt.sweep(cross, panel, grid=GRID, trials="off")
    found = done.judgement()
    page, block = done.report(tmp_path / "page.html").read_text(encoding="utf-8"), done._repr_html_()
    for sentence in found.sentences():
        assert sentence in repr(done)
        assert sentence.replace("'", "&#39;") in page
        assert sentence.replace("'", "&#x27;") in block
    low, high = found.interval(done.top(1)["variant"][0], "sharpe") or (0.0, 0.0)
    assert f"<small>{low:.2f} to {high:.2f}</small>" in page


@pytest.fixture(scope="module")
def wide() -> Sweep:
    """Many variants of many sessions."""
    bars = markets.panel(assets=1, bars=1_500, seed=8)
    return rbt.sweep(cross, bars, grid={"fast": range(2, 22), "slow": range(30, 60)}, trials="off", workers=1)


def peak_of(done: Sweep, budget: int) -> tuple[Judgement, int]:
    done._judgements.clear()
    tracemalloc.start()
    found = done.judgement(workers=1, budget=budget)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak


AROUND, AGAINST, SPLITS, ALL = "The intervals", "The tests against cash", "The probability of overfitting", "The intervals and the tests"


@pytest.mark.parametrize(
    ("budget", "missing"),
    [(300, ()), (130, (AROUND, SPLITS)), (100, (AROUND, AGAINST)), (15, (AROUND, AGAINST, SPLITS)), (1, (ALL,))],
)
def test_a_judgement_stays_within_its_budget_and_says_what_it_left_out(wide: Sweep, budget: int, missing: tuple[str, ...]) -> None:
    whole, _ = peak_of(wide, 2 * 10**9)
    found, peak = peak_of(wide, budget * 10**6)
    assert (whole.notes, whole.cut, found.cut) == ((), False, bool(missing))
    assert len(found.notes) == len(missing)
    for note, start in zip(found.notes, missing, strict=True):
        assert note.startswith(start)
        assert f"the budget is {budget}.0 MB" in note
    assert peak <= budget * 10**6
    parts = {"reality_check": AGAINST, "superior_ability": AGAINST, "overfitting": SPLITS, "intervals": AROUND}
    for name, start in parts.items():
        left_out = start in missing or ALL in missing
        assert found.to_dict()[name] == (whole.to_dict()[name] if not left_out else [] if name == "intervals" else None)


def test_what_was_left_out_is_made_up_for_with_a_larger_budget(wide: Sweep) -> None:
    wide._judgements.clear()
    assert [wide.judgement(workers=1, budget=budget).cut for budget in ("130MB", "1GB")] == [True, False]


def test_a_sweep_is_judged_within_its_own_budget(panel: Panel) -> None:
    found = rbt.sweep(cross, panel, grid=GRID, trials="off", workers=1, budget="9MB").judgement(workers=1)
    assert "the budget is 9" in " ".join(found.notes)
