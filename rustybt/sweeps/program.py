"""A top with types: the operations of `rustybt.sweeps.blocks` in the order in which they are done.

The types are those that Polars would give: numbers with a point (``real``), whole numbers that a float holds exactly (``whole``), those of
them that are counted and stay small (``few``), truth values (``truth``), nothing but nulls (``null``). Where Polars' result would depend on
more (whole numbers that wrap, a mixture of truth and numbers) there is no program, and the term is evaluated by Polars as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.model.panel import Ints
from rustybt.sweeps.blocks import OPS
from rustybt.sweeps.template import LAGS, Node

NUMBERS = ("real", "whole", "few")
SMALL = 1_000
"""Whole constants up to it may be added and subtracted: no top is long enough that a sum of them would wrap."""


class Mixed(Exception):
    """The types of a top do not go together in a way that is known."""


@dataclass(frozen=True)
class Program:
    """What the machine does for one row.

    Attributes:
        code: (operations, 5) Int64: operation, place of the result, up to three places that it reads. The constants have the first
            places, then come the features, then the operations in their order.
        inverted: constants that are divided by, of which Polars takes the reciprocal.
        nulls: constants that are null.
        places: how many there are.
        result: place of the value.
        operations: place of the first of them.
    """

    code: Ints
    inverted: Ints
    nulls: Ints
    places: int
    result: int
    operations: int


@dataclass(frozen=True)
class Leaves:
    """What the leaves of a top are, in all variants that are computed together.

    Attributes:
        features: type of each feature; where there is a universe it is the last, and outside of it the value is 0.
        alike: for each feature the first that is the same one.
        constants: for each constant the first that has the same values.
        small: for each constant whether all its values are within `SMALL`.
        mask: whether there is a universe.
    """

    features: tuple[str, ...]
    alike: tuple[int, ...]
    constants: tuple[int, ...]
    small: tuple[bool, ...]
    mask: bool


def leaves_of(features: Sequence[str], ids: Ints, constants: npt.NDArray[np.float64], mask: bool) -> Leaves:
    """The leaves of variants.

    Args:
        features: type of each feature.
        ids: (variants, features) which feature it is.
        constants: (variants, constants).
        mask: whether the last feature is the universe.

    Example:
        >>> leaves_of(["real"] * 3, np.array([[4, 5, 4], [7, 7, 7]]), np.ones((2, 2)), mask=False).alike
        (0, 1, 0)
    """
    parts: list[tuple[int, ...]] = []
    for table in (ids, constants):
        known: dict[bytes, int] = {}
        parts.append(tuple([known.setdefault(table[:, at].tobytes(), at) for at in range(table.shape[1])]))
    small = tuple((np.abs(constants) <= SMALL).all(axis=0).tolist())
    return Leaves(tuple(features), parts[0], parts[1], small, mask)


def program_of(top: Node, leaves: Leaves) -> Program | None:
    """The program of a top, in which what is written twice is done once; None where its types are not known to go together."""
    features, writer = leaves.features, _Writer(leaves)
    try:
        place, kind = writer.node(top)
    except Mixed:
        return None
    if kind not in (*NUMBERS, "null") or (leaves.mask and features[-1] != "truth"):
        return None
    if leaves.mask:
        zero = writer.zero()
        place = writer.put("if", (writer.feature(len(features) - 1), place, zero))
    code = np.array(writer.code, dtype=np.int64).reshape(-1, 5)
    inverted, nulls = (np.array(part, dtype=np.int64) for part in (writer.inverted, writer.nulls))
    return Program(code, inverted, nulls, writer.places, place, writer.count + len(features))


@dataclass
class _Writer:
    """Writes operations down."""

    leaves: Leaves
    code: list[list[int]] = field(default_factory=list)
    inverted: list[int] = field(default_factory=list)
    nulls: list[int] = field(default_factory=list)
    done: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.count = len(self.leaves.constants)
        self.places = self.count + len(self.leaves.features)

    def feature(self, number: int) -> int:
        """Place of a feature."""
        return self.count + self.leaves.alike[number]

    def zero(self) -> int:
        """Place of a number 0."""
        return self.put("zero", ())

    def put(self, op: str, inputs: tuple[int, ...]) -> int:
        """Write one operation, unless it is there; where its result is."""
        if (op, inputs) not in self.done:
            self.code.append([OPS[op], self.places, *inputs, *[0] * (3 - len(inputs))])
            self.done[op, inputs] = self.places
            self.places += 1
        return self.done[op, inputs]

    def constant(self, node: Node, use: str) -> int:
        """Place of a constant; where one of the same values is put to the same use, its place."""
        return self.done.setdefault((use, self.leaves.constants[node.leaf]), node.leaf)

    def node(self, node: Node) -> tuple[int, str]:
        """Place and type of a node."""
        if node.op == "feature":
            return self.feature(node.leaf), self.leaves.features[node.leaf]
        if node.op == "constant":
            if node.kind == "null":
                self.nulls.append(node.leaf)
            few = node.kind == "whole" and self.leaves.small[node.leaf]
            return self.constant(node, "null" if node.kind == "null" else "given"), "few" if few else node.kind
        if node.op == "div" and node.inputs[1].op == "constant":
            (place, kind), below = self.node(node.inputs[0]), node.inputs[1]
            if kind not in ("real", "few") or below.kind not in NUMBERS:
                raise Mixed
            by = self.constant(below, "inverted")
            self.inverted += [by] if by not in self.inverted else []
            return self.put("mul", (place, by)), "real"
        found = [self.node(part) for part in node.inputs]
        if node.op in LAGS.values() and found[0][0] < self.count + len(self.leaves.features):
            raise Mixed  # what is looked back at is kept where operations write
        return self.put(node.op, tuple(place for place, _ in found)), typed(node.op, [kind for _, kind in found])


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
    if op in ("add", "sub") and one == {"few"}:
        return "few"
    if op in ("neg", "abs") and one in ({"real"}, {"few"}):
        return kinds[0]
    if op == "sign" and one <= set(NUMBERS):
        return kinds[0]
    if op in ("clip", "atleast", "atmost") and kinds[0] == "real" and one <= set(NUMBERS):
        return "real"
    if op in ("max", "min") and "real" in one and one <= set(NUMBERS):
        return "real"
    if op == "count" and one == {"truth"}:
        return "few"
    if op in ("shift", "forward") and kinds[0] != "null":
        return kinds[0]
    if op == "shiftfill" and "null" not in kinds and joined(kinds[::2]) == kinds[0]:
        return kinds[0]
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
        return "real" if "real" in known else "whole" if "whole" in known else "few" if known else "null"
    if known == {"truth"}:
        return "truth"
    raise Mixed
