"""The escape hatch: a Python callback that is shown each bar and may send orders."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import polars as pl

from rustybt.errors import SpecError

type Amount = int | str | float | Decimal


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

    def order(self, asset: str, quantity: Amount) -> None:
        """Buy (or sell, when negative) a quantity; it can fill from the next bar on."""

    def order_target(
        self,
        asset: str,
        quantity: Amount | None = None,
        *,
        weight: Amount | None = None,
        notional: Amount | None = None,
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
                f"a {type(self.callback).__name__} cannot be called",
                where="on_bar",
                do="give a function of one argument, context",
            )
        if (
            isinstance(self.lookback, bool)
            or not isinstance(self.lookback, int)
            or self.lookback < 1
        ):
            raise SpecError(
                f"lookback {self.lookback!r} is not a whole number from 1",
                where="on_bar",
                do="give the rows per asset it reads",
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
        raise SpecError(
            f"a {type(value).__name__} is not a mapping", where=where, do=do
        )
    try:
        copy: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise SpecError(f"not JSON: {error}", where=where, do=do) from None
    if copy != dict(value):
        raise SpecError(
            "JSON would change it (a key that is not text, or a tuple)",
            where=where,
            do=do,
        )
    return copy
