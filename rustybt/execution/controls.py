"""Limits on orders and on the account: what a run, and later live trading, may not pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model.asset import Asset
from rustybt.model.controls import FAR_DAY, Control, ControlTable, Response
from rustybt.model.decimals import LIMIT, RATE, to_decimal, to_units
from rustybt.model.panel import Ints

RESPONSES = {response.name.lower(): response for response in Response}
LOSSES = ("drawdown", "daily_loss")
OF_ACCOUNT = (*LOSSES, "max_leverage", "min_leverage")
MULTIPLES = ("concentration", "gross_exposure", "net_exposure", "max_leverage", "min_leverage")
FRACTIONS = (*MULTIPLES, "price_collar", *LOSSES)
COUNTS = {"orders_per_day": "count orders: 10", "duplicate": "count bars: 5", "min_leverage_after": "count sessions: 5"}


@dataclass(frozen=True)
class Limit:
    """A limit and what follows when it is passed.

    Attributes:
        value: a number; for ``order_quantity`` and ``position`` also a mapping from symbol to number.
        action: ``allow`` (a row), ``warn`` (a row and a warning), ``reduce`` (the order is cut), ``reject``, ``halt``.
    """

    value: Any
    action: str = "reject"


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
    if action not in RESPONSES:
        raise ConfigError(f"action {action!r} is unknown", where="limit, action", do=f"use one of {', '.join(RESPONSES)}")
    return Limit(value, action)


@dataclass(frozen=True)
class Controls:
    """The controls of a run, checked. Make one with `controls`.

    Attributes:
        limits: by control, with exact values. restricted, dates: (symbol, first day, last day), days since 1970-01-01.
        flatten: whether a halt closes all positions. deadline: sessions after which ``min_leverage`` holds.
    """

    limits: Mapping[str, Limit] = field(default_factory=dict)
    restricted: tuple[tuple[str, int, int], ...] = ()
    flatten: bool = False
    dates: tuple[tuple[str, int, int], ...] = ()
    deadline: int = 0

    def table(self, assets: tuple[Asset, ...], money_scale: int) -> ControlTable:
        """The integers of the kernel for the assets of a run.

        Raises:
            ConfigError: a symbol is none of the run's, or a number does not fit.
        """
        columns = {asset.symbol: column for column, asset in enumerate(assets)}
        actions = np.full(len(Control), -1, dtype=np.int64)
        actions[Control.HALTED] = Response.REJECT
        for name, given in self.limits.items():
            actions[Control[name.upper()]] = RESPONSES[given.action]
        unit = Decimal(1).scaleb(-money_scale)
        rates: dict[str, Any] = {name: int(self.limits[name].value * RATE) if name in self.limits else 0 for name in FRACTIONS}
        notional = self.limits.get("order_notional")
        return ControlTable(
            actions,
            self._lots("order_quantity", columns, assets),
            self._lots("position", columns, assets),
            notional=0 if notional is None else to_units(notional.value, unit, "order_notional", "down"),
            orders=self._count("orders_per_day"),
            duplicate=self._count("duplicate"),
            flatten=self.flatten,
            restricted=_spans(self.restricted, columns, "restricted"),
            dates=_spans(self.dates, columns, "asset_dates"),
            collar=rates.pop("price_collar"),
            deadline=self.deadline,
            **rates,
        )

    def _count(self, name: str) -> int:
        """A whole number, 0 where there is no such limit."""
        return int(self.limits[name].value) if name in self.limits else 0

    def _lots(self, name: str, columns: Mapping[str, int], assets: tuple[Asset, ...]) -> Any:
        """A quantity per asset in lots, -1 = no limit."""
        lots = np.full(len(assets), -1, dtype=np.int64)
        if name not in self.limits:
            return lots
        value = self.limits[name].value
        chosen = value if isinstance(value, Mapping) else dict.fromkeys(columns, value)
        _known(list(chosen), columns, name)
        for symbol, number in chosen.items():
            lots[columns[symbol]] = to_units(number, assets[columns[symbol]].lot_size, name, "down")
        return lots

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest; the same for equal controls."""
        plain: dict[str, Any] = {
            name: {"value": _plain(given.value), "action": given.action} for name, given in sorted(self.limits.items())
        }
        plain |= {"asset_dates": plain["asset_dates"] | {"value": [list(row) for row in sorted(self.dates)]}} if self.dates else {}
        action = plain["restricted"]["action"] if self.restricted else "reject"
        plain |= {"restricted_action": action} if action != "reject" else {}
        plain |= {"min_leverage_after": self.deadline} if "min_leverage" in self.limits else {}
        return plain | {"restricted": [list(row) for row in sorted(self.restricted)], "flatten": self.flatten}


@dataclass(frozen=True)
class _Given:
    """The arguments of `controls` by name."""

    long_only: object = None
    orders_per_day: object = None
    order_quantity: object = None
    order_notional: object = None
    position: object = None
    concentration: object = None
    drawdown: object = None
    daily_loss: object = None
    price_collar: object = None
    duplicate: object = None
    gross_exposure: object = None
    net_exposure: object = None
    max_leverage: object = None
    min_leverage: object = None


