from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.analysis.honesty import overfitting
from rustybt.analysis.report.landscape import BANDS, heat_figure, parallel_figure
from rustybt.analysis.report.walks import decay_figure, logits_figure, spans_figure, stitched_figure
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.testing import markets


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=2, bars=260, seed=6)


@rbt.strategy
def cross(fast: int = 5, slow: int = 20, kind: str = "<b>plain</b>") -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.4 if kind == "<b>plain</b>" else 0.2).otherwise(0.0)))


GRID: dict[str, Any] = {"fast": [3, 5, 8], "slow": [12, 20, 30], "kind": ["<b>plain</b>", "$loss"]}


def figures_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    text: dict[str, Any] = json.loads(found[1])
    return text


def check(page: str) -> dict[str, Any]:
    """One file, offline, nothing of the user's text as markup, and a place for every figure."""
    assert "<b>plain</b>" not in page
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r'(?:src|href)="(?!#|data:)', outside)
    assert "default-src 'none'" in page
    figures = figures_of(page)
    for name in figures:
        assert f'id="chart-{name}"' in page
    return figures


def test_the_page_of_a_sweep(panel: Panel, tmp_path: Path) -> None:
    found = rbt.sweep(cross, panel, grid=GRID, trials="off")
    page = found.report(tmp_path / "sweep.html", parts=8).read_text(encoding="utf-8")
    figures = check(page)
    kinds = [name.rsplit("-", 1)[0] for name in figures]
    assert kinds == ["surface"] * 4 + ["sensitivity"] * 3 + ["all-variants"] + ["luck"] * 2
    heat = figures["surface-0"]["data"][0]
    assert heat["x"] == ["3", "5", "8"]
    assert heat["y"] == ["12", "20", "30"]
    cell = found.frame.filter((pl.col("fast") == 5) & (pl.col("slow") == 30))["sharpe"].median()
    assert heat["z"][2][1] == pytest.approx(cell, rel=1e-4)
    hill = figures["surface-1"]["data"][0]
    assert (hill["type"], hill["x"], hill["y"], hill["z"]) == ("surface", [3.0, 5.0, 8.0], [12.0, 20.0, 30.0], heat["z"])
    assert "Probability of overfitting" in page
    assert found.report(tmp_path / "again.html", parts=8).read_text(encoding="utf-8") == page
    block = found._repr_html_()
    assert "&lt;b&gt;plain" in block
    assert "<script" not in block


def test_strategies_and_datasets_are_axes_too(panel: Panel, tmp_path: Path) -> None:
    other = markets.panel(assets=2, bars=200, seed=9)
    found = rbt.sweep(cross, {"one": panel, "two": other}, grid={"fast": [3, 5, 8], "slow": [12, 20]}, trials="off")
    figures = check(found.report(tmp_path / "sweep.html").read_text(encoding="utf-8"))
    assert any(figure["data"][0].get("y") == ["one", "two"] or figure["data"][0].get("x") == ["one", "two"] for figure in figures.values())


def test_a_sweep_of_nothing_that_ran(panel: Panel, tmp_path: Path) -> None:
    found = rbt.sweep(cross, panel, grid={"fast": [0, -1]}, trials="off")
    page = found.report(tmp_path / "sweep.html").read_text(encoding="utf-8")
    assert figures_of(page) == {}
    assert "2 variants could not be run" in page
    one = rbt.sweep(cross, panel, grid={"fast": [3]}, trials="off")
    assert figures_of(one.report(tmp_path / "one.html").read_text(encoding="utf-8")) == {}


def test_the_page_of_a_walk_forward(panel: Panel, tmp_path: Path) -> None:
    found = rbt.walk_forward(cross, panel, grid=GRID, train=90, test=40, validation=30, trials="off")
    figures = check(found.report(tmp_path / "walk.html").read_text(encoding="utf-8"))
    stitched = figures["out-of-sample-0"]
    assert stitched["data"][0]["y"][-1] == pytest.approx(float(found.equity["equity"][-1]), abs=0.01)
    assert len(stitched["layout"]["shapes"]) == (found.windows.height + 1) // 2
    bars = figures["against-in-sample-1"]["data"]
    assert [bar["name"] for bar in bars] == ["In sample", "Validation", "Out of sample"]
    assert bars[2]["y"] == pytest.approx(found.windows["out_of_sample"].to_list(), rel=1e-4)
    assert "<svg" in found._repr_html_()


def test_the_pages_of_searches(panel: Panel, tmp_path: Path) -> None:
    space: dict[str, Any] = {"fast": [3, 5, 8], "slow": rbt.Range(12, 40), "kind": ["<b>plain</b>", "$loss"]}
    one = rbt.search(cross, panel, space=space, trials=20, batch=5, registry="off")
    kinds = {name.rsplit("-", 1)[0] for name in check(one.report(tmp_path / "one.html").read_text(encoding="utf-8"))}
    assert kinds == {"progress", "sensitivity", "landscape", "all-variants", "luck"}
    two = rbt.search(cross, panel, space=space, trials=20, batch=5, metric=["total_return", "volatility"], registry="off")
    figures = check(two.report(tmp_path / "two.html").read_text(encoding="utf-8"))
    front = next(figure for name, figure in figures.items() if name.startswith("front"))
    assert len(front["data"][1]["x"]) == two.pareto.height
    assert "<table>" in one._repr_html_()
    nothing = rbt.search(cross, panel, space=space, trials=6, batch=3, require="fills > 9999", registry="off")
    check(nothing.report(tmp_path / "none.html").read_text(encoding="utf-8"))


