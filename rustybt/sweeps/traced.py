"""Traced numbers: a strategy function is called once with numbers that remember what was done with them.

Arithmetic is written down, a comparison or an `if` as well (with how it came out), and where Polars takes such a number in, it is given a
mark by which it is found again in the expression. Anything else that is done with one ends the trace, before it is done: the function is
then called with a plain number for that parameter (`Held`), or for every variant (`Opaque`).

No code in C can read one behind our back: a traced number is not an `int` and has nothing to read but what is written here. What Python
code could still see is its class, and Polars' text of an expression: `Watch` stops a function that asks for either.

A parameter that is a text or a `Decimal` is traced as far as into an exit (`rustybt.sweeps.taken`); nothing else can be done with it.
"""

from __future__ import annotations

import builtins
import dis
import math
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from types import CodeType
from typing import Any

import polars as pl

type Deed = tuple[Any, ...]
"""``("parameter", name)``, ``("constant", value)``, or an operation followed by what it works on."""

BINARY = "add sub mul truediv floordiv mod pow and_ or_ xor lshift rshift lt le gt ge eq ne".split()
DEEDS: dict[str, Callable[..., Any]] = {name: getattr(operator, name) for name in BINARY}
DEEDS |= {name: getattr(operator, name) for name in ("neg", "pos", "abs", "invert", "truth")}
DEEDS |= {"round": round, "floor": math.floor, "ceil": math.ceil}
CHAINS: tuple[type, ...] = tuple({type(pl.when(True)), type(pl.when(True).then(1)), type(pl.when(True).then(1).when(True).then(1))})
EXPRESSIONS: tuple[type, ...] = (pl.Expr, *CHAINS)
WHOLE_MARK, REAL_MARK = 915_000_011, 0.73105857863
"""The first marks. That one is found where none was put is noticed: every trace is compared with a plain call."""
SEALED = (
    *"bool int float complex index hash str repr format round floor ceil trunc neg pos abs invert divmod rdivmod".split(),
    *"len iter contains getitem reduce reduce_ex sizeof dir copy deepcopy".split(),
)
"""What else can be done with a number or a text."""
LONGEST = 100
"""Operations that may have led to a number."""
LITERAL = getattr(sys.modules.get("polars._plr"), "lit", None)
"""The function of Polars that takes constants in. Where a later Polars has none of this name, no constant is traced."""
BUILDERS = frozenset({"PyExpr", "PyWhen", "PyThen", "PyChainedWhen", "PyChainedThen"})
READERS = ("meta_", "serialize", "to_str", "__getstate__")
BUILDING = (
    "polars.expr", "polars.functions", "polars._utils", "polars._dependencies", "polars.datatypes", "polars.datatype_expr",
    "polars.selectors", "polars.schema", "polars.exceptions",
)  # fmt: skip
"""What of Polars only puts expressions together."""
NEVER = ("polars.expr.meta", "polars.functions.eager", "polars.functions.random", "polars.functions.range")
TRUSTED = ("rustybt", "dataclasses", "importlib", "abc", "functools", "contextlib", "typing", "enum", "numbers", "operator")
"""Modules that ask a number for nothing but what `isinstance` says. (`functools` keeps things by their hash, which ends the trace.)"""
SEEING = (type, id, vars, eval, exec, compile, sys, builtins)
"""What sees more of a number than its value."""


class Held(BaseException):
    """A number was used in a way that cannot be written down. Not an `Exception`, so that no function goes on after it.

    Attributes:
        names: the parameters that it came from.
    """

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(names)
        self.names = names


class Opaque(BaseException):
    """The function does something that no trace can follow."""


