"""Figures of tests out of sample: windows over time, in against out of sample, equity through the tests, luck of a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.metrics.curve import Floats
from rustybt.analysis.report.charts import Figure
from rustybt.analysis.report.thin import keep_extremes

DAY_MS = 86_400_000
PARTS = {"train": ("Training", "$benchmark"), "validation": ("Validation", "$accent"), "test": ("Test", "$strategy")}


MOST_CHOICES = 2000
"""Dots of a chart of choices; more hide each other."""


def spans_figure(rows: pl.DataFrame) -> Figure:
    """Which days each window learns from and is tested on.

    Args:
        rows: step, and ``<part>_from`` and ``<part>_to`` dates of train, validation (optional) and test.
    """
    data: list[Figure] = []
    names = [f"window {step}" for step in rows["step"]]
    for part, (name, colour) in PARTS.items():
        if f"{part}_from" not in rows.columns:
            continue
        starts, ends = rows[f"{part}_from"].to_list(), rows[f"{part}_to"].to_list()
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": names,
                "base": [day.isoformat() for day in starts],
                "x": [((end - start).days + 1) * DAY_MS for start, end in zip(starts, ends, strict=True)],
                "width": 0.62,
                "marker": {"color": colour, "line": {"width": 0}},
                "customdata": [[start.isoformat(), end.isoformat()] for start, end in zip(starts, ends, strict=True)],
                "hovertemplate": f"{name} %{{customdata[0]}} to %{{customdata[1]}}<extra>%{{y}}</extra>",
            }
        )
    layout = {
        "barmode": "overlay",
        "xaxis": {"type": "date"},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "showticklabels": rows.height <= 24},
        "height": int(min(620, max(180, 70 + 24 * rows.height))),
    }
    return {"data": data, "layout": layout}


def beside_figure(rows: pl.DataFrame, metric: str) -> Figure:
    """In sample beside out of sample, window by window.

    Args:
        rows: step, in_sample, (validated,) out_of_sample.
        metric: for the axis.
    """
    names = [str(step) for step in rows["step"]]
    looks = {
        "in_sample": ("In sample", "$benchmark"),
        "validated": ("Validation", "$accent"),
        "out_of_sample": ("Out of sample", "$strategy"),
    }
    data = [
        {"type": "bar", "name": name, "x": names, "y": _listed(rows[column]), "marker": {"color": colour, "line": {"width": 0}},
         "hovertemplate": f"window %{{x}}, {name.lower()}: %{{y:.3g}}<extra></extra>"}
        for column, (name, colour) in looks.items() if column in rows.columns
    ]  # fmt: skip
    layout = {
        "barmode": "group", "bargap": 0.32, "bargroupgap": 0.06,
        "xaxis": {"type": "category", "showgrid": False, "title": {"text": "window"}},
        "yaxis": {"title": {"text": metric}, "zeroline": True},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def stitched_figure(rows: pl.DataFrame, currency: str, group: str = "step") -> Figure:
    """Equity through all tests; every other window is shaded.

    Args:
        rows: session, equity, and the number of the window in the column ``group``.
        currency: for the axis.
        group: column of the window.
    """
    closes = rows.group_by("session", maintain_order=True).agg(pl.col("equity").last(), pl.col(group).last())
    values = closes["equity"].cast(pl.Float64).to_numpy()
    keep = keep_extremes([values])
    line = {"color": "$strategy", "width": 1.9}
    days = [day.isoformat() for day in closes["session"]]
    data = {
        "type": "scatter",
        "mode": "lines",
        "name": "Equity out of sample",
        "x": [days[at] for at in keep],
        "y": np.round(values[keep], 2).tolist(),
    }
    edges = closes.group_by(group, maintain_order=True).agg(pl.col("session").first().alias("first"))["first"].to_list()
    edges.append(closes["session"][-1] + timedelta(days=1))
    shades = [
        {"type": "rect", "xref": "x", "yref": "paper", "x0": edges[at].isoformat(), "x1": edges[at + 1].isoformat(), "y0": 0, "y1": 1,
         "fillcolor": "$benchmark-soft", "line": {"width": 0}, "layer": "below"}
        for at in range(0, len(edges) - 1, 2)
    ]  # fmt: skip
    layout = {
        "xaxis": {"type": "date", "range": [days[0], days[-1]]},
        "yaxis": {"tickformat": "~s", "title": {"text": f"Equity, {currency}"}},
        "shapes": shades,
        "showlegend": False,
    }
    return {"data": [data | {"line": line, "hovertemplate": "%{x}: %{y:,.2f}<extra></extra>"}], "layout": layout}


def paths_figure(rows: pl.DataFrame, currency: str) -> Figure:
    """Equity along several paths.

    Args:
        rows: path, session, equity.
        currency: for the axis.
    """
    data: list[Figure] = []
    days: list[date] = []
    for (path,), part in rows.group_by("path", maintain_order=True):
        closes = part.group_by("session", maintain_order=True).agg(pl.col("equity").last())
        values = closes["equity"].cast(pl.Float64).to_numpy()
        keep = keep_extremes([values], 1500)
        days = closes["session"].to_list()
        x, y = [days[at].isoformat() for at in keep], np.round(values[keep], 2).tolist()
        look = {"color": f"$series-{path}", "width": 1.4}
        data.append({"type": "scatter", "mode": "lines", "name": f"path {path}", "x": x, "y": y, "line": look})
    layout = {
        "xaxis": {"type": "date", "range": [days[0].isoformat(), days[-1].isoformat()]},
        "yaxis": {"tickformat": "~s", "title": {"text": f"Equity, {currency}"}},
        "showlegend": len(data) <= 12,
    }
    return {"data": data, "layout": layout}


def logits_figure(logits: Floats) -> Figure:
    """How the best of the past ranks afterwards: counts of logits, those at or below the middle in the colour of a loss."""
    span = float(np.abs(logits).max()) or 1.0
    width = 2.0 * span / 30
    edges = np.arange(-15, 16) * width
    counts = np.histogram(np.clip(logits, edges[0], edges[-1]), edges)[0]
    middle = (edges[:-1] + edges[1:]) / 2
    bar = {
        "type": "bar", "x": np.round(middle, 5).tolist(), "y": counts.tolist(), "width": width * 0.94,
        "marker": {"color": ["$loss" if at <= 0 else "$gain" for at in middle], "line": {"width": 0}},
        "hovertemplate": "logit %{x:.2f}: %{y} splits<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "logit of the rank (below 0: the worse half)"}, "zeroline": True},
        "yaxis": {"title": {"text": "splits"}, "nticks": 5},
        "showlegend": False,
    }
    return {"data": [bar], "layout": layout}


def decay_figure(inside: Sequence[float | None], outside: Sequence[float | None], titles: tuple[str, str]) -> Figure:
    """What was chosen, in sample across and out of sample upwards, with the line on which nothing is lost and the fitted one."""
    pairs = [(float(a), float(b)) for a, b in zip(inside, outside, strict=True) if a is not None and b is not None]
    x, y = (np.array([pair[at] for pair in pairs]) for at in (0, 1))
    if len(x) > MOST_CHOICES:
        keep = np.linspace(0, len(x) - 1, MOST_CHOICES).astype(np.int64)
        x, y = x[keep], y[keep]
    look = {"size": 6, "color": "$strategy", "opacity": 0.55}
    data: list[Figure] = [
        {"type": "scatter", "mode": "markers", "name": "Choice", "x": np.round(x, 5).tolist(), "y": np.round(y, 5).tolist(), "marker": look}
    ]
    ends = [float(x.min()), float(x.max())] if len(x) else []
    if ends:
        data.append(_straight(ends, ends, "Nothing lost", {"color": "$muted", "width": 1.2, "dash": "dot"}))
    if len(x) > 2 and float(np.ptp(x)) > 0:
        slope, level = np.polyfit(x, y, 1)
        fitted = [float(slope * at + level) for at in ends]
        data.append(_straight(ends, fitted, f"Fitted, slope {slope:.2f}", {"color": "$loss", "width": 1.6}))
    return {"data": data, "layout": {"xaxis": {"title": {"text": titles[0]}}, "yaxis": {"title": {"text": titles[1]}, "zeroline": True}}}


def _straight(x: list[float], y: list[float], name: str, look: Mapping[str, Any]) -> Figure:
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": dict(look), "hoverinfo": "skip"}


def _listed(column: pl.Series) -> list[float | None]:
    return [None if value is None else float(f"{value:.6g}") for value in column.cast(pl.Float64).fill_nan(None)]
