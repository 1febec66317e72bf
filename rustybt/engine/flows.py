"""Deposits and withdrawals as users write them, the bars at which they take effect, and those at which things settle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from rustybt.errors import ConfigError
from rustybt.model import NO_BARS, NO_FLOWS, Panel
from rustybt.model.decimals import decimals_of, to_decimal, to_units
from rustybt.model.panel import Ints

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DO = 'write flows=[("2024-01-31", "500"), ("2024-06-28", "-200")], or a frame with session and amount'

MOST_SESSIONS = 16
"""The most sessions that a sale takes to settle."""


@dataclass(frozen=True)
class Flow:
    """Money that comes into the account, or leaves it.

    Attributes:
        when: a session, or an instant in UTC.
        amount: account currency; negative = out.
    """

    when: date | datetime
    amount: Decimal

    def to_list(self) -> list[str]:
        """Plain values for the manifest and the run id."""
        return [self.when.isoformat(), format(self.amount, "f")]


def read_flows(given: object, money_scale: int) -> tuple[Flow, ...]:
    """Checked flows, as they were given.

    Args:
        given: pairs of a date (``date``, ``datetime`` with a zone, or ISO text) and an amount, a mapping of the two, a frame with
            ``session`` or ``ts`` and ``amount``; None = none.
        money_scale: decimals of money; an amount may not have more.

    Raises:
        ConfigError: naming the flow: no date, no amount, too many decimals.

    Example:
        >>> read_flows([("2024-01-31", "500")], 2)
        (Flow(when=datetime.date(2024, 1, 31), amount=Decimal('500')),)
    """
    flows = []
    for number, pair in enumerate(_pairs(given)):
        where = f"run, flows, number {number}"
        try:
            when, amount = pair
        except (TypeError, ValueError):
            raise ConfigError(f"{pair!r} is not a date and an amount", where=where, do=DO) from None
        money = to_decimal(amount, f"amount of flow {number}")
        if decimals_of(money) > money_scale:
            raise ConfigError(f"amount {amount} has more than {money_scale} decimals", where=where, do="round it, or raise money_scale")
        flows.append(Flow(when_of(when, where), money))
    return tuple(flows)


def _pairs(given: object) -> Iterable[Any]:
    if given is None:
        return ()
    if isinstance(given, Mapping):
        return given.items()
    if isinstance(given, str | bytes):
        raise ConfigError(f"flows {given!r} are not pairs of a date and an amount", where="run, flows", do=DO)
    columns: Any = given
    if isinstance(given, pl.LazyFrame) or hasattr(given, "__arrow_c_stream__"):
        frame = given.collect() if isinstance(given, pl.LazyFrame) else pl.DataFrame(columns)
        date_column = next((name for name in ("session", "ts") if name in frame.columns), None)
        if date_column is None or "amount" not in frame.columns:
            raise ConfigError(f"columns {', '.join(frame.columns)}", where="run, flows", do="give session or ts, and amount")
        if date_column == "session" and frame.schema["session"].is_temporal():
            frame = frame.with_columns(pl.col("session").cast(pl.Date))
        return frame.select(date_column, "amount").iter_rows()
    if not isinstance(given, Iterable):
        raise ConfigError(f"flows {given!r} are not pairs of a date and an amount", where="run, flows", do=DO)
    return given


def when_of(given: object, where: str) -> date | datetime:
    """A session, or an instant in UTC."""
    when = given
    if isinstance(when, str):
        try:
            when = date.fromisoformat(when) if len(when) <= 10 else datetime.fromisoformat(when)
        except ValueError:
            when = None
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise ConfigError(f"date {given!r} has no time zone", where=where, do="give a date for a session, or add the zone: +00:00")
        return when.astimezone(UTC)
    if not isinstance(when, date):
        raise ConfigError(f"{given!r} is not a date", where=where, do='give a date such as "2024-01-31"')
    return when


def flows_at(flows: tuple[Flow, ...], panel: Panel, money_scale: int) -> Ints:
    """The flows as `rustybt.model.Tables` take them: (bar, money units), each at the first bar on or after its date.

    Raises:
        ConfigError: a flow before the first or after the last bar.
    """
    if not flows:
        return NO_FLOWS
    unit = Decimal(1).scaleb(-money_scale)
    rows = []
    for number, flow in enumerate(flows):
        stamps: Any = panel.sessions
        place = (flow.when - EPOCH.date()).days if not isinstance(flow.when, datetime) else 0
        if isinstance(flow.when, datetime):
            stamps, place = panel.ts, (flow.when - EPOCH) // timedelta(microseconds=1)
        if not (panel.bars and int(stamps[0]) <= place <= int(stamps[-1])):
            raise ConfigError(
                f"the flow of {flow.amount} on {flow.when} is outside of the data",
                where=f"run, flows, number {number}",
                do="leave it out; what was there before the first bar belongs into cash",
            )
        rows.append((int(np.searchsorted(stamps, place)), to_units(flow.amount, unit, f"amount of flow {number}")))
    found: Ints = np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, 2)
    found.flags.writeable = False
    return found


def settlements_at(panel: Panel) -> Ints:
    """The last bar of each session, at which futures are settled; none where there is no future."""
    if not panel.bars or all(asset.asset_class != "future" for asset in panel.assets):
        return NO_BARS
    return panel.session_ends


def sessions_to_settle(given: object) -> int:
    """How many sessions a sale takes to settle.

    Args:
        given: a number of sessions, ``"T+1"`` or the like, or None = at once.

    Raises:
        ConfigError: none of these, or more than 16.

    Example:
        >>> sessions_to_settle("T+2"), sessions_to_settle(None)
        (2, 0)
    """
    if given is None:
        return 0
    text = str(given).upper().removeprefix("T+")
    if isinstance(given, bool) or not text.isdecimal() or int(text) > MOST_SESSIONS:
        raise ConfigError(
            f"settlement {given!r} is not 0 to {MOST_SESSIONS} sessions", where="run, settlement", do='write settlement="T+1"'
        )
    return int(text)


def turns_of(panel: Panel, settlement: int) -> Ints:
    """The bars that begin a session, but the first; none where sales settle at once."""
    if not panel.bars or not settlement:
        return NO_BARS
    return panel.session_ends[:-1] + 1
