"""One strategy whose parameters change at given bars, so that positions are carried over and every change is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import pairwise
from operator import or_

import numpy as np
import polars as pl

from rustybt.data.reprice import with_flags
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.spec import Strategy
from rustybt.sweeps.splits import Span

COLUMN = "walk_window"
"""The column that says which window a bar is in."""


def numbered(panel: Panel, spans: Sequence[Span]) -> Panel:
    """The panel with the number of each bar's span, -1 outside of all."""
    number = np.full(panel.bars, -1, dtype=np.int32)
    for at, (first, stop) in enumerate(spans):
        number[first:stop] = at
    return with_flags(panel, COLUMN, panel.spread(number))


def switched(members: Sequence[Strategy]) -> Strategy:
    """The strategy that is member i while the column ``walk_window`` says i.

    Args:
        members: variants of one strategy, with targets of one kind, and the same schedule and exits.

    Raises:
        ConfigError: the members differ in what cannot change while a position is held, or send orders one by one.

    Example:
        >>> from rustybt.spec import weight
        >>> found = switched([Strategy("a", target=weight(0.1)), Strategy("a", target=weight(0.2))])
        >>> frame = pl.DataFrame({COLUMN: [0, 1, 1]})
        >>> frame.select(found.target.expr.alias("target"))["target"].to_list()
        [0.1, 0.2, 0.2]
    """
    first = members[0]
    do = 'use positions="flat"'
    if any(member.target is None or member.orders or member.on_bar is not None for member in members):
        raise ConfigError(f"strategy {first.name!r} does not trade by its target alone", where="walk_forward, positions", do=do)
    for one, other in pairwise(members):
        assert one.target is not None
        assert other.target is not None
        for what, a, b in (
            ("kind of target", one.target.kind, other.target.kind),
            ("schedule", one.schedule, other.schedule),
            ("exits", one.exits, other.exits),
        ):
            if a != b:
                raise ConfigError(
                    f"the {what} depends on the parameters and cannot change under way", where="walk_forward, positions", do=do
                )
    targets = [member.target.expr for member in members if member.target is not None]
    universes = [pl.lit(True) if member.universe is None else member.universe for member in members]
    assert first.target is not None
    return Strategy(
        first.name,
        target=replace(first.target, expr=_chosen(members, targets)),
        universe=None if all(member.universe is None for member in members) else _chosen(members, universes),
        schedule=first.schedule,
        exits=first.exits,
        warmup=None if all(member.warmup is None for member in members) else max(member.warmup or 0 for member in members),
        declared={name: bounds for member in members for name, bounds in member.declared.items()},
    )


def _chosen(members: Sequence[Strategy], expressions: Sequence[pl.Expr]) -> pl.Expr:
    """The expression of the member whose turn it is; equal members share one branch."""
    turns: dict[str, list[int]] = {}
    for at, member in enumerate(members):
        turns.setdefault(member.spec_id, []).append(at)
    found: pl.Expr = pl.lit(None)
    for numbers in reversed(turns.values()):
        here = reduce(or_, [pl.col(COLUMN) == at for at in numbers])
        found = pl.when(here).then(expressions[numbers[0]]).otherwise(found)
    return found
