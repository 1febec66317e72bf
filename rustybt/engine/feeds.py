"""Terms of slippage: which feeds a run reads, and their numbers from the data."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import polars as pl

from rustybt.errors import DataError, SpecError
from rustybt.execution import Costs, Slippage
from rustybt.execution.costs.term import CostTerm
from rustybt.model import Asset, Panel
from rustybt.model.decimals import LIMIT, RATE
from rustybt.model.panel import Ints
from rustybt.model.tables import MOST_RATE
from rustybt.spec import Strategy, quantity
from rustybt.spec.planner import plan

RATES, VOLATILITY, TICKS = "rate", "volatility", "ticks"


@dataclass(frozen=True)
class Feed:
    """What one feed holds: ``what`` it means, the expression, and whether half of the spread is in it."""

    what: str
    term: CostTerm | None
    spread: bool = False


@dataclass
class Impacts:
    """The columns of `rustybt.model.Tables.impacts` and the feeds that they read, gathered asset by asset.

    Attributes:
        columns: one per different slippage. feeds: in the order of their numbers.
    """

    columns: dict[tuple[int, ...], int] = field(default_factory=dict)
    feeds: dict[Feed, int] = field(default_factory=dict)

    def settings(self, slippage: Slippage) -> dict[str, int]:
        """The slot settings of a slippage, which is added where it is new."""
        if slippage.plain:
            return {"slip_buy": 0, "slip_sell": 0}
        buy, sell = (self._column(side) for side in slippage.sides())
        return {"slip_buy": buy, "slip_sell": sell}

    def _column(self, side: Slippage) -> int:
        sigma = self._feed(Feed(VOLATILITY, side.volatility)) if side.volatility_share else 0
        rate = self._feed(Feed(RATES, side.rate_term)) if side.rate_term is not None else 0
        steps = self._feed(Feed(TICKS, side.ticks_term, side.spread)) if side.ticks_term is not None or side.spread else 0
        return self.columns.setdefault((*side.coefficients(), sigma, rate, steps), len(self.columns) + 1)

    def _feed(self, feed: Feed) -> int:
        return self.feeds.setdefault(feed, len(self.feeds) + 1)


def gather(costs: Costs, assets: tuple[Asset, ...]) -> tuple[list[dict[str, int]], Impacts]:
    """The slippage settings of every asset, and what they point to."""
    found = Impacts()
    known: dict[Hashable, dict[str, int]] = {}
    settings = []
    for asset in assets:
        own = asset.symbol if asset.symbol in costs.by_asset else None
        if own not in known:
            known[own] = found.settings(costs.of(asset.symbol).slippage)
        settings.append(known[own])
    return settings, found


def feed_table(feeds: tuple[Feed, ...], panel: Panel) -> Ints:
    """(bars, feeds, assets) numbers of all feeds.

    Raises:
        SpecError: a term is negative, too large, or may see the future.
        DataError: the data have no bid and ask.
    """
    table = np.zeros((panel.bars, len(feeds), len(panel.assets)), dtype=np.int64)
    column = np.repeat(np.arange(len(panel.assets)), np.diff(panel.offsets))
    for number, feed in enumerate(feeds):
        table[panel.row_bar, number, column] = numbers_of(feed, panel, column)
    return table


def numbers_of(feed: Feed, panel: Panel, column: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Ints:
    """The numbers of one feed, row by row."""
    found = np.zeros(panel.frame.height, dtype=np.int64)
    if feed.spread:
        found += half_spreads(panel, column)
    if feed.term is None:
        return found
    values = evaluated(feed, panel)
    scaled = np.ceil(values) if feed.what == TICKS else np.rint(values * RATE)
    wrong = ~((scaled >= 0) & (scaled <= MOST_RATE))
    if wrong.any():
        row = int(np.argmax(wrong))
        asset, bar = panel.assets[int(column[row])].symbol, np.datetime64(int(panel.ts[panel.row_bar[row]]), "us")
        what = f"slippage of {values[row]} is negative or too large"
        raise SpecError(what, where=f"costs, slippage, {feed.what} of {asset!r}, {bar}Z", do="slippage is a cost: give terms from 0 on")
    return found + scaled.astype(np.int64)


def evaluated(feed: Feed, panel: Panel) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A term on every row of the data, 0 where it is null."""
    assert feed.term is not None
    name = f"slippage_{feed.what}"
    carrier = Strategy("costs", target=quantity(0), signals={name: feed.term.expr})
    values = plan(carrier).evaluate(panel.frame, panel)[name]
    if not (values.dtype.is_numeric() or values.dtype.is_decimal()):
        raise SpecError(f"a term of slippage is {values.dtype}, not a number", where=f"costs, {name}", do="give numbers")
    return values.cast(pl.Float64).fill_null(0.0).to_numpy()


def half_spreads(panel: Panel, column: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Ints:
    """Half of what lies between bid and ask, in whole ticks, upward; 0 where a quote is missing or the two are crossed."""
    missing = [name for name in ("bid", "ask") if name not in panel.frame.columns]
    if missing:
        do = 'load data with columns bid and ask, or give half_spread("0.0004")'
        raise DataError(f"the data have no column {missing[0]!r}", where="costs, half_spread", do=do)
    size = np.array([float(asset.tick_size) for asset in panel.assets])[column]
    bid, ask = (panel.frame[name].cast(pl.Float64).fill_null(0.0).fill_nan(0.0).to_numpy() / size for name in ("bid", "ask"))
    quoted = (bid > 0) & (ask > bid) & (ask < LIMIT)
    apart = np.rint(np.where(quoted, ask, 0.0)).astype(np.int64) - np.rint(np.where(quoted, bid, 0.0)).astype(np.int64)
    return np.asarray((apart + 1) // 2, dtype=np.int64)


def volume_in_lots(panel: Panel, needed: frozenset[str]) -> Ints:
    """(bars, assets) whole lots traded, toward zero.

    Raises:
        DataError: an asset whose costs go by the volume has none in any bar.
    """
    grid = np.zeros((panel.bars, len(panel.assets)), dtype=np.int64)
    steps = panel.frame["ticks_volume"].to_numpy()
    for number, asset in enumerate(panel.assets):
        rows = slice(int(panel.offsets[number]), int(panel.offsets[number + 1]))
        if asset.symbol in needed and len(steps[rows]) and not steps[rows].any():
            raise DataError("a cost goes by the volume, and there is none", where=f"asset {asset.symbol!r}", do="load data with volume")
        exact = Fraction(asset.volume_step) / Fraction(asset.lot_size)
        grid[panel.row_bar[rows], number] = lots_of(steps[rows], exact.numerator, exact.denominator)
    return grid


def lots_of(steps: Ints, up: int, down: int) -> Ints:
    """``steps x up / down`` toward zero, at most 2^61 - 1."""
    if int(steps.max(initial=0)) * up < LIMIT and down < LIMIT:
        return np.asarray(steps * up // down, dtype=np.int64)
    return np.array([min(LIMIT - 1, step * up // down) for step in steps.tolist()], dtype=np.int64)
