"""Orders asked for one by one: what to send, at which price and for how long, as data made of expressions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from dataclasses import replace as replace_in
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import polars as pl

from rustybt.errors import SpecError
from rustybt.model.requests import Measure, OrderKind
from rustybt.spec.targets import lift
from rustybt.spec.tree import parse, render

type Amount = pl.Expr | int | float | Decimal
type End = pl.Expr | int | date | datetime

KINDS = {
    "market": OrderKind.MARKET,
    "limit": OrderKind.LIMIT,
    "stop": OrderKind.STOP,
    "stop_limit": OrderKind.STOP_LIMIT,
    "market_if_touched": OrderKind.MARKET_IF_TOUCHED,
    "limit_if_touched": OrderKind.LIMIT_IF_TOUCHED,
    "trailing_stop": OrderKind.STOP,
    "trailing_stop_limit": OrderKind.STOP_LIMIT,
}
LIMITED = frozenset({"limit", "stop_limit", "limit_if_touched"})
STOPPED = frozenset({"stop", "stop_limit", "market_if_touched", "limit_if_touched"})
TIMES = ("day", "gtc", "gtd", "ioc", "fok", "at_open", "at_close")
TRAILING = frozenset({"trailing_stop", "trailing_stop_limit"})
AT_ONCE = frozenset({"ioc", "fok", "at_open", "at_close"})
SIZES = ("quantity", "weight", "notional")
MOST_UNTIL = 2**31
"""A number of bars is less than this."""
LOSING = ("stop", "stop_limit", "trailing_stop", "trailing_stop_limit")
GAINING = ("limit", "market_if_touched", "limit_if_touched")
"""Kinds of the two exits of a bracket."""
CANCEL_POLICIES = ("never", "end_of_day")
"""What becomes of the orders of a strategy that still work when a session ends."""
PARTS = ("when", "size", "side", "limit", "stop", "trail", "trail_fraction", "limit_offset", "until", "cancel", "display")
"""Parts that may be expressions, in the order of their terms."""
FIXED = frozenset({"size", "side", "limit", "stop", "trail", "limit_offset"})
"""Those of which it is worth knowing that they are one number at every bar."""


@dataclass(frozen=True, eq=False)
class Order:
    """An order that a strategy sends at every bar at which its condition holds. Make one with `order`.

    Attributes:
        kind: key of `KINDS`.
        measure: what ``size`` is told in.
        size: expression; None for the whole position.
        tif: one of `TIMES`.
        when, side, limit, stop, trail, trail_fraction, limit_offset, until, cancel, display: expressions or None.
        replace, post_only, reduce_only, then, oco: as in `order`.
    """

    kind: str
    measure: Measure
    size: pl.Expr | None
    tif: str
    when: pl.Expr | None = None
    side: pl.Expr | None = None
    limit: pl.Expr | None = None
    stop: pl.Expr | None = None
    trail: pl.Expr | None = None
    trail_fraction: pl.Expr | None = None
    limit_offset: pl.Expr | None = None
    until: pl.Expr | None = None
    cancel: pl.Expr | None = None
    display: pl.Expr | None = None
    replace: bool = True
    post_only: bool = False
    reduce_only: bool = False
    then: tuple[Order, ...] = ()
    oco: tuple[Order, ...] = ()

    def __post_init__(self) -> None:
        check_kind(self)
        check_time(self)
        check_display(self)
        check_batch(self)

    def parts(self) -> Iterator[tuple[str, pl.Expr]]:
        """The expressions that it has, by name."""
        for name in PARTS:
            expr = getattr(self, name)
            if expr is not None:
                yield name, expr

    @cached_property
    def fixed(self) -> dict[str, pl.Series]:
        """Its parts that are one number at every bar, by name: a row of each."""
        numbers = ((name, expr) for name, expr in self.parts() if name in FIXED and expr.meta.is_literal())
        found = {name: pl.select(expr).to_series() for name, expr in numbers}
        return {name: value for name, value in found.items() if value.dtype.is_numeric() and not value.null_count()}

    def plain(self) -> dict[str, Any]:
        """What is not an expression."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in (*PARTS, "then", "oco")} | {
            "measure": self.measure.name.lower()
        }

    def followers(self) -> Iterator[tuple[str, Order]]:
        """The orders of its batch behind it, by where they stand: ``then[0]``, ``oco[0]``."""
        for name in ("then", "oco"):
            for place, asked in enumerate(getattr(self, name)):
                yield f"{name}[{place}]", asked

    def __repr__(self) -> str:
        sizes = {Measure.POSITION: "the whole position", Measure.FILLED: "what is filled"}
        said = [repr(self.kind), sizes.get(self.measure, self.measure.name.lower())]
        said += [f"{name}={render(parse(expr))}" for name, expr in self.parts()]
        said += [f"{name}={list(orders)!r}" for name, orders in (("then", self.then), ("oco", self.oco)) if orders]
        return f"order({', '.join(said)}, tif={self.tif!r})"


