"""Identity: what a strategy means, written in one canonical way and hashed."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

from rustybt.errors import SpecError
from rustybt.spec.exits import Exits
from rustybt.spec.form import encode
from rustybt.spec.hooks import OnBar, source_digest
from rustybt.spec.orders import Order
from rustybt.spec.parameters import Scalar
from rustybt.spec.schedule import Schedule
from rustybt.spec.terms import Terms

VERSION = 1
"""Of the canonical form and of the JSON. It grows when either changes, and with it every identity."""


def digest(strategy: Terms) -> str:
    """SHA-256 of a strategy's terms and parameters, 64 hex digits.

    It does not depend on the name, on the order in which signals or parameters were given, on the process, or on where a callback's
    file lies. It does depend on a callback's source.

    Raises:
        SpecError: a term cannot be written.
    """
    return hashlib.sha256(canonical(strategy).encode()).hexdigest()


def canonical(strategy: Terms) -> str:
    """The text that `digest` hashes."""
    facts = {
        "version": VERSION,
        "params": {name: encode_scalar(value) for name, value in strategy.params.items()},
        **encode_terms(strategy, identity=True),
        "schedule": encode_schedule(strategy.schedule),
        "exits": encode_exits(strategy.exits),
        "warmup": strategy.warmup,
        "on_bar": encode_callback(strategy.on_bar),
        "declared": dict(strategy.declared),
    }
    if not strategy.orders:  # so that a strategy without orders is what it was before there were any
        del facts["orders"]
    if strategy.cancel_policy is not None:
        facts["cancel_policy"] = strategy.cancel_policy
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def encode_terms(strategy: Terms, *, identity: bool) -> dict[str, Any]:
    """The forms of target, universe, signals and orders; an error names the term."""
    found: dict[str, Any] = {}
    for term, expr in strategy.terms().items():
        try:
            found[term] = encode(expr, identity=identity)
        except SpecError as error:
            error.where = f"strategy {strategy.name!r}, term {term!r}" + (f", {error.where}" if error.where else "")
            raise
    target = strategy.target and [strategy.target.kind.name.lower(), found["target"]]
    orders = [encode_order(asked, f"orders[{place}]", found) for place, asked in enumerate(strategy.orders)]
    signals = {name: found[name] for name in strategy.signals}
    return {"target": target, "universe": found.get("universe"), "signals": signals, "orders": orders}


def encode_order(asked: Order, path: str, found: dict[str, Any]) -> dict[str, Any]:
    """An order and those of its batch, with the forms of their terms."""
    written = asked.plain() | {"parts": {name: found[f"{path}.{name}"] for name, _ in asked.parts()}}
    for name in ("then", "oco"):
        followers = getattr(asked, name)
        if followers:
            written[name] = [encode_order(one, f"{path}.{name}[{place}]", found) for place, one in enumerate(followers)]
    return written


def encode_scalar(value: Scalar) -> Any:
    """A parameter value; a Decimal as ``{"decimal": text}``, so that 1.50 and 1.5 are one.

    Example:
        >>> encode_scalar(Decimal("1.50")), encode_scalar(20)
        ({'decimal': '1.5'}, 20)
    """
    return {"decimal": format(value.normalize(), "f")} if isinstance(value, Decimal) else value


def encode_schedule(schedule: Schedule | None) -> dict[str, Any] | None:
    """A schedule as its kind and the fields that this kind has."""
    if schedule is None:
        return None
    fields = {"every": ("bars", "offset"), "cron": ("expression", "zone")}.get(schedule.kind, ())
    return {"kind": schedule.kind} | {name: getattr(schedule, name) for name in fields}


def encode_exits(exits: Exits | None) -> dict[str, Any] | None:
    """Exit rules with fractions as exact text."""
    if exits is None:
        return None
    fractions = {name: getattr(exits, name) for name in ("stop_loss", "take_profit", "trailing")}
    texts = {name: None if value is None else format(value.normalize(), "f") for name, value in fractions.items()}
    return texts | {"max_bars": exits.max_bars, "cool_down": exits.cool_down, "reentry": exits.reentry}


def encode_callback(on_bar: OnBar | None) -> dict[str, Any] | None:
    """A callback by name and source, wherever its file lies."""
    if on_bar is None:
        return None
    name = getattr(on_bar.callback, "__qualname__", type(on_bar.callback).__qualname__)
    return {"name": name, "source": source_digest(on_bar.callback), "lookback": on_bar.lookback, "state": on_bar.fresh_state()}
