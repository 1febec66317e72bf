"""Other prices for the bars of a panel: noise, and markets drawn from its own moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.exact import Floats, mul_div, nearest_doubles
from rustybt.data.grid import Grid, dense_grid
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel
from rustybt.model.decimals import LIMIT
from rustybt.model.panel import Ints


def noisy_prices(panel: Panel, size: float, rng: np.random.Generator) -> Panel:
    """Every price of every bar moved by a little, independently.

    Each of open, high, low and close is multiplied by ``exp(size x z)``, z standard normal, and rounded half-even to a tick (at least one);
    then the highest is the high and the lowest the low. Volume, events, further columns and the factors of adjusted columns stay.

    Args:
        panel: the bars.
        size: deviation as a fraction of the price; 0.001 = 10 basis points.
        rng: random numbers.

    Raises:
        ConfigError: the size is not in 0..1.

    Example:
        >>> from rustybt.data import demo_data
        >>> moved = noisy_prices(demo_data(), 0.001, np.random.default_rng(1))
        >>> moved.frame.filter((pl.col("low") > pl.col("close")) | (pl.col("high") < pl.col("open"))).height
        0
    """
    if not 0 <= size <= 1:
        raise ConfigError(f"noise of {size} is outside 0..1", where="price noise, size", do="give a fraction of the price such as 0.001")
    rows = panel.frame.height
    drawn = {name: _rounded(_floats(panel, f"ticks_{name}") * np.exp(size * rng.standard_normal(rows))) for name in PRICES}
    stacked = np.stack([drawn[name] for name in PRICES])
    ticks = {**drawn, "high": stacked.max(axis=0), "low": stacked.min(axis=0)}
    return _with_ticks(panel, ticks, _adjusted(panel, ticks))


def synthetic_bars(panel: Panel, bars: Ints) -> Panel:
    """A market made of the moves of another: bar t moves every asset as it moved at bar ``bars[t]``.

    A move is a bar's open, high, low and close over the close before, adjusted for corporate actions; so what assets do together stays
    together, and so does what follows inside a block of bars. Prices start at each asset's first bar and are rounded half-even to a tick
    (at least one). Bars exist where they existed; where an asset lacks the bar to move by, another of its own stands in.
    Volume comes with the move. Corporate actions and further columns are left out: the adjusted columns are the raw ones.

    Args:
        panel: the bars.
        bars: (bars,) positions, such as one row of `rustybt.analysis.honesty.stationary_indices`.

    Raises:
        ConfigError: not one position per bar.
        DataError: the prices do not fit.

    Example:
        >>> from rustybt.data import demo_data
        >>> panel = demo_data()
        >>> made = synthetic_bars(panel, np.arange(panel.bars)[::-1])
        >>> made.bars == panel.bars, made.snapshot == panel.snapshot
        (True, False)
    """
    at = np.asarray(bars)
    if at.shape != (panel.bars,) or not np.issubdtype(at.dtype, np.integer) or at.min() < 0 or at.max() >= panel.bars:
        raise ConfigError("the positions are not one bar for each bar", where="synthetic bars", do=f"give {panel.bars} numbers from 0 on")
    source, ticks = np.empty(panel.frame.height, dtype=np.int64), {name: np.empty(panel.frame.height, np.int64) for name in FIELDS}
    adjusted = {name: _floats(panel, f"ticks_adj_{name}") for name in FIELDS}
    for column in range(len(panel.assets)):
        first, stop = int(panel.offsets[column]), int(panel.offsets[column + 1])
        own = panel.row_bar[first:stop]
        source[first:stop] = first + _rows_to_move_by(own, at[own])
        start = float(panel.frame["ticks_close"][first])
        for name, values in _moved(adjusted, source[first:stop], first, start).items():
            ticks[name][first:stop] = _fitting(values, panel.symbols[column])
    ticks["volume"] = np.rint(adjusted["volume"][source] / 10.0**panel.adj_digits).astype(np.int64)
    plain = replace(panel, frame=panel.frame.drop(panel.trusted), trusted=(), adj_digits=0, events=panel.events[:0])
    return _with_ticks(plain, ticks, ticks)


def with_flags(panel: Panel, name: str, flags: npt.NDArray[Any]) -> Panel:
    """The panel with a further column of flags or numbers, one per row; it counts as trusted and is part of the identity.

    Raises:
        ConfigError: the name is taken.
    """
    if name in panel.frame.columns:
        raise ConfigError(f"the data has a column {name!r} already", where="panel", do="rename that column")
    return replace(panel, frame=panel.frame.with_columns(pl.Series(name, flags)), trusted=(*panel.trusted, name))


def _floats(panel: Panel, name: str) -> Floats:
    return panel.frame[name].to_numpy().astype(np.float64)


def _rounded(values: Floats) -> Ints:
    return np.maximum(np.rint(values), 1.0).astype(np.int64)


def _rows_to_move_by(own: npt.NDArray[np.int32], wanted: Ints) -> Ints:
    """Rows of one asset, counted from its first: of the wanted bars where it has them, else spread over all. Row 0 has no move."""
    found = np.searchsorted(own, wanted)
    there = (found > 0) & (own[np.minimum(found, len(own) - 1)] == wanted)
    rows: Ints = np.where(there, found, 1 + wanted % max(1, len(own) - 1))
    rows[0] = 0
    return rows


def _moved(adjusted: Mapping[str, Floats], source: Ints, first: int, start: float) -> dict[str, Floats]:
    """Prices of one asset in ticks, not rounded yet; ``source`` are frame rows."""
    before = adjusted["close"][np.maximum(source - 1, first)]
    before[source == first] = adjusted["close"][first]
    growth = adjusted["close"][source] / before
    closes = start * np.cumprod(growth)
    base = np.concatenate(([start], closes[:-1]))
    return {name: base * (adjusted[name][source] / before) for name in PRICES} | {"close": closes}


def _fitting(values: Floats, symbol: str) -> Ints:
    if not np.isfinite(values).all() or float(values.max()) >= LIMIT:
        raise DataError("the drawn prices grow beyond the scale", where=f"synthetic bars, asset {symbol!r}", do="give a coarser tick_size")
    return _rounded(values)


def _adjusted(panel: Panel, ticks: Mapping[str, Ints]) -> Mapping[str, Ints]:
    """Adjusted prices by the factors of the panel as it was."""
    if not panel.adj_digits:
        return ticks
    up, down = panel.frame["ticks_adj_close"], panel.frame["ticks_close"]
    return {name: mul_div(pl.Series(values), up, down).cast(pl.Int64).to_numpy() for name, values in ticks.items()}


def _with_ticks(panel: Panel, ticks: Mapping[str, Ints], adjusted: Mapping[str, Ints]) -> Panel:
    """The panel with other ticks, and everything that follows from them."""
    columns = []
    for prefix, table, digits in (("", ticks, 0), ("adj_", adjusted, panel.adj_digits)):
        for name, values in table.items():
            columns += [pl.Series(f"ticks_{prefix}{name}", values), pl.Series(f"{prefix}{name}", _doubles(panel, name, values, digits))]
    grid = Grid(panel.ts, panel.row_bar, panel.offsets, panel.dense)
    cells = {name: dense_grid(ticks[name], grid) for name in PRICES}
    return replace(
        panel,
        open=cells["open"],
        high=cells["high"],
        low=cells["low"],
        close=cells["close"],
        frame=panel.frame.with_columns(columns),
    )


def _doubles(panel: Panel, name: str, ticks: Ints, digits: int) -> Floats:
    out = np.empty(len(ticks))
    for asset, first, stop in zip(panel.assets, panel.offsets[:-1], panel.offsets[1:], strict=True):
        step = asset.volume_step if name == "volume" else asset.tick_size
        out[first:stop] = nearest_doubles(ticks[first:stop], step / 10**digits)
    return out
