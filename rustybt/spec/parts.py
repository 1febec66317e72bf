"""Parts: what is done at a bar, as data.

In: choices of `rustybt.spec.barwise`. Out: `Part`s, each of which reads rings (what walked along time), then computes columns over the rows
of the bar. A part's rings are fed by columns of earlier parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from rustybt.spec.crosswise import Across
from rustybt.spec.exact import Rolling
from rustybt.spec.rowwise import Function
from rustybt.spec.tree import Node as Tree

FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass(frozen=True)
class Move:
    """One operation along time, read off a ring.

    Attributes:
        item: graph node.
        name: the column that it becomes.
        source: the column whose ring it reads.
        size: bars that it reads, its own included.
        call: name of the operation; of a rolling one its function (``Min``, ``Max``, ...).
        window: the exact window, if it is one.
        expr: the operation over a column ``x`` of windows one after the other, each giving its last value as ``v``.
        filler: what stands before there are enough bars; None = null.
    """

    item: int
    name: str
    source: str
    size: int
    call: str
    window: Rolling | None = None
    expr: pl.Expr | None = None
    filler: pl.Expr | None = None


@dataclass(frozen=True)
class Recall:
    """One operation that depends on every bar since the first: carried in a state where there is one, else evaluated on all bars again.

    Attributes:
        item: graph node.
        name: the column that it becomes.
        sources: the columns that it reads.
        expr: the operation over these columns and ``__asset``.
        carried: the operation over a column ``x``, if it may have a state.
    """

    item: int
    name: str
    sources: tuple[str, ...]
    expr: pl.Expr
    carried: Tree | None = None


@dataclass(frozen=True)
class Eager:
    """Columns computed side by side by Polars.

    Attributes:
        names: what they are called.
        exprs: their expressions.
        items: graph node of each, for messages.
        reads: the columns that they read.
    """

    names: tuple[str, ...]
    exprs: tuple[pl.Expr, ...]
    items: tuple[int, ...]
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Native:
    """One column computed by numpy.

    Attributes:
        name: what it is called.
        reads: its inputs, in order.
        dtype: of its values.
        row: an operation on rows, or
        across: one over the assets of the bar.
        member: the column of the universe that masks it.
        instead: the same in Polars, for bars that numpy leaves to it.
    """

    name: str
    reads: tuple[str, ...]
    dtype: pl.DataType
    row: Function | None = None
    across: Across | None = None
    member: str | None = None
    instead: Eager | None = None


@dataclass(frozen=True)
class Part:
    """Work that can be done once the parts before it are done.

    Attributes:
        rings: columns to remember, and how many bars of each.
        moves: operations read off rings.
        recalls: operations on all bars.
        steps: columns computed over the rows of the bar.
    """

    rings: dict[str, int] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)
    steps: list[Eager | Native] = field(default_factory=list)


@dataclass(frozen=True)
class BarProgram:
    """All work of a bar for given dtypes.

    Attributes:
        parts: when the terms are wanted.
        idle: when they are not: only what later bars need.
        terms: column of each term.
    """

    parts: tuple[Part, ...]
    idle: tuple[Part, ...]
    terms: dict[str, str]


def lasting(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts without what only the terms of this bar need."""
    needed: set[str] = set()
    found: list[Part] = []
    for part in reversed(parts):
        steps: list[Eager | Native] = []
        for step in reversed(part.steps):
            kept = _only(step, needed)
            if kept is not None:
                needed |= {*kept.reads, *((kept.member,) if isinstance(kept, Native) and kept.member is not None else ())}
                if isinstance(kept, Native) and kept.instead is not None:
                    needed |= set(kept.instead.reads)
                steps.append(kept)
        needed |= {source for recall in part.recalls for source in recall.sources} | set(part.rings)
        found.append(replace(part, steps=steps[::-1], moves=[move for move in part.moves if move.name in needed]))
    return tuple(reversed(found))


def _only(step: Eager | Native, names: set[str]) -> Eager | Native | None:
    if isinstance(step, Native):
        return step if step.name in names else None
    kept = [at for at, name in enumerate(step.names) if name in names]
    if not kept:
        return None
    return Eager(tuple(step.names[i] for i in kept), tuple(step.exprs[i] for i in kept), tuple(step.items[i] for i in kept), step.reads)
