"""Validated bars in memory: the dense integer grid for the kernel beside the ragged frame for expressions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model.asset import Asset
from rustybt.model.events import PLAIN

Ints = npt.NDArray[np.int64]
IDENTITY = ("ts", "session", "ticks_open", "ticks_high", "ticks_low", "ticks_close", "ticks_volume")
"""Columns that the identity of a panel is made from."""


@dataclass(frozen=True)
class Event:
    """A corporate action.

    Args:
        asset: asset id.
        ts: UTC microseconds of its ex-date at 00:00; it applies to the asset's first bar whose session is on or after that date.
        kind: ``split`` (new per old), ``dividend`` (cash per unit of quantity), ``spinoff`` and ``roll`` (new quantity of ``other`` per
            old), ``merger`` (the same, 0 = none), ``delisting`` (cash per unit), ``expiry`` (settlement price), ``rename``.
        numerator: of the ratio or amount.
        denominator: of the ratio or amount; 0 = the last price, of a delisting or an expiry.
        other: asset received, next contract, or new name.
        pay: UTC microseconds of the pay date of a dividend, None = at once.
        cash: what a merger pays per unit beside shares.
        price: of ``other``, at which it is received; None = its open at the bar of the event, else its last close.
        part: of the cost that goes with a spin-off, None = by value at the opens of its bar.
    """

    asset: str
    ts: int
    kind: str
    numerator: int
    denominator: int
    other: str | None = None
    pay: int | None = None
    cash: Decimal | None = None
    price: Decimal | None = None
    part: Decimal | None = None


@dataclass(frozen=True)
class Panel:
    """Bars that have passed the door. Built by `rustybt.data`; nothing else makes one.

    Attributes:
        assets: in byte order of their symbols; index = column of the grid.
        ts: (bars,) Int64 UTC microseconds, strictly increasing: the instants at which bars are complete.
        open, high, low, close: (bars, assets) Int64 ticks, C order, 0 = no bar.
        frame: one row per bar that exists, sorted by (asset, ts): ``ts`` Datetime(us, UTC), ``asset`` Enum,
            ``session`` Date, prices and volume Float64 (nearest to the ticks), ``ticks_<field>`` Int64,
            ``adj_<field>`` Float64 and ``ticks_adj_<field>`` Int64 (adjusted as known at ts; in units of tick_size / 10^adj_digits),
            any further columns of the source.
        row_bar: (rows,) Int32 bar index of each frame row.
        offsets: (assets + 1,) Int64: rows of asset j are ``offsets[j]:offsets[j + 1]`` of the frame.
        sessions: (bars,) Int32 days since 1970-01-01: the session date of each bar.
        events: corporate actions already resolved to bars: (events, 11) Int64 rows as in `rustybt.model.EVENT_FIELDS`, sorted by bar,
            column, kind, order given.
        warnings: what was quarantined, rounded or assumed, one sentence each.
        quarantine: rows that were refused, with a ``reason`` column.
        adj_digits: extra decimals of adjusted ticks; 0 when there are no events and adjusted columns are the raw ones.
        trusted: names of extra columns that no check can prove to be past-only.
        calendar: exchange calendar code, or None when none was declared.
        next_session: (bars,) Int32 days since 1970-01-01 of the session after this bar's, by the calendar; None without one.
        session_close: (bars,) Int64 UTC microseconds at which this bar's session closes, by the calendar; None without one.
        attached: names of slower frames whose columns stand beside the bars, each with ``<name>_ts``, since when the row is known.
        dataset: name@snapshot in the catalog that the bars came from; None for a file or a frame.
        whole: the panel that this is the end of: windows and schedules read its earlier bars, nothing trades on them. None = no history.
    """

    assets: tuple[Asset, ...]
    ts: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    frame: pl.DataFrame
    row_bar: npt.NDArray[np.int32]
    offsets: Ints
    sessions: npt.NDArray[np.int32]
    events: Ints
    warnings: tuple[str, ...] = ()
    quarantine: pl.DataFrame = field(default_factory=pl.DataFrame)
    trusted: tuple[str, ...] = ()
    adj_digits: int = 0
    calendar: str | None = None
    next_session: npt.NDArray[np.int32] | None = None
    session_close: Ints | None = None
    dataset: str | None = None
    attached: tuple[str, ...] = ()
    whole: Panel | None = None

    @property
    def history(self) -> int:
        """Bars of `whole` before the first one of this panel."""
        return 0 if self.whole is None else self.whole.bars - self.bars

    @property
    def bars(self) -> int:
        """Number of instants."""
        return len(self.ts)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Asset ids in column order."""
        return tuple(asset.symbol for asset in self.assets)

    @property
    def dense(self) -> bool:
        """Whether every asset has a bar at every instant."""
        return self.frame.height == self.bars * len(self.assets)

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(rows,) what (bars,) values say of the bar of each frame row."""
        if self.dense:  # rows lie asset by asset: to repeat is much faster than to look up
            return values if len(self.assets) == 1 else np.tile(values, len(self.assets))
        return values[self.row_bar]

    @cached_property
    def days(self) -> Ints:
        """(bars,) Int64: `sessions` as the kernel reads them."""
        return self.sessions.astype(np.int64)

    @cached_property
    def closing(self) -> Ints:
        """(bars,) Int64: 1 where a bar is known to be the last of its session, by the calendar."""
        found = np.zeros(self.bars, dtype=np.int64)
        if self.session_close is not None:
            closed = self.ts >= self.session_close
            found[:] = closed
            found[1:] -= closed[1:] & closed[:-1] & (self.sessions[1:] == self.sessions[:-1])
        return found

    @cached_property
    def session_ends(self) -> Ints:
        """(sessions,) index of the last bar of each session."""
        return last_of_each(self.sessions)

    @cached_property
    def _largest(self) -> dict[str, int]:
        return {}

    def largest_tick(self, column: str) -> int:
        """The largest magnitude of a column of ticks, nulls left out; 0 where there is none.

        Args:
            column: of the frame, such as ``ticks_close``.
        """
        if column not in self._largest:
            self._largest[column] = largest_of(self.frame[column])
        return self._largest[column]

    @cached_property
    def parts(self) -> dict[int, Panel]:
        """Ends of this panel that were made, by their first bar: variants that begin at the same bar share one."""
        return {}

    @cached_property
    def snapshot(self) -> str:
        """SHA-256 of the content (increments, calendar, times, sessions, ticks, events, trusted columns): the dataset's identity."""
        if self.whole is not None:
            return hashlib.sha256(f"history of {self.history} bars, {self.whole.snapshot}".encode()).hexdigest()
        digest = identity_of(self.assets, (self.calendar, self.adj_digits, self.trusted), self.offsets, self.events)
        for name in IDENTITY:
            digest.update(np.ascontiguousarray(self.frame[name].to_physical().to_numpy()))
        for name in self.trusted:
            _update(digest, self.frame[name])
        return digest.hexdigest()


