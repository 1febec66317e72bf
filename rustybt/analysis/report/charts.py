"""The figures of the page as plain Plotly dictionaries.

Colours are tokens such as ``$strategy``: the page replaces them by those of the light, dark or print theme.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.metrics import Benchmark, Closes, Rolling, drawdown_of, rolling
from rustybt.analysis.metrics.curve import Floats, Ints, simple_returns
from rustybt.analysis.report.holdings import holdings_figure
from rustybt.analysis.report.inputs import ReportInputs
from rustybt.analysis.report.thin import keep_extremes

type Figure = dict[str, Any]

FIGURES = ("equity", "exposure", "rolling", "positions", "days", "trade-returns")
"""Every figure a page may have."""
FEWEST_SESSIONS = 60
"""With fewer sessions than this every bar is drawn, not only session closes."""
_DIGITS = 7
_MOST_BINS = 60


def figures(inputs: ReportInputs) -> dict[str, Figure]:
    """Every figure that the inputs can fill, by the id of its place on the page."""
    lines = line_rows(inputs)
    found = {
        "equity": equity_figure(inputs, lines),
        "exposure": exposure_figure(lines),
        "rolling": rolling_figure(inputs),
        "positions": None if inputs.positions is None else holdings_figure(inputs.positions, position_times(inputs)),
        "days": histogram(inputs.closes.returns, "sessions"),
        "trade-returns": trade_figure(inputs),
    }
    kept = {name: figure for name, figure in found.items() if figure is not None}
    for figure in kept.values():
        if figure["layout"]["xaxis"].get("type") == "date" and lines.height > 1:
            figure["layout"]["xaxis"]["range"] = [lines["x"][0], lines["x"][-1]]
    return kept


def by_session(inputs: ReportInputs) -> bool:
    """Whether session closes are drawn and not every bar."""
    return inputs.session_rows.height >= FEWEST_SESSIONS


def drawn_bars(inputs: ReportInputs) -> pl.DataFrame:
    """The bars that the time charts draw, before thinning; money as Float64."""
    if by_session(inputs):
        return inputs.session_rows
    return inputs.bars


def position_times(inputs: ReportInputs) -> pl.Series:
    """The instants at which positions are drawn: session closes when the weights were taken there only, else as the other charts."""
    assert inputs.positions is not None
    closes = inputs.session_rows["ts"].cast(inputs.positions.schema["ts"])
    only = bool(inputs.positions["ts"].is_in(closes.implode()).all())
    return closes if only else drawn_bars(inputs)["ts"]


def line_rows(inputs: ReportInputs) -> pl.DataFrame:
    """What the time charts draw: session closes, or every bar of a short run, thinned to 5,000 points that keep the extremes.

    Returns:
        x (text), equity, benchmark (rebased to the run's first equity), drawdown, gross, net (both as fractions of equity).
    """
    closes, rows = by_session(inputs), drawn_bars(inputs)
    equity = rows["equity"].to_numpy()
    start = equity[:1] if inputs.opening is None else np.array([float(inputs.opening)])
    solvent = pl.when(pl.col("equity") > 0)
    rows = rows.select(
        (pl.col("session").cast(pl.Date).dt.to_string("%Y-%m-%d") if closes else pl.col("ts").dt.to_string("%Y-%m-%d %H:%M:%S")).alias("x"),
        "equity",
        (rebased(rows["benchmark"], float(start[0])) if inputs.has_benchmark else pl.lit(None, pl.Float64)).alias("benchmark"),
        pl.Series("drawdown", drawdown_of(np.concatenate((start, rows["linked"].to_numpy())))[1:]),
        solvent.then(pl.col("gross") / pl.col("equity")).alias("gross"),
        solvent.then(1.0 - pl.col("cash") / pl.col("equity")).alias("net"),
    )
    keep = [rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in ("equity", "benchmark", "gross")]
    return rows[keep_extremes(keep if inputs.has_benchmark else [keep[0], keep[2]])]


def rebased(series: pl.Series, start: float) -> pl.Series:
    """A benchmark scaled so that its first known value is the run's opening equity."""
    known = series.cast(pl.Float64).fill_nan(None)
    first = known.drop_nulls()
    return known * (start / first[0]) if len(first) and first[0] else known


def equity_figure(inputs: ReportInputs, lines: pl.DataFrame) -> Figure:
    """Equity against the benchmark, and the drawdown below on the same time axis."""
    x = lines["x"].to_list()
    data: list[Figure] = []
    if inputs.has_benchmark:
        data.append(_line(x, lines["benchmark"], inputs.benchmark_name, "$benchmark", width=1.4, hover="%{y:,.2f}"))
    data.append(_line(x, lines["equity"], "Equity", "$strategy", width=1.9, hover="%{y:,.2f}"))
    fall = _line(x, lines["drawdown"], "Drawdown", "$loss", width=1.1, hover="%{y:.2%}")
    data.append(fall | {"yaxis": "y2", "fill": "tozeroy", "fillcolor": "$loss-soft", "showlegend": False})
    layout = {
        "xaxis": {"type": "date", "anchor": "y2"},
        "yaxis": {"domain": [0.34, 1.0], "tickformat": "~s", "title": {"text": f"Equity, {inputs.currency}"}},
        "yaxis2": {"domain": [0.0, 0.26], "tickformat": "~%", "rangemode": "tozero", "title": {"text": "Drawdown"}, "nticks": 4},
        "hovermode": "x unified",
    }
    return {"data": data, "layout": layout}


def exposure_figure(lines: pl.DataFrame) -> Figure:
    """Gross and net exposure as fractions of equity."""
    x = lines["x"].to_list()
    gross = _line(x, lines["gross"], "Gross", "$benchmark", width=1.0, hover="%{y:.1%}", shape="hv")
    net = _line(x, lines["net"], "Net", "$strategy", width=1.4, hover="%{y:.1%}", shape="hv")
    layout = {"xaxis": {"type": "date"}, "yaxis": {"tickformat": "~%", "rangemode": "tozero"}, "hovermode": "x unified"}
    return {"data": [gross | {"fill": "tozeroy", "fillcolor": "$benchmark-soft"}, net], "layout": layout}


def rolling_window(inputs: ReportInputs) -> int | None:
    """Sessions of the rolling chart: half a year, or a quarter in a short run, at least 12; None when not even two of those fit."""
    for share in (2, 4):
        window = max(12, round(inputs.periods / share))
        if len(inputs.closes.returns) >= 2 * window:
            return window
    return None


def rolling_figure(inputs: ReportInputs) -> Figure | None:
    """Rolling Sharpe ratio, and volatility below; None when the run is too short."""
    window = rolling_window(inputs)
    if window is None:
        return None
    ours = rolling(inputs.closes, inputs.periods, window)
    keep = keep_extremes([ours.sharpe, ours.volatility])
    x = _dates(ours, keep)
    data = [_line(x, pl.Series(ours.sharpe[keep]), "Sharpe", "$strategy", width=1.5, hover="%{y:.2f}")]
    theirs = _benchmark_rolling(inputs, window)
    if theirs is not None:
        kept = keep_extremes([theirs.volatility])
        line = _line(
            _dates(theirs, kept), pl.Series(theirs.volatility[kept]), inputs.benchmark_name, "$benchmark", width=1.2, hover="%{y:.1%}"
        )
        data.append(line | {"yaxis": "y2"})
    data.append(_line(x, pl.Series(ours.volatility[keep]), "Volatility", "$accent", width=1.5, hover="%{y:.1%}") | {"yaxis": "y2"})
    layout = {
        "xaxis": {"type": "date", "anchor": "y2"},
        "yaxis": {"domain": [0.56, 1.0], "title": {"text": "Sharpe"}, "nticks": 6, "zeroline": True},
        "yaxis2": {"domain": [0.0, 0.44], "title": {"text": "Volatility"}, "tickformat": "~%", "rangemode": "tozero", "nticks": 5},
        "hovermode": "x unified",
    }
    return {"data": data, "layout": layout}


def _benchmark_rolling(inputs: ReportInputs, window: int) -> Rolling | None:
    if not inputs.has_benchmark:
        return None
    rows = inputs.session_rows.select("session", pl.col("benchmark").fill_nan(None)).drop_nulls()
    if rows.height <= window:
        return None
    series = Benchmark(rows["session"].cast(pl.Date).to_physical().to_numpy().astype(np.int32), rows["benchmark"].to_numpy())
    closes = Closes(series.sessions, series.values, simple_returns(series.values), False)
    return rolling(closes, inputs.periods, window)


def trade_figure(inputs: ReportInputs) -> Figure | None:
    """Distribution of the returns of closed trades."""
    if inputs.trades is None:
        return None
    closed = inputs.trades.filter(pl.col("exit_ts").is_not_null())
    returns = "return_home" if "return_home" in closed.columns else "return"
    return histogram(closed[returns].cast(pl.Float64).drop_nulls().to_numpy(), "trades")


def histogram(values: Floats, noun: str) -> Figure | None:
    """Counts of returns in equal bins with an edge at zero, so that no bin mixes gains and losses.

    Args:
        values: returns; NaN is left out.
        noun: what is counted, for the axis.

    Returns:
        None with fewer than five values.

    Example:
        >>> histogram(np.array([-0.02, -0.01, 0.01, 0.02, 0.03]), "trades")["layout"]["yaxis"]["title"]["text"]
        'trades'
    """
    values = values[np.isfinite(values)]
    if len(values) < 5:
        return None
    low, high = float(values.min()), float(values.max())
    span = max(high, 0.0) - min(low, 0.0)
    if span == 0.0:
        return None
    quarter = np.subtract(*np.quantile(values, [0.75, 0.25]))
    width = max(2.0 * float(quarter) / len(values) ** (1 / 3), span / _MOST_BINS)
    edges = np.arange(np.floor(min(low, 0.0) / width), np.ceil(max(high, 0.0) / width) + 1.0) * width
    counts = np.histogram(values, np.append(edges, edges[-1] + width))[0][: len(edges)]
    middle = edges + width / 2
    bar = {
        "type": "bar",
        "x": np.round(middle, _DIGITS).tolist(),
        "y": counts.tolist(),
        "width": float(width) * 0.94,
        "marker": {"color": ["$gain" if at > 0 else "$loss" for at in middle], "line": {"width": 0}},
        "customdata": [[float(round(edge, _DIGITS)), float(round(edge + width, _DIGITS))] for edge in edges],
        "hovertemplate": "%{customdata[0]:.2%} to %{customdata[1]:.2%}: %{y}<extra></extra>",
    }
    layout = {"xaxis": {"tickformat": "~%", "zeroline": True}, "yaxis": {"title": {"text": noun}, "nticks": 5}, "showlegend": False}
    return {"data": [bar], "layout": layout}


def _dates(series: Rolling, keep: Ints) -> list[str]:
    return [str(day) for day in series.days[keep].astype("datetime64[D]")]


def _line(x: list[str], y: pl.Series, name: str, colour: str, *, width: float, hover: str, shape: str = "linear") -> Figure:
    """One line; values keep seven significant digits, missing ones are gaps."""
    values = y.cast(pl.Float64).fill_nan(None).round_sig_figs(_DIGITS).to_list()
    look = {"color": colour, "width": width, "shape": shape}
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": values, "line": look, "hovertemplate": hover}
