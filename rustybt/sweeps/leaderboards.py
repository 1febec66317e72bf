"""What the page of a sweep or a search shows: the best, the landscape, and how much of it is luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt.analysis.metrics.definitions import definition_of
from rustybt.analysis.report import Chart, Section
from rustybt.analysis.report.landscape import cloud_figure, curve_figure, heat_figure, parallel_figure, progress_figure, surface_figure
from rustybt.analysis.report.tables import Cell, Table, tone_of
from rustybt.analysis.report.walks import MOST_CHOICES, decay_figure, logits_figure
from rustybt.analysis.report.wording import NOTHING, metric, money, number, percent
from rustybt.errors import ConfigError
from rustybt.sweeps.judgement import Judgement
from rustybt.sweeps.names import LUCK, METRICS, SMALLER
from rustybt.sweeps.sensitivity import Pick, curve, pick, stability, surface

if TYPE_CHECKING:
    from rustybt.sweeps.found import Search

MOST_SURFACES = 4
MOST_CELLS = 60
"""Values of a parameter beyond which a surface is too fine to be read."""
TURN = "Drag to turn it."


def words(name: str) -> str:
    """A metric as people call it."""
    return {"probabilistic_sharpe": "Probabilistic Sharpe", "deflated_sharpe": "Deflated Sharpe"}.get(name) or definition_of(name).label


def shown(name: str, value: Any) -> str:
    """A metric or a parameter as text."""
    if value is None:
        return NOTHING
    if name in LUCK:
        return number(value, 3)
    if name == "final_equity":
        return money(value)
    if isinstance(value, float):
        unit = definition_of(name).unit
        return metric(value, unit) if unit != "number" else f"{value:,.3g}"
    return str(value)


def _end(name: str, value: float) -> str:
    """An end of an interval: a digit less than the number it stands below."""
    return percent(value, 1) if definition_of(name).unit == "fraction" else shown(name, value)


def board(frame: pl.DataFrame, names: Sequence[str], judgement: Judgement | None = None) -> Table:
    """Rows of variants as a table, with the intervals of a judgement below the numbers."""
    kept, note = [name for name in names if name in frame.columns], ""
    around: Mapping[tuple[int, str], str] = {}
    if judgement is not None and judgement.intervals["low"].null_count() < judgement.intervals.height:
        around = {
            (row[0], row[1]): f"{_end(row[1], row[3])} to {_end(row[1], row[4])}" for row in judgement.intervals.drop_nulls().iter_rows()
        }
        note = "Below a number: the middle 95 % of 1,000 block resamples of that row's own sessions, which know nothing of the choice."
    key = next((name for name in ("variant", "trial") if name in kept), None)
    rows = [
        [
            Cell(
                shown(name, value),
                tone=tone_of(value) if name in ("total_return", "cagr", "out_of_sample") and value is not None else "",
                below="" if key is None else around.get((row[key], name), ""),
            )
            for name, value in row.items()
        ]
        for row in frame.select(kept).iter_rows(named=True)
    ]
    numeric = tuple(frame[name].dtype.is_numeric() for name in kept)
    return Table(tuple(words(name) if name in (*METRICS, *LUCK) else name.replace("_", " ") for name in kept), numeric, rows, note)


def landscape(frame: pl.DataFrame, parameters: Sequence[str], name: str) -> list[Section]:
    """Surfaces over pairs of parameters, curves along each, and lines across all."""
    varied = [parameter for parameter in parameters if frame[parameter].n_unique() > 1]
    good = frame.filter(pl.col("error").is_null() & pl.col(name).cast(pl.Float64).is_finite())
    if not varied or good.height < 2:
        return []
    title, largest = words(name), name not in SMALLER
    found = _picked(good, varied, name, largest)
    sections = []
    narrow = sorted((p for p in varied if good[p].n_unique() <= MOST_CELLS), key=lambda p: -good[p].n_unique())
    pairs = list(combinations(sorted(narrow[:4], key=varied.index), 2))[:MOST_SURFACES]
    maps = [
        Chart(
            heat_figure(surface(good, x, y, name), (x, y), title, _marks(found, x, y)),
            f"{title}: {x} and {y}",
            "The median over all other parameters." if len(varied) > 2 else "Each cell is one variant.",
            "mid",
        )
        for x, y in pairs
    ]
    maps[1:1] = [
        Chart(_turned(good, x, y, name, title), f"{title}: {x} and {y}, as a surface", TURN, "mid") for x, y in _hills(good, pairs)
    ]
    if maps:
        sections.append(
            Section("Surface", charts=maps if len(maps) == 1 else (), pairs=maps if len(maps) > 1 else (), text=_plateau(found, varied))
        )
    curves = [
        Chart(curve_figure(curve(good, parameter, name), parameter, title), f"{title} along {parameter}", "", "short")
        for parameter in varied
        if good[parameter].n_unique() <= max(MOST_CELLS, good.height // 2)
    ]
    if curves:
        sections.append(Section("Sensitivity", pairs=curves, text=(_stable(good, varied, name),)))
    if len(varied) > 1:
        across = [*varied, *(n for n in ("total_return", "max_drawdown", "volatility") if n != name and n in good.columns), name]
        called = {one: words(one) for one in across if one in METRICS}
        lines = parallel_figure(good.rename(called), [called.get(one, one) for one in across], called.get(name, name), largest=largest)
        said = f"Each line is a variant, coloured by {title}: the best sixth on top, in full colour."
        sections.append(Section("All variants", charts=(Chart(lines, "", said, "mid", "Parallel coordinates"),)))
    return sections


def luck(judgement: Judgement) -> list[Section]:
    """Choosing the best of one half of the sessions, split by split; the numbers stand beside the leaderboard."""
    found = judgement.overfitting
    if found is None:
        return []
    told = (f"The best variant of one half lost money per unit of risk in {percent(found.loss, 1)} of the other halves.",)
    charts = (
        Chart(logits_figure(found.logits), "Rank out of sample", "CSCV, Bailey et al. 2017.", "short"),
        Chart(
            decay_figure(found.inside.tolist(), found.outside.tolist(), ("Sharpe of a session, in sample", "out of sample")),
            "The choice, in and out of sample", f"One dot per split{_thinned(len(found.logits))}.", "short",
        ),
    )  # fmt: skip
    return [Section("Luck", pairs=charts, text=told)]


def hunted(search: Search) -> list[Section]:
    """How a search went."""
    name = search.plan.metrics[0]
    charts = [Chart(progress_figure(search.history(), words(name)), "", "Trials in the order in which they were asked for.", "short")]
    sections = [Section("Progress", charts=charts)]
    if len(search.plan.metrics) > 1:
        other = search.plan.metrics[1]
        front = search.pareto.select(name, other)
        good = search.frame.filter("feasible")
        cloud = cloud_figure(good[name], good[other], good["trial"], (words(name), words(other), "trial"), front)
        told = "No variant on the line is beaten in both objectives by another."
        sections.insert(0, Section("Front", charts=(Chart(cloud, "", told, "mid"),)))
    return sections


def clouds(search: Search) -> Section:
    """The first objective along each parameter, as dots."""
    name, good = search.plan.metrics[0], search.frame.filter("feasible")
    charts = [
        Chart(cloud_figure(good[one], good[name], good["trial"], (one, words(name), "trial")), "", "", "short", f"{name} along {one}")
        for one in search.parameters
        if good[one].n_unique() > 1
    ]
    return Section("Sensitivity", pairs=charts, text=("Later trials are darker: a search that has found something gathers around it.",))


def maps(search: Search) -> list[Section]:
    """The first objective over pairs of numeric parameters, as dots where trials were made."""
    name, good = search.plan.metrics[0], search.frame.filter("feasible")
    numeric = [one for one in search.parameters if good[one].dtype.is_numeric() and good[one].n_unique() > 1]
    charts = [
        Chart(cloud_figure(good[x], good[y], good[name], (x, y, words(name))), "", "", "mid", f"{name} over {x} and {y}")
        for x, y in list(combinations(numeric, 2))[:MOST_SURFACES]
    ]
    if not charts:
        return []
    text, alone = (f"Where trials were made, coloured by {words(name)}.",), len(charts) == 1
    return [Section("Landscape", charts=charts if alone else (), pairs=() if alone else charts, text=text)]


def _thinned(count: int) -> str:
    return f", {MOST_CHOICES:,} of {count:,}" if count > MOST_CHOICES else ""


def _hills(frame: pl.DataFrame, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first pair of numeric parameters with at least three values each: fewer make no surface."""
    fit = [pair for pair in pairs if all(frame[one].dtype.is_numeric() and frame[one].n_unique() > 2 for one in pair)]
    return fit[:1]


