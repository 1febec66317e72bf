"""Traced numbers in exits (texts and `Decimal`s too): an exit takes one as it takes a plain one, and keeps what nobody can read.

Whether a number may stand there is written down like a comparison, so that values that are refused take another path and are called. What
is kept is a `Decimal` in a plain call; the traced one keeps a `Taken`, which ends the trace when anything is done with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rustybt.errors import RustyBTError
from rustybt.kernel.many import EXITS
from rustybt.spec.exits import Exits, checks, in_units, taking
from rustybt.spec.identity import encode_exits
from rustybt.sweeps.naming import Blank, Written
from rustybt.sweeps.traced import DEEDS, Deed, Held, Opaque, Real, Trace, Traced, is_traced, names_of, seal

FIELDS = ("stop_loss", "take_profit", "trailing", "max_bars", "cool_down")
"""Exits that are numbers, in the order of `rustybt.kernel.many.EXITS`."""


def fits(name: str, value: Any) -> bool:
    """Whether an exit takes a value.

    Example:
        >>> fits("stop_loss", 0.05), fits("stop_loss", 1.5), fits("max_bars", 2.0)
        (True, False, False)
    """
    try:
        checks[name](value)
    except RustyBTError:
        return False
    return True


def float_of(bits: int) -> float:
    """The float of the same bits as a whole number: it is kept among floats, and nothing is computed with it."""
    return float(np.int64(bits).view(np.float64))


def units_of(name: str, value: Any) -> float:
    """The value of an exit in the units of a run, as the float of the same bits: of a large one no float has the value.

    Example:
        >>> np.float64(units_of("take_profit", 123456789.12345678)).view(np.int64)
        np.int64(12345678912345678)
    """
    return float_of(in_units(checks[name](value)))


def text_of(name: str, value: Any) -> Written:
    """The value of an exit in the canonical text of a strategy.

    Example:
        >>> text_of("stop_loss", 0.050), text_of("max_bars", 3)
        ("0.05", 3)
    """
    written = encode_exits(Exits(**{name: value}))
    assert written is not None
    return Written(json.dumps(written[name]))


DEEDS |= {f"{done.__name__} {name}": partial(done, name) for done in (fits, units_of, text_of) for name in FIELDS}


class Taken:
    """What traced exits keep of a number.

    Args:
        name: of the exit.
        number: the traced number.
    """

    __slots__ = ("name", "number")
    __class__ = property(lambda self: type(self.value))  # `isinstance` says what it says of the number

    def __init__(self, name: str, number: Traced) -> None:
        self.name, self.number = name, number

    @property
    def trace(self) -> Trace:
        """That of the number."""
        return self.number.trace

    @property
    def deed(self) -> Deed:
        """How the number was made."""
        return self.number.deed

    @property
    def value(self) -> Any:
        """What a plain call keeps."""
        return checks[self.name](self.number.value)

    def __getattr__(self, name: str) -> Any:
        if hasattr(self.value, name):
            self.trace.stop(Held(names_of(self.deed)))
        raise AttributeError(f"{type(self.value).__name__!r} object has no attribute {name!r}")


seal(Taken)


def is_taken(one: object) -> bool:
    """Whether it was kept of a traced number: `isinstance` would ask it."""
    return type(one) is Taken


class exiting:  # noqa: N801 - a context, written like a function
    """While it is in force, exits take the numbers of a trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __enter__(self) -> None:
        self.token = taking.set(self._take)

    def __exit__(self, *_: object) -> None:
        taking.reset(self.token)

    def _take(self, name: str, value: Any, check: Callable[[Any], Any]) -> Any:
        if is_taken(value):  # `dataclasses.replace`
            return value if value.name == name else self.trace.stop(Held(names_of(value.deed)))
        if not is_traced(value):
            return check(value)
        if not self.trace.put(f"fits {name}", value):
            return check(value.value)  # raises, as in a call
        self.trace.unread |= names_of(value.deed)
        return Taken(name, value)


def units_in(made: Exits | None, real: Exits | None) -> list[float | Blank]:
    """The numbers of exits, in the order of `rustybt.kernel.many.EXITS`, each as the float of the same bits.

    Args:
        made: those of a traced call.
        real: those of a plain one.

    Raises:
        Opaque: they are not the same.
    """
    if made is None or real is None:
        if made is not real:
            raise Opaque
        return [0.0] * len(EXITS)
    units, found = real.units(), list[float | Blank]()
    for unit, name in zip(EXITS, FIELDS, strict=True):
        seen, plain = getattr(made, name), getattr(real, name)
        if is_taken(seen):
            if type(plain) is not type(seen.value) or plain != seen.value:
                raise Opaque
            found.append(Blank((), (((f"units_of {name}", seen.deed), float),)))
        elif seen != plain:
            raise Opaque
        else:
            found.append(float_of(units[unit]))
    if made.reentry != real.reentry:
        raise Opaque
    return found


def marked_exits(made: Exits | None, trace: Trace) -> dict[str, float]:
    """Marks of what stands for traced numbers in the canonical text of a strategy, by name of the exit."""
    kept = {} if made is None else {name: getattr(made, name) for name in FIELDS}
    told = {name: Real(trace, (f"text_of {name}", one.deed), 0.0) for name, one in kept.items() if is_taken(one)}
    return {name: trace.put_mark(number) for name, number in told.items()}
