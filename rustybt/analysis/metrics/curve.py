"""The equity of a run, bar by bar, and its reduction to one value per session."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rustybt.errors import DataError
from rustybt.model.panel import last_of_each
from rustybt.model.usage import Usage

type Floats = npt.NDArray[np.float64]
type Ints = npt.NDArray[np.int64]
type Days = npt.NDArray[np.int32]

EPOCH = date(1970, 1, 1).toordinal()


def iso_date(day: int) -> str:
    """A day count since 1970-01-01 as an ISO date.

    Example:
        >>> iso_date(0), iso_date(19723)
        ('1970-01-01', '2024-01-01')
    """
    return date.fromordinal(EPOCH + int(day)).isoformat()


@dataclass(frozen=True)
class Closes:
    """One equity value per session, and the returns between them.

    Attributes:
        days: (points,) Int32 session of each point, days since 1970-01-01. With opening cash the first point is that
            cash, labelled with the first session, so the first session appears twice.
        values: (points,) Float64 equity in currency; with flows what the opening equity alone has become (see `links`).
        returns: (points - 1,) Float64 simple returns; NaN where the equity before is not positive.
        opened: whether the first point is the opening cash.
        balances: (points,) Float64 equity in currency where ``values`` is not that; None: it is.
    """

    days: Days
    values: Floats
    returns: Floats
    opened: bool
    balances: Floats | None = None

    @property
    def sessions(self) -> int:
        """Number of sessions."""
        return len(self.days) - int(self.opened)


@dataclass(frozen=True)
class Curve:
    """What the books say after every bar.

    Attributes:
        ts: (bars,) Int64 microseconds since 1970-01-01 UTC.
        sessions: (bars,) Int32 session of each bar, days since 1970-01-01, never decreasing.
        equity, cash, gross: (bars,) Int64 money units of 10^-money_scale of the currency; gross = sum of absolute position values.
        money_scale: decimals of a money unit.
        opening: cash before the first bar, money units. None: the first session's equity is the base and earns no return.
        flows: (bars,) Int64 money that came in before each bar, negative where it went out; None: none ever did.
        use: of capital, over the first blocks of these bars, where somebody added it up already.
        ends: (sessions,) last bar of each session, where somebody knows it already, and that sessions never go back.

    Raises:
        DataError: no bars, lengths that differ, or sessions that go back.

    Example:
        >>> equity = np.array([100_00, 110_00, 99_00], dtype=np.int64)
        >>> zero = np.zeros(3, dtype=np.int64)
        >>> curve = Curve(np.arange(3), np.array([0, 0, 1], dtype=np.int32), equity, equity, zero, money_scale=2)
        >>> curve.closes().values
        array([110.,  99.])
    """

    ts: Ints
    sessions: Days
    equity: Ints
    cash: Ints
    gross: Ints
    money_scale: int = 8
    opening: int | None = None
    flows: Ints | None = None
    use: Usage | None = None
    ends: Ints | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("ts", "sessions", "equity", "cash", "gross")}
        if len(set(lengths.values())) != 1:
            raise DataError(f"columns of different length: {lengths}", where="equity curve", do="give one value per bar in each column")
        if not lengths["equity"]:
            raise DataError("no bars", where="equity curve", do="run over at least one bar")
        if self.ends is None and np.any(self.sessions[1:] < self.sessions[:-1]):
            row = int(np.flatnonzero(self.sessions[1:] < self.sessions[:-1])[0]) + 1
            raise DataError("a session goes back in time", where=f"equity curve, row {row}", do="sort the bars by ts")

    @property
    def bars(self) -> int:
        """Number of bars."""
        return len(self.equity)

    @cached_property
    def session_ends(self) -> Ints:
        """(sessions,) index of the last bar of each session."""
        return last_of_each(self.sessions) if self.ends is None else self.ends

    def closes(self) -> Closes:
        """The last equity of each session, and the returns between them."""
        last = self.session_ends
        days = self.sessions[last].astype(np.int32, copy=False)
        units = self.equity[last]
        if self.opening is not None:
            days = np.concatenate((days[:1], days))
            units = np.concatenate((np.array([self.opening], dtype=np.int64), units))
        values = units / 10.0**self.money_scale
        if self.flows is None:
            return Closes(days, values, simple_returns(values), self.opening is not None)
        scale = links(self.equity.astype(np.float64), self.flows.astype(np.float64), self.opening)[last]
        linked = values * (scale if self.opening is None else np.concatenate(([1.0], scale)))
        return Closes(days, linked, simple_returns(linked), self.opening is not None, values)


def links(equity: Floats, flows: Floats, opening: float | None) -> Floats:
    """What to multiply each bar's equity by, so that money coming in or going out is no return (time-weighted).

    The return of a bar is ``equity / (equity before + flow) - 1``: a flow arrives before the bar opens. NaN from the first flow on whose
    equity before, with it or without it, is not positive.

    Args:
        equity: (bars,) after each bar.
        flows: (bars,) money that came in before each bar.
        opening: equity before the first bar; None: the first bar is the base, and what came in before it is part of that.

    Example:
        >>> links(np.array([100.0, 150.0, 165.0]), np.array([0.0, 50.0, 0.0]), 100.0) * [100.0, 150.0, 165.0]
        array([100., 100., 110.])
    """
    scale = np.ones(len(equity))
    at = np.flatnonzero(flows)
    at = at[at > 0] if opening is None else at
    before = np.where(at > 0, equity[at - 1], math.nan if opening is None else opening)
    after = before + flows[at]
    good = (before > 0) & (after > 0)
    scale[at] = np.where(good, before / np.where(good, after, 1.0), np.nan)
    return np.cumprod(scale)


def simple_returns(values: Floats) -> Floats:
    """``values[t] / values[t - 1] - 1``, NaN where the value before is not positive.

    An account at or below zero has no return: dividing by it would turn a loss into a gain.

    Example:
        >>> simple_returns(np.array([100.0, 110.0, 0.0, 5.0]))
        array([ 0.1, -1. ,  nan])
    """
    before = values[:-1]
    out = np.full(len(before), np.nan)
    np.divide(values[1:], before, out=out, where=before > 0)
    out -= 1.0
    return out
