"""The escape hatch: a Python callback that is shown each bar and may send orders."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, cast

import polars as pl

from rustybt.errors import SpecError
from rustybt.spec.locate import find, place_of

if TYPE_CHECKING:
    from rustybt.spec.orders import Order

type Amount = int | str | float | Decimal


@dataclass(frozen=True)
class WorkingOrder:
    """An order that is not yet filled.

    Attributes:
        number: to cancel or amend it by. asset: its symbol. kind: as in `rustybt.order`; ``limit`` once triggered.
        quantity: signed. limit, stop: prices that it waits for, or None. display: how much of it is shown, None = all.
    """

    number: int
    asset: str
    kind: str
    quantity: Decimal
    limit: Decimal | None
    stop: Decimal | None
    display: Decimal | None = None


class Context(Protocol):
    """What a callback is given at each bar; the engine implements it. Everything in it is known at ``ts``."""

    @property
    def ts(self) -> datetime:
        """The instant at which this bar is complete, UTC."""

    @property
    def bars(self) -> pl.DataFrame:
        """The last ``lookback`` rows of every asset up to ``ts``, sorted by asset and ts."""

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Quantity held per asset, negative for a short; an asset that is not held is absent."""

    @property
    def cash(self) -> Decimal:
        """Cash after this bar."""

    @property
    def equity(self) -> Decimal:
        """Cash plus the value of all positions at their last price."""

    @property
    def state(self) -> MutableMapping[str, Any]:
        """What the callback remembers between bars; JSON values only, saved with every checkpoint."""

    @property
    def working(self) -> tuple[WorkingOrder, ...]:
        """The orders of this strategy that are not yet filled, in the order of submission."""

    def order(
        self,
        asset: str,
        quantity: Amount,
        kind: str = "market",
        *,
        limit: Amount | None = None,
        stop: Amount | None = None,
        trail: Amount | None = None,
        trail_fraction: Amount | None = None,
        limit_offset: Amount | None = None,
        tif: str | None = None,
        until: date | datetime | int | None = None,
        post_only: bool = False,
        reduce_only: bool = False,
        display: Amount | None = None,
        then: Sequence[Order] = (),
        oco: Sequence[Order] = (),
    ) -> int:
        """Buy (or sell, when negative) a quantity; it can fill from the next bar on. Gives the order's number, 0 if nothing was asked for.

        The settings are those of `rustybt.order`, as numbers; ``tif`` is ``gtc`` for a market order and ``day`` for others, unless given.
        ``then`` and ``oco`` hold orders made by `rustybt.order`, of numbers too, with a quantity, ``"position"`` or ``"filled"``.
        """

    def cancel(self, number: int) -> bool:
        """Cancel a working order by the number that `order` gave; whether there was one."""

    def amend(self, number: int, *, quantity: Amount | None = None, limit: Amount | None = None, stop: Amount | None = None) -> bool:
        """Change a working order, which keeps its number, its side and its place; whether there was one."""

    def order_target(
        self, asset: str, quantity: Amount | None = None, *, weight: Amount | None = None, notional: Amount | None = None
    ) -> None:
        """Order the difference to a wanted position, given by exactly one of quantity, weight or notional."""


type Callback = Callable[[Context], None]


@dataclass(frozen=True, eq=False)
class OnBar:
    """A callback with what it needs declared: the guard cannot look inside it.

    Args:
        callback: called with a `Context` after each bar. A function at the top of a module can be written to JSON; a lambda or
            a nested function works in this process only.
        lookback: rows per asset in ``context.bars``, 1 or more.
        state: the first value of ``context.state``; JSON values only.

    Raises:
        SpecError: not callable, a lookback below 1, or a state that is not JSON.

    Example:
        >>> def hold(context: Context) -> None:
        ...     if not context.positions:
        ...         context.order("AAPL", 10)
        >>> OnBar(hold, lookback=5).lookback
        5
    """

    callback: Callback
    lookback: int = 1
    state: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not callable(self.callback):
            raise SpecError(
                f"a {type(self.callback).__name__} cannot be called", where="on_bar", do="give a function of one argument, context"
            )
        if isinstance(self.lookback, bool) or not isinstance(self.lookback, int) or self.lookback < 1:
            raise SpecError(
                f"lookback {self.lookback!r} is not a whole number from 1", where="on_bar", do="give the rows per asset it reads"
            )
        object.__setattr__(self, "state", json_copy(self.state, "on_bar, state"))

    def fresh_state(self) -> dict[str, Any]:
        """A new copy of the first state, for one run."""
        return json_copy(self.state, "on_bar, state")

    def __repr__(self) -> str:
        name = getattr(self.callback, "__qualname__", repr(self.callback))
        return f"OnBar({name}, lookback={self.lookback})"


