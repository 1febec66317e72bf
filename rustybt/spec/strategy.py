"""The strategy: frozen, plain data made of plain Polars expressions."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any

import polars as pl

from rustybt.errors import SpecError
from rustybt.model.requests import Measure
from rustybt.spec.exits import Exits
from rustybt.spec.guard import check
from rustybt.spec.hooks import OnBar, json_copy
from rustybt.spec.orders import CANCEL_POLICIES, Order, order_terms
from rustybt.spec.parameters import Scalar
from rustybt.spec.schedule import Schedule
from rustybt.spec.targets import Target, lift
from rustybt.spec.tree import parse, render

RESERVED = frozenset(
    {"ts", "ts_open", "asset", "session", "variant", "row", "open", "high", "low", "close", "volume", "target", "universe"}
)
"""Names that a signal may not take: the frame's own columns and the fixed terms."""
RESERVED_PREFIXES = ("ticks_", "adj_", "__")
UNNAMED = "unnamed"

building: ContextVar[str] = ContextVar("building", default=UNNAMED)
"""The name that a strategy without one takes: that of the `@strategy` function being called."""
proving: ContextVar[bool] = ContextVar("proving", default=True)
"""Whether a strategy is proven past-only when it is made. A sweep that proves the parts of its variants, each once, says no."""