def order(
    kind: str = "market",
    quantity: Amount | Literal["position", "filled"] | None = None,
    *,
    weight: Amount | None = None,
    notional: Amount | None = None,
    side: pl.Expr | Literal["buy", "sell"] | None = None,
    limit: Amount | None = None,
    stop: Amount | None = None,
    trail: Amount | None = None,
    trail_fraction: Amount | None = None,
    limit_offset: Amount | None = None,
    when: pl.Expr | None = None,
    cancel: pl.Expr | None = None,
    tif: str = "day",
    until: End | None = None,
    display: Amount | None = None,
    replace: bool = True,
    post_only: bool = False,
    reduce_only: bool = False,
    then: Sequence[Order] = (),
    oco: Sequence[Order] = (),
) -> Order:
    """An order that is sent at the end of every bar at which ``when`` holds; it can be filled from the next bar on.

    Sizes, prices and conditions may be numbers or expressions over the bar. Where one of them is null, nothing is sent. Rules: section 14
    of the rule book.

    Args:
        kind: ``market``, ``limit``, ``stop``, ``stop_limit``, ``market_if_touched``, ``limit_if_touched``, ``trailing_stop`` or
            ``trailing_stop_limit``.
        quantity: of the asset, negative to sell; ``"position"`` sends what would close the position; in ``then``, ``"filled"`` is the other
            way round what the order before it has filled.
        weight: instead of a quantity, a fraction of equity; negative to sell.
        notional: instead of a quantity, money; negative to sell.
        side: ``"buy"``, ``"sell"`` or an expression (true or above 0 buys, false or below 0 sells); sizes are then not negative.
        limit: the worst price, rounded to the tick.
        stop: the price that triggers it, rounded to the tick.
        trail: how far a trailing stop follows the best price since, in price.
        trail_fraction: instead, as a fraction of that price, between 0 and 1.
        limit_offset: how far beyond its stop the limit of a ``trailing_stop_limit`` lies, in price.
        when: condition; None = at every bar that decides.
        cancel: where true, what this order has sent before and still works is cancelled, before anything new is sent.
        tif: ``day``, ``gtc``, ``gtd`` (needs ``until``), ``ioc``, ``fok``, ``at_open`` or ``at_close``.
        until: of ``gtd``, inclusive: a session date, an instant in UTC, or a number of bars after the one that decides.
        display: of an order with a limit that rests, how much of it the market is to see: above 0, at most the quantity, in whole lots
            (toward zero). A bar does not show what stands in a book, so it is recorded with the order and changes no fill.
        replace: whether a new order takes the place of what this one has sent before and still works.
        post_only: a limit order that would be filled on arrival is rejected.
        reduce_only: never more than closes the position.
        then: orders that the first fill of this one sends; a fill of one of them cancels the others. See `bracket`.
        oco: orders that are sent together with this one; a fill of one cancels the others.

    Raises:
        SpecError: naming the argument that cannot be.

    Example:
        >>> dip = order("limit", weight=0.1, limit=pl.col("close") * 0.99, when=pl.col("close") > pl.col("open"))
        >>> dip.kind, dip.tif
        ('limit', 'day')
    """
    measure, size = read_size(quantity, weight, notional)
    return Order(
        kind=kind,
        measure=measure,
        size=size,
        tif=tif,
        when=condition(when, "when"),
        side=read_side(side, measure),
        limit=price(limit, "limit"),
        stop=price(stop, "stop"),
        trail=price(trail, "trail"),
        trail_fraction=fraction(trail_fraction, "trail_fraction"),
        limit_offset=price(limit_offset, "limit_offset"),
        until=read_until(until),
        cancel=condition(cancel, "cancel"),
        display=read_display(display, quantity),
        replace=flag(replace, "replace"),
        post_only=flag(post_only, "post_only"),
        reduce_only=flag(reduce_only, "reduce_only"),
        then=orders_of(then, "then"),
        oco=orders_of(oco, "oco"),
    )


