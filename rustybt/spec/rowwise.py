"""Rowwise: operations on single rows in numpy, with the bits of Polars.

In: one operation of a plan and the dtypes of its inputs. Out: a function over numpy arrays, or None when there is none. For the handful of
assets in one bar a Polars evaluation costs a hundred times the arithmetic. Every function is first tried against the installed Polars on
awkward numbers (`rustybt.spec.trial`); one that differs in a bit is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from rustybt.spec.column import Arrays, Flags
from rustybt.spec.lower import REF
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import body, call, kind

type Function = Callable[[Sequence[Arrays]], Arrays]
"""From the arrays of the inputs to those of the value."""

NUMBERS: dict[Any, Any] = {pl.Float64: np.float64, pl.Int64: np.int64, pl.Int32: np.int32, pl.UInt32: np.uint32}
FLOAT, BOOL = pl.Float64(), pl.Boolean()


@dataclass(frozen=True)
class Operand:
    """An input of an operation: a column, or a constant.

    Attributes:
        at: which of the inputs; -1 for a constant.
        dtype: of the column; None for a constant.
        value: the constant; None = null.
    """

    at: int
    dtype: pl.DataType | None = None
    value: Any = None

    @property
    def constant(self) -> bool:
        """Whether it is one."""
        return self.at < 0


@dataclass(frozen=True)
class Operation:
    """One operation on rows.

    Attributes:
        tree: with a placeholder where an input stands.
        inputs: dtype of each input, by number of its placeholder, in the order of the arrays.
        out: dtype of the value.
    """

    tree: Tree
    inputs: Mapping[int, pl.DataType]
    out: pl.DataType

    def operand(self, tree: Any) -> Operand | None:
        """One input; None for one that is neither a column nor a plain constant."""
        if isinstance(tree, dict) and REF in tree:
            return Operand([*self.inputs].index(tree[REF]), self.inputs[tree[REF]])
        held = body(tree).get("Dyn", body(tree).get("Scalar")) if kind(tree) == "Literal" and isinstance(body(tree), dict) else None
        if not isinstance(held, dict):
            return None
        name, value = next(iter(held.items()))
        if name == "Null":
            return Operand(-1)
        plain = type(value) in (int, float, bool) and name in ("Int", "Float", "Float64", "Boolean")
        return Operand(-1, None, value) if plain else None


def function_of(operation: Operation) -> Function | None:
    """The operation in numpy, not yet tried.

    Example:
        >>> from rustybt.spec.tree import parse
        >>> tree = {"BinaryExpr": {"left": {"#": 0}, "op": "Minus", "right": parse(pl.lit(1.0))}}
        >>> function = function_of(Operation(tree, {0: pl.Float64()}, pl.Float64()))
        >>> function([(np.array([3.0]), None)])[0].tolist()
        [2.0]
    """
    tree = operation.tree
    tag, held = kind(tree), body(tree)
    if tag == "BinaryExpr":
        left, right = operation.operand(held["left"]), operation.operand(held["right"])
        return (
            None if left is None or right is None or (left.constant and right.constant) else _binary(held["op"], left, right, operation.out)
        )
    if tag == "Ternary":
        parts = [operation.operand(held[name]) for name in ("predicate", "truthy", "falsy")]
        return _ternary(parts, operation.out) if None not in parts else None
    name = call(tree)[0]
    if tag == "Cast":
        given = operation.operand(held["expr"])
        plain = given is not None and given.dtype in (*NUMBERS, pl.Boolean) and operation.out == pl.Float64
        return (lambda a: (a[0][0].astype(np.float64), a[0][1])) if plain else None
    if tag != "Function":
        return None
    operands = [operation.operand(part) for part in held["input"]]
    known = [one for one in operands if one is not None]
    if len(known) != len(operands) or not known or known[0].constant:
        return None
    if len(known) == 1:
        return _unary(name, known[0])
    if name in ("FillNull", "Coalesce") and len(known) == 2:
        return _fill_null(known[0], known[1], operation.out)
    return None


def both(one: Flags | None, other: Flags | None) -> Flags | None:
    """Where both are known."""
    if one is None:
        return other
    return one if other is None else one & other


def _unary(name: str, operand: Operand) -> Function | None:
    floats, truth = operand.dtype == pl.Float64, operand.dtype == pl.Boolean
    plain: dict[str, tuple[bool, Callable[[Any], Any]]] = {
        "Abs": (floats, np.abs),
        "Negate": (floats, np.negative),
        "Pow.Sqrt": (floats, np.sqrt),
        "Boolean.IsNan": (floats, np.isnan),
        "Boolean.IsNotNan": (floats, lambda x: x == x),
        "Boolean.IsFinite": (floats, np.isfinite),
        "Boolean.IsInfinite": (floats, np.isinf),
        "Boolean.Not": (truth, np.logical_not),
    }
    if name in ("Boolean.IsNull", "Boolean.IsNotNull"):
        wanted = name == "Boolean.IsNotNull"

        def there(a: Sequence[Arrays]) -> Arrays:
            values, known = a[0]
            found = np.full(len(values), True) if known is None else known
            return found if wanted else ~found, None

        return there
    fits, function = plain.get(name, (False, np.abs))
    return (lambda a: (function(a[0][0]), a[0][1])) if fits else None


# --- two inputs


def _binary(op: str, left: Operand, right: Operand, out: pl.DataType) -> Function | None:
    if op in ("And", "LogicalAnd", "Or", "LogicalOr"):
        return _logic(left, right, op.endswith("And"))
    work = _working(left, right, out if op in ARITHMETIC or op in WHOLE else None)
    if work is None:
        return None
    if op in ARITHMETIC:
        return _arithmetic(op, left, right, work) if NUMBERS.get(type(out)) is work else None
    if op in WHOLE:
        plain = work is not np.float64 and NUMBERS.get(type(out)) is work and right.constant and right.value > 0
        return _applied(WHOLE[op], left, right, work) if plain else None
    return _applied(COMPARISONS[op], left, right, work) if op in COMPARISONS else None


def _working(left: Operand, right: Operand, out: pl.DataType | None) -> Any:
    """The numpy dtype in which two inputs meet; None when they do not do so simply."""
    dtypes = {type(one.dtype) for one in (left, right) if not one.constant}
    constants = [one.value for one in (left, right) if one.constant]
    if not dtypes <= set(NUMBERS) or any(type(value) not in (int, float) for value in constants):
        return None
    floats = pl.Float64 in dtypes or out == pl.Float64 or any(type(value) is float for value in constants)
    if floats:
        return np.float64
    return NUMBERS[dtypes.pop()] if len(dtypes) == 1 else None


def _read(operand: Operand, work: Any) -> Callable[[Sequence[Arrays]], Any]:
    """The values of an input in the working dtype."""
    at = operand.at
    if operand.constant:
        value = work(operand.value)
        return lambda _: value
    if NUMBERS[type(operand.dtype)] is work:
        return lambda a: a[at][0]
    return lambda a: a[at][0].astype(work)


def _applied(function: Callable[[Any, Any], Any], left: Operand, right: Operand, work: Any) -> Function | None:
    if any(one.constant and work is not np.float64 and not _holds(work, one.value) for one in (left, right)):
        return None
    x, y, i, j = _read(left, work), _read(right, work), left.at, right.at
    if right.constant:
        return lambda a: (function(x(a), y(a)), a[i][1])
    if left.constant:
        return lambda a: (function(x(a), y(a)), a[j][1])
    return lambda a: (function(x(a), y(a)), both(a[i][1], a[j][1]))


def _holds(work: Any, value: Any) -> bool:
    return bool(np.iinfo(work).min <= value <= np.iinfo(work).max)


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Plus": np.add,
    "Minus": np.subtract,
    "Multiply": np.multiply,
    "TrueDivide": np.divide,
    "Divide": np.divide,
}


def _floor_divide(x: Any, y: Any) -> Any:
    return x >> (int(y).bit_length() - 1) if int(y) & (int(y) - 1) == 0 else np.floor_divide(x, y)


def _modulus(x: Any, y: Any) -> Any:
    """What numpy's own does not do several at a time."""
    return x & (y - 1) if int(y) & (int(y) - 1) == 0 else x - np.floor_divide(x, y) * y