def _turned(frame: pl.DataFrame, x: str, y: str, name: str, title: str) -> Mapping[str, Any]:
    return surface_figure(surface(frame.drop_nulls([x, y]), x, y, name), (x, y), title)


def _picked(frame: pl.DataFrame, parameters: Sequence[str], name: str, largest: bool) -> Pick | None:
    try:
        return pick(frame, parameters, name, largest=largest)
    except ConfigError:
        return None


def _marks(found: Pick | None, x: str, y: str) -> Mapping[str, tuple[Any, Any]]:
    if found is None:
        return {}
    peak, middle = ((row[x], row[y]) for row in (found.peak, found.plateau))
    return {"Peak and plateau": peak} if peak == middle else {"Peak": peak, "Plateau": middle}


def _plateau(found: Pick | None, parameters: Sequence[str]) -> tuple[str, ...]:
    if found is None:
        return ()
    peak, middle = (", ".join(f"{name} = {row[name]}" for name in parameters) for row in (found.peak, found.plateau))
    if peak == middle:
        return (f"The best variant ({peak}) is also the one with the best neighbours.",)
    return (f"The best variant is {peak}; the one with the best neighbours, which is the safer choice, is {middle}.",)


def _stable(frame: pl.DataFrame, parameters: Sequence[str], name: str) -> str:
    score = stability(frame, parameters, name)
    if score is None:
        return "No two variants are neighbours, so nothing can be said of how stable the result is."
    return f"Stability {number(score)}: 1 where a step of a parameter changes nothing, 0 where neighbours differ like any two variants."