def bracket(entry: Order, *, stop: Order, target: Order) -> Order:
    """An entry whose fill sends a stop and a target; a fill of one of them cancels the other.

    Args:
        entry: how to get in.
        stop: how to get out at a loss; with ``quantity="filled"`` it has the size of what the entry filled.
        target: how to get out at a gain.

    Raises:
        SpecError: a stop or a target of a kind that is none, or an entry with ``then`` or ``oco``.

    Example:
        >>> close = pl.col("close")
        >>> deal = bracket(
        ...     order("limit", 100, limit=close * 0.99, tif="gtc"),
        ...     stop=order("stop", "filled", stop=close * 0.95, tif="gtc", reduce_only=True),
        ...     target=order("limit", "filled", limit=close * 1.05, tif="gtc", reduce_only=True),
        ... )
        >>> [asked.kind for asked in deal.then]
        ['stop', 'limit']
    """
    for name, asked in (("entry", entry), ("stop", stop), ("target", target)):
        if not isinstance(asked, Order):
            raise SpecError(f"{name} is {asked!r}", where=f"bracket, {name}", do="give an order(...)")
    for name, asked, kinds in (("stop", stop, LOSING), ("target", target, GAINING)):
        if asked.kind not in kinds:
            raise SpecError(f"the {name} is a {asked.kind} order", where=f"bracket, {name}", do=f"use one of {', '.join(kinds)}")
    if entry.then:
        raise SpecError(
            "the entry sends orders of its own", where="bracket, entry", do="leave its then= out, or write then= without bracket"
        )
    return replace_in(entry, then=(stop, target))


def read_size(quantity: object, weight: object, notional: object) -> tuple[Measure, pl.Expr | None]:
    """Which of the three sizes is given."""
    given = {name: value for name, value in zip(SIZES, (quantity, weight, notional), strict=True) if value is not None}
    if len(given) != 1:
        raise refusal("quantity", f"{len(given)} sizes are given", "give one of quantity, weight, notional")
    name, value = next(iter(given.items()))
    if isinstance(value, str):
        if name != "quantity" or value not in ("position", "filled"):
            raise refusal(name, f"{name} is the text {value!r}", 'give a number, an expression, or quantity="position"')
        return Measure[value.upper()], None
    if not isinstance(value, pl.Expr) and number(value, name) == 0:
        raise refusal(name, f"{name} is 0", "give a size other than 0")
    return Measure[name.upper()], lift(value, name)


def read_side(side: object, measure: Measure) -> pl.Expr | None:
    """``buy`` as 1, ``sell`` as -1, or an expression."""
    if side is None or isinstance(side, pl.Expr):
        found = side
    elif side in ("buy", "sell"):
        found = pl.lit(1 if side == "buy" else -1)
    else:
        raise refusal("side", f"side is {side!r}", 'give "buy", "sell" or an expression')
    if found is not None and measure in (Measure.POSITION, Measure.FILLED):
        raise refusal("side", "an order that closes something has a side of its own", "leave side out")
    return found


def read_until(until: object) -> pl.Expr | None:
    """A date, an instant, a number of bars, or an expression of one of them."""
    if until is None or isinstance(until, pl.Expr):
        return until
    if isinstance(until, datetime) and until.tzinfo is None:
        raise refusal("until", f"until {until} has no time zone", "write it in UTC: datetime(..., tzinfo=UTC)")
    if isinstance(until, bool) or not isinstance(until, (int, date)) or (isinstance(until, int) and not 1 <= until < MOST_UNTIL):
        raise refusal("until", f"until is {until!r}", "give a date, an instant in UTC, or a number of bars from 1")
    return pl.lit(until)


def read_display(display: object, quantity: object) -> pl.Expr | None:
    """A part of the order above 0, not more than a quantity that is a number."""
    if display is None or isinstance(display, pl.Expr):
        return display
    shown = number(display, "display")
    if shown <= 0:
        raise refusal("display", f"display is {display}, not above 0", "leave display out to show all of the order")
    if quantity is not None and not isinstance(quantity, (str, pl.Expr)) and shown > abs(number(quantity, "quantity")):
        raise refusal("display", f"display {display} is more than the quantity {quantity}", "show at most the quantity")
    return lift(display, "display")


def number(value: object, name: str) -> Decimal:
    """A plain number, finite."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not math.isfinite(value):
        raise refusal(name, f"{name} is {value!r}", "give a finite number or an expression")
    return Decimal(str(value))


def price(value: object, name: str) -> pl.Expr | None:
    """A price above 0, or an expression."""
    if value is None or isinstance(value, pl.Expr):
        return value
    if number(value, name) <= 0:
        raise refusal(name, f"{name} is {value}, not a price above 0", "give a price above 0 or an expression")
    return lift(value, name)


def fraction(value: object, name: str) -> pl.Expr | None:
    """A number between 0 and 1, or an expression."""
    found = price(value, name)
    if not isinstance(value, pl.Expr) and value is not None and number(value, name) >= 1:
        raise refusal(name, f"{name} is {value}, not below 1", "give a fraction, such as 0.05 for 5 %")
    return found


def condition(value: object, name: str) -> pl.Expr | None:
    """An expression or None."""
    if value is None or isinstance(value, pl.Expr):
        return value
    raise refusal(name, f"{name} is {value!r}, not an expression", 'compare: pl.col("close") > pl.col("open")')


def flag(value: object, name: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise refusal(name, f"{name} is {value!r}, not true or false", "give True or False")
    return value


def orders_of(value: object, name: str) -> tuple[Order, ...]:
    """Orders of a batch."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise refusal(name, f"{name} is {value!r}, not a list of orders", "give a list of order(...)")
    return tuple(value)