def json_copy(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A deep copy of a mapping that JSON can hold unchanged.

    Raises:
        SpecError: a key is not text, or a value is not JSON (NaN and infinity are not).

    Example:
        >>> json_copy({"days": [1, 2]}, "state")
        {'days': [1, 2]}
    """
    do = "use text keys and numbers, text, lists, mappings, true, false or null"
    if not isinstance(value, Mapping):
        raise SpecError(f"a {type(value).__name__} is not a mapping", where=where, do=do)
    try:
        copy: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise SpecError(f"not JSON: {error}", where=where, do=do) from None
    if copy != dict(value):
        raise SpecError("JSON would change it (a key that is not text, or a tuple)", where=where, do=do)
    return copy


def import_path(callback: Callback) -> tuple[str, str]:
    """The module (or file) and the name from which another process can import a callback.

    Raises:
        SpecError: a lambda, a nested function, a bound object, or a name that now means something else.

    Example:
        >>> import json
        >>> import_path(json.dumps)
        ('json', 'dumps')
    """
    module, name = getattr(callback, "__module__", None) or "", getattr(callback, "__qualname__", "")
    where, do = f"on_bar, {name or callback!r}", "define it with def at the top of a module or file"
    if not name or "<" in name:
        raise SpecError("a lambda, a nested function or an object cannot be written to JSON", where=where, do=do)
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not callback:
        raise SpecError(f"{module}:{name} is not this callback", where=where, do=do)
    place = place_of(module)
    if place == "__main__":
        raise SpecError("a callback typed into a session cannot be written to JSON", where=where, do=do)
    return place, name


def import_callback(place: str, name: str) -> Callback:
    """The callback of an `import_path`.

    Raises:
        SpecError: it cannot be imported or called.
    """
    found = find(place, name)
    if not callable(found):
        raise SpecError(f"{place}:{name} cannot be called", where="on_bar", do="name a function")
    return cast(Callback, found)


def source_digest(callback: Callback) -> str:
    """SHA-256 of a callback's source and of the values it has captured.

    Captured values that are not plain (numbers, text, true, false, None) tell callbacks apart in this process only.

    Example:
        >>> def first(context: Context) -> None: ...
        >>> len(source_digest(first))
        64
    """
    function: Any = inspect.unwrap(callback.func if isinstance(callback, functools.partial) else callback)
    held: list[object] = [*callback.args, *callback.keywords.items()] if isinstance(callback, functools.partial) else []
    held += [getattr(function, "__self__", None), *(getattr(function, "__defaults__", None) or ())]
    held += [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    subject = function if hasattr(function, "__code__") else type(function)
    try:
        source = textwrap.dedent(inspect.getsource(subject))
    except (OSError, TypeError):  # typed into a session
        code = getattr(subject, "__code__", None)
        source = f"{subject.__qualname__} {code.co_code.hex()} {code.co_names} {code.co_consts}" if code else repr(function)
    if subject is not function:
        held.append(function)
    return hashlib.sha256("\n".join([source, *map(_captured, held)]).encode()).hexdigest()


def _captured(value: object) -> str:
    if value is None or isinstance(value, (bool, int, float, str, Decimal)):
        return repr(value)
    if isinstance(value, tuple):
        return "(" + ",".join(map(_captured, value)) + ")"
    return f"{type(value).__qualname__} at {id(value)}"