WHOLE: dict[str, Callable[[Any, Any], Any]] = {"FloorDivide": _floor_divide, "Modulus": _modulus}
"""Of whole numbers by a positive constant."""


def _arithmetic(op: str, left: Operand, right: Operand, work: Any) -> Function | None:
    function = ARITHMETIC[op]
    if op in ("TrueDivide", "Divide"):
        if work is not np.float64:
            return None
        if right.constant:  # Polars divides a column by a constant through its reciprocal
            with np.errstate(all="ignore"):
                inverse = float(np.float64(1.0) / np.float64(right.value))
            return _arithmetic("Multiply", left, Operand(-1, None, inverse), work)
    if right.constant and work is np.float64:
        value = float(right.value)
        if (op in ("Plus", "Minus") and value == 0.0) or (op == "Multiply" and value == 1.0):
            return _applied(lambda x, _: x, left, right, work)
        if op == "Multiply" and value == -1.0:
            return _applied(lambda x, _: np.negative(x), left, right, work)
    if left.constant and work is np.float64:
        value = float(left.value)
        if (op == "Plus" and value == 0.0) or (op == "Multiply" and value == 1.0):
            return _applied(lambda _, y: y, left, right, work)
        if (op == "Minus" and value == 0.0) or (op == "Multiply" and value == -1.0):
            return _applied(lambda _, y: np.negative(y), left, right, work)
        if op in ("Plus", "Multiply"):  # the constant comes second, which decides the sign of a NaN
            return _applied(lambda x, y: function(y, x), left, right, work)
    return _applied(function, left, right, work)