def check_kind(asked: Order) -> None:
    """Refuse a kind without the prices that it needs, or with others."""
    if not isinstance(asked.kind, str) or asked.kind not in KINDS:
        raise refusal("kind", f"kind {asked.kind!r} is unknown", "use one of " + ", ".join(KINDS))
    trails, offset = asked.kind in TRAILING, "limit_offset"
    if trails and (asked.trail is None) == (asked.trail_fraction is None):
        raise refusal("trail", f"a {asked.kind} needs trail or trail_fraction, and one only", "give one of them")
    if not trails and (asked.trail is not None or asked.trail_fraction is not None):
        raise refusal("trail", f"a {asked.kind} order does not trail", 'use kind="trailing_stop"')
    if (asked.limit_offset is not None) != (asked.kind == "trailing_stop_limit"):
        raise refusal(
            offset,
            f"a {asked.kind} order {'has no' if trails else 'has no use for a'} limit_offset",
            f"give {offset}= with a trailing_stop_limit",
        )
    for name, needing in (("limit", LIMITED), ("stop", STOPPED)):
        if asked.kind in needing and getattr(asked, name) is None:
            raise refusal(name, f"a {asked.kind} order has no {name}", f"give {name}=, a price or an expression")
        if asked.kind not in needing and getattr(asked, name) is not None:
            raise refusal(name, f"a {asked.kind} order has no use for a {name}", f"leave {name} out, or choose another kind")


def check_time(asked: Order) -> None:
    """Refuse a time in force that does not go with the rest."""
    if asked.tif not in TIMES:
        raise refusal("tif", f"tif {asked.tif!r} is unknown", "use one of " + ", ".join(TIMES))
    if (asked.tif == "gtd") != (asked.until is not None):
        what = "gtd does not say until when" if asked.tif == "gtd" else f"tif {asked.tif!r} has no use for an until"
        raise refusal("until", what, "give until= with tif='gtd', and only with it")
    if asked.tif in AT_ONCE and asked.kind not in ("market", "limit"):
        raise refusal("tif", f"a {asked.kind} order waits, and {asked.tif!r} does not", "use day, gtc or gtd")
    if asked.post_only and (asked.kind != "limit" or asked.tif in AT_ONCE):
        raise refusal("post_only", f"a {asked.kind} order with tif {asked.tif!r} cannot be post-only", "use a limit order that rests")


def check_display(asked: Order) -> None:
    """Refuse a part to show of an order that does not stand in a book."""
    if asked.display is not None and (asked.kind not in (*LIMITED, "trailing_stop_limit") or asked.tif in AT_ONCE):
        what = f"a {asked.kind} order with tif {asked.tif!r} does not stand in a book, where a part of it could be shown"
        raise refusal("display", what, "leave display out, or use an order with a limit that rests")


def check_batch(asked: Order) -> None:
    """Refuse followers that cannot follow."""
    for name in ("then", "oco"):
        for follower in getattr(asked, name):
            if not isinstance(follower, Order):
                raise refusal(name, f"{name} holds {follower!r}", "give orders")
            for part in ("when", "cancel", "then", "oco"):
                given = getattr(follower, part)
                if given is not None and not (isinstance(given, tuple) and not given):
                    raise refusal(name, f"an order in {name} has a {part} of its own", f"leave {part} to the first order")
            if name == "then" and follower.tif in AT_ONCE:
                raise refusal(name, f"an order in then has tif {follower.tif!r}", "use day, gtc or gtd")
            if name == "oco" and follower.measure is Measure.FILLED:
                raise refusal(name, 'an order in oco has quantity="filled"', "give it a size")
    if asked.then and asked.oco:
        raise refusal("oco", "an order has both then and oco", "give one of them")


def refusal(name: str, what: str, do: str) -> SpecError:
    """What is wrong with an argument of `order`."""
    return SpecError(what, where=f"order, {name}", do=do)


def order_terms(orders: Sequence[Order]) -> dict[str, pl.Expr]:
    """The expressions of a strategy's orders by term name, such as ``orders[0].limit``."""
    found: dict[str, pl.Expr] = {}
    for place, asked in enumerate(orders):
        for where, one in (("", asked), *((f".{follower}", order) for follower, order in asked.followers())):
            found |= {f"orders[{place}]{where}.{name}": expr for name, expr in one.parts()}
    return found