def controls(
    *,
    order_quantity: object = None,
    order_notional: object = None,
    orders_per_day: object = None,
    position: object = None,
    concentration: object = None,
    long_only: object = None,
    restricted: Sequence[object] | Mapping[str, object] | Limit | None = None,
    drawdown: object = None,
    daily_loss: object = None,
    asset_dates: Mapping[str, object] | Limit | None = None,
    price_collar: object = None,
    duplicate: object = None,
    gross_exposure: object = None,
    net_exposure: object = None,
    max_leverage: object = None,
    min_leverage: object = None,
    min_leverage_after: int = 0,
    flatten: bool = False,
) -> Controls:
    """Limits of a run. Each is a value, or `limit(value, action)`; the usual action is ``reject``, of a loss ``halt``.

    What only reduces a position passes all of them, so do exits and rolls.

    Args:
        order_quantity: most units that one order opens, a number or a mapping from symbol to number.
        order_notional: most money that one order opens, at the last price.
        orders_per_day: most orders that open or increase, in a session, of all assets together.
        position: most units held of an asset, by one strategy; a number or a mapping from symbol to number.
        concentration: largest part of equity in one asset, 0.2 = 20 %.
        long_only: True refuses to open shorts.
        restricted: symbols that may not be bought or sold short, or a mapping from symbol to ``(first day, last day)``, None = open.
        drawdown: largest loss from the highest equity, 0.1 = 10 %; halts for the rest of the run.
        daily_loss: largest loss since the end of the session before; halts until the next session.
        asset_dates: a mapping from symbol to ``(first day, last day)`` on which it may be bought or sold short; None = open.
        price_collar: how far a limit or a stop of `rustybt.order` may lie from the last price, 0.1 = 10 %.
        duplicate: bars within which the same order of the same asset and strategy is a mistake.
        gross_exposure: most absolute value of all positions, as a multiple of equity; working orders of other assets count.
        net_exposure: most value of all positions, long less short, on either side, as a multiple of equity; likewise.
        max_leverage: most gross exposure that the account may have after a bar, as a multiple of equity; halts for the rest of the run.
        min_leverage: least of it.
        min_leverage_after: sessions at the beginning of the run in which ``min_leverage`` is not asked for.
        flatten: True: a halt cancels all orders and closes all positions; False: nothing more is opened.

    Raises:
        ConfigError: naming the field and its value.

    Example:
        >>> controls(long_only=True, drawdown="0.2").limits["drawdown"].action
        'halt'
    """
    given = _Given(long_only, orders_per_day, order_quantity, order_notional, position, concentration, drawdown, daily_loss)
    given = replace(given, price_collar=price_collar, duplicate=duplicate, gross_exposure=gross_exposure, net_exposure=net_exposure)
    given = replace(given, max_leverage=max_leverage, min_leverage=min_leverage)
    wait = _number("min_leverage_after", min_leverage_after)
    if wait and min_leverage is None:
        raise ConfigError(
            f"min_leverage_after {wait} without min_leverage", where="controls, min_leverage_after", do="give min_leverage= too"
        )
    if not isinstance(flatten, bool):
        raise ConfigError(f"flatten {flatten!r} is not True or False", where="controls, flatten", do="write flatten=True")
    said = {f.name: getattr(given, f.name) for f in fields(_Given)}
    limits = {name: _checked(name, value) for name, value in said.items() if value is not None and value is not False}
    listed = {"restricted": restricted, "asset_dates": asset_dates}
    spans = {name: _days(name, value.value if isinstance(value, Limit) else value) for name, value in listed.items()}
    limits |= {n: Limit(None, v.action if isinstance(v, Limit) else "reject") for n, v in listed.items() if spans[n]}
    return Controls(limits, spans["restricted"], flatten, spans["asset_dates"], wait)


def _checked(name: str, given: object) -> Limit:
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
        return Limit({str(symbol): _number(name, value) for symbol, value in found.value.items()}, found.action)
    return Limit(_number(name, found.value), found.action)


def _number(name: str, value: object) -> Any:
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


def _days(name: str, given: object) -> tuple[tuple[str, int, int], ...]:
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
        first, last = (None, None) if span is None else span
        row = (str(symbol), -FAR_DAY if first is None else _day(first, where), FAR_DAY if last is None else _day(last, where))
        if row[1] > row[2]:
            raise ConfigError(f"{name} {symbol!r} ends before it starts", where=where, do="give (first day, last day)")
        rows.append(row)
    return tuple(rows)


def _day(day: object, where: str) -> int:
    """Days since 1970-01-01 of a date or an ISO text."""
    try:
        found = date.fromisoformat(day) if isinstance(day, str) else day
        return int(np.datetime64(found, "D").astype(np.int64))  # type: ignore[call-overload]
    except (ValueError, TypeError):
        raise ConfigError(f"{day!r} is not a date", where=where, do='write it like "2024-06-30"') from None


def _spans(rows: tuple[tuple[str, int, int], ...], columns: Mapping[str, int], name: str) -> Ints:
    """Rows of asset, first day, last day."""
    _known([symbol for symbol, _, _ in rows], columns, name)
    return np.array([(columns[symbol], first, last) for symbol, first, last in rows], dtype=np.int64).reshape(-1, 3)


def _known(symbols: Sequence[str], columns: Mapping[str, int], name: str) -> None:
    for symbol in symbols:
        if symbol not in columns:
            raise ConfigError(f"{symbol!r} is none of the {len(columns)} assets", where=f"controls, {name}", do="check the symbol")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {symbol: _plain(number) for symbol, number in sorted(value.items())}
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value
