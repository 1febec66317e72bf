"""A top with types: the operations of `rustybt.sweeps.machine` in the order in which they are done.

The types are those that Polars would give: numbers with a point (``real``), whole numbers that a float holds exactly (``whole``), truth
values (``truth``), nothing but nulls (``null``). Where Polars' result would depend on more than that (whole numbers that wrap, a mixture of
truth and numbers) there is no program, and the term is evaluated by Polars as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rustybt.model.panel import Ints
from rustybt.sweeps.machine import OPS
from rustybt.sweeps.template import Node

NUMBERS = ("real", "whole")


class Mixed(Exception):
    """The types of a top do not go together in a way that is known."""


@dataclass(frozen=True)
class Program:
    """What the machine does for one row.

    Attributes:
        code: (operations, 5) Int64: operation, place of the result, up to three places that it reads. The constants have the first
            places, then come the features.
        inverted: constants that are divided by, of which Polars takes the reciprocal.
        nulls: constants that are null.
        places: how many there are.
        result: place of the value.
    """

    code: Ints
    inverted: Ints
    nulls: Ints
    places: int
    result: int


def program_of(top: Node, features: Sequence[str], constants: int, mask: bool) -> Program | None:
    """The program of a top; None where its types are not known to go together.

    Args:
        top: operations.
        features: type of each feature; with ``mask`` the last is the universe, outside of which the value is 0.
        constants: how many there are.
        mask: whether there is a universe.
    """
    writer = _Writer(features, constants)
    try:
        place, kind = writer.node(top)
    except Mixed:
        return None
    if kind not in (*NUMBERS, "null") or (mask and features[-1] != "truth"):
        return None
    if mask:
        zero = writer.zero()
        place = writer.put("if", (writer.feature(len(features) - 1), place, zero))
    code = np.array(writer.code, dtype=np.int64).reshape(-1, 5)
    inverted, nulls = (np.array(part, dtype=np.int64) for part in (writer.inverted, writer.nulls))
    return Program(code, inverted, nulls, writer.places, place)


@dataclass
class _Writer:
    """Writes operations down."""

    kinds: Sequence[str]
    count: int
    code: list[list[int]] = field(default_factory=list)
    inverted: list[int] = field(default_factory=list)
    nulls: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.constants = list(range(self.count))
        self.features = list(range(self.count, self.count + len(self.kinds)))
        self.places = self.count + len(self.kinds)

    def feature(self, number: int) -> int:
        """Place of a feature."""
        return self.features[number]

    def zero(self) -> int:
        """Place of a number 0."""
        return self.put("zero", ())

    def put(self, op: str, inputs: tuple[int, ...]) -> int:
        """Write one operation; where its result is."""
        self.code.append([OPS[op], self.places, *inputs, *[0] * (3 - len(inputs))])
        self.places += 1
        return self.places - 1

    def node(self, node: Node) -> tuple[int, str]:
        """Place and type of a node."""
        if node.op == "feature":
            return self.features[node.leaf], self.kinds[node.leaf]
        if node.op == "constant":
            if node.kind == "null":
                self.nulls.append(node.leaf)
            return self.constants[node.leaf], node.kind
        found = [self.node(part) for part in node.inputs]
        places, kinds = tuple(place for place, _ in found), [kind for _, kind in found]
        if node.op == "div" and node.inputs[1].op == "constant":
            if kinds[0] != "real" or kinds[1] not in NUMBERS:
                raise Mixed
            self.inverted.append(node.inputs[1].leaf)
            return self.put("mul", places), "real"
        return self.put(node.op, places), typed(node.op, kinds)


def typed(op: str, kinds: list[str]) -> str:
    """The type of an operation's result.

    Raises:
        Mixed: it is not known.
    """
    one = set(kinds)
    if op in ("gt", "lt", "ge", "le", "eq", "ne") and one <= set(NUMBERS):
        return "truth"
    if op in ("and", "or", "xor", "not") and one == {"truth"}:
        return "truth"
    if op in ("isnull", "isvalid") and "null" not in one:
        return "truth"
    if op in ("add", "sub", "mul", "div") and "real" in one and one <= set(NUMBERS):
        return "real"
    if op in ("neg", "abs") and one == {"real"}:
        return "real"
    if op == "float" and one <= {*NUMBERS, "truth"}:
        return "real"
    if op == "if" and kinds[0] == "truth":
        return joined(kinds[1:])
    if op == "fill" and "null" not in one:
        return joined(kinds)
    raise Mixed


def joined(kinds: list[str]) -> str:
    """The type of one or the other.

    Raises:
        Mixed: truth and numbers.
    """
    known = set(kinds) - {"null"}
    if known <= set(NUMBERS):
        return "real" if "real" in known else "whole" if known else "null"
    if known == {"truth"}:
        return "truth"
    raise Mixed
