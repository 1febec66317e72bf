"""The sections of a golden case that are about time and access: ``[clock]``, ``[barred]`` and ``[finer]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from rustybt.model import Asset, Barred, FillAt, Finer, Timing, bars_clock
from rustybt.model.decimals import from_units, to_units
from rustybt.testing.generators import Grid

SECTIONS = ("clock", "barred", "finer")
Lines = Iterable[list[str]]


def read_delays(run: Mapping[str, str]) -> tuple[int, ...]:
    """``delays=0,30`` in units of the clock, or ``delay_bars=1``.

    Example:
        >>> read_delays({"delays": "0,30"}), read_delays({"delay_bars": "1"}), read_delays({})
        ((0, 30), (2,), ())
    """
    if "delay_bars" in run:
        return (2 * int(run["delay_bars"]),)
    return tuple(int(word) for word in run.get("delays", "").split(",") if word)


def read_timing(parts: Mapping[str, list[list[str]]], assets: tuple[Asset, ...], grid: Grid, run: Mapping[str, str]) -> Timing | None:
    """What the three sections say, None where they are empty and orders take no time."""
    bars, columns = len(grid.close), {asset.symbol: column for column, asset in enumerate(assets)}
    clock = barred = finer = None
    if parts["clock"]:
        clock = np.array([[int(word) for word in words[1:]] for words in sorted(parts["clock"], key=lambda words: int(words[0]))]).T
        clock = np.ascontiguousarray(clock, dtype=np.int64)
    elif "delay_bars" in run:
        clock = bars_clock(bars, closing=run.get("fill_at", "").upper() == FillAt.SAME_BAR_CLOSE.name)
    if parts["barred"]:
        barred = np.zeros((bars, len(assets)), dtype=np.int64)
        for bar, symbol, *names in parts["barred"]:
            barred[int(bar), columns[symbol]] = sum(Barred[name.upper()] for name in names)
    if parts["finer"]:
        finer = read_finer(parts["finer"], assets, bars)
    return None if clock is None and barred is None and finer is None else Timing(clock, barred, finer)


def read_finer(lines: Lines, assets: tuple[Asset, ...], bars: int) -> Finer:
    """``2 A open high low``, in the order of time."""
    symbols = [asset.symbol for asset in assets]
    found: dict[int, list[list[int]]] = {}
    for bar, symbol, *prices in lines:
        column = symbols.index(symbol)
        ticks = [to_units(price, assets[column].tick_size) for price in prices]
        found.setdefault(int(bar) * len(assets) + column, []).append(ticks)
    counts = [len(found.get(place, ())) for place in range(bars * len(assets))]
    rows = np.array([row for place in sorted(found) for row in found[place]], dtype=np.int64).reshape(-1, 3)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Finer(start, *(np.ascontiguousarray(rows[:, i]) for i in range(3)))


def write_timing(timing: Timing | None, assets: tuple[Asset, ...]) -> list[str]:
    """The lines of the three sections."""
    if timing is None:
        return []
    lines: list[str] = []
    if timing.clock is not None:
        lines += ["[clock]", *(f"{bar} {' '.join(map(str, row))}" for bar, row in enumerate(timing.clock.T.tolist()))]
    if timing.barred is not None:
        lines.append("[barred]")
        for bar, column in np.argwhere(timing.barred != 0).tolist():
            names = " ".join(str(bit.name).lower() for bit in Barred if bit in Barred(int(timing.barred[bar, column])))
            lines.append(f"{bar} {assets[column].symbol} {names}")
    if timing.finer is not None:
        lines += ["[finer]", *finer_lines(timing.finer, assets)]
    return lines


def finer_lines(finer: Finer, assets: tuple[Asset, ...]) -> Iterable[str]:
    """One line for each finer bar."""
    for place, (start, stop) in enumerate(zip(finer.start.tolist(), finer.start[1:].tolist(), strict=False)):
        bar, column = divmod(place, len(assets))
        for row in range(start, stop):
            prices = (from_units(int(price[row]), assets[column].tick_size) for price in (finer.open, finer.high, finer.low))
            yield f"{bar} {assets[column].symbol} " + " ".join(format(price, "f") for price in prices)
