"""Orders of a callback: what it types becomes one row for the kernel, checked like the orders of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from rustybt.engine.requests import PRICES
from rustybt.errors import ConfigError, OrderError, SpecError
from rustybt.model import REQUEST_FIELDS, Asset, Measure, OrderFlag, OrderKind, Reason, TimeInForce
from rustybt.model.decimals import RATE, to_decimal, to_units
from rustybt.spec.hooks import WorkingOrder
from rustybt.spec.orders import KINDS, Order, order, orders_of

EPOCH = date(1970, 1, 1)
START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where an order goes.

    Attributes:
        asset: of the order. slot: of the asset and the strategy. bar: at which it is sent.
        closes: whether it is known when sessions close.
    """

    asset: Asset
    slot: int
    bar: int
    closes: bool


def batch_of(place: Place, quantity: object, settings: dict[str, Any]) -> list[list[int]]:
    """The rows of an order and of those that it brings along, the order first.

    Args:
        place: where they go.
        quantity: signed, or ``"position"``.
        settings: of the order, as in `sent`, with ``then`` and ``oco``.

    Raises:
        OrderError: naming the argument that cannot be.
    """
    where = f"on_bar, order({place.asset.symbol!r})"
    if isinstance(quantity, str) and quantity == "filled":
        raise OrderError("nothing is filled before it", where=f"{where}, quantity", do="put it into then= of the order that is filled")
    try:
        settings = settings | {name: orders_of(settings[name], name) for name in ("then", "oco")}
    except SpecError as error:
        raise OrderError(error.what, where=f"{where}, {error.where.removeprefix('order, ')}", do=error.do) from None
    rows = [sent(place, quantity, settings, where, OrderFlag.OCO if settings["oco"] else OrderFlag(0))]
    for name, flags in (("then", OrderFlag.JOIN | OrderFlag.OCO | OrderFlag.DORMANT), ("oco", OrderFlag.JOIN | OrderFlag.OCO)):
        for number, asked in enumerate(settings[name]):
            of = f"{where}, {name}[{number}]"
            rows.append(sent(place, *plainly(asked, of), of, flags))
    return rows


def lots_of(asset: Asset, quantity: object) -> int:
    """The lots of a market order.

    Raises:
        OrderError: a quantity that cannot be.
    """
    try:
        return to_units(quantity, asset.lot_size, "quantity", "down")
    except ConfigError as error:
        raise OrderError(error.what, where=f"on_bar, order({asset.symbol!r}), {error.where}", do=error.do) from None


def plainly(asked: Order, where: str) -> tuple[object, dict[str, Any]]:
    """Size and settings of an order that was made of numbers.

    Raises:
        OrderError: one of its parts is an expression, or its size no quantity.
    """
    found: dict[str, Any] = {}
    for name, expr in asked.parts():
        if not expr.meta.is_literal():
            raise OrderError(f"{name} is an expression", where=f"{where}, {name}", do="give a number: a callback has the bar at hand")
        found[name] = pl.select(expr).item()
    if asked.measure in (Measure.WEIGHT, Measure.NOTIONAL):
        do = 'give a quantity, "position" or "filled"'
        raise OrderError(f"a size by {asked.measure.name.lower()}", where=f"{where}, {asked.measure.name.lower()}", do=do)
    size: object = asked.measure.name.lower() if asked.size is None else found.pop("size") * int(found.pop("side", 1))
    kept = {name: getattr(asked, name) for name in ("kind", "tif", "post_only", "reduce_only")}
    return size, dict.fromkeys((*PRICES, "trail_fraction", "until", "display")) | {"then": (), "oco": ()} | kept | found


