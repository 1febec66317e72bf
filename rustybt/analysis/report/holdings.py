"""Positions over time: stacked areas, or a heat map when there are many assets."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.report.thin import spread_out

MOST_STACKED, MOST_ROWS, MOST_TIMES = 20, 40, 400
_DIGITS = 4
TIME = ""
"""Name of the column of instants: no asset has it, while one may be called ``ts``."""


def holdings_figure(positions: pl.DataFrame, times: pl.Series) -> dict[str, Any] | None:
    """Weights of each asset over time; None when nothing was ever held.

    Up to 20 assets are stacked, longs upward and shorts downward. Of more, the 40 with the highest average absolute weight
    become the rows of a heat map. At most 400 instants are drawn, evenly spread.

    Args:
        positions: ts, asset, weight.
        times: every instant that may be drawn, ascending, those without a position too.
    """
    table = weights_table(positions, times)
    if table is None:
        return None
    names = [name for name in table.columns if name != TIME]
    return stacked(table) if len(names) <= MOST_STACKED else heat_map(table[[TIME, *names[:MOST_ROWS]]])


def weights_table(positions: pl.DataFrame, times: pl.Series) -> pl.DataFrame | None:
    """One row per drawn instant: `TIME` (text) and one weight column per asset that was held, the heaviest first; 0 where not held."""
    rows = positions.select("ts", pl.col("asset").cast(pl.String), pl.col("weight").cast(pl.Float64))
    rows = rows.filter(pl.col("weight").is_not_null() & pl.col("weight").is_not_nan())
    held = rows.group_by("asset").agg(pl.col("weight").abs().sum().alias("mass")).filter(pl.col("mass") > 0)
    if not held.height:
        return None
    names = held.sort("mass", "asset", descending=[True, False])["asset"].to_list()
    drawn = times.cast(positions.schema["ts"])[spread_out(len(times), MOST_TIMES)].alias("ts")
    chosen = rows.filter(pl.col("ts").is_in(drawn.implode())).group_by("ts", "asset").agg(pl.col("weight").sum())
    wide = chosen.rename({"ts": TIME}).pivot(on="asset", on_columns=names, index=TIME, values="weight")
    wide = drawn.alias(TIME).to_frame().join(wide, on=TIME, how="left").sort(TIME)
    text = pl.col(TIME).dt.to_string("%Y-%m-%d" if _daily(drawn) else "%Y-%m-%d %H:%M:%S")
    return wide.select(text, pl.exclude(TIME).fill_null(0.0).round(_DIGITS))


def _daily(times: pl.Series) -> bool:
    """Whether no two instants share a date, so that the date alone is a label."""
    return times.dt.date().n_unique() == len(times)


def stacked(table: pl.DataFrame) -> dict[str, Any]:
    """Areas that add up to the gross long weight above zero and the gross short weight below."""
    x = table[TIME].to_list()
    data = []
    for place, name in enumerate(name for name in table.columns if name != TIME):
        sides = (("long", table[name].clip(lower_bound=0.0)), ("short", table[name].clip(upper_bound=0.0)))
        used = [(side, values) for side, values in sides if (values != 0).any()]
        for nth, (side, values) in enumerate(used):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "legendgroup": name,
                    "showlegend": nth == 0,
                    "x": x,
                    "y": values.to_list(),
                    "stackgroup": side,
                    "line": {"width": 0, "shape": "hv"},
                    "fillcolor": f"$series-{place}",
                    "hovertemplate": "%{y:.1%}",
                }
            )
    layout = {"xaxis": {"type": "date"}, "yaxis": {"tickformat": "~%", "title": {"text": "Weight"}}, "hovermode": "x unified"}
    return {"data": data, "layout": layout}


def heat_map(table: pl.DataFrame) -> dict[str, Any]:
    """One row per asset, the heaviest on top; blue is long, rust is short."""
    names = [name for name in table.columns if name != TIME]
    limit = float(np.abs(table[names].to_numpy()).max())
    trace = {
        "type": "heatmap",
        "x": table[TIME].to_list(),
        "y": names,
        "z": [table[name].to_list() for name in names],
        "zmin": -limit,
        "zmax": limit,
        "colorscale": [[0.0, "$loss"], [0.5, "$panel"], [1.0, "$gain"]],
        "colorbar": {"tickformat": "~%", "thickness": 10, "outlinewidth": 0, "len": 0.9},
        "hovertemplate": "%{y} %{x}: %{z:.2%}<extra></extra>",
    }
    layout = {"xaxis": {"type": "date"}, "yaxis": {"autorange": "reversed", "dtick": 1}, "showlegend": False}
    return {"data": [trace], "layout": layout | {"height": 120 + 17 * len(names)}}
