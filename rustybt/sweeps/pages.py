"""Pages and notebook blocks of studies: a sweep, a search, a walk-forward, a cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt.analysis.report import Chart, Section, StudyInputs, render_study, study_block
from rustybt.analysis.report.cards import Card
from rustybt.analysis.report.tables import Cell, Table, settings, tone_of
from rustybt.analysis.report.walks import beside_figure, decay_figure, paths_figure, spans_figure, stitched_figure
from rustybt.analysis.report.wording import money, number, percent
from rustybt.engine import RunConfig
from rustybt.engine.page import write_page
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.model.arguments import place
from rustybt.sweeps.judgement import AT_ONCE, Judgement
from rustybt.sweeps.leaderboards import board, clouds, hunted, landscape, luck, maps, shown, words
from rustybt.sweeps.names import METRICS
from rustybt.sweeps.splits import EPOCH

if TYPE_CHECKING:
    from rustybt.sweeps.combined import CrossValidation
    from rustybt.sweeps.found import Search
    from rustybt.sweeps.outcome import Sweep
    from rustybt.sweeps.walked import WalkForward


@dataclass(frozen=True)
class _Ran:
    """What was run; of several datasets the first."""

    name: str
    panel: Panel
    config: RunConfig


@dataclass(frozen=True)
class _Shown:
    """What is particular to a kind of study."""

    cards: Sequence[Card]
    sections: Sequence[Section]
    notes: Sequence[str]
    facts: Sequence[tuple[str, str]] = ()


def page_at(path: object) -> Path:
    """Where a page goes.

    Raises:
        ConfigError: that is no path of a file.
    """
    what, do = f"{str(path)!r} is no file for a page", 'give a path such as "report.html"'
    found = place(path, "report, path", do, what=what)
    if not found.name:
        raise ConfigError(what, where="report, path", do=do)
    return found


def write_sweep(sweep: Sweep, path: str | Path, *, by: str = "sharpe", parts: int | None = None) -> Path:
    """Write the page of a sweep: leaderboard, surfaces, curves, lines across all variants, and luck. One file that works offline.

    Args:
        sweep: a finished sweep.
        path: of the page.
        by: metric that is shown and sorts.
        parts: see `Sweep.report`.

    Raises:
        MissingExtraError: the ``report`` extra is not installed.
        ConfigError: the file cannot be written, or there is no such metric.
    """
    return write_page(render_study(sweep_inputs(sweep, by, parts)), page_at(path))


def write_search(search: Search, path: str | Path) -> Path:
    """Write the page of a search; see `write_sweep`."""
    return write_page(render_study(search_inputs(search)), page_at(path))


def write_walk(walk: WalkForward, path: str | Path) -> Path:
    """Write the page of a walk-forward; see `write_sweep`."""
    return write_page(render_study(walk_inputs(walk)), page_at(path))


def write_combined(found: CrossValidation, path: str | Path) -> Path:
    """Write the page of a cross-validation; see `write_sweep`."""
    return write_page(render_study(combined_inputs(found)), page_at(path))


def sweep_inputs(sweep: Sweep, by: str = "sharpe", parts: int | None = None) -> StudyInputs:
    """What the page of a sweep shows."""
    parameters = list(sweep.variants.keys)
    best, judgement = sweep.top(10, by=by), sweep.judgement(by, limit=AT_ONCE)
    if parts is not None:
        judgement = replace(judgement, overfitting=sweep.overfitting(parts))
    names = ["variant", *parameters, by, "deflated_sharpe", *METRICS, "final_equity", "fills", "probabilistic_sharpe"]
    table = board(best, list(dict.fromkeys(names)), judgement)
    sections = [Section("Leaderboard", tables=(("", table),), text=(sweep.luck, *judgement.sentences()))]
    sections += [*landscape(sweep.frame, parameters, by), *luck(judgement)]
    cards = [
        *_best_cards(best, by),
        Card("Variants", f"{sweep.frame.height:,}", "", f"{sweep.failed:,} failed", "combinations of the grid"),
        Card("Trials on this data", f"{sweep.tally.trials:,}", "", "ever, this sweep included", "what luck is judged by"),
    ]
    cards += _tests(judgement)
    names_of = ", ".join(one.name for one in sweep.variants.strategies)
    return _study(
        "sweep",
        _Ran(names_of, next(iter(sweep.panels.values())), sweep.config),
        _Shown(cards, sections, [*sweep.notes, *_why(sweep.frame)]),
    )


def search_inputs(search: Search) -> StudyInputs:
    """What the page of a search shows."""
    many = len(search.plan.metrics) > 1
    best, judgement = (search.pareto if many else search.top(10)), search.judgement(limit=AT_ONCE)
    names = [
        "trial",
        *search.parameters,
        *search.plan.metrics,
        "deflated_sharpe",
        *METRICS,
        "final_equity",
        "fills",
        "probabilistic_sharpe",
    ]
    title = "Pareto front" if many else "Leaderboard"
    table = board(best.head(20), list(dict.fromkeys(names)), judgement)
    sections = [Section(title, tables=(("", table),), text=(search.luck, *judgement.sentences()))]
    ran = search.frame.filter(~pl.col("pruned"))
    lands = [section for section in landscape(ran, search.parameters, search.plan.metrics[0]) if section.title == "All variants"]
    sections += [*hunted(search), clouds(search), *maps(search), *lands, *luck(judgement)]
    cards = [
        *_best_cards(search.top(1), search.plan.metrics[0]),
        Card("Trials", f"{search.frame.height:,}", "", f"{search.evaluated:,} run, {search.failed:,} failed", "asked for by the method"),
        Card("Trials on this data", f"{search.tally.trials:,}", "", "ever, this search included", "what luck is judged by"),
        *_tests(judgement),
    ]
    facts = [("Method", search.plan.method), ("Seed", str(search.plan.seed)), ("Generation", f"{search.plan.batch} variants")]
    facts += [(name, value) for name, value in (("Where", search.plan.where), ("Require", search.plan.require)) if value]
    notes = [*search.notes, *_why(search.frame)]
    return _study("search", _Ran(search.strategy.name, search.panel, search.config), _Shown(cards, sections, notes, facts))


def walk_inputs(walk: WalkForward) -> StudyInputs:
    """What the page of a walk-forward shows."""
    rows, label = walk.windows, words(walk.choice.metric)
    names = ["step", "test_from", "test_to", *walk.parameters, "in_sample", "validated", "out_of_sample", "degradation", "efficiency"]
    table = board(rows, [*names, "fills", "final_equity", *(["error"] if rows["error"].null_count() < rows.height else [])])
    inside, outside = rows["in_sample"].to_list(), rows["out_of_sample"].to_list()
    charts = (Chart(stitched_figure(walk.equity, walk.config.currency), "", _shading(walk), "mid", "Equity out of sample"),)
    pairs = (
        Chart(beside_figure(rows, label), f"{label}, window by window", "", "mid"),
        Chart(decay_figure(inside, outside, (f"{label}, in sample", "out of sample")), "What was left", "One dot per window.", "mid"),
    )
    sections = [
        Section("Out of sample", charts=charts, text=(walk.luck,)),
        Section("Against in sample", pairs=pairs, tables=(("", _compared(walk)),)),
        Section(
            "Windows",
            charts=(Chart(spans_figure(rows), "", "What each window learns from, and what it is tested on.", ""),),
            tables=(("", table),),
        ),
    ]
    path = _paths_of(walk)
    if path:
        sections.append(Section("Parameters", pairs=path, text=("Choices that jump about say that the past does not tell them apart.",)))
    worse = rows.select((pl.col("degradation") > 0).mean()).item()
    cards = [
        Card(
            "Final equity",
            money(rows["final_equity"][-1]),
            "",
            f"from {money(rows['opening'][0])} {walk.config.currency}",
            "stitched, exact",
        ),
        *_metric_cards(walk.metrics, "stitched"),
        Card("Efficiency", "–" if walk.efficiency is None else number(walk.efficiency), "", "growth of tests over trainings", "Pardo 2008"),
        Card("Worse than in sample", "–" if worse is None else percent(worse, 0), "", f"of {rows.height} windows", f"by {label}"),
    ]
    facts = [
        ("Windows", f"{rows.height}"), ("Chosen by", f"{walk.choice.pick} of {label}"), ("Positions", walk.positions),
        ("Variants a window", f"{max(rows['variants'].to_list()):,}"),
    ]  # fmt: skip
    return _study("walk-forward", _Ran(walk.strategy.name, walk.panel, walk.config), _Shown(cards, sections, walk.notes, facts))


def combined_inputs(found: CrossValidation) -> StudyInputs:
    """What the page of a cross-validation shows."""
    label = words(found.choice.metric)
    splits = found.splits.with_columns(pl.col("groups").list.eval(pl.element().cast(pl.String)).list.join(", "))
    inside, outside = splits["in_sample"].to_list(), splits["out_of_sample"].to_list()
    told = "Every path goes through all groups, each tested by a split that did not learn from it."
    at = (f"{label}, in sample", "out of sample")
    lines = Chart(paths_figure(found.equity, found.config.currency), "", told, "mid", "Equity along the paths")
    dots = Chart(decay_figure(inside, outside, at), "", "One dot per split.", "mid", "In and out of sample")
    tables = (("", _lined(found.summary())), ("", board(found.paths, ["path", *METRICS, "final_equity", "fills"])))
    names = ["split", "groups", "train_bars", *found.parameters, "in_sample", "out_of_sample", "rank"]
    sections = [
        Section("Paths", charts=(lines,), tables=tables),
        Section("Against in sample", charts=(dots,), text=_overfit(found)),
        Section("Splits", tables=(("", board(splits, names)),)),
    ]
    middle = found.paths.select(pl.col(*METRICS).median()).row(0, named=True)
    cards = [
        *_metric_cards(middle, "median of the paths"),
        Card(
            "Below the middle",
            "–" if found.overfit is None else percent(found.overfit, 0),
            "",
            "of the splits, out of sample",
            "of the choice",
        ),
        Card("Paths", f"{found.paths.height:,}", "", f"of {found.splits.height:,} splits", "Lopez de Prado 2018"),
    ]
    facts = [("Groups", f"{len(found.groups)}"), ("Variants", f"{found.variants:,}"), ("Chosen by", f"{found.choice.pick} of {label}")]
    return _study("cross-validation", _Ran(found.strategy.name, found.panel, found.config), _Shown(cards, sections, found.notes, facts))


def walk_summary(walk: WalkForward) -> str:
    """The block of a notebook."""
    return study_block(_short(walk_inputs(walk)), walk.equity["equity"].cast(pl.Float64).to_numpy())


def search_summary(search: Search) -> str:
    """The block of a notebook."""
    best = (search.pareto if len(search.plan.metrics) > 1 else search.top(5)).head(5)
    names = list(dict.fromkeys([*search.parameters, *search.plan.metrics, "total_return", "max_drawdown", "fills", "deflated_sharpe"]))
    told = _said((search.luck, *search.judgement(limit=AT_ONCE).sentences()))
    return study_block(_short(search_inputs(search)), None, _html(board(best, names)) + told)


def sweep_summary(sweep: Sweep) -> str:
    """The block of a notebook."""
    parameters = list(sweep.variants.keys)
    best = board(sweep.top(5), [*parameters, "sharpe", "total_return", "max_drawdown", "fills", "deflated_sharpe"])
    told = _said((sweep.luck, *sweep.judgement(limit=AT_ONCE).sentences()))
    return study_block(_short(sweep_inputs(sweep)), None, _html(best) + told)


def combined_summary(found: CrossValidation) -> str:
    """The block of a notebook."""
    return study_block(_short(combined_inputs(found)), None, _html(_lined(found.summary())))


def _study(kind: str, ran: _Ran, shown: _Shown) -> StudyInputs:
    panel = ran.panel
    first, last = (EPOCH.fromordinal(EPOCH.toordinal() + int(panel.sessions[at])).isoformat() for at in (0, -1))
    data = [("Data", f"{first} to {last}"), ("Assets", f"{len(panel.assets):,}"), ("Bars", f"{panel.bars:,}")]
    config = list(settings(ran.config.to_dict()))
    identity = [("Snapshot", panel.snapshot)] + ([("Dataset", panel.dataset)] if panel.dataset else [])
    facts = [*data, *shown.facts]
    return StudyInputs(kind, ran.name, facts, (), shown.cards, shown.sections, list(shown.notes), config, identity)


def _short(inputs: StudyInputs) -> StudyInputs:
    return StudyInputs(inputs.kind, f"{inputs.title}: {inputs.kind}", inputs.facts[:3], (), inputs.cards[:9])


def _tests(judgement: Judgement) -> list[Card]:
    """The tests over all variants, where they were made."""
    found, better = judgement.overfitting, judgement.superior_ability
    cards = [] if found is None else [Card("Overfitting", percent(found.probability, 0), "", "probability, by CSCV", "Bailey et al. 2017")]
    return (
        cards if better is None else [*cards, Card("Luck alone", f"p {better.p_value:.3f}", "", "if none beat cash, by SPA", "Hansen 2005")]
    )


def _best_cards(best: pl.DataFrame, by: str) -> list[Card]:
    if not best.height:
        return [Card("Best", "–", "", "nothing ran")]
    row = best.row(0, named=True)
    wanted = [name for name in dict.fromkeys([by, "total_return", "sharpe", "max_drawdown", "deflated_sharpe"]) if name in row]
    return [Card(words(name), shown(name, row[name]), _tone(name, row[name]), f"best by {words(by)}") for name in wanted]


def _metric_cards(numbers: Mapping[str, Any], against: str) -> list[Card]:
    return [Card(words(name), shown(name, numbers.get(name)), _tone(name, numbers.get(name)), against) for name in METRICS]


def _tone(name: str, value: Any) -> str:
    return tone_of(value) if name in ("total_return", "cagr") and isinstance(value, float) else ""


def _compared(walk: WalkForward) -> Table:
    return _lined(walk.compared())


def _lined(frame: pl.DataFrame) -> Table:
    """A frame of one row per metric, each number in the unit of its metric."""
    rows = []
    for row in frame.iter_rows(named=True):
        name = row.pop("metric")
        shares = ("worse", "below_zero")
        rows.append(
            [Cell(words(name)), *(Cell(("–" if v is None else percent(v, 0)) if n in shares else shown(name, v)) for n, v in row.items())]
        )
    titles = {"worse": "worse in", "below_zero": "below zero in"}
    heads = [titles.get(name, name.replace("_", " ")) for name in frame.columns]
    return Table(tuple(heads), (False, *[True] * (len(heads) - 1)), rows)


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value, 0)


def _paths_of(walk: WalkForward) -> list[Chart]:
    """What was chosen, window by window."""
    names = [str(step) for step in walk.windows["step"]]
    charts = []
    for name in walk.parameters:
        column = walk.windows[name]
        values = [None if v is None else float(v) if column.dtype.is_numeric() else str(v) for v in column]
        line = {
            "type": "scatter",
            "mode": "lines+markers",
            "x": names,
            "y": values,
            "line": {"color": "$strategy", "width": 1.6, "shape": "hv"},
        }
        across = {"type": "category", "showgrid": False, "title": {"text": "window"}}
        layout: dict[str, Any] = {"xaxis": across, "yaxis": {"title": {"text": name}}, "showlegend": False}
        if not column.dtype.is_numeric():
            layout["yaxis"] = {"title": {"text": name}, "type": "category"}
        charts.append(Chart({"data": [line], "layout": layout}, "", "", "short", f"{name} chosen in each window"))
    return charts


def _shading(walk: WalkForward) -> str:
    how = (
        "Each test begins flat, with what the one before has left"
        if walk.positions == "flat"
        else "Positions are carried from test to test"
    )
    return f"{how}; every other window is shaded."


def _overfit(found: CrossValidation) -> tuple[str, ...]:
    if found.overfit is None:
        return ()
    return (f"In {percent(found.overfit, 0)} of the splits the choice was at or below the middle of all variants out of sample.",)


def _why(frame: pl.DataFrame) -> list[str]:
    errors = frame["error"].drop_nulls()
    return [f"{len(errors):,} variants could not be run; the first: {errors[0].splitlines()[0]}"] if len(errors) else []


def _said(sentences: Sequence[str]) -> str:
    """Sentences for a notebook."""
    return "".join(f'<div style="font-size:12px;opacity:.75;max-width:880px">{escape(one)}</div>' for one in sentences)


def _html(table: Table) -> str:
    """A plain table for a notebook."""
    head = "".join(f"<th>{escape(title)}</th>" for title in table.titles)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell.text)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
