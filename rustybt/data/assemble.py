"""Lay clean rows out as a panel: events, adjusted columns, frame and grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from rustybt.data.actions import check_named, place_of
from rustybt.data.adjust import ADJ_DIGITS, adjust, factors
from rustybt.data.arrow import series_of
from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.effects import Scene, resolve_events
from rustybt.data.grid import Grid, dense_grid, lay_out
from rustybt.data.hours import DAY
from rustybt.data.jumps import find_jumps, find_unseen, warn_of, warn_unseen
from rustybt.data.ticks import Scaled
from rustybt.data.timing import Timed
from rustybt.errors import DataError
from rustybt.model import Asset, Event, Panel
from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Ready:
    """Clean rows.

    Attributes:
        timed: sorted rows with their times.
        scaled: prices and volume by name.
        assets: in column order.
        extras: names of the columns to carry along.
    """

    timed: Timed
    scaled: dict[str, Scaled]
    assets: tuple[Asset, ...]
    extras: tuple[str, ...]


def assemble(ready: Ready, events: Sequence[Event] | None, known: Sequence[str] | None) -> Panel:
    """The panel of clean rows.

    Args:
        ready: the rows.
        events: corporate actions, or None.
        known: every symbol of the source, with those that have no usable bar: events of others are refused. None when the user chose
            assets: events of others are no mistake.

    Raises:
        DataError: events that cannot be used.
    """
    timed, symbols = ready.timed, ready.timed.keyed.symbols
    grid = lay_out(timed.ts, timed.offsets)
    listed = events or []
    if known is not None:
        check_named(listed, known)
    column_of = {symbol: i for i, symbol in enumerate(symbols)}
    given = _of_assets(listed, column_of)
    days = _by_bar(timed.days, grid)
    effects = resolve_events(given, Scene(ready.assets, timed.days, grid, ready.scaled, np.maximum.accumulate(days)))
    table, rows = effects.adjusting, effects.rows
    jumps = find_jumps(ready.scaled, timed.days, timed.offsets, ready.assets, rows)
    unseen = find_unseen(ready.scaled, timed.offsets, table, rows)
    raw = _raw(ready)
    frame = pl.DataFrame([*_keys(ready), *raw, *_adjusted(ready, table, rows, grid, None if listed else raw)])
    if ready.extras:
        frame = frame.hstack(timed.keyed.frame.select(ready.extras))
    cells = {name: dense_grid(ready.scaled[name].ticks, grid) for name in PRICES}
    calendar = timed.calendar
    return Panel(
        assets=ready.assets,
        ts=grid.ts,
        open=cells["open"],
        high=cells["high"],
        low=cells["low"],
        close=cells["close"],
        frame=frame,
        row_bar=grid.row_bar,
        offsets=grid.offsets,
        sessions=days,
        events=effects.table,
        warnings=(
            *effects.notes,
            *_off_session(given, timed),
            *warn_of(jumps, timed.days, ready.assets),
            *warn_unseen(unseen, timed.days, ready.assets),
        ),
        trusted=ready.extras,
        adj_digits=ADJ_DIGITS if listed else 0,
        calendar=calendar.code if calendar else None,
        next_session=calendar.after(days) if calendar else None,
        session_close=calendar.close_of(days)[0] if calendar else None,
    )


def _off_session(events: Sequence[Event], timed: Timed) -> list[str]:
    """One sentence on splits that are dated on a day without a session; none on nothing, or where no calendar is known."""
    if timed.calendar is None:
        return []
    first, last = int(timed.days.min()), int(timed.days.max())
    splits = [event for event in events if event.kind == "split" and first <= event.ts // DAY <= last]
    known = timed.calendar.close_of(np.array([event.ts // DAY for event in splits], dtype=np.int32))[1] if splits else ()
    off = [event for event, is_session in zip(splits, known, strict=True) if not is_session]
    if not off:
        return []
    said = f"{len(off)} splits are dated on days without a session of {timed.calendar.name}"
    place = f"{off[0].asset!r}, {np.datetime64(off[0].ts // DAY, 'D')}"
    return [f"{said} (first: {place}); they take effect at the next bar."]


def _of_assets(events: Sequence[Event], columns: Mapping[str, int]) -> list[Event]:
    """The events of the assets that are there.

    Raises:
        DataError: one gives an asset that is not.
    """
    given = [event for event in events if event.asset in columns]
    for event in given:
        if event.other is not None and event.other not in columns:
            what = f"a {event.kind} gives {event.other!r}, which has no bars here"
            raise DataError(what, where=place_of(event), do="choose that asset too, or drop the event")
    return given


def _keys(ready: Ready) -> list[pl.Series]:
    return [
        series_of("ts", ready.timed.ts).cast(pl.Datetime("us", "UTC")),
        ready.timed.keyed.frame["asset"],
        series_of("session", ready.timed.days).cast(pl.Date),
    ]


def _raw(ready: Ready) -> list[pl.Series]:
    floats = [series_of(name, ready.scaled[name].floats) for name in FIELDS]
    return floats + [series_of(f"ticks_{name}", ready.scaled[name].ticks) for name in FIELDS]


def _adjusted(ready: Ready, table: Ints, rows: Ints, grid: Grid, raw: Sequence[pl.Series] | None) -> list[pl.Series]:
    """Adjusted columns; the raw ones under another name when there are no events."""
    if raw is not None:
        names = [*(f"adj_{name}" for name in FIELDS), *(f"ticks_adj_{name}" for name in FIELDS)]
        return [column.alias(name) for column, name in zip(raw, names, strict=True)]
    found = factors(table, rows, grid.offsets, ready.scaled["close"].ticks, ready.assets)
    made = {name: adjust(ready.scaled[name], name, found, grid.offsets, ready.assets) for name in FIELDS}
    floats = [series_of(f"adj_{name}", made[name][1]) for name in FIELDS]
    return floats + [series_of(f"ticks_adj_{name}", made[name][0]) for name in FIELDS]


def _by_bar(days: np.ndarray[tuple[int], np.dtype[np.int32]], grid: Grid) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    out = np.empty(len(grid.ts), dtype=np.int32)
    out[grid.row_bar] = days
    return out
