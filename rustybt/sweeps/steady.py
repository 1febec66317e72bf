"""Which operations of a top give the same from one variant to the next, so that they need not be done again.

Variants of a grid come in its order: from one to the next most parameters stay as they are, and so does whatever depends on them alone.
What an operation gives is kept for all rows where that is often so, and where a later bar looks back at it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rustybt.model.panel import Ints
from rustybt.sweeps.blocks import FORWARD, READS, SHIFT, SHIFT_FILL
from rustybt.sweeps.program import Program

ROOM = 2**21
"""Bytes that are kept so that they need not be computed again: what stays in a processor's cache."""
PER_ROW = 9
"""Bytes of a value, and whether it is known."""


class Arranged(NamedTuple):
    """A program for some variants.

    Attributes:
        code: (operations, 6) Int64, with the row in which the result is kept last; -1 = in none.
        again: (variants, operations) UInt8: 1 where the result is not that of the variant before.
        kept: rows that are kept.
        back: whether bars look back at bars before.
    """

    code: Ints
    again: npt.NDArray[np.uint8]
    kept: int
    back: bool


def arranged(program: Program, ids: Ints, constants: npt.NDArray[np.float64], height: int) -> Arranged:
    """A program for variants in this order.

    Args:
        program: of their top.
        ids: (variants, features) which feature it is.
        constants: (variants, constants).
        height: rows.
    """
    code, first = program.code, program.operations
    count = constants.shape[1]
    anew = np.ones((len(ids), len(code)), dtype=np.uint8)
    changed = [_differs(constants[:, at]) for at in range(count)] + [_differs(ids[:, at]) for at in range(first - count)]
    looked_at, back = set[int](), False
    for at, (op, _, *inputs) in enumerate(code.tolist()):
        found = np.zeros(len(ids), dtype=bool)
        for place in inputs[: READS.get(op, 2)]:
            found |= changed[place]
        changed.append(found)
        anew[:, at] = found
        if SHIFT <= op <= SHIFT_FILL:
            looked_at.add(inputs[0] - first)
        elif op == FORWARD:
            looked_at.add(at)
        back |= op >= SHIFT
    anew[:1] = 1
    steady = {at for at in range(len(code)) if len(ids) > 1 and 2 * int(anew[:, at].sum()) <= len(ids)}
    if PER_ROW * height * len(steady | looked_at) > ROOM:
        steady = set()
    rows = np.full((len(code), 1), -1, dtype=np.int64)
    for row, at in enumerate(sorted(steady | looked_at)):
        rows[at] = row
    anew[:, [at for at in range(len(code)) if at not in steady]] = 1
    return Arranged(np.hstack([code, rows]), anew, len(steady | looked_at), back)


def _differs(column: npt.NDArray[np.int64 | np.float64]) -> npt.NDArray[np.bool_]:
    """Where a value is not the one before."""
    found = np.ones(len(column), dtype=bool)
    np.not_equal(column[1:], column[:-1], out=found[1:])
    return found
