"""Bars in which an asset cannot be traded, bought or sold: halts, price limits, stale prices."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import numpy.typing as npt

from rustybt.errors import ConfigError, DataError
from rustybt.execution import Bands, Halts, Stale
from rustybt.model import Barred, Panel
from rustybt.model.panel import Ints


def barred_bars(panel: Panel, halted: Halts | None, limits: Bands | None, still: Stale | None) -> Ints:
    """Bits of `rustybt.model.Barred` for every bar and asset.

    Raises:
        ConfigError: the halts or limits name an asset that the data do not have.
        DataError: stale bars are told by their volume, and there is none.
    """
    barred = np.zeros((panel.bars, len(panel.assets)), dtype=np.int64)
    if halted is not None:
        _halt(barred, panel, halted)
    if limits is not None:
        _limit(barred, panel, limits)
    if still is not None:
        _stand(barred, panel, still)
    return barred


def _halt(barred: Ints, panel: Panel, halted: Halts) -> None:
    bits = int(Barred.ALL | Barred.CANCELS if halted.cancel else Barred.ALL)
    for span in halted.spans:
        columns = range(len(panel.assets)) if span.asset == "*" else [_column(panel, span.asset, "run, halts")]
        first, last = (np.searchsorted(panel.ts, round(time.timestamp() * 1_000_000), side="right") for time in (span.start, span.end))
        barred[first:last, list(columns)] |= bits


def _column(panel: Panel, symbol: str, where: str) -> int:
    if symbol not in panel.symbols:
        raise ConfigError(f"asset {symbol!r} is not in the data", where=where, do=f"use one of {', '.join(panel.symbols[:10])}")
    return panel.symbols.index(symbol)


def _limit(barred: Ints, panel: Panel, limits: Bands) -> None:
    for symbol in limits.by_asset:
        _column(panel, symbol, "run, bands, by_asset")
    for column, asset in enumerate(panel.assets):
        own = limits.by_asset.get(asset.symbol, limits)
        start, high, low = panel.open[:, column], panel.high[:, column], panel.low[:, column]
        locked = np.flatnonzero((start > 0) & (start == high) & (high == low))
        before = reference_closes(panel, column)
        for bar in locked[before[locked] > 0].tolist():
            if own.up is not None and start[bar] == limit_price(int(before[bar]), 1 + own.up):
                barred[bar, column] |= int(Barred.BUYING)
            if own.down is not None and start[bar] == limit_price(int(before[bar]), 1 - own.down):
                barred[bar, column] |= int(Barred.SELLING)


def limit_price(ticks: int, factor: Decimal) -> int:
    """A price times a factor, rounded to the nearest tick, a half up.

    Example:
        >>> limit_price(1005, Decimal("1.1")), limit_price(1005, Decimal("0.9"))
        (1106, 905)
    """
    return int((ticks * factor).to_integral_value(ROUND_HALF_UP))


def reference_closes(panel: Panel, column: int) -> Ints:
    """The last close of an earlier session at every bar, in ticks and restated for the splits since; 0 where there is none."""
    close, sessions = panel.close[:, column], panel.sessions
    found = np.zeros(panel.bars, dtype=np.int64)
    splits = [(bar, new, old) for bar, asset, kind, new, old, *_ in panel.events.tolist() if asset == column and kind == 0]
    edges = np.flatnonzero(np.diff(sessions)) + 1
    before = 0
    for first, last in zip([0, *edges.tolist()], [*edges.tolist(), panel.bars], strict=True):
        for bar, new, old in splits:
            if first <= bar < last and before:
                before = max(1, (2 * before * old + new) // (2 * new))
        found[first:last] = before
        there = np.flatnonzero(close[first:last])
        if len(there):
            before = int(close[first + there[-1]])
    return found


def _stand(barred: Ints, panel: Panel, still: Stale) -> None:
    if still.zero_volume:
        if not (panel.frame["volume"] > 0).any():
            raise DataError("the data have no volume", where="run, stale, zero_volume", do="use rbt.stale(3), or give a volume column")
        rows = np.flatnonzero((panel.frame["volume"] == 0).to_numpy())
        columns = np.searchsorted(panel.offsets, rows, side="right") - 1
        barred[panel.row_bar[rows], columns] |= int(Barred.ALL)
    if still.repeats:
        for column in range(len(panel.assets)):
            barred[repeated(panel, column, still.repeats), column] |= int(Barred.ALL)


def repeated(panel: Panel, column: int, times: int) -> npt.NDArray[np.int64]:
    """The bars of an asset that are the same as each of so many of its bars before them."""
    bars = np.flatnonzero(panel.close[:, column])
    prices = np.stack([field[bars, column] for field in (panel.open, panel.high, panel.low, panel.close)], axis=1)
    same = np.concatenate([[False], (prices[1:] == prices[:-1]).all(axis=1)]) if len(bars) else np.zeros(0, dtype=bool)
    fresh = np.flatnonzero(~same)
    run = (
        np.arange(len(bars)) - fresh[np.searchsorted(fresh, np.arange(len(bars)), side="right") - 1] if len(bars) else same.astype(np.int64)
    )
    return bars[run >= times]
