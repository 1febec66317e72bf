"""Parameters of a strategy: their types, ranges and choices, and the values that users give."""

from __future__ import annotations

import math
import types
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Annotated, Any, Literal, NoReturn, Union, get_args, get_origin

from rustybt.errors import ConfigError, SpecError
from rustybt.model.decimals import to_decimal

type Scalar = int | float | str | bool | Decimal | None
TYPES: tuple[type, ...] = (bool, int, float, str, Decimal)
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True)
class Range:
    """Bounds of a numeric parameter, both included: ``Annotated[int, Range(2, 200)]``.

    Args:
        low: smallest value, or None for no limit.
        high: largest value, or None for no limit.
        step: distance between allowed values counted from ``low``, or None for any value.

    Raises:
        SpecError: ``low`` above ``high``, a bound that is not a finite number, or a step that is not positive or has no ``low``.

    Example:
        >>> list(Range(10, 50, step=20).values())
        [10, 30, 50]
    """

    low: int | float | Decimal | None = None
    high: int | float | Decimal | None = None
    step: int | float | Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not math.isfinite(value)):
                raise SpecError(f"{name} {value!r} is not a finite number", where=f"{self}", do="give numbers, or None for no limit")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SpecError(f"low {self.low} is above high {self.high}", where=f"{self}", do="swap them")
        if self.step is not None and (self.step <= 0 or self.low is None):
            raise SpecError(f"step {self.step} needs to be positive and to have a low", where=f"{self}", do="give low and a positive step")

    def holds(self, value: float | Decimal) -> bool:
        """Whether a value lies in it, on a step."""
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            return False
        return self.step is None or (_exact(value) - _exact(self.low or 0)) % _exact(self.step) == 0

    def values(self) -> Iterable[int | float | Decimal]:
        """All values from low to high by step; whole numbers step by 1 when no step is given.

        Raises:
            SpecError: there are endlessly many.
        """
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        step = self.step if self.step is not None else (1 if whole else None)
        if self.low is None or self.high is None or step is None:
            raise SpecError(f"{self} has no end to its values", where="range", do="give low, high and step")
        kind = next((k for k in (Decimal, float) if any(isinstance(v, k) for v in (self.low, self.high, step))), int)
        count = int((_exact(self.high) - _exact(self.low)) / _exact(step))
        return [kind(_exact(self.low) + i * _exact(step)) for i in range(count + 1)]

    def __str__(self) -> str:
        ends = f"{'' if self.low is None else self.low}..{'' if self.high is None else self.high}"
        return ends if self.step is None else f"{ends} by {self.step}"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a strategy.

    Attributes:
        name: as written in the function.
        type: ``int``, ``float``, ``str``, ``bool`` or ``Decimal``; for a Literal the type of its choices.
        default: checked value; meaningless when ``required``.
        range: allowed numbers, or None.
        choices: allowed values of a Literal, or None.
        optional: whether None is allowed.
        required: whether it has no default.
    """

    name: str
    type: type
    default: Scalar = None
    range: Range | None = None
    choices: tuple[Scalar, ...] | None = None
    optional: bool = False
    required: bool = False

    def check(self, value: object) -> Scalar:
        """The value in the parameter's exact type: whole numbers become float or Decimal where those are asked for.

        Raises:
            ConfigError: wrong type, out of range, or not one of the choices; the message names parameter, value and what is allowed.

        Example:
            >>> Parameter("fast", int, 20, Range(2, 200)).check(10)
            10
        """
        if value is None and self.optional:
            return None
        if self.choices is not None:
            same = [choice for choice in self.choices if choice == value and type(choice) is type(value)]
            return same[0] if same else self._refuse(value)
        typed = self._typed(value)
        if self.range is not None and not self.range.holds(typed):  # type: ignore[arg-type]  # ranges are on numbers only
            self._refuse(value)
        return typed

    def parse(self, text: str) -> Scalar:
        """The value that a text from a command line means.

        Raises:
            ConfigError: as `check`.

        Example:
            >>> Parameter("long_only", bool, True).parse("no")
            False
        """
        words = text.strip()
        if self.optional and words.lower() in ("none", "null", ""):
            return None
        if self.choices is not None:
            same = [choice for choice in self.choices if str(choice) in (words, text)]
            return same[0] if same else self._refuse(text)
        if self.type is bool:
            return WORDS[words.lower()] if words.lower() in WORDS else self._refuse(text)
        try:
            return self.check(text if self.type is str else self.type(words))
        except (ValueError, ArithmeticError):
            self._refuse(text)

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        if self.choices is not None:
            words = "one of " + ", ".join(map(repr, self.choices))
        else:
            names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Decimal: "a decimal number"}
            words = names[self.type] + (f" in {self.range}" if self.range is not None else "")
        return words + (" or None" if self.optional else "")

    def __str__(self) -> str:
        shown = "required" if self.required else f"default {self.default!r}"
        return f"{self.name}: {self.allowed}, {shown}"

    def _typed(self, value: object) -> Scalar:
        if self.type is int and type(value) is int:  # thousands of variants: an abstract class takes its time to answer
            return value
        if self.type in (bool, str):
            return value if isinstance(value, self.type) else self._refuse(value)
        if isinstance(value, bool):
            self._refuse(value)
        if self.type is int:
            return int(value) if isinstance(value, Integral) else self._refuse(value)
        if self.type is float:
            if isinstance(value, Real) and math.isfinite(value):
                return float(value)
            self._refuse(value)
        try:
            return to_decimal(value, self.name)
        except ConfigError:
            self._refuse(value)

    def _refuse(self, value: object) -> NoReturn:
        raise ConfigError(f"parameter {self.name!r} cannot be {value!r}", where=f"parameter {self.name!r}", do=f"give {self.allowed}")


def read_parameter(name: str, annotation: Any, default: Scalar, *, required: bool) -> Parameter:
    """A parameter from its annotation and default.

    Raises:
        SpecError: the annotation is not supported, or the default is not allowed by it.

    Example:
        >>> str(read_parameter("fast", Annotated[int, Range(2, 200)], 20, required=False))
        'fast: a whole number in 2..200, default 20'
    """
    where = f"parameter {name!r}"
    limits: Range | None = None
    if get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        limits = next((note for note in notes if isinstance(note, Range)), None)
    annotation, optional = _without_none(annotation)
    if get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        limits = limits or next((note for note in notes if isinstance(note, Range)), None)
    choices = get_args(annotation) if get_origin(annotation) is Literal else None
    kind = type(choices[0]) if choices else annotation
    if kind not in TYPES:
        do = "use int, float, str, bool, Decimal, Literal[...] or Annotated[int, Range(low, high)]"
        raise SpecError(f"parameter {name!r} has type {_name(annotation)}, which is not supported", where=where, do=do)
    if limits is not None and (choices is not None or kind in (str, bool)):
        raise SpecError(f"parameter {name!r} has a range but is not a number", where=where, do="use Literal[...] for choices")
    parameter = Parameter(name, kind, None, limits, choices, optional, required)
    if required:
        return parameter
    try:
        value = parameter.check(default)
    except ConfigError as error:
        raise SpecError(f"default {default!r} of parameter {name!r} is not allowed", where=where, do=error.do) from None
    return Parameter(name, kind, value, limits, choices, optional, required)


def unknown_names(given: Iterable[str], known: Iterable[str], where: str) -> None:
    """Refuse names that are not parameters, with the nearest one that is.

    Raises:
        ConfigError: a name is unknown.
    """
    names = list(known)
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, 1)
            do = f"did you mean {near[0]!r}?" if near else ("it takes " + ", ".join(names) if names else "it takes no parameters")
            raise ConfigError(f"there is no parameter {name!r}", where=where, do=do)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    rest = [arg for arg in get_args(annotation) if arg is not type(None)]
    return (rest[0], True) if len(rest) == 1 else (annotation, False)


def _exact(value: float | Decimal) -> Decimal:
    return Decimal(str(value))


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
