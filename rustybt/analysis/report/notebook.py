"""The figures of a page as Plotly figures, for notebooks: the same data and the colours of the light theme."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rustybt._extras import require
from rustybt.analysis.report.charts import Figure
from rustybt.analysis.report.page import asset
from rustybt.analysis.report.study import StudyInputs

TEXT = frozenset(
    ("name", "legendgroup", "text", "x", "y", "z", "base", "ticktext", "tickvals", "customdata", "hovertemplate", "categoryarray")
)
"""Names, dates and labels are data: one that begins with a dollar sign is not a colour."""
AXES = ("xaxis", "yaxis", "yaxis2")


def plotly_figures(inputs: StudyInputs) -> dict[str, Any]:
    """Every figure of a page, by its title.

    Returns:
        ``plotly.graph_objects.Figure`` by title; charts of one title are numbered.

    Raises:
        MissingExtraError: plotly is not installed.

    Example:
        >>> from rustybt.analysis.report.study import Chart, Section
        >>> bar = {"data": [{"type": "bar", "y": [1, 2], "marker": {"color": "$gain"}}], "layout": {"xaxis": {}, "yaxis": {}}}
        >>> found = plotly_figures(StudyInputs("sweep", "mine", sections=[Section("Luck", charts=[Chart(bar, "Rank")])]))
        >>> list(found), found["Rank"].data[0].marker.color
        (['Rank'], '#2f6fb0')
    """
    graph = require("plotly.graph_objects", extra="report")
    colours, found = _light(), dict[str, Any]()
    for section in inputs.sections:
        for chart in (*section.charts, *section.pairs):
            title = chart.title or chart.label or section.title
            name, number = title, 2
            while name in found:
                name, number = f"{title} {number}", number + 1
            found[name] = graph.Figure(_themed(chart.figure, title, colours))
    return found


def _themed(figure: Mapping[str, Any], title: str, colours: Mapping[str, str]) -> Figure:
    given: Figure = _resolved(figure, colours)
    layout: Figure = given["layout"]
    line = {"gridcolor": colours["grid"], "linecolor": colours["line"], "zerolinecolor": colours["line"], "zeroline": False}
    for name in AXES:
        if name in layout:
            layout[name] = line | {"automargin": True} | layout[name]
    layout |= {"title": {"text": title, "font": {"size": 14}}, "template": "none", "margin": {"l": 50, "r": 20, "t": 60, "b": 40}}
    layout |= {"paper_bgcolor": colours["panel"], "plot_bgcolor": colours["panel"], "font": {"color": colours["ink"], "size": 12}}
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}
    return given


def _resolved(value: Any, colours: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _colour(value, colours) if value.startswith("$") else value
    if isinstance(value, Mapping):
        return {name: one if name in TEXT and not isinstance(one, Mapping) else _resolved(one, colours) for name, one in value.items()}
    return [_resolved(one, colours) for one in value] if isinstance(value, list | tuple) else value


def _colour(token: str, colours: Mapping[str, str]) -> str:
    name = token[1:]
    if name.startswith("series-"):
        return SERIES[int(name.removeprefix("series-")) % len(SERIES)]
    return colours.get(name, "#888")


def _light() -> dict[str, str]:
    """The colours of the light theme, by name."""
    block = asset("page.css").partition("}")[0]
    return {name: value.strip() for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", block)}


def _series() -> list[str]:
    """The hues of lines that have no meaning of their own, as the script of the page has them."""
    return re.findall(r'"(#[0-9a-f]{6})"', asset("page.js").partition("var series = [")[2].partition("]")[0])


SERIES = _series()