class Trace:
    """What one call did.

    Attributes:
        steps: operations, each with the type of its result or, for a comparison, how it came out.
        marks: by mark, the number that Polars took in.
        parameters: by name.
        unread: parameters of which something was made that code in C does not take: where it raises, they are to be plain.
        inside: what is at work, the innermost last: a function of C, or None for one of Python.
    """

    def __init__(self) -> None:
        self.steps: dict[Deed, Any] = {}
        self.marks: dict[int | float, Traced] = {}
        self.inside: list[Any] = []
        self.parameters: dict[str, Traced] = {}
        self.unread = frozenset[str]()
        self.broken: BaseException | None = None

    def parameter(self, name: str, value: Any) -> Any:
        """A number (or a word) that stands for a parameter."""
        made = self.parameters[name] = (KINDS | WORDS)[type(value)](self, ("parameter", name), value)
        if type(value) in WORDS:
            self.unread |= {name}
        return made

    def put(self, name: str, *inputs: Any) -> Any:
        """Do and write down an operation; raises what the operation raises."""
        value = DEEDS[name](*(one.value if is_traced(one) else one for one in inputs))
        deed = (name, *(one.deed if is_traced(one) else ("constant", one, repr(one)) for one in inputs))  # 2 is not 2.0, nor 0.0 -0.0
        if type(value) is bool:
            self.steps[deed] = value
            return value
        if type(value) not in KINDS:
            self.stop(Held(names_of(deed)))
        self.steps[deed] = type(value)
        made = KINDS[type(value)](self, deed, value)
        made.size = 1 + sum(one.size for one in inputs if is_traced(one))
        return made if made.size <= LONGEST else self.stop(Held(names_of(deed)))

    def stop(self, why: BaseException) -> Any:
        """End the trace. Whoever catches this does not help it: it is remembered."""
        self.broken = self.broken or why
        raise why

    def mark(self, number: Traced) -> int | float:
        """What Polars is given instead of a number."""
        taker = self.inside[-1] if self.inside else None
        owner = getattr(taker, "__self__", None)
        rust = taker is not None and (taker is LITERAL or type(owner).__name__ in BUILDERS)
        if not rust or getattr(taker, "__name__", "").startswith(READERS):
            self.stop(Held(names_of(number.deed)))
        return self.put_mark(number)

    def put_mark(self, number: Traced) -> int | float:
        """The mark of a number."""
        for mark, one in self.marks.items():
            if one.deed == number.deed:
                return mark
        count = len(self.marks)
        mark = WHOLE_MARK + 7 * count if type(number.value) is int else REAL_MARK + count / 2**20
        self.marks[mark] = number
        return mark


class Traced:
    """A number that remembers how it was made."""

    __slots__ = ("deed", "size", "trace", "value")

    def __init__(self, trace: Trace, deed: Deed, value: float) -> None:
        self.trace, self.deed, self.value, self.size = trace, deed, value, 1

    def __float__(self) -> float:
        return float(self.trace.mark(self))

    def __bool__(self) -> bool:
        return bool(self.trace.put("truth", self))

    def __round__(self, digits: int | None = None) -> Any:
        return self.trace.put("round", self) if digits is None else self.trace.put("round", self, digits)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __getattr__(self, name: str) -> Any:
        if hasattr(self.value, name):
            _held(self)
        raise AttributeError(f"{type(self.value).__name__!r} object has no attribute {name!r}")


def _held(self: Any, *_: Any, **__: Any) -> Any:
    return self.trace.stop(Held(names_of(self.deed)))


def _binary(name: str, *, turned: bool) -> Callable[[Traced, Any], Any]:
    def done(self: Traced, other: Any, *rest: Any) -> Any:
        kind = type(other)
        if not rest and (kind in KINDS or kind is bool or is_traced(other)):
            return self.trace.put(name, other, self) if turned else self.trace.put(name, self, other)
        if isinstance(other, EXPRESSIONS) or other is None or kind is str:
            return NotImplemented  # as a plain number does: Polars answers, or Python
        return _held(self)

    return done


def _unary(name: str) -> Callable[[Traced], Any]:
    return lambda self: self.trace.put(name, self)


for _name in BINARY:
    setattr(Traced, f"__{_name.strip('_')}__", _binary(_name, turned=False))
    if _name not in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(Traced, f"__r{_name.strip('_')}__", _binary(_name, turned=True))
for _name in ("neg", "pos", "abs", "invert", "floor", "ceil"):
    setattr(Traced, f"__{_name}__", _unary(_name))
for _name in ("hash", "str", "repr", "format", "int", "complex", "trunc", "reduce", "reduce_ex", "sizeof", "dir", "copy", "deepcopy"):
    setattr(Traced, f"__{_name}__", _held)


class Whole(Traced):
    """A traced whole number. Polars remembers by the class what it can read, so there are two."""

    __slots__ = ()
    __class__ = property(lambda _: int)  # `isinstance` says what it says of a plain one

    def __index__(self) -> int:
        return int(self.trace.mark(self))


class Real(Traced):
    """A traced number with a point."""

    __slots__ = ()
    __class__ = property(lambda _: float)


sealed: set[type] = set()


def seal(kind: type) -> None:
    """Let whatever is done with an object of a class end the trace; it has a ``trace`` and a ``deed``."""
    for name in BINARY:
        for side in ("", "r"):
            setattr(kind, f"__{side}{name.strip('_')}__", _held)
    for name in SEALED:
        setattr(kind, f"__{name}__", _held)
    sealed.add(kind)


class Text(Traced):
    """A traced text."""

    __slots__ = ()
    __class__ = property(lambda _: str)


