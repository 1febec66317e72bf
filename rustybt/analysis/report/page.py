"""The page itself: inputs become figures and tables, a template places them, and everything it needs is inside the file."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from rustybt._extras import require
from rustybt.analysis.metrics.definitions import definition_of
from rustybt.analysis.report import cards, tables
from rustybt.analysis.report.charts import FIGURES, by_session, drawn_bars, figures, line_rows, rolling_window
from rustybt.analysis.report.currencies import currency_table
from rustybt.analysis.report.holdings import MOST_ROWS, MOST_STACKED
from rustybt.analysis.report.inputs import ReportInputs
from rustybt.analysis.report.wording import metric, plain, sentence

ASSETS = Path(__file__).parent / "assets"


def render(inputs: ReportInputs) -> str:
    """One self-contained HTML page.

    Scripts, styles and data are inside; a content policy in the page forbids every request, so it works offline and leaks nothing.
    All text from the inputs is escaped. Equal inputs give equal bytes: nothing reads the clock.

    Args:
        inputs: what to show.

    Returns:
        The page, about 5 MB, nearly all of it plotly.js.

    Raises:
        MissingExtraError: plotly or jinja2 is not installed; the ``report`` extra brings both.
    """
    jinja2 = require("jinja2", extra="report")
    offline = require("plotly.offline", extra="report")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, loader=jinja2.FileSystemLoader(ASSETS)
    )
    safe = require("markupsafe", extra="report").Markup
    drawn = figures(inputs)
    text: str = environment.get_template("page.html.j2").render(
        **_context(inputs),
        figures={name: name in drawn for name in FIGURES},
        figures_json=safe(embedded(drawn)),
        style=safe(asset("page.css")),
        script=safe(asset("page.js")),
        plotly=safe(offline.get_plotlyjs()),
    )
    return text


def embedded(value: Any) -> str:
    r"""JSON that is safe inside a script element: no tag can begin and no line can end in it.

    Example:
        >>> embedded({"name": "</script>"})
        '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def asset(name: str) -> str:
    """A style or script of the page."""
    return (ASSETS / name).read_text(encoding="utf-8")


def _context(inputs: ReportInputs) -> dict[str, Any]:
    """Everything the template names, apart from scripts and figures."""
    params = inputs.spec.get("params") or {}
    return {
        "title": inputs.title,
        "currency": inputs.currency,
        "benchmark": inputs.benchmark_name if inputs.has_benchmark else "",
        "params": [(str(key), plain(value)) for key, value in params.items()],
        "facts": cards.subtitle(inputs),
        "chips": cards.verdict_chips(inputs),
        "cards": cards.key_cards(inputs),
        "relative": _relative(inputs),
        "falls": tables.fall_table(inputs),
        "months": tables.month_table(inputs),
        "groups": tables.metric_groups(inputs),
        "trades": tables.trade_table(inputs),
        "orders": tables.order_bars(inputs),
        "currencies": currency_table(inputs),
        "residuals": tables.residual_table(inputs),
        "costs": tables.cost_bars(inputs.costs, inputs.currency),
        "income": tables.cost_bars(inputs.income, inputs.currency, "gain"),
        "guard": _guard(inputs),
        "books": _books(inputs),
        "warnings": list(inputs.warnings),
        "config": tables.settings(inputs.config),
        "identity": [(str(key).replace("_", " ").capitalize(), str(value)) for key, value in inputs.identity.items()],
        "spec_json": json.dumps(dict(inputs.spec), indent=2, default=str, ensure_ascii=False) if inputs.spec else "",
        "captions": _captions(inputs),
    }


def _relative(inputs: ReportInputs) -> list[tuple[str, str]]:
    names = ("excess_return", "alpha", "beta", "correlation", "information_ratio", "tracking_error", "up_capture", "down_capture")
    known = [(definition_of(name), inputs.metrics[name]) for name in names if inputs.metrics.get(name) is not None]
    return [(definition.label, metric(value, definition.unit)) for definition, value in known]


def _captions(inputs: ReportInputs) -> dict[str, str]:
    """One line under a figure that says what exactly is drawn."""
    shown, total = line_rows(inputs).height, drawn_bars(inputs).height
    every = "Session closes" if by_session(inputs) else "Every bar"
    thinned = f"; {shown:,} of {total:,} points drawn, highs and lows kept" if shown < total else ""
    held = 0 if inputs.positions is None else inputs.positions["asset"].n_unique()
    stacked = "Stacked weights: longs above zero, shorts below"
    return {
        "equity": every + thinned + ". Drag to zoom, double-click to reset.",
        "rolling": f"Over {rolling_window(inputs)} sessions, annualised with {plain(inputs.periods)} sessions a year.",
        "positions": f"{stacked}."
        if held <= MOST_STACKED
        else f"The {min(held, MOST_ROWS)} heaviest of {held:,} assets, by average weight.",
        "exposure": "Gross: sum of absolute position values / equity. Net: (equity - cash) / equity.",
    }


def _guard(inputs: ReportInputs) -> dict[str, Any]:
    verdict = inputs.verdict
    known = {"ok", "summary", "lookback", "terms", "trusted", "opaque", "flags"}
    return {
        "shown": bool(verdict),
        "ok": bool(verdict.get("ok", True)),
        "summary": sentence(plain(verdict["summary"])) if verdict.get("summary") else "",
        "lookback": plain(verdict["lookback"]) if verdict.get("lookback") is not None else "",
        "terms": tables.term_table(verdict.get("terms") or ()),
        "trusted": [str(name) for name in verdict.get("trusted") or ()],
        "opaque": [str(name) for name in verdict.get("opaque") or ()],
        "flags": [str(name) for name in verdict.get("flags") or ()],
        "more": tables.settings({key: value for key, value in verdict.items() if key not in known}),
    }


def _books(inputs: ReportInputs) -> dict[str, Any]:
    books = inputs.books
    known = {"ok", "summary", "checks"}
    return {
        "shown": bool(books),
        "ok": bool(books.get("ok", False)),
        "summary": sentence(plain(books["summary"])) if books.get("summary") else "",
        "checks": [dict(check) for check in books.get("checks") or ()],
        "more": tables.settings({key: value for key, value in books.items() if key not in known}),
    }
