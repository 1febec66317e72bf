from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rustybt.cli.search import left_in

type Command = Callable[..., Any]


def test_search_finds_and_goes_on(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    rows, page, store = tmp_path / "rows.parquet", tmp_path / "page.html", tmp_path / "s.sqlite"
    flags = ("--space", "fast=2..9", "--space", "slow=10..40:5", "--count", "12", "--batch", "4", "--where", "fast < slow", "--seed", "3")
    more = ("--out", str(rows), "--report", str(page), "--storage", str(store), "--json")
    found = rustybt("search", cross, "--data", bars, *flags, *more).json
    assert found["trials"] == 12
    assert found["failed"] == 0
    frame = pl.read_parquet(rows)
    assert frame.height == 12
    assert found["best"]["sharpe"] == frame["sharpe"].max()
    assert found["best"]["slow"] % 5 == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    again = rustybt("search", cross, "--data", bars, *flags, *more).json
    assert again["evaluated"] == 0
    assert again["best"] == found["best"]
    assert left_in(str(store)) == f"{found['evaluated']} rows are kept in {store}; the same command goes on from there"
    shown = rustybt("search", cross, "--data", bars, *flags)
    assert "12 trials by tpe" in shown.out
    assert "trials were run on this data" in shown.out


def test_search_for_several_objectives(rustybt: Command, bars: str, cross: str) -> None:
    flags = ("--space", "fast=2..9", "--metric", "total_return", "--metric", "max_drawdown", "--method", "nsga2", "--count", "10")
    found = rustybt("search", cross, "--data", bars, *flags, "--batch", "5", "--json").json
    assert found["pareto"]
    assert set(found["pareto"][0]) == {"fast", "total_return", "max_drawdown"}


def test_walk_forward_by_grid_and_by_search(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    lengths = ("--train", "90", "--test", "2mo", "--embargo", "2")
    page, rows = tmp_path / "page.html", tmp_path / "rows.parquet"
    found = rustybt(
        "walk-forward", cross, "--data", bars, *lengths, "--grid", "fast=3,5", "--grid", "slow=10:30:10", "--where", "fast < slow",
        "--report", str(page), "--out", str(rows), "--json",
    ).json  # fmt: skip
    assert len(found["windows"]) == pl.read_parquet(rows).height >= 2
    assert found["windows"][0]["variants"] == 6
    assert found["final_equity"] == found["windows"][-1]["final_equity"]
    assert found["metrics"]["total_return"] == pytest.approx(float(found["final_equity"]) / 100_000 - 1)
    assert page.exists()
    hunted = rustybt(
        "walk-forward",
        cross,
        "--data",
        bars,
        *lengths,
        "--method",
        "random",
        "--space",
        "fast=2..9",
        "--count",
        "4",
        "--positions",
        "carry",
    )
    assert hunted.code == 0
    assert "walk-forward efficiency" in hunted.out
    assert "out of sample" in hunted.out


@pytest.mark.parametrize(
    ("command", "flags", "says"),
    [
        ("search", ("--space", "fast"), "has no values"),
        ("search", ("--space", "speed=1..5"), "has no parameter 'speed'"),
        ("search", ("--space", "fast=a..b"), "cannot be 'a'"),
        ("search", ("--space", "fast=2..9", "--method", "magic"), "method 'magic' is unknown"),
        ("search", ("--space", "fast=2..9", "--report", "/dev/null/x.html"), "cannot be written"),
        ("search", (), "says of no parameter where to look"),
        ("walk-forward", ("--train", "90", "--test", "30"), "neither --grid nor --method"),
        ("walk-forward", ("--train", "90", "--test", "30", "--grid", "fast=3", "--method", "tpe"), "both --grid and --method"),
        ("walk-forward", ("--train", "90", "--test", "30", "--grid", "fast=3", "--seed", "0"), "--seed is of a search"),
        ("walk-forward", ("--train", "90", "--test", "30", "--grid", "fast=3", "--space", "slow=9..12"), "--space is of a search"),
        ("walk-forward", ("--train", "soon", "--test", "30", "--grid", "fast=3"), "train 'soon' is no length"),
        ("walk-forward", ("--train", "9y", "--test", "30", "--grid", "fast=3"), "200 bars are too few"),
    ],
)
def test_bad_usage_is_one_message(rustybt: Command, bars: str, cross: str, command: str, flags: tuple[str, ...], says: str) -> None:
    found = rustybt(command, cross, "--data", bars, *flags)
    assert found.code == 2
    assert says in found.err
    assert "Traceback" not in found.err


def test_cross_validate_joins_the_tests_to_paths(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    page, rows = tmp_path / "page.html", tmp_path / "paths.parquet"
    flags = ("--grid", "fast=3,5", "--grid", "slow=10:30:10", "--where", "fast < slow", "--groups", "4", "--embargo", "5", "--purge", "1")
    found = rustybt("cross-validate", cross, "--data", bars, *flags, "--report", str(page), "--out", str(rows), "--json").json
    assert (found["variants"], len(found["splits"]), len(found["paths"])) == (6, 6, 3)
    assert pl.read_parquet(rows)["path"].to_list() == [path["path"] for path in found["paths"]]
    assert 0 <= found["overfit"] <= 1
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "6 variants, 6 splits, 3 paths; chosen by sharpe" in rustybt("cross-validate", cross, "--data", bars, *flags).out
    refused = rustybt("cross-validate", cross, "--data", bars, "--grid", "fast=3", "--groups", "1")
    assert refused.code in {1, 2}
    assert "groups" in refused.err


def test_other_executors_give_the_same(rustybt: Command, cross: str, bars: str) -> None:
    searched = ("search", cross, "--data", bars, "--space", "fast=2..9", "--count", "8", "--batch", "4", "--trials", "off", "--json")
    walked = ("walk-forward", cross, "--data", bars, "--grid", "fast=3,5", "--train", "80", "--test", "60", "--trials", "off", "--json")
    crossed = ("cross-validate", cross, "--data", bars, "--grid", "fast=3,5,9", "--groups", "4", "--trials", "off", "--json")
    for command in (searched, walked, crossed):
        plain = rustybt(*command)
        assert plain.code == 0
        assert rustybt(*command, "--executor", "processes", "--workers", "2").json == plain.json
    wrong = rustybt(*searched[:-1], "--executor", "fibres")
    assert wrong.code == 2
    assert "there is no executor 'fibres'" in wrong.err


def test_leaderboards_are_judged(rustybt: Command, cross: str, bars: str, tmp_path: Path) -> None:
    swept = (
        "sweep",
        cross,
        "--data",
        bars,
        "--grid",
        "fast=3,5,8",
        "--grid",
        "slow=12,20",
        "--trials",
        "off",
        "--out",
        str(tmp_path / "s"),
    )
    told = rustybt(*swept, "--report", str(tmp_path / "page.html"))
    assert "Probability of overfitting" in told.out
    assert "95 % of block resamples of the first row alone: Total return" in told.out
    assert "Probability of overfitting" in (tmp_path / "page.html").read_text(encoding="utf-8")
    found = rustybt(*swept, "--json").json["judgement"]
    assert (found["variants"], found["sessions"], found["notes"]) == (6, 200, [])
    assert 0 < found["superior_ability"]["p_value"] <= 1
    assert len(found["intervals"]) == 6 * 5
    assert rustybt(*swept, "--judge", "--json").json["judgement"] == found
    assert rustybt(*swept, "--no-judge", "--json").json["judgement"] is None
    searched = rustybt("search", cross, "--data", bars, "--space", "fast=2..9", "--count", "8", "--batch", "4", "--trials", "off")
    assert "Probability of overfitting" in searched.out


STOPPING = (
    "import pathlib\nimport polars as pl\nimport rustybt as rbt\n\n"
    "MARK = pathlib.Path(__file__).with_name('stop')\n\n\n"
    "@rbt.strategy\n"
    "def cross(fast: int = 5, slow: int = 20) -> rbt.Strategy:\n"
    "    if fast == 40 and MARK.exists():\n        raise KeyboardInterrupt\n"
    "    up = pl.col('close').rolling_mean(fast) > pl.col('close').rolling_mean(slow)\n"
    "    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))\n"
)


def test_ctrl_c_says_what_is_kept(rustybt: Command, bars: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(STOPPING)
    (tmp_path / "stop").touch()
    strategy, out = f"{tmp_path / 'mine.py'}:cross", tmp_path / "s"
    grid = ("--grid", "fast=3,4,5,6,7,40,8,9,10", "--grid", "slow=20,40")
    more = ("sweep", strategy, "--data", bars, *grid, "--workers", "1", "--trials", "off")
    first = rustybt(*more, "--out", str(out))
    kept = sum(pl.read_parquet(part).height for part in (out / "parts").glob("rows-*"))
    assert 2 <= kept < 18
    assert first.code == 1
    assert first.err.splitlines()[-1].startswith("interrupted: ")
    assert f"{kept} rows are kept in {out}; the same command goes on from there" in " ".join(first.err.split())
    none = rustybt(*more)
    assert "interrupted: nothing was written; with --out DIRECTORY the same command goes on where it was" in " ".join(none.err.split())
    searched = ("search", strategy, "--data", bars, "--space", "fast=40", "--count", "4", "--batch", "2", "--trials", "off")
    assert "with --storage FILE the same command goes on where it was" in " ".join(rustybt(*searched).err.split())
    storage = rustybt(*searched, "--storage", str(tmp_path / "rows.sqlite"))
    told = " ".join(storage.err.split())
    assert "interrupted: nothing was written: no generation was done" in told
    (tmp_path / "stop").unlink()
    assert rustybt(*more, "--out", str(out), "--json").json["variants"] == 18


def test_a_metric_that_does_not_exist_is_told_before_anything_runs(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    out = tmp_path / "s"
    found = rustybt("sweep", cross, "--data", bars, "--grid", "fast=3,5", "--by", "luck", "--out", str(out))
    assert found.code == 2
    assert "there is no metric 'luck'" in found.err
    assert not out.exists()
