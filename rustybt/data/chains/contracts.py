"""The contracts of a root among the assets of a panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.calendars import sessions
from rustybt.data.chains.rolls import Chain, leave_days
from rustybt.data.hours import Days
from rustybt.data.metadata import check_known, days_of
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel

LETTERS = "FGHJKMNQUVXZ"


def contracts_of(panel: Panel, root: str, expiries: Mapping[str, Any], months: str | None) -> tuple[list[int], list[int]]:
    """Columns of the contracts and their last trading days, nearest first.

    Raises:
        ConfigError: no contract is left, or months are not letters.
        DataError: the contracts trade in different sizes.
    """
    if root in panel.symbols:
        raise ConfigError(f"{root!r} is an asset of the data", where="continuous, root", do="give the series a name of its own")
    if months is not None and (not months or set(months) - set(LETTERS)):
        raise ConfigError(f"months {months!r} are not letters of delivery months", where="continuous, months", do=f"use some of {LETTERS}")
    found = []
    for column, symbol in enumerate(panel.symbols):
        if symbol in expiries:
            day = days_of(expiries[symbol], f"expiry of {symbol}")
            month = LETTERS[(date(1970, 1, 1) + timedelta(days=day)).month - 1]
            if months is None or month in months:
                found.append((day, column))
    if not found:
        check_known(sorted(expiries)[:1] or ["a contract"], panel.symbols, "continuous, expiries")
        raise ConfigError("no contract is left", where="continuous, months", do="leave months out")
    found.sort()
    first = panel.assets[found[0][1]]
    for _, column in found[1:]:
        other = panel.assets[column]
        if replace(other, symbol=first.symbol) != first:
            what = f"{first.symbol!r} and {other.symbol!r} trade in different ticks, lots, multipliers or currencies"
            raise DataError(what, where=f"continuous {root!r}", do="load them with the same sizes, the finest of all")
    return [column for _, column in found], [day for day, _ in found]


def chain_of(panel: Panel, columns: list[int], days: list[int], roll: Any, lead: int | str) -> tuple[Chain, list[str]]:
    """The chain of some columns, and sentences about it."""
    expiry = np.array(days, dtype=np.int64)
    notes: list[str] = []
    calendar: Days | None = None
    if panel.calendar is not None and isinstance(lead, int):
        try:
            calendar = sessions(panel.calendar, int(expiry.min()) - 40 - 2 * lead, int(expiry.max())).days
        except DataError:
            notes.append("The calendar does not reach to the last expiry: sessions before it are counted from Monday to Friday.")
    leave = leave_days(expiry, lead, calendar)
    has = panel.close[:, columns] > 0
    votes = at_first = None
    if roll in ("volume", "open_interest"):
        votes, at_first = _votes(panel, columns, has, roll)
    return Chain(tuple(panel.symbols[column] for column in columns), has, panel.sessions, expiry, leave, votes, at_first), notes


def _votes(panel: Panel, columns: list[int], has: Any, name: str) -> tuple[Any, Any]:
    """(sessions, contracts) volume traded, or open interest last known, in each session, and the same at the first bar alone."""
    if name not in panel.frame.columns:
        do = "give bars with a column open_interest, or roll by volume"
        raise ConfigError("the bars have no open_interest", where="continuous, roll", do=do)
    there = np.flatnonzero(has.any(axis=1))
    days = np.unique(panel.sessions[there])
    votes = np.full((len(days), len(columns)), np.nan)  # a session without a bar says nothing: it may be missing
    at_first = np.full(len(columns), np.nan)
    for place, column in enumerate(columns):
        rows = panel.frame[int(panel.offsets[column]) : int(panel.offsets[column + 1])]
        values = rows[name].cast(pl.Float64)
        keep = pl.col(name).sum() if name == "volume" else pl.col(name).drop_nulls().last()
        by_day = rows.select("session", values.alias(name)).group_by("session", maintain_order=True).agg(keep)
        at = np.searchsorted(days, by_day["session"].to_physical().to_numpy())
        votes[at, place] = by_day[name].fill_null(np.nan).to_numpy()
        if panel.row_bar[int(panel.offsets[column])] == there[0]:
            at_first[place] = np.nan if values[0] is None else values[0]
    return votes, at_first