def _above(x: Any, y: Any) -> Any:
    """Greater, with NaN above all numbers and equal to itself."""
    return ~(x <= y) & (y == y)


def _same(x: Any, y: Any) -> Any:
    return (x == y) | ((x != x) & (y != y))


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Gt": _above,
    "Lt": lambda x, y: _above(y, x),
    "GtEq": lambda x, y: ~_above(y, x),
    "LtEq": lambda x, y: ~_above(x, y),
    "Eq": _same,
    "NotEq": lambda x, y: ~_same(x, y),
}


def _logic(left: Operand, right: Operand, conjunction: bool) -> Function | None:
    """And, or: null unless one side alone decides."""
    if left.dtype != pl.Boolean or right.dtype != pl.Boolean:
        return None
    i, j = left.at, right.at

    def found(a: Sequence[Arrays]) -> Arrays:
        (x, kx), (y, ky) = a[i], a[j]
        value = x & y if conjunction else x | y
        if kx is None and ky is None:
            return value, None
        kx = np.full(len(x), True) if kx is None else kx
        ky = np.full(len(y), True) if ky is None else ky
        sure_x, sure_y = kx & (~x if conjunction else x), ky & (~y if conjunction else y)
        decided = sure_x | sure_y
        return np.where(decided, not conjunction, value), decided | (kx & ky)

    return found


# --- choices


def _choice(operand: Operand, out: pl.DataType) -> Callable[[Sequence[Arrays]], tuple[Any, Any]] | None:
    """Values and known ones of a branch, in the dtype of the whole."""
    work = np.bool_ if out == pl.Boolean else NUMBERS.get(type(out))
    at = operand.at
    if work is None:
        return None
    if operand.constant:
        if operand.value is None:
            return lambda _: (work(0), False)
        if type(operand.value) is not bool and work is not np.bool_ and (work is np.float64 or _holds(work, operand.value)):
            value = work(operand.value)
            return lambda _: (value, True)
        if type(operand.value) is bool and work is np.bool_:
            truth = np.bool_(operand.value)
            return lambda _: (truth, True)
        return None
    if operand.dtype == out:
        return lambda a: a[at]
    if type(operand.dtype) in NUMBERS and out == pl.Float64:
        return lambda a: (a[at][0].astype(np.float64), a[at][1])
    return None


def _sure(given: Arrays) -> Any:
    """Where a condition is true; null counts as false."""
    yes, known = given
    return yes if known is None else yes & known


def _ternary(parts: list[Any], out: pl.DataType) -> Function | None:
    test, truthy, falsy = parts
    one, other = _choice(truthy, out), _choice(falsy, out)
    if test.dtype != pl.Boolean or one is None or other is None:
        return None
    first, second, at = one, other, test.at
    plain = truthy.constant and falsy.constant and truthy.value is not None and falsy.value == 0
    if plain and NUMBERS.get(type(out), np.float64) is not np.float64:
        number = NUMBERS[type(out)](truthy.value)
        return lambda a: (_sure(a[at]) * number, None)  # three times as fast as a choice

    def found(a: Sequence[Arrays]) -> Arrays:
        yes = _sure(a[at])
        (x, kx), (y, ky) = first(a), second(a)
        values = np.where(yes, x, y)
        if (kx is None or kx is True) and (ky is None or ky is True):
            return values, None
        return values, np.where(yes, True if kx is None else kx, True if ky is None else ky)

    return found


def _fill_null(given: Operand, filler: Operand, out: pl.DataType) -> Function | None:
    one, other = _choice(given, out), _choice(filler, out)
    if one is None or other is None:
        return None
    first, second = one, other

    def found(a: Sequence[Arrays]) -> Arrays:
        x, kx = first(a)
        if kx is None:
            return x, None
        y, ky = second(a)
        values = np.where(kx, x, y)
        return values, None if ky is None or ky is True else kx | ky

    return found