def last_of_each(sessions: npt.NDArray[np.integer]) -> Ints:
    """(sessions,) index of the last bar of each session.

    Args:
        sessions: (bars,) session of each bar, never decreasing.

    Example:
        >>> last_of_each(np.array([7, 7, 8, 9, 9])).tolist()
        [1, 2, 4]
    """
    if not len(sessions):
        return np.zeros(0, dtype=np.int64)
    return np.append(np.flatnonzero(sessions[1:] != sessions[:-1]), len(sessions) - 1).astype(np.int64)


def largest_of(ticks: pl.Series) -> int:
    """The largest magnitude of whole numbers, nulls left out; 0 where there is none.

    Example:
        >>> largest_of(pl.Series([3, None, -4])), largest_of(pl.Series([], dtype=pl.Int64))
        (4, 0)
    """
    known = (ticks.drop_nulls() if ticks.null_count() else ticks).to_numpy()
    return max(abs(int(known.min(initial=0))), abs(int(known.max(initial=0))))


def identity_of(assets: Sequence[Asset], settled: tuple[str | None, int, tuple[str, ...]], offsets: Ints, events: Ints) -> hashlib._Hash:
    """The beginning of a panel's identity, to which its columns are added: those of `IDENTITY`, then the trusted ones.

    Args:
        assets: in byte order of their symbols.
        settled: calendar, `Panel.adj_digits`, names of trusted columns.
        offsets: rows of each asset.
        events: as in `Panel.events`.
    """
    digest = hashlib.sha256(b"panel 1")
    for asset in assets:
        digest.update(repr(asset).encode())
        if asset.min_notional:
            digest.update(f"min_notional {asset.min_notional.normalize():f}".encode())
    digest.update(repr(settled).encode())
    digest.update(np.ascontiguousarray(offsets))
    digest.update(np.ascontiguousarray(events[:, :5]))
    if (events[:, 5:] != PLAIN[5:]).any():
        digest.update(np.ascontiguousarray(events))
    return digest


def _update(digest: hashlib._Hash, column: pl.Series) -> None:
    """Adds a column of any type: its dtype, its nulls, its values."""
    digest.update(repr(column.dtype).encode())
    digest.update(np.packbits(column.is_null().to_numpy()))
    plain = column if column.dtype.is_numeric() else column.to_physical()
    if plain.dtype.is_integer() or plain.dtype.is_float():
        digest.update(np.ascontiguousarray(plain.fill_null(0).to_numpy()))
    else:
        text = column.cast(pl.String, strict=False).fill_null("")
        digest.update(np.ascontiguousarray(text.str.len_bytes().to_numpy()))
        digest.update("".join(text).encode())