def test_the_page_of_a_cross_validation(panel: Panel, tmp_path: Path) -> None:
    found = rbt.cross_validate(cross, panel, grid=GRID, groups=4, tests=2, trials="off")
    figures = check(found.report(tmp_path / "cv.html").read_text(encoding="utf-8"))
    assert len(figures["paths-0"]["data"]) == found.paths.height
    assert "median of the paths" in found._repr_html_()


def test_a_page_that_cannot_be_written(panel: Panel, tmp_path: Path) -> None:
    found = rbt.walk_forward(cross, panel, grid={"fast": [3]}, train=90, test=60, trials="off")
    with pytest.raises(ConfigError, match="cannot write the report"):
        found.report(tmp_path)


def test_the_figures_of_luck() -> None:
    rng = np.random.default_rng(3)
    found = overfitting(rng.normal(0, 0.01, (200, 10)), parts=8)
    bars = logits_figure(found.logits)["data"][0]
    assert sum(bars["y"]) == len(found.logits)
    losses = sum(count for count, colour in zip(bars["y"], bars["marker"]["color"], strict=True) if colour == "$loss")
    assert losses / len(found.logits) == pytest.approx(found.probability, abs=0.12)
    names = [trace["name"] for trace in decay_figure([0.0, 1.0, 2.0], [0.0, 0.5, 1.0], ("in", "out"))["data"]]
    assert names == ["Choice", "Nothing lost", "Fitted, slope 0.50"]
    assert len(decay_figure([None, 1.0], [0.5, None], ("in", "out"))["data"][0]["x"]) == 0


def test_a_surface_says_what_is_missing_and_what_is_marked() -> None:
    grid = pl.DataFrame({"slow": [20, 40], "5": [0.5, -1.0], "10": [None, 0.25]})
    figure = heat_figure(grid, ("fast", "slow"), "Sharpe", {"Peak": (5, 20), "Plateau": (10, 40)})
    heat, peak, plateau = figure["data"]
    assert heat["z"] == [[0.5, None], [-1.0, 0.25]]
    assert heat["text"] == [["0.50", ""], ["-1.00", "0.25"]]
    assert heat["zmid"] == 0.0
    assert (peak["x"], peak["y"]) == (["5"], ["20"])
    assert (plateau["x"], plateau["y"]) == (["10"], ["40"])


def test_lines_across_put_the_best_on_top() -> None:
    frame = pl.DataFrame({"n": [1, 2, 3, 4, 5, 6], "kind": ["a", "b", "a", "b", "a", "b"], "sharpe": [0.5, 0.1, 0.2, 0.3, 0.4, 0.0]})
    figure = parallel_figure(frame, ["n", "kind"], "sharpe")
    assert len(figure["data"]) == BANDS
    assert figure["data"][-1]["y"][:3] == [0.0, 0.0, 1.0]
    assert figure["layout"]["xaxis"]["ticktext"] == ["n", "kind", "sharpe"]
    many = pl.DataFrame({"n": range(5000), "sharpe": np.linspace(0, 1, 5000)})
    assert sum(len(trace["x"]) for trace in parallel_figure(many, ["n"], "sharpe")["data"]) <= 3 * 600


def test_windows_on_a_calendar(panel: Panel) -> None:
    found = rbt.walk_forward(cross, panel, grid={"fast": [3]}, train=90, test=60, trials="off")
    train, test = spans_figure(found.windows)["data"]
    assert [train["name"], test["name"]] == ["Training", "Test"]
    first = found.windows.row(0, named=True)
    assert train["base"][0] == first["train_from"].isoformat()
    assert test["x"][0] == ((first["test_to"] - first["test_from"]).days + 1) * 86_400_000
    assert stitched_figure(found.equity, "USD")["layout"]["xaxis"]["range"][0] == first["test_from"].isoformat()


def test_pictures_for_notebooks_are_those_of_the_page(panel: Panel, tmp_path: Path) -> None:
    swept = rbt.sweep(cross, panel, grid=GRID, trials="off")
    pictures = swept.figures()
    drawn = figures_of(swept.report(tmp_path / "sweep.html").read_text(encoding="utf-8"))
    assert len(pictures) == len(drawn)
    assert {"Sharpe ratio: fast and slow", "Sharpe ratio: fast and slow, as a surface", "Parallel coordinates", "Rank out of sample"} < set(
        pictures
    )
    for picture, figure in zip(pictures.values(), drawn.values(), strict=True):
        assert len(picture.data) == len(figure["data"])
        assert not re.search(r'"(?:color|fillcolor|bgcolor)":"\$', picture.to_json())
    heat = pictures["Sharpe ratio: fast and kind"]
    assert list(heat.data[0].y) == ["$loss", "<b>plain</b>"]  # a value that begins with a dollar sign is no colour
    search = rbt.search(cross, panel, space={"fast": [3, 5, 8], "slow": [12, 20]}, trials=6, batch=6, registry="off")
    walk = rbt.walk_forward(cross, panel, grid={"fast": [3, 5]}, train=90, test=60, trials="off")
    both = rbt.cross_validate(cross, panel, grid={"fast": [3, 5]}, groups=4, tests=2, trials="off")
    assert "sharpe along fast" in search.figures()
    assert {"Equity out of sample", "Windows", "What was left"} < set(walk.figures())
    assert "Equity along the paths" in both.figures()