class Exact(Traced):
    """A traced `Decimal`."""

    __slots__ = ()
    __class__ = property(lambda _: Decimal)


seal(Text)
seal(Exact)
KINDS: dict[type, type[Traced]] = {int: Whole, float: Real}
WORDS: dict[type, type[Traced]] = {str: Text, Decimal: Exact}
"""What is traced as far as into an exit."""


def is_traced(one: object) -> bool:
    """Whether it is a traced number: `isinstance` would ask the number."""
    return issubclass(type(one), Traced)


def names_of(deed: Deed) -> frozenset[str]:
    """The parameters that an operation depends on.

    Example:
        >>> sorted(names_of(("add", ("parameter", "n"), ("mul", ("parameter", "k"), ("constant", 2, "2")))))
        ['k', 'n']
    """
    if deed[0] == "parameter":
        return frozenset((deed[1],))
    if deed[0] == "constant":
        return frozenset()
    return frozenset().union(*(names_of(part) for part in deed[1:]))


def worked_out(deed: Deed, names: Mapping[str, int]) -> Callable[[tuple[Any, ...]], Any]:
    """An operation as a function of the values of parameters, in Python's own numbers.

    Example:
        >>> worked_out(("truediv", ("constant", 2.0, "2.0"), ("add", ("parameter", "n"), ("constant", 1, "1"))), {"n": 0})((3,))
        0.5
    """
    if deed[0] == "parameter":
        return operator.itemgetter(names[deed[1]])
    if deed[0] == "constant":
        held = deed[1]
        return lambda _: held
    done, parts = DEEDS[deed[0]], [worked_out(part, names) for part in deed[1:]]
    if len(parts) == 1:
        (one,) = parts
        return lambda values: done(one(values))
    one, other = parts
    return lambda values: done(one(values), other(values))


class Watch:
    """While it is in force, Python reports every call of this thread.

    Args:
        trace: told which function of C is at work.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __enter__(self) -> None:
        if sys.getprofile() is not None:
            raise Opaque  # someone else is listening
        sys.setprofile(self)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def __call__(self, frame: Any, event: str, what: Any) -> None:
        """One event."""
        if event == "c_call":
            self.trace.inside.append(what)
            owner = getattr(what, "__self__", None)
            kind = type(owner).__name__
            foreign = kind.startswith("Py") and type(owner).__module__ == "builtins" and kind not in BUILDERS
            reading = foreign or owner is sys or (kind in BUILDERS and what.__name__.startswith(READERS))
            if reading and what is not sys.setprofile:
                self.trace.stop(Opaque())
        elif event in ("c_return", "c_exception"):
            if self.trace.inside:
                self.trace.inside.pop()
        elif frame.f_globals.get("__name__") == __name__:
            return  # what a number does itself is part of what asked it
        elif event == "call":
            self._enter(frame)
            self.trace.inside.append(None)  # Python that a function of C calls is not that function
        elif event == "return" and self.trace.inside:
            self.trace.inside.pop()

    def _enter(self, frame: Any) -> None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("polars."):
            if not module.startswith(BUILDING) or module.startswith(NEVER) or frame.f_code.co_name in ("__repr__", "__str__", "__format__"):
                self.trace.stop(Opaque())
            for one in _within(frame.f_locals.values()):  # Polars ends with a message of its own where it cannot say what a value is
                if type(one) in sealed:
                    self.trace.stop(Held(names_of(one.deed)))
        elif module.partition(".")[0] not in TRUSTED and module != "collections.abc" and sees(frame.f_code, frame.f_globals):
            self.trace.stop(Opaque())


def _within(values: Iterable[Any]) -> Iterator[Any]:
    """Values, and what is in those that are rows or tables of them."""
    for one in values:
        yield one
        if type(one) in (tuple, list):
            yield from one
        elif type(one) is dict:
            yield from one.values()


_seen: dict[CodeType, bool] = {}


def sees(code: CodeType, names: Mapping[str, Any]) -> bool:
    """Whether code could tell a traced number from a plain one: by its class, by its address, by whether two numbers are one object."""
    if code not in _seen:
        if len(_seen) > 2**12:
            _seen.clear()
        known = [names.get(name, getattr(builtins, name, None)) for name in code.co_names]
        _seen[code] = any(one is bad for one in known for bad in SEEING) or _compares_objects(code)
    return _seen[code]


def _compares_objects(code: CodeType) -> bool:
    before: Any = None
    for step in dis.get_instructions(code):
        if step.opname == "IS_OP" and not (before.opname == "LOAD_CONST" and (before.argval is None or isinstance(before.argval, bool))):
            return True
        before = step
    return False
