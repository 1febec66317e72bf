"""Figures of many variants: a surface over two parameters, curves along one, lines across all, clouds of trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.report.charts import Figure
from rustybt.analysis.report.wording import number

MOST_LINES = 600
"""Variants of a chart of lines; more become a grey mass."""
MOST_DOTS = 4000
BANDS = 6
"""Colours of the lines, from the worst sixth to the best."""
MOST_TEXT = 12
"""Cells of a surface to a side that still have room for their numbers."""
DIGITS = 5


def heat_figure(grid: pl.DataFrame, names: tuple[str, str], metric: str, marks: Mapping[str, tuple[Any, Any]]) -> Figure:
    """A metric over two parameters as colours.

    Args:
        grid: as `rustybt.sweeps.surface` gives it: a column of one parameter, and one column for each value of the other.
        names: of the parameter across, of the one upwards.
        metric: what the colour says.
        marks: names of places to mark, such as the peak, with their values.
    """
    across, up = names
    xs, ys = [column for column in grid.columns if column != up], [_word(value) for value in grid[up]]
    z = [[_short(value) for value in row] for row in grid.drop(up).rows()]
    known = [value for row in z for value in row if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    data: list[Figure] = [
        {
            "type": "heatmap",
            "x": xs,
            "y": ys,
            "z": z,
            "colorscale": _scale(low, high),
            **({"zmid": 0.0} if low < 0 < high else {}),
            "xgap": 1,
            "ygap": 1,
            "hovertemplate": f"{across} %{{x}}, {up} %{{y}}<br>{metric} %{{z}}<extra></extra>",
            "colorbar": {"thickness": 10, "outlinewidth": 0, "tickfont": {"size": 11, "color": "$muted"}, "len": 1.0},
        }
    ]
    if max(len(xs), len(ys)) <= MOST_TEXT:
        data[0] |= {
            "text": [["" if v is None else number(v) for v in row] for row in z],
            "texttemplate": "%{text}",
            "textfont": {"size": 11},
            "showscale": False,
        }
    for (name, (x, y)), symbol in zip(marks.items(), ("circle-open", "square-open", "diamond-open"), strict=False):
        look = {"symbol": symbol, "size": 30, "color": "$ink", "line": {"width": 1.8}}
        place = {"type": "scatter", "mode": "markers", "name": name, "x": [_word(x)], "y": [_word(y)]}
        data.append(place | {"marker": look, "hoverinfo": "name"})
    axis = {"type": "category", "showgrid": False}
    layout = {
        "xaxis": axis | {"title": {"text": across}, "categoryarray": xs},
        "yaxis": axis | {"title": {"text": up}, "categoryarray": ys},
        "showlegend": bool(marks),
    }
    return {"data": data, "layout": layout}


def surface_figure(grid: pl.DataFrame, names: tuple[str, str], metric: str) -> Figure:
    """A metric over two numeric parameters as a surface that can be turned; the rows and columns of `heat_figure`.

    Args:
        grid: as `rustybt.sweeps.surface` gives it.
        names: of the parameter across, of the one upwards.
        metric: the height.
    """
    across, up = names
    xs, ys = [float(column) for column in grid.columns if column != up], grid[up].cast(pl.Float64).to_list()
    z = [[_short(value) for value in row] for row in grid.drop(up).rows()]
    known = [value for row in z for value in row if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    surface = {
        "type": "surface", "x": xs, "y": ys, "z": z, "colorscale": _scale(low, high), **({"cmid": 0.0} if low < 0 < high else {}),
        "showscale": False, "connectgaps": False, "hovertemplate": f"{across} %{{x}}, {up} %{{y}}<br>{metric} %{{z}}<extra></extra>",
        "contours": {"z": {"show": True, "color": "$muted", "width": 1}},
    }  # fmt: skip
    look = {"gridcolor": "$line", "color": "$muted", "showbackground": False, "tickfont": {"size": 10}, "nticks": 6}
    titles = {"xaxis": across, "yaxis": up, "zaxis": metric}
    scene: Figure = {axis: look | {"title": {"text": title, "font": {"size": 11}}} for axis, title in titles.items()}
    return {"data": [surface], "layout": {"scene": scene | {"camera": {"eye": {"x": -1.5, "y": -1.5, "z": 0.9}}}}}


def curve_figure(rows: pl.DataFrame, parameter: str, metric: str) -> Figure:
    """A metric along one parameter: the median over all others, the middle half, and the whole range.

    Args:
        rows: as `rustybt.sweeps.curve` gives them.
        parameter: the column across.
        metric: for the axis.
    """
    rows = rows.drop_nulls(parameter)  # variants that leave it at its default have no place across
    plain = rows[parameter].dtype.is_numeric()
    x = [float(v) if plain else _word(v) for v in rows[parameter]]
    columns = {name: [_short(v) for v in rows[name]] for name in ("low", "q25", "median", "q75", "high")}
    none = {"color": "rgba(0,0,0,0)", "width": 0}
    data: list[Figure] = []
    for low, high, name, colour in (("low", "high", "All", "$benchmark-soft"), ("q25", "q75", "Middle half", "$benchmark-soft")):
        base = {"type": "scatter", "mode": "lines", "x": x, "line": none, "hoverinfo": "skip"}
        data.append(base | {"y": columns[low], "showlegend": False})
        data.append(base | {"y": columns[high], "name": name, "fill": "tonexty", "fillcolor": colour})
    line = {"color": "$strategy", "width": 2}
    hover = f"{parameter} %{{x}}: %{{y}}<extra></extra>"
    data.append(
        {"type": "scatter", "mode": "lines+markers", "name": "Median", "x": x, "y": columns["median"], "line": line, "hovertemplate": hover}
    )
    layout = {"xaxis": {"title": {"text": parameter}, "type": "linear" if plain else "category"}, "yaxis": {"title": {"text": metric}}}
    return {"data": data, "layout": layout}


def parallel_figure(frame: pl.DataFrame, names: Sequence[str], metric: str, *, largest: bool = True) -> Figure:
    """Each variant as a line across all parameters and metrics, coloured by the last one.

    Args:
        frame: one row per variant.
        names: columns, from left to right; ``metric`` is put last.
        metric: what colours and orders the lines: the best lie on top.
        largest: whether more is better.
    """
    columns = [*(name for name in names if name != metric), metric]
    ordered = frame.drop_nulls(metric).sort(metric, descending=not largest)
    if ordered.height > MOST_LINES:
        keep = np.unique(
            np.concatenate([np.linspace(0, ordered.height - 1, MOST_LINES // 2), np.arange(ordered.height)[-MOST_LINES // 2 :]])
        )
        ordered = ordered[keep.astype(np.int64)]
    places, notes = [], []
    for at, name in enumerate(columns):
        share, low, high = _unit(ordered[name])
        places.append(share)
        notes += [_note(at, 1.0, high, "bottom"), _note(at, 0.0, low, "top")]
    height = np.stack(places, axis=1) if ordered.height else np.zeros((0, len(columns)))
    data: list[Figure] = []
    for band, part in enumerate(np.array_split(np.arange(ordered.height), min(BANDS, max(1, ordered.height)))):
        x: list[float | None] = []
        y: list[float | None] = []
        for row in part:
            x += [*range(len(columns)), None]
            y += [*np.round(height[row], 4).tolist(), None]
        best = band == BANDS - 1
        colour = f"rgba({_shade(band)}, {0.9 if best else 0.34})"
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": y,
                "line": {"color": colour, "width": 1.6 if best else 1},
                "hoverinfo": "skip",
            }
        )
    lines = [
        {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "line": {"color": "$muted", "width": 1}, "layer": "above"}
        for at in range(len(columns))
    ]
    layout = {
        "xaxis": {"tickvals": list(range(len(columns))), "ticktext": columns, "range": [-0.25, len(columns) - 0.75], "showgrid": False},
        "yaxis": {"visible": False, "range": [-0.12, 1.12]},
        "shapes": lines,
        "annotations": notes,
        "showlegend": False,
    }
    return {"data": data, "layout": layout}


def cloud_figure(x: pl.Series, y: pl.Series, shade: pl.Series, titles: tuple[str, str, str], front: pl.DataFrame | None = None) -> Figure:
    """Trials as dots.

    Args:
        x: across.
        y: upwards.
        shade: what colours them.
        titles: of the axes and of the colour.
        front: rows of x and y to join with a line, such as a Pareto front.
    """
    rows = pl.DataFrame({"x": x, "y": y, "shade": shade}).drop_nulls()
    if rows.height > MOST_DOTS:
        rows = rows[np.linspace(0, rows.height - 1, MOST_DOTS).astype(np.int64)]
    plain = rows["x"].dtype.is_numeric()
    across = [float(v) if plain else _word(v) for v in rows["x"]]
    bar = {
        "thickness": 10,
        "outlinewidth": 0,
        "title": {"text": titles[2], "font": {"size": 11}},
        "tickfont": {"size": 11, "color": "$muted"},
    }
    look = {"size": 7, "color": [_short(v) for v in rows["shade"]], "colorscale": [[0, "$line"], [1, "$strategy"]], "colorbar": bar}
    hover = f"{titles[0]} %{{x}}<br>{titles[1]} %{{y}}<extra></extra>"
    dots = {"type": "scatter", "mode": "markers", "x": across, "y": [_short(v) for v in rows["y"]], "marker": look, "hovertemplate": hover}
    data: list[Figure] = [dots | {"name": "Trials", "showlegend": False}]
    if front is not None and front.height:
        line = {"color": "$accent", "width": 1.8, "shape": "hv"}
        pairs = [[_short(v) for v in front[name]] for name in front.columns]
        data.append({"type": "scatter", "mode": "lines+markers", "name": "Pareto front", "x": pairs[0], "y": pairs[1], "line": line})
    layout = {
        "xaxis": {"title": {"text": titles[0]}, "type": "linear" if plain else "category"},
        "yaxis": {"title": {"text": titles[1]}},
        "showlegend": front is not None,
    }
    return {"data": data, "layout": layout}


def progress_figure(rows: pl.DataFrame, metric: str) -> Figure:
    """A search trial by trial: each value, and the best so far.

    Args:
        rows: trial, value, best.
        metric: for the axis.
    """
    x = rows["trial"].to_list()
    dots = {"type": "scatter", "mode": "markers", "name": "Trial", "x": x, "y": [_short(v) for v in rows["value"]]}
    line = {"type": "scatter", "mode": "lines", "name": "Best so far", "x": x, "y": [_short(v) for v in rows["best"]]}
    data = [dots | {"marker": {"size": 6, "color": "$benchmark"}}, line | {"line": {"color": "$strategy", "width": 2, "shape": "hv"}}]
    return {"data": data, "layout": {"xaxis": {"title": {"text": "trial"}}, "yaxis": {"title": {"text": metric}}}}


def _scale(low: float, high: float) -> list[list[Any]]:
    """Losses to gains where both are there, else paper to ink of one hue."""
    if low < 0 < high:
        return [[0, "$loss"], [0.5, "$soft"], [1, "$gain"]]
    return [[0, "$loss"], [1, "$soft"]] if high <= 0 else [[0, "$soft"], [1, "$gain"]]


def _unit(column: pl.Series) -> tuple[np.ndarray[Any, Any], str, str]:
    """Values between 0 and 1, and what the ends are called; words are spread evenly."""
    if column.dtype.is_numeric():
        values = column.cast(pl.Float64).to_numpy()
        low, high = (float(np.nanmin(values)), float(np.nanmax(values))) if len(values) else (0.0, 0.0)
        share = np.full(len(values), 0.5) if low == high else (values - low) / (high - low)
        return np.where(np.isnan(share), 0.0, share), _figure(low), _figure(high)
    words = column.cast(pl.String).fill_null("none")
    order = words.unique().sort()
    ranks = words.replace_strict(order, range(len(order)), return_dtype=pl.Int64).to_numpy()
    return ranks / max(1, len(order) - 1), str(order[0]) if len(order) else "", str(order[-1]) if len(order) else ""


def _note(at: int, height: float, text: str, anchor: str) -> Figure:
    font = {"size": 11, "color": "$muted"}
    return {"x": at, "y": height, "text": text, "showarrow": False, "yanchor": anchor, "font": font}


def _shade(band: int) -> str:
    """From grey to the colour of the strategy."""
    share = band / (BANDS - 1)
    grey, blue = (150, 155, 160), (31, 95, 153)
    return ", ".join(str(round(a + (b - a) * share)) for a, b in zip(grey, blue, strict=True))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.3g}"


def _short(value: Any) -> float | None:
    if value is None:
        return None
    found = float(f"{float(value):.{DIGITS}g}")
    return found if np.isfinite(found) else None


def _word(value: Any) -> str:
    return "none" if value is None else str(value)