@dataclass(frozen=True, eq=False)
class Strategy:
    """What to trade and when, as data: it can be checked, hashed, written to JSON and run by every engine.

    Args:
        name: label for reports; a `@strategy` function gives its own.
        params: parameter values that made it; a `@strategy` function fills them in.
        target: wanted position per asset: `weight`, `notional` or `quantity`.
        universe: true where an asset is eligible; elsewhere the target is 0.
        schedule: when the target is decided anew; None = whenever its value changes.
        exits: rules that close positions.
        signals: named expressions, kept in the results.
        warmup: bars before the first decision; None = what the terms need.
        on_bar: callback for what data cannot say, or an `OnBar` with its lookback and state.
        orders: orders sent one by one, each an `order`; beside a target or instead of one.
        cancel_policy: what becomes of its orders that still work when a session ends: ``never`` or ``end_of_day``; None = ``never``, unless
            the run says otherwise. What the run says comes first.
        declared: bounds of opaque callbacks and plugins inside expressions, for the guard.

    Raises:
        LookaheadError: a term may see the future.
        SpecError: a term has a wrong type, a name is taken, or there is neither a target nor a callback; the message names the term.

    Two strategies are equal when their names and their `spec_id` are.

    Example:
        >>> from rustybt.spec import weight
        >>> fast, slow = pl.col("close").rolling_mean(20), pl.col("close").rolling_mean(50)
        >>> Strategy("cross", target=weight(pl.when(fast > slow).then(1.0).otherwise(0.0))).terms().keys()
        dict_keys(['target'])
    """

    name: str = ""
    params: Mapping[str, Scalar] = field(default_factory=dict)
    target: Target | None = None
    universe: pl.Expr | None = None
    schedule: Schedule | None = None
    exits: Exits | None = None
    signals: Mapping[str, pl.Expr] = field(default_factory=dict)
    warmup: int | None = None
    on_bar: OnBar | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)
    orders: Sequence[Order] = ()
    cancel_policy: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__.__get__(self)
        if not proving.get() and self._plain():
            put("name", self.name or building.get())
            return
        if not isinstance(self.name, str):
            raise SpecError(f"name {self.name!r} is not text", where="strategy", do='give a text, such as "sma_cross"')
        put("name", self.name or building.get())
        put("orders", _orders(self.orders))
        put("params", MappingProxyType(_params(self.params)))
        put("signals", MappingProxyType(_signals(self.signals)))
        put("declared", MappingProxyType(json_copy(_listed(self.declared), "declared")))
        if callable(self.on_bar) and not isinstance(self.on_bar, OnBar):
            put("on_bar", OnBar(self.on_bar))
        self._check_types()
        if proving.get():
            self.prove()

    def _plain(self) -> bool:
        """Whether there is nothing to check but the terms: what `_check_types` and the readers of the fields would say yes to."""
        warmup, exits = self.warmup, self.exits
        return (
            type(self.name) is str
            and type(self.target) is Target
            and self.on_bar is None
            and not (self.orders or self.params or self.signals or self.declared)
            and (self.universe is None or isinstance(self.universe, pl.Expr))
            and (self.schedule is None or type(self.schedule) is Schedule)
            and (exits is None or (type(exits) is Exits and (exits.reentry != "schedule" or self.schedule is not None)))
            and (warmup is None or (type(warmup) is int and warmup >= 0))
        )

    def prove(self) -> None:
        """Check every term; what is made outside of a sweep has been checked.

        Raises:
            LookaheadError, SpecError: as when a strategy is made.
        """
        for term, expr in self.terms().items():
            if expr.meta.has_multiple_outputs():
                raise SpecError(f"term {term!r} gives several columns", where=self._at(term), do="write one expression per term")
        check(self)

    def terms(self) -> dict[str, pl.Expr]:
        """Every expression by its term name: signals in their order, the parts of orders, then ``universe``, then ``target``.

        Example:
            >>> from rustybt.spec import quantity
            >>> list(Strategy(target=quantity(1), universe=pl.col("volume") > 0, signals={"gap": pl.col("open")}).terms())
            ['gap', 'universe', 'target']
        """
        found = dict(self.signals) | order_terms(self.orders)
        if self.universe is not None:
            found["universe"] = self.universe
        if self.target is not None:
            found["target"] = self.target.expr
        return found

    @cached_property
    def spec_id(self) -> str:
        """SHA-256 of what it means, 64 hex digits: equal for equal terms and parameters in every process. The name is not part of it."""
        from rustybt.spec.identity import digest

        return digest(self)

    def _check_types(self) -> None:
        expected: dict[str, tuple[type, str]] = {
            "target": (Target, "wrap it: weight(...), notional(...) or quantity(...)"),
            "universe": (pl.Expr, 'give a true/false expression, such as pl.col("asset").is_in(["AAPL"])'),
            "schedule": (Schedule, "use every(), month_end() and the like"),
            "exits": (Exits, 'use exits(stop_loss="0.05")'),
            "on_bar": (OnBar, "give a function, or OnBar(function, lookback=...)"),
        }
        for term, (kind, do) in expected.items():
            value = getattr(self, term)
            if value is not None and not isinstance(value, kind):
                raise SpecError(f"{term} is a {type(value).__name__}", where=self._at(term), do=do)
        if self.target is None and self.on_bar is None and not self.orders:
            raise SpecError(
                "there is neither a target nor an on_bar nor orders: nothing would be traded",
                where=self._at(),
                do="give target=weight(...), or orders=[order(...)]",
            )
        if self.warmup is not None and (isinstance(self.warmup, bool) or not isinstance(self.warmup, int) or self.warmup < 0):
            raise SpecError(f"warmup {self.warmup!r} is not a whole number of bars", where=self._at("warmup"), do="give 0 or more, or None")
        if self.cancel_policy is not None and self.cancel_policy not in CANCEL_POLICIES:
            do = f"use one of {', '.join(map(repr, CANCEL_POLICIES))}, or leave it out"
            raise SpecError(f"cancel_policy {self.cancel_policy!r} is unknown", where=self._at("cancel_policy"), do=do)
        if self.exits is not None and self.exits.reentry == "schedule" and self.schedule is None:
            raise SpecError('reentry="schedule" without a schedule', where=self._at("exits"), do="give schedule=, or use reentry='change'")

    def _at(self, term: str = "") -> str:
        return f"strategy {self.name!r}" + (f", term {term!r}" if term else "")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Strategy):
            return NotImplemented
        return self.name == other.name and self.spec_id == other.spec_id

    def __hash__(self) -> int:
        return hash(self.spec_id)

    def __getstate__(self) -> dict[str, Any]:
        return {k: dict(v) if isinstance(v, MappingProxyType) else v for k, v in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            object.__setattr__(self, key, MappingProxyType(value) if key in ("params", "signals", "declared") else value)

    def __repr__(self) -> str:
        return "\n".join([self._title(), *(f"  {label}: {text}" for label, text in self._rows())])

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(k)}</th><td style='text-align:left'><code>{html.escape(v)}</code></td></tr>"
            for k, v in self._rows()
        )
        return f"<div><strong>{html.escape(self._title())}</strong><table>{cells}</table></div>"

    def _title(self) -> str:
        return f"Strategy {self.name}({', '.join(f'{k}={v!r}' for k, v in self.params.items())})"

    def _rows(self) -> list[tuple[str, str]]:
        rows = [(term, render(parse(expr))) for term, expr in self.terms().items() if term != "target"]
        rows += [(term, repr(value)) for term in ("target", "schedule", "exits", "on_bar") if (value := getattr(self, term)) is not None]
        rows += [(f"orders[{place}]", f"{asked.kind}, {asked.tif}") for place, asked in enumerate(self.orders)]
        rows += [("warmup", f"{self.warmup} bars")] if self.warmup is not None else []
        rows += [("cancel_policy", self.cancel_policy)] if self.cancel_policy is not None else []
        rows += [("declared", ", ".join(sorted(self.declared)))] if self.declared else []
        return rows


