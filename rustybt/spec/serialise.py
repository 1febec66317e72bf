"""Serialise: strategies to JSON text and back, without pickle."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from rustybt.errors import RustyBTError, SpecError
from rustybt.model.codes import TargetKind
from rustybt.model.requests import Measure
from rustybt.spec import identity
from rustybt.spec.exits import Exits
from rustybt.spec.form import decode
from rustybt.spec.hooks import OnBar, import_callback, import_path, source_digest
from rustybt.spec.orders import Order
from rustybt.spec.parameters import Scalar
from rustybt.spec.schedule import Schedule
from rustybt.spec.strategy import Strategy
from rustybt.spec.targets import Target

FORMAT = "rustybt-strategy"


def spec_id(strategy: Strategy) -> str:
    """SHA-256 of a strategy's terms and parameters, 64 hex digits: the same in every process and for every order of names.

    Example:
        >>> from rustybt.spec import weight
        >>> spec_id(Strategy(target=weight(1))) == spec_id(Strategy("hold", target=weight(1)))
        True
    """
    return strategy.spec_id


def to_json(strategy: Strategy) -> str:
    """A strategy as JSON text, one line per part.

    Raises:
        SpecError: a term holds a Python callback, or ``on_bar`` cannot be imported by a path.

    Example:
        >>> from rustybt.spec import weight
        >>> from_json(to_json(Strategy("half", target=weight(0.5)))).name
        'half'
    """
    terms = identity.encode_terms(strategy, identity=False)
    parts: dict[str, Any] = {
        "format": FORMAT,
        "version": identity.VERSION,
        "name": strategy.name,
        "params": {name: identity.encode_scalar(value) for name, value in strategy.params.items()},
        **terms,
        "signals": [[name, form] for name, form in terms["signals"].items()],
        "schedule": identity.encode_schedule(strategy.schedule),
        "exits": identity.encode_exits(strategy.exits),
        "warmup": strategy.warmup,
        "on_bar": _write_callback(strategy),
        "declared": {name: strategy.declared[name] for name in sorted(strategy.declared)},
        **({} if strategy.cancel_policy is None else {"cancel_policy": strategy.cancel_policy}),
        "spec_id": strategy.spec_id,
    }
    lines = (f"  {json.dumps(name)}: {json.dumps(part, ensure_ascii=False, allow_nan=False)}" for name, part in parts.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def from_json(text: str) -> Strategy:
    """The strategy of a JSON text that `to_json` wrote; it is checked by the guard like any other.

    A text with an ``on_bar`` names a module or file, which is imported: read only texts that you trust as you would trust code.

    Raises:
        SpecError: not such a text, of another version, changed since its ``spec_id`` was written, or its callback is missing or changed.
        LookaheadError: a term may see the future.
    """
    do = "write it with rustybt.spec.to_json"
    try:
        parts = json.loads(text)
    except (ValueError, TypeError) as error:
        raise SpecError(f"not JSON: {error}", where="strategy JSON", do=do) from None
    if not isinstance(parts, dict) or parts.get("format") != FORMAT:
        raise SpecError("not the JSON of a strategy", where="strategy JSON", do=do)
    if parts.get("version") != identity.VERSION:
        what = f"version {parts.get('version')!r}; this RustyBT reads version {identity.VERSION}"
        raise SpecError(what, where="strategy JSON", do="write it again with this version of RustyBT")
    try:
        strategy = _read(parts)
    except RustyBTError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SpecError(f"a part is missing or malformed: {type(error).__name__} {error}", where="strategy JSON", do=do) from None
    written = parts.get("spec_id")
    if written is not None and written != strategy.spec_id:
        what = f"the text says spec_id {written!r}, its content {strategy.spec_id!r}: it was changed"
        raise SpecError(what, where="strategy JSON", do="restore the text, or remove its spec_id to accept the change")
    return strategy


def _read(parts: dict[str, Any]) -> Strategy:
    target, universe, schedule, exits, on_bar = (parts[name] for name in ("target", "universe", "schedule", "exits", "on_bar"))
    return Strategy(
        name=parts["name"],
        params={name: _read_scalar(value) for name, value in parts["params"].items()},
        target=None if target is None else Target(TargetKind[target[0].upper()], decode(target[1])),
        universe=None if universe is None else decode(universe),
        schedule=None if schedule is None else Schedule(**schedule),
        exits=None if exits is None else Exits(**exits),
        signals={name: decode(form) for name, form in parts["signals"]},
        warmup=parts["warmup"],
        on_bar=None if on_bar is None else _read_callback(on_bar),
        declared=parts["declared"],
        orders=tuple(_read_order(part) for part in parts.get("orders", [])),
        cancel_policy=parts.get("cancel_policy"),
    )


def _read_order(part: dict[str, Any]) -> Order:
    plain = {name: value for name, value in part.items() if name not in ("parts", "measure", "then", "oco")}
    plain |= {name: tuple(_read_order(one) for one in part.get(name, [])) for name in ("then", "oco")}
    expressions = {name: decode(form) for name, form in part["parts"].items()}
    return Order(measure=Measure[part["measure"].upper()], **({"size": None} | plain | expressions))


def _read_scalar(value: Any) -> Scalar:
    return Decimal(value["decimal"]) if isinstance(value, dict) else value


def _write_callback(strategy: Strategy) -> dict[str, Any] | None:
    if strategy.on_bar is None:
        return None
    place, name = import_path(strategy.on_bar.callback)
    written = identity.encode_callback(strategy.on_bar) or {}
    return {"place": place, **written, "name": name}


def _read_callback(part: dict[str, Any]) -> OnBar:
    callback = import_callback(part["place"], part["name"])
    if source_digest(callback) != part["source"]:
        where = f"on_bar, {part['place']}:{part['name']}"
        raise SpecError("the callback's source has changed since this text was written", where=where, do="write the strategy again")
    return OnBar(callback, part["lookback"], part["state"])
