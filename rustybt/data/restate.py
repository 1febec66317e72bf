"""Prices on another footing than as traded: split-adjusted, with dividends put back, or as known at each bar; exact, and reversible.

A factor belongs to the rows between two events and is an exact fraction. An adjusted value is the raw one times it, rounded half-even once
to `Adjusted.digits` decimals of a tick: that is the only rounding. They are so many that half a unit is less than half a tick when it is
put back, so `Adjusted.raw` gives every tick as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.adjust import growth
from rustybt.data.columns import FIELDS
from rustybt.data.door import load
from rustybt.data.effects import worth_of
from rustybt.data.exact import digits_to_return, scale_exactly
from rustybt.data.metadata import days_of
from rustybt.errors import ConfigError, DataError
from rustybt.model import Asset, EventKind, Panel
from rustybt.model.decimals import decimals_of
from rustybt.model.panel import Ints

Mode = Literal["raw", "split", "total_return", "as_known"]
Reinvest = Literal["before", "after"]
MODES = ("raw", "split", "total_return", "as_known")
PRICE_DIGITS, VOLUME_DIGITS = 8, 4
"""Decimals of a tick, and of a volume step, that adjusted values have at least."""
MOST_DIGITS = 18
ADJUSTING = (int(EventKind.SPLIT), int(EventKind.DIVIDEND), int(EventKind.SPINOFF))
ONE = Fraction(1)


@dataclass(frozen=True)
class Adjusted:
    """Bars on another footing.

    Attributes:
        frame: sorted by asset and ts: ``ts`` Datetime(us, UTC), ``asset``, ``session`` Date, ``open, high, low, close, volume`` Decimal,
            and ``factor`` Float64, adjusted over raw price, for reading.
        factors: one row for the bars between two events of an asset: ``asset, ts`` (its first bar), ``price_up, price_down, volume_up``,
            ``volume_down`` (text: exact whole numbers of any length).
        assets: what the bars trade in.
        mode: as asked for.
        digits: decimals of a tick, and of a volume step, that the values have.
    """

    frame: pl.DataFrame
    factors: pl.DataFrame
    assets: tuple[Asset, ...]
    mode: Mode
    digits: tuple[int, int]

    def raw(self) -> pl.DataFrame:
        """``ts, asset, session, open .. volume`` as traded, Decimal: computed back from the adjusted values, equal to the last digit."""
        return unadjusted_bars(self.frame, self.factors, self.assets, self.digits)


def adjusted(data: Any, mode: Mode, *, as_of: Any = None, reinvest: Reinvest = "before", **options: Any) -> Adjusted:
    """Bars restated for their corporate actions.

    Args:
        data: a Panel, or what `rustybt.load` takes, with ``options``.
        mode: ``"raw"``: as traded. ``"split"``: in units of the last bar, prices divided and volume multiplied by later splits.
            ``"total_return"``: the same with every dividend (and spin-off, at its worth) reinvested, as vendors' adjusted closes are. Both
            know later events: for charts and for comparison, not for signals. ``"as_known"``: total return forward from the first bar,
            so that nothing that comes later changes a value; the returns are the same. It is what ``adj_close`` holds in a run.
        as_of: a session: the bars and events up to it alone, which is the chart of that day.
        reinvest: where a dividend buys: ``"before"``, at the close before the ex-date (factor ``1 - a / c``: CRSP, Yahoo and most
            others), or ``"after"``, at the close of the ex-date (``1 / (1 + a / c)``: Quandl WIKI).
        options: of `rustybt.load`, where data are not a Panel.

    Returns:
        The bars; `Adjusted.raw` puts them back.

    Raises:
        ConfigError: the mode is unknown, or there is no bar up to ``as_of``.
        DataError: the events cannot be, or a value does not fit.

    Example:
        >>> import polars as pl, rustybt as rbt
        >>> made = adjusted("demo", "split")
        >>> made.frame.filter((pl.col("asset") == "AAPL") & (pl.col("session") < pl.date(2000, 3, 2)))["close"].to_list()
        [Decimal('32.577500000000')]
        >>> made.raw().filter(pl.col("asset") == "AAPL")["close"][0]
        Decimal('130.3100')
    """
    if mode not in MODES:
        raise ConfigError(f"unknown mode {mode!r}", where="adjusted, mode", do=f"use one of {', '.join(MODES)}")
    if reinvest not in ("before", "after"):
        raise ConfigError(f"unknown reinvest {reinvest!r}", where="adjusted, reinvest", do='use "before" or "after"')
    panel = load(data, **options)
    bars = panel.bars if as_of is None else int(np.searchsorted(panel.sessions, days_of(as_of, "as_of"), side="right"))
    if not bars:
        first = np.datetime64(int(panel.sessions[0]), "D")
        raise ConfigError(f"there is no bar up to {as_of}", where="adjusted, as_of", do=f"give a session from {first} on")
    keep = panel.row_bar < bars
    pieces = _pieces(panel, bars, mode, reinvest)
    rows, of_price, of_volume, owner = pieces
    digits = (_digits(of_price, PRICE_DIGITS, mode), _digits(of_volume, VOLUME_DIGITS, mode)) if mode != "raw" else (0, 0)
    frame = panel.frame.filter(pl.Series(keep))
    starts = np.searchsorted(np.flatnonzero(keep), rows)
    piece = (np.searchsorted(starts, np.arange(frame.height), side="right") - 1).astype(np.int32)
    columns = []
    for name in FIELDS:
        factors, more = (of_volume, digits[1]) if name == "volume" else (of_price, digits[0])
        ticks = _scaled(frame[f"ticks_{name}"].to_numpy(), factors, piece, more, name)
        columns.append(_column(name, ticks, panel.assets, frame["asset"], more))
    told = np.array([float(factor) for factor in of_price])[piece]
    table = pl.DataFrame(
        {
            "asset": [panel.symbols[column] for column in owner],
            "ts": frame["ts"].gather(starts),
            "price_up": [str(factor.numerator) for factor in of_price],
            "price_down": [str(factor.denominator) for factor in of_price],
            "volume_up": [str(factor.numerator) for factor in of_volume],
            "volume_down": [str(factor.denominator) for factor in of_volume],
        }
    )
    made = frame.select("ts", pl.col("asset").cast(pl.String), "session").with_columns(*columns, pl.Series("factor", told))
    return Adjusted(made, table, panel.assets, mode, digits)


def unadjusted_bars(frame: pl.DataFrame, factors: pl.DataFrame, assets: Sequence[Asset], digits: tuple[int, int]) -> pl.DataFrame:
    """Adjusted bars as they were traded: `Adjusted.frame`, or some rows of it, put back by `Adjusted.factors`, also from a file.

    Args:
        frame: the adjusted rows, with ``ts`` and ``asset``.
        factors: of the same bars.
        assets: what they trade in.
        digits: as in `Adjusted.digits`.

    Returns:
        ``ts, asset, session, open .. volume``, Decimal of the assets' scales, in the order of the frame.
    """
    keys = factors.with_row_index("__piece").select("asset", "ts", "__piece").sort("ts")
    placed = frame.select("ts", "asset").with_row_index("__row").sort("ts").join_asof(keys, on="ts", by="asset", check_sortedness=False)
    piece = placed.sort("__row")["__piece"].to_numpy().astype(np.int32)
    columns = []
    for name in FIELDS:
        side, more = ("volume", digits[1]) if name == "volume" else ("price", digits[0])
        pairs = factors.select(f"{side}_down", f"{side}_up").rows()
        back = [Fraction(int(down), int(up)) / 10**more for down, up in pairs]
        ticks = _ticks(frame[name], name, assets, frame["asset"], more)
        columns.append(_column(name, scale_exactly(ticks, back, piece), assets, frame["asset"], 0))
    return frame.select("ts", "asset", "session").with_columns(columns)


def _pieces(panel: Panel, bars: int, mode: Mode, reinvest: Reinvest) -> tuple[Ints, list[Fraction], list[Fraction], list[int]]:
    """The first frame row of each piece, its price and volume factor, and the column of its asset; of the first bars alone."""
    rows: list[int] = []
    of_price: list[Fraction] = []
    of_volume: list[Fraction] = []
    owner: list[int] = []
    close = panel.frame["ticks_close"].to_numpy()
    for column, asset in enumerate(panel.assets):
        first, stop = int(panel.offsets[column]), int(panel.offsets[column + 1])
        stop = first + int(np.searchsorted(panel.row_bar[first:stop], bars))
        if stop == first:
            continue
        events, at = _events(panel, column, (first, stop), mode)
        found = [(first, ONE, ONE)]
        for row, _, price, split in growth(events, at, (first, stop), close, asset, before=reinvest == "before"):
            found.append((row, Fraction(*price), Fraction(*split)))
        last_price, last_split = (ONE, ONE) if mode == "as_known" else found[-1][1:]
        rows += [row for row, _, _ in found]
        of_price += [price / last_price for _, price, _ in found]
        of_volume += [last_split / split for _, _, split in found]
        owner += [column] * len(found)
    return np.array(rows, dtype=np.int64), of_price, of_volume, owner


def _events(panel: Panel, column: int, span: tuple[int, int], mode: Mode) -> tuple[list[list[int]], list[int]]:
    """Kind, numerator and denominator of the events of an asset that move the prices of a mode, and their frame rows."""
    found: list[list[int]] = []
    rows: list[int] = []
    mine = panel.events[panel.events[:, 1] == column] if mode != "raw" else panel.events[:0]
    for event in mine.tolist():
        kind = event[2]
        row = span[0] + int(np.searchsorted(panel.row_bar[span[0] : span[1]], event[0]))
        if kind not in ADJUSTING or (mode == "split" and kind != EventKind.SPLIT) or row == span[1]:
            continue
        if kind == EventKind.SPINOFF:
            worth = worth_of(event, panel.assets) / Fraction(panel.assets[column].multiplier)
            found.append([int(EventKind.DIVIDEND), worth.numerator, worth.denominator])
        else:
            found.append(event[2:5])
        rows.append(row)
    return found, rows


def _digits(factors: Sequence[Fraction], least: int, mode: Mode) -> int:
    digits = digits_to_return(factors, least)
    if digits > (least if mode == "as_known" else MOST_DIGITS):
        what = f"the events multiply to a factor of {float(min(factors)):.1e}, too little to put values back"
        raise DataError(what, where=f"adjusted, {mode}", do="check the events, or adjust fewer years")
    return digits


def _scaled(ticks: Ints, factors: Sequence[Fraction], piece: npt.NDArray[np.int32], digits: int, name: str) -> Ints:
    try:
        return scale_exactly(ticks, [factor * 10**digits for factor in factors], piece)
    except OverflowError:
        setting = "volume_step" if name == "volume" else "tick_size"
        raise DataError(f"an adjusted {name} does not fit", where="adjusted", do=f"give a coarser {setting}") from None


def _column(name: str, ticks: Ints, assets: Sequence[Asset], owner: pl.Series, digits: int) -> pl.Series:
    """Ticks of assets as one column of the coarsest scale that holds them all."""
    scale, units = _units(name, assets, owner)
    return (pl.Series(ticks).cast(pl.Int128) * units).reinterpret(dtype=pl.Decimal(38, scale + digits)).alias(name)


def _ticks(column: pl.Series, name: str, assets: Sequence[Asset], owner: pl.Series, digits: int) -> Ints:
    """What `_column` was made of."""
    scale, units = _units(name, assets, owner)
    whole: Ints = (column.cast(pl.Decimal(38, scale + digits)).reinterpret(dtype=pl.Int128) // units).cast(pl.Int64).to_numpy()
    return whole


def _units(name: str, assets: Sequence[Asset], owner: pl.Series) -> tuple[int, pl.Series]:
    """The scale of a column, and how many of its units a step is, for each row."""
    setting = "volume_step" if name == "volume" else "tick_size"
    steps = [getattr(asset, setting) for asset in assets]
    scale = max(decimals_of(step) for step in steps)
    units = pl.Series([int(step.scaleb(scale)) for step in steps], dtype=pl.Int128)
    codes = owner.cast(pl.String).cast(pl.Enum([asset.symbol for asset in assets])).to_physical()
    return scale, units.gather(codes)