def stamped(strategy: Strategy, name: str, params: Mapping[str, Scalar]) -> Strategy:
    """The same strategy under a name, with the parameters that made it, without checking its terms again.

    Args:
        strategy: already checked.
        name: of the function that made it.
        params: values by parameter name.
    """
    made = object.__new__(Strategy)
    made.__setstate__(strategy.__getstate__() | {"name": name, "params": dict(params)})
    made.__dict__.pop("spec_id", None)
    return made


def _params(params: Mapping[str, Scalar]) -> dict[str, Scalar]:
    if not isinstance(params, Mapping):
        raise SpecError(f"params is a {type(params).__name__}", where="strategy, params", do="give a mapping of names to values")
    for name, value in params.items():
        if not isinstance(name, str) or not (value is None or isinstance(value, (int, float, str, bool, Decimal))):
            raise SpecError(
                f"parameter {name!r} is a {type(value).__name__}", where="strategy, params", do="use numbers, text, true/false or None"
            )
        if isinstance(value, (float, Decimal)) and not math.isfinite(value):
            raise SpecError(f"parameter {name!r} is {value}", where="strategy, params", do="give a finite number")
    return dict(params)


def _orders(orders: object) -> tuple[Order, ...]:
    given = (orders,) if isinstance(orders, Order) else tuple(orders) if isinstance(orders, (list, tuple)) else None
    if given is None or not all(isinstance(asked, Order) for asked in given):
        raise SpecError(f"orders is {orders!r}", where="strategy, orders", do='give a list: orders=[order("limit", ...)]')
    for place, asked in enumerate(given):
        if asked.measure is Measure.FILLED:
            where, do = f"strategy, orders[{place}]", "put it into then= of the order that is filled"
            raise SpecError('quantity="filled" without an order before it', where=where, do=do)
    return given


def _listed(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Bounds may be given as tuples; JSON knows lists only."""
    if not isinstance(declared, Mapping):
        return declared
    return {name: list(bounds) if isinstance(bounds, tuple) else bounds for name, bounds in declared.items()}


def _signals(signals: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    if not isinstance(signals, Mapping):
        raise SpecError(f"signals is a {type(signals).__name__}", where="strategy, signals", do="give a mapping of names to expressions")
    for name in signals:
        if not isinstance(name, str) or not name.isidentifier():
            raise SpecError(f"signal name {name!r} is not a word", where="strategy, signals", do="use letters, digits and underscores")
        if name in RESERVED or name.startswith(RESERVED_PREFIXES):
            raise SpecError(f"signal name {name!r} is taken by the frame", where="strategy, signals", do="choose another name")
    return {name: lift(expr, name) for name, expr in signals.items()}