def sent(place: Place, quantity: object, settings: dict[str, Any], where: str, flags: OrderFlag) -> list[int]:
    """The row of an order.

    Args:
        place: where it goes.
        quantity: signed, ``"position"`` or ``"filled"``.
        settings: ``kind``, ``limit``, ``stop``, ``trail``, ``trail_fraction``, ``limit_offset``, ``tif``, ``until``, ``post_only``,
            ``reduce_only``, ``display``, ``then``, ``oco`` as in `rustybt.order`.
        where: how errors call it.
        flags: of its batch.

    Raises:
        OrderError: naming the argument that cannot be.
    """
    try:
        kind = settings["kind"]
        given = dict(settings) | {"tif": settings["tif"] or ("gtc" if kind == "market" else "day")}
        prices = {name: None if given[name] is None else _ticks(given[name], place.asset, name) for name in PRICES}
        whole = isinstance(quantity, str) and quantity in ("position", "filled")
        lots = 0 if whole else to_units(quantity, place.asset.lot_size, "quantity", "down")
        fraction = None if given["trail_fraction"] is None else to_decimal(given["trail_fraction"], "trail_fraction")
        shown = given["display"]
        display = 0 if shown is None else to_units(shown, place.asset.lot_size, "display", "down")
        if shown is not None and (display < 1 or (not whole and display > abs(lots))):
            what = f"display {shown} is {'less than a lot' if display < 1 else f'more than the quantity {quantity}'}"
            raise ConfigError(what, where="display", do="show a lot or more, and at most the quantity")
        checked = order(quantity="position", **(given | prices | {"trail_fraction": fraction}))
    except (SpecError, ConfigError) as error:
        raise OrderError(error.what, where=f"{where}, {(error.where or '').removeprefix('order, ')}", do=error.do) from None
    if checked.tif == "at_close" and not place.closes:
        what = "an at_close order needs to know when sessions close, and the data have no calendar"
        raise OrderError(what, where=f"{where}, tif", do="give calendar= (such as 'XNYS') with the data, or use another time in force")
    tif, until = _ends(given, place.bar)
    flags |= OrderFlag.POST_ONLY * checked.post_only | OrderFlag.REDUCE_ONLY * checked.reduce_only
    measure = Measure[str(quantity).upper()] if whole else Measure.QUANTITY
    facts = {"kind": KINDS[kind], "measure": measure, "size": lots, "tif": tif, "until": until, "flags": flags, "display": display}
    facts |= {field: prices[name] or 0 for name, field in PRICES.items()}
    rate = 0 if fraction is None else to_units(fraction, 1 / Decimal(RATE), "trail_fraction")
    return _row(place.slot, facts | {"trail_rate": rate})


def cancelled(slot: int, number: int) -> list[int]:
    """The row that cancels the order of a number."""
    return _row(slot, {"entry": -number, "flags": OrderFlag.CANCEL})


def amended(place: Place, number: int, changes: dict[str, Any]) -> list[int]:
    """The row that changes ``quantity``, ``limit`` or ``stop`` of the order of a number.

    Raises:
        OrderError: nothing to change, a quantity of less than a lot, or a price that is none.
    """
    where = f"on_bar, amend({number})"
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        raise OrderError("nothing is to be changed", where=where, do="give quantity=, limit= or stop=")
    try:
        facts: dict[str, int] = {name: _ticks(given[name], place.asset, name) for name in ("limit", "stop") if name in given}
        if "quantity" in given:
            facts["size"] = abs(to_units(given["quantity"], place.asset.lot_size, "quantity", "down"))
            if facts["size"] == 0:
                raise ConfigError(f"quantity {given['quantity']} is less than a lot", where="quantity", do="cancel the order instead")
    except ConfigError as error:
        raise OrderError(error.what, where=f"{where}, {error.where}", do=error.do) from None
    return _row(place.slot, {"entry": -number, "flags": OrderFlag.AMEND, **facts})


def working_of(row: dict[str, int], asset: Asset) -> WorkingOrder:
    """A working order in the words of a user."""

    def priced(name: str) -> Decimal | None:
        return row[name] * asset.tick_size if row[name] else None

    return WorkingOrder(
        number=row["number"],
        asset=asset.symbol,
        kind=OrderKind(row["kind"]).name.lower(),
        quantity=row["lots"] * asset.lot_size,
        limit=priced("limit"),
        stop=priced("stop"),
        display=min(row["display"], abs(row["lots"])) * asset.lot_size if row["display"] else None,
    )


def _row(slot: int, facts: dict[str, int]) -> list[int]:
    row = {"slot": slot, "reason": int(Reason.CALLBACK)} | facts
    return [int(row.get(name, 0)) for name in REQUEST_FIELDS]


def _ticks(value: object, asset: Asset, name: str) -> int:
    ticks = to_units(value, asset.tick_size, name)
    if ticks < 1:
        raise ConfigError(f"{name} {value} is not a price of a tick or more", where=name, do="give a price above 0")
    return ticks


def _ends(given: dict[str, Any], bar: int) -> tuple[TimeInForce, int]:
    until = given["until"]
    if until is None:
        return TimeInForce[given["tif"].upper()], 0
    if isinstance(until, datetime):
        return TimeInForce.UNTIL_TS, int((until - START).total_seconds()) * 1_000_000 + until.microsecond
    if isinstance(until, date):
        return TimeInForce.UNTIL_SESSION, (until - EPOCH).days
    return TimeInForce.UNTIL_BAR, bar + until
