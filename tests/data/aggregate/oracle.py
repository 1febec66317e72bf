"""Coarser bars in plain Python: one row after the other, from the definitions, with nothing of the package but the sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Hours:
    """One session: its date, and its spells of trading."""

    day: date
    spells: tuple[tuple[datetime, datetime], ...]


def spell_of(ts: datetime, sessions: Sequence[Hours], trade: bool) -> tuple[Hours, datetime, datetime] | None:
    """The session and the spell of a bar that is complete at ts, or of a trade at ts."""
    for hours in sessions:
        for start, end in hours.spells:
            if start <= ts < end if trade else start < ts <= end:
                return hours, start, end
    if trade:
        for hours in sessions:
            for start, end in hours.spells:
                if ts == end:
                    return hours, start, end
    return None


def edge(ts: datetime, origin: datetime, length: timedelta, trade: bool) -> datetime:
    at = origin
    while at < ts or (trade and at == ts):
        at += length
    return at


def end_of(ts: datetime, every: str | timedelta, sessions: Sequence[Hours] | None, trade: bool) -> datetime | None:
    """When the bar of a row is complete; None outside of trading hours."""
    if sessions is None:
        inside = ts if trade else ts - timedelta(microseconds=1)
        midnight = inside.replace(hour=0, minute=0, second=0, microsecond=0)
        if isinstance(every, timedelta):
            return edge(ts, midnight - DAY, every, trade)
        if every == "1d":
            return midnight + DAY
        if every == "1w":
            return midnight + (7 - midnight.weekday()) * DAY
        return (midnight.replace(day=1) + 32 * DAY).replace(day=1)
    found = spell_of(ts, sessions, trade)
    if found is None:
        return None
    hours, start, end = found
    if isinstance(every, timedelta):
        return min(edge(ts, start, every, trade), end)
    return max(one.spells[-1][1] for one in sessions if period(one.day, every) == period(hours.day, every))


def period(day: date, every: str) -> tuple[int, ...]:
    """The day, week or month of a session."""
    return (day.toordinal(),) if every == "1d" else day.isocalendar()[:2] if every == "1w" else (day.year, day.month)


def bars_of(rows: Sequence[dict[str, Any]], every: str | timedelta, sessions: Sequence[Hours] | None) -> list[tuple[Any, ...]]:
    """Complete bars: ts, asset, open, high, low, close, volume (exact); sorted by asset and ts."""
    if not rows:
        return []
    trade, known = "price" in rows[0], max(row["ts"] for row in rows)
    found: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["asset"], row["ts"])):
        end = end_of(row["ts"], every, sessions, trade)
        if end is not None and end <= known:
            found.setdefault((row["asset"], end), []).append(row)
    return [(end, asset, *_bar(mine, trade)) for (asset, end), mine in sorted(found.items())]


def filled(rows: Sequence[dict[str, Any]], kind: str, most: Decimal) -> list[tuple[Any, ...]]:
    """Bars that end by an amount, without a calendar."""
    done = []
    trade = bool(rows) and "price" in rows[0]
    for asset in sorted({row["asset"] for row in rows}):
        total, mine, goal = Decimal(0), [], most
        own = sorted((row for row in rows if row["asset"] == asset), key=lambda row: row["ts"])
        for row, after in zip(own, [*own[1:], None], strict=True):
            size = Decimal(str(row["size" if trade else "volume"]))
            price = Decimal(str(row["price" if trade else "close"]))
            total += {"ticks": Decimal(1), "volume": size, "value": size * price}[kind]
            mine.append(row)
            if total >= goal and (after is None or after["ts"] != row["ts"]):
                done.append((row["ts"], asset, *_bar(mine, trade)))
                mine, goal = [], (total // most + 1) * most
    return done


def _bar(mine: list[dict[str, Any]], trade: bool) -> tuple[Any, ...]:
    if trade:
        prices = [row["price"] for row in mine]
        return prices[0], max(prices), min(prices), prices[-1], sum(Decimal(str(row["size"])) for row in mine)
    volume = sum(Decimal(str(row["volume"])) for row in mine)
    return mine[0]["open"], max(row["high"] for row in mine), min(row["low"] for row in mine), mine[-1]["close"], volume
