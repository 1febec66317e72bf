"""Static window bounds: which past bars the value of an expression needs, and whether it could see a later one.

In: a `pl.Expr` over the signal frame. Out: `Bounds`, proven on the tree of the expression; no data is looked at. The proof is in
`rustybt.spec.proof`; what it cannot prove past-only is look-ahead. `rustybt.spec.reach` turns bounds and real timestamps into a first row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

import polars as pl

from rustybt.spec.findings import Bounds, Declared, Reason, union
from rustybt.spec.proof import prove
from rustybt.spec.tree import text

__all__ = ["Bounds", "Declared", "Reason", "analyse", "union"]


def analyse(expr: pl.Expr, declared: Mapping[str, object] | None = None, member: Bounds | None = None) -> Bounds:
    """What an expression reads, proven on its tree.

    A bare operation along rows means per asset, and a window inside a window means what it says: the planner evaluates both so.

    Args:
        expr: over the columns of the signal frame, keyed by ``ts`` and ``asset``.
        declared: bounds of plugins (by symbol) and callbacks (by digest), as `Declared.of` takes them.
        member: bounds of the universe, which decides who takes part in cross-sections.

    Raises:
        SpecError: the tree cannot be read, or a declaration is not understood.

    Example:
        >>> analyse(pl.col("close").rolling_mean(20).shift(1)).rows
        20
        >>> print(analyse(pl.col("close").shift(-1)).reasons[0])
        reads 1 bar ahead of the bar it is labelled with: close.shift(-1)
    """
    promises = tuple(sorted((name, Declared.of(name, value)) for name, value in (declared or {}).items()))
    return _analyse(text(expr), promises, member)


@lru_cache(maxsize=16_384)
def _analyse(source: str, promises: tuple[tuple[str, Declared], ...], member: Bounds | None) -> Bounds:
    return prove(json.loads(source), dict(promises), member)
