"""A study of many runs as one HTML page: a sweep, a search, a walk-forward, a cross-validation.

The caller says what is on the page, section by section; the look, the themes and the scripts are those of the report of a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from rustybt._extras import require
from rustybt.analysis.metrics.curve import Floats
from rustybt.analysis.report.cards import Card, Chip
from rustybt.analysis.report.page import ASSETS, asset, embedded
from rustybt.analysis.report.summary import block
from rustybt.analysis.report.tables import Table


@dataclass(frozen=True)
class Chart:
    """A place for a figure.

    Attributes:
        figure: plain Plotly dictionary with colour tokens; see `rustybt.analysis.report.charts`.
        title: above it, or nothing.
        caption: below it: what exactly is drawn.
        size: ``tall``, ``mid``, ``short`` or nothing.
        label: for readers who cannot see it.
    """

    figure: Mapping[str, Any]
    title: str = ""
    caption: str = ""
    size: str = "mid"
    label: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: heading.
        charts: across the whole width, one below the other.
        pairs: charts two beside each other.
        tables: with their headings.
        text: sentences before all of it.
    """

    title: str
    charts: Sequence[Chart] = ()
    pairs: Sequence[Chart] = ()
    tables: Sequence[tuple[str, Table]] = ()
    text: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Its place on the page."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())


@dataclass(frozen=True)
class StudyInputs:
    """What a page shows.

    Attributes:
        kind: of study, such as ``walk-forward``.
        title: of the page.
        facts: label and text, below the title.
        chips: verdicts in a few words.
        cards: key numbers.
        sections: in order.
        warnings: one sentence each.
        config: label and text: how it was run.
        identity: label and text.
    """

    kind: str
    title: str
    facts: Sequence[tuple[str, str]] = ()
    chips: Sequence[Chip] = ()
    cards: Sequence[Card] = ()
    sections: Sequence[Section] = ()
    warnings: Sequence[str] = ()
    config: Sequence[tuple[str, str]] = ()
    identity: Sequence[tuple[str, str]] = field(default=())


def render_study(inputs: StudyInputs) -> str:
    """One self-contained HTML page, as `rustybt.analysis.report.render` makes one of a run.

    Raises:
        MissingExtraError: plotly or jinja2 is not installed; the ``report`` extra brings both.
    """
    jinja2 = require("jinja2", extra="report")
    offline = require("plotly.offline", extra="report")
    safe = require("markupsafe", extra="report").Markup
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, loader=jinja2.FileSystemLoader(ASSETS)
    )
    drawn: dict[str, Mapping[str, Any]] = {}
    sections = []
    for section in inputs.sections:
        placed: dict[str, list[tuple[str, Chart]]] = {"charts": [], "pairs": []}
        for place, charts in (("charts", section.charts), ("pairs", section.pairs)):
            for chart in charts:
                name = f"{section.name}-{len(drawn)}"
                drawn[name] = chart.figure
                placed[place].append((name, chart))
        sections.append((section, placed))
    text: str = environment.get_template("study.html.j2").render(
        study=inputs,
        sections=sections,
        figures_json=safe(embedded(drawn)),
        style=safe(asset("page.css")),
        script=safe(asset("page.js")),
        plotly=safe(offline.get_plotlyjs()),
    )
    return text


def study_block(inputs: StudyInputs, line: Floats | None, table: str = "") -> str:
    """A block of HTML for a notebook: title, key numbers, and a line or a table.

    Args:
        inputs: title, facts, chips and cards are shown.
        line: values over time, or None.
        table: HTML of a table, already escaped.

    Example:
        >>> "two &lt;b&gt;" in study_block(StudyInputs("sweep", "two <b>"), None)
        True
    """
    facts = " · ".join(escape(text) for _, text in inputs.facts)
    return block(inputs.title, facts, inputs.chips, inputs.cards, line) + table
