"""Variants from features to numbers in one compiled pass: offers, run, curve, moments, one variant after the other.

What a variant writes (offers, curve, returns) lies where the one before wrote, and so stays in the processor's cache; and Python is asked
for nothing in between, so that other threads have its lock.
"""

from __future__ import annotations

from typing import Any

from rustybt.kernel.compile import entry
from rustybt.kernel.many import BALANCED, REACHED, run_one
from rustybt.sweeps.machine import offers_of
from rustybt.sweeps.moments import reduce_one

FINAL = 4
"""Column of what `evaluate_each` finds, behind those of `rustybt.kernel.many.run_one`: equity after the last bar."""


@entry
def evaluate_each(program: Any, given: Any, store: Any, bars: Any, plan: Any, desk: Any, curves: Any, measured: Any, first: int) -> Any:
    """Evaluate variants of one top, one after the other.

    Args:
        program: code and how, as `offers_of` takes them.
        given: constants (variants, constants), which of them are known, places of features (variants, features + 1), which operations give
            something else than in the variant before (variants, operations); see `offers_of`. Last (variants, 5) the exits of each.
        store: of features; see `offers_of`.
        bars: (2, rows) bar and asset of each row, and (assets,) units in one.
        plan: (3, rows) for the offers of a variant, and the scratch of `offers_of`.
        desk: what `rustybt.kernel.many.Many.given` gives.
        curves: equity (variants or 1, bars) Int64, which is written, and cash (bars,).
        measured: last bars of sessions, the scales and the scratch of `reduce_one`; found (variants, 5) Int64 and numbers (variants, 8)
            Float64, filled here. A variant that was left out or went wrong reached bar -1.
        first: variant to begin with.

    Returns:
        The number of variants, or the first that needs a longer log.
    """
    constants, known, ids, again, own = given
    offers, scratch = plan
    places, table, state, log, kept, exits = desk
    equity, cash = curves
    last, scales, room, found, numbers = measured
    rows, units = bars
    for v in range(first, ids.shape[0]):
        curve = equity[v if equity.shape[0] > 1 else 0]
        count = offers_of(program, (constants[v], known, ids[v], again[v]), store, rows, units, offers, scratch)
        found[v, REACHED] = -1
        if count < 0:
            continue
        for rule in range(exits.shape[0]):
            for slot in range(exits.shape[1]):
                exits[rule, slot] = own[v, rule]
        if not run_one(places, table, state, log, kept, count, (curve, cash), found[v]):
            return v
        if found[v, REACHED] == cash.size and found[v, BALANCED] == 1:
            reduce_one(curve, last, scales, numbers[v], room)
            found[v, FINAL] = curve[cash.size - 1]
    return ids.shape[0]
