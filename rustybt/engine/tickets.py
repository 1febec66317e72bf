"""Orders of a callback: what it types becomes one row for the kernel, checked like the orders of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from rustybt.engine.requests import PRICES
from rustybt.errors import ConfigError, OrderError, SpecError
from rustybt.model import REQUEST_FIELDS, Asset, Measure, OrderFlag, OrderKind, Reason, TimeInForce
from rustybt.model.decimals import RATE, to_decimal, to_units
from rustybt.spec.hooks import WorkingOrder
from rustybt.spec.orders import KINDS, order

EPOCH = date(1970, 1, 1)
START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where an order goes: its asset, its slot, and the bar at which it is sent."""

    asset: Asset
    slot: int
    bar: int


def sent(place: Place, quantity: object, settings: dict[str, Any]) -> list[int]:
    """The row of an order.

    Args:
        place: where it goes.
        quantity: signed, or ``"position"``.
        settings: ``kind``, ``limit``, ``stop``, ``trail``, ``trail_fraction``, ``limit_offset``, ``tif``, ``until``, ``post_only``,
            ``reduce_only``, ``display`` as in `rustybt.order`.

    Raises:
        OrderError: naming the argument that cannot be.
    """
    where = f"on_bar, order({place.asset.symbol!r})"
    try:
        kind = settings["kind"]
        given = dict(settings) | {"tif": settings["tif"] or ("gtc" if kind == "market" else "day")}
        prices = {name: None if given[name] is None else _ticks(given[name], place.asset, name) for name in PRICES}
        whole = isinstance(quantity, str) and quantity == "position"
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
    tif, until = _ends(given, place.bar)
    flags = OrderFlag.POST_ONLY * checked.post_only | OrderFlag.REDUCE_ONLY * checked.reduce_only
    measure = Measure.POSITION if whole else Measure.QUANTITY
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
