"""What the limits of `rustybt.controls` may be: exact numbers in range, days, symbols of the run, and an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model.controls import FAR_DAY, MOST_BARS, Response
from rustybt.model.decimals import LIMIT, RATE, to_decimal
from rustybt.model.panel import Ints

RESPONSES = {response.name.lower(): response for response in Response}
LOSSES = ("drawdown", "daily_loss")
OF_ACCOUNT = (*LOSSES, "max_leverage", "min_leverage", "max_value_at_risk")
MULTIPLES = ("concentration", "correlated_exposure", "price_move", "gross_exposure", "net_exposure", "max_leverage", "min_leverage")
FRACTIONS = (*MULTIPLES, "price_collar", "value_at_risk", "max_value_at_risk", *LOSSES)
COUNTS = {"orders_per_day": "count orders: 10", "duplicate": "count bars: 5"}
RISKS = ("value_at_risk", "max_value_at_risk")
TERMS: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "min_leverage_after": (("min_leverage",), 0, "count sessions: 5"),
    "risk_bars": (RISKS, 250, f"give 2 to {MOST_BARS} bars"),
    "risk_confidence": (RISKS, "0.95", 'write 99 % as "0.99"'),
    "correlated_bars": (("correlated_exposure",), 60, f"give 2 to {MOST_BARS} bars"),
    "correlated_above": (("correlated_exposure",), "0.7", 'give a correlation from 0 to below 1, such as "0.8"'),
}
"""What belongs to some limits: which ones, what holds where nothing is said, what to do about nonsense."""


@dataclass(frozen=True)
class Limit:
    """A limit and what follows when it is passed.

    Attributes:
        value: a number; for ``order_quantity`` and ``position`` also a mapping from symbol to number.
        action: ``allow`` (a row), ``warn`` (a row and a warning), ``reduce`` (the order is cut), ``reject``, ``halt``.
    """

    value: Any
    action: str = "reject"


def limit_from(value: Any, name: str) -> Any:
    """What `rustybt.controls` takes, from a plain value or a table of value and action.

    Raises:
        ConfigError: the table has other fields.
    """
    if not isinstance(value, Mapping) or not {"value", "action"} & set(value):
        return value
    if not {"value"} <= set(value) <= {"value", "action"}:
        raise ConfigError(
            f"{name} has the fields {', '.join(value)}", where=f"controls, {name}", do='write {"value": "0.1", "action": "warn"}'
        )
    action = value.get("action")
    if action is not None and (not isinstance(action, str) or action not in RESPONSES):
        raise ConfigError(f"action {action!r} is unknown", where=f"controls, {name}, action", do=f"use one of {', '.join(RESPONSES)}")
    return value["value"] if action is None else Limit(value["value"], action)


def limit(value: object, action: str = "reject") -> Limit:
    """A limit with another action than the usual one.

    Args:
        value: the most that is allowed, in the unit of the control.
        action: ``allow``, ``warn``, ``reduce``, ``reject`` or ``halt``.

    Raises:
        ConfigError: the action is unknown.

    Example:
        >>> limit("0.1", action="halt").action
        'halt'
    """
    if not isinstance(action, str) or action not in RESPONSES:
        raise ConfigError(f"action {action!r} is unknown", where="limit, action", do=f"use one of {', '.join(RESPONSES)}")
    return Limit(value, action)


def checked(name: str, given: object) -> Limit:
    """A limit with an exact value and an action that fits."""
    usual = "halt" if name in OF_ACCOUNT else "reject"
    found = given if isinstance(given, Limit) else Limit(given, usual)
    if name in OF_ACCOUNT and found.action in ("reduce", "reject"):
        raise ConfigError(f"{name} cannot {found.action}", where=f"controls, {name}", do="use allow, warn or halt")
    if name == "long_only":
        if found.value is not True:
            raise ConfigError(f"long_only {found.value!r} is not True", where="controls, long_only", do="write long_only=True")
        return found
    if name in ("order_quantity", "position") and isinstance(found.value, Mapping):
        return Limit({str(symbol): number_of(name, value) for symbol, value in found.value.items()}, found.action)
    return Limit(number_of(name, found.value), found.action)


def terms_of(given: Mapping[str, object], limits: Mapping[str, Limit]) -> dict[str, Any]:
    """What belongs to the limits, as exact numbers; that of limits which are not set is left out.

    Raises:
        ConfigError: a term without its limit, or out of range.
    """
    found = {}
    for name, (owners, usual, do) in TERMS.items():
        value = given[name]
        set_by = [owner for owner in owners if owner in limits]
        if not set_by and value is not None:
            raise ConfigError(f"{name} {value} without {owners[0]}", where=f"controls, {name}", do=f"give {owners[0]}= too")
        if set_by:
            found[name] = _term(name, usual if value is None else value, do)
    return found


def _term(name: str, value: object, do: str) -> Any:
    number, where = to_decimal(value, name), f"controls, {name}"
    if name in ("risk_confidence", "correlated_above"):
        if not 0 <= number < 1 or (name == "risk_confidence" and number == 0) or number * RATE != (number * RATE).to_integral_value():
            raise ConfigError(f"{name} {value} is not a fraction of at most 8 decimals below 1", where=where, do=do)
        return number
    least, most = (0, LIMIT) if name == "min_leverage_after" else (2, MOST_BARS)
    if number != number.to_integral_value() or not least <= number <= most:
        raise ConfigError(f"{name} {value} is not a whole number from {least} to {most}", where=where, do=do)
    return int(number)


def number_of(name: str, value: object) -> Any:
    """An exact number in the range of its control."""
    number = to_decimal(value, name)
    where = f"controls, {name}"
    if name in COUNTS:
        if number != number.to_integral_value() or not 0 <= number < LIMIT:
            raise ConfigError(f"{name} {value} is not a whole number", where=where, do=COUNTS[name])
        return int(number)
    if name in FRACTIONS:
        most = 1000 if name in MULTIPLES else 1
        if not 0 < number <= most or (name in LOSSES and number == 1) or number * RATE != (number * RATE).to_integral_value():
            raise ConfigError(f"{name} {value} is not a fraction of at most 8 decimals", where=where, do='write 10 % as "0.1"')
        return number
    if number < 0:
        raise ConfigError(f"{name} {value} is negative", where=where, do="give the largest size that is allowed")
    return number


def days_of(name: str, given: object) -> tuple[tuple[str, int, int], ...]:
    """Rows of symbol, first day, last day."""
    if given is None:
        return ()
    where = f"controls, {name}"
    if name == "asset_dates" and not isinstance(given, Mapping):
        raise ConfigError(f"asset_dates {given!r} is no mapping", where=where, do='write asset_dates={"ACME": ("2012-05-18", None)}')
    if isinstance(given, str) or not isinstance(given, Mapping | Sequence):
        raise ConfigError(f"restricted {given!r} is not a list", where=where, do='write restricted=["ACME"]')
    spans = given if isinstance(given, Mapping) else dict.fromkeys(given)
    rows = []
    for symbol, span in spans.items():
        first, last = ends_of(span, name, symbol)
        row = (str(symbol), -FAR_DAY if first is None else day_of(first, where), FAR_DAY if last is None else day_of(last, where))
        if row[1] > row[2]:
            raise ConfigError(f"{name} {symbol!r} ends before it starts", where=where, do="give (first day, last day)")
        rows.append(row)
    return tuple(sorted(rows))


def ends_of(span: Any, name: str, symbol: object) -> tuple[Any, Any]:
    """First and last day of a span: a pair, a table with ``from`` and ``to``, or None = always."""
    if isinstance(span, Mapping) and set(span) <= {"from", "to"}:
        return span.get("from"), span.get("to")
    if span is None:
        return None, None
    if isinstance(span, str | Mapping) or not isinstance(span, Sequence) or len(span) != 2:
        raise ConfigError(
            f"{span!r} of {symbol!r} are not two days", where=f"controls, {name}", do="give (first day, last day), None = open"
        )
    return span[0], span[1]


def day_of(day: object, where: str) -> int:
    """Days since 1970-01-01 of a date or an ISO text."""
    try:
        found = date.fromisoformat(day) if isinstance(day, str) else day
        return int(np.datetime64(found, "D").astype(np.int64))  # type: ignore[call-overload]
    except (ValueError, TypeError):
        raise ConfigError(f"{day!r} is not a date", where=where, do='write it like "2024-06-30"') from None


def spelled(rows: Sequence[tuple[str, int, int]]) -> dict[str, list[str | None]]:
    """First and last day by symbol as text, None = open."""
    epoch = date(1970, 1, 1)
    return {
        symbol: [None if abs(day) == FAR_DAY else (epoch + timedelta(days=day)).isoformat() for day in (first, last)]
        for symbol, first, last in sorted(rows)
    }


def spans_of(rows: tuple[tuple[str, int, int], ...], columns: Mapping[str, int], name: str) -> Ints:
    """Rows of asset, first day, last day."""
    check_symbols([symbol for symbol, _, _ in rows], columns, name)
    return np.array([(columns[symbol], first, last) for symbol, first, last in rows], dtype=np.int64).reshape(-1, 3)


def check_symbols(symbols: Sequence[str], columns: Mapping[str, int], name: str) -> None:
    """Every symbol is one of the run's.

    Raises:
        ConfigError: one is not.
    """
    for symbol in symbols:
        if symbol not in columns:
            raise ConfigError(f"{symbol!r} is none of the {len(columns)} assets", where=f"controls, {name}", do="check the symbol")


def plain_of(value: Any) -> Any:
    """A value of a limit as text, numbers without an exponent."""
    if isinstance(value, Mapping):
        return {symbol: plain_of(number) for symbol, number in sorted(value.items())}
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value
