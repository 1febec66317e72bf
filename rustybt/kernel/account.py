"""What `Tables` say about the account itself, as arrays of the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError, LedgerError
from rustybt.model import INCREMENT_FIELDS, MARGIN_FIELDS, SLOT_FIELDS, Tables
from rustybt.model.decimals import LIMIT
from rustybt.model.tables import MOST_STEP

from .carry import carry_of
from .flags import HAS_FLOWS, HAS_INCREMENTS, HAS_MARGIN, HAS_SETTLEMENT
from .given import pending_of
from .market import admit
from .state import KINDS, TYPES

MARGINS = [SLOT_FIELDS.index(name) for name in MARGIN_FIELDS]


def account_of(tables: Tables) -> dict[str, Any]:
    """Settings of the account by field of `Desk`, and the bits of ``flags`` that they ask for.

    Raises:
        DataError: flows that are not rows of two in the order of their bars.
        LedgerError: a flow that does not fit.
    """
    margin = HAS_MARGIN if tables.slots[MARGINS].any() else 0
    bare = not (len(tables.flows) or len(tables.settlements) or len(tables.increments) or tables.pending_days)
    if bare and tables.carry is None:
        return {"flags": margin}
    flows = np.asarray(tables.flows, dtype=np.int64).reshape(-1, 2)
    if len(flows) and (flows[0, 0] < 0 or bool((flows[1:, 0] < flows[:-1, 0]).any())):
        raise DataError("the flows are not in the order of their bars", where="kernel, flows", do="sort them by bar, from 0")
    if len(flows) and (flows[:, 1].min() <= -LIMIT or flows[:, 1].max() >= LIMIT):
        raise LedgerError(
            f"a flow of 2^61 units or more, asset {tables.assets[0].symbol!r}", where="kernel, flows", do="use a smaller money_scale"
        )
    due = np.asarray(tables.settlements, dtype=np.int64)
    if len(due) and (due[0] < 0 or bool((due[1:] <= due[:-1]).any())):
        raise DataError("the settlements are not increasing bars", where="kernel, settlements", do="sort them by bar, from 0")
    columns = {"settle_bar": due, "flow_bar": flows[:, 0], "flow_money": flows[:, 1]}
    fields: dict[str, Any] = {name: admit(column, TYPES[KINDS[name]]) for name, column in columns.items()}
    bits = ((flows[:, 1].any(), HAS_FLOWS), (len(due) and tables.row("settles").any(), HAS_SETTLEMENT))
    carried, pending = carry_of(tables), pending_of(tables)
    flags = (
        margin
        | pending.pop("flags")
        | carried.pop("flags")
        | sum(bit for used, bit in bits if used)
        | HAS_INCREMENTS * increments_matter(tables)
    )
    return fields | carried | pending | increments_of(tables) | {"flows": len(flows), "settlements": len(due), "flags": flags}


def increments_matter(tables: Tables) -> bool:
    """Whether any asset ever trades in more than one of its own ticks or lots, or has a least notional."""
    rows = tables.increments
    return bool((rows[:, 2:4] > 1).any() or rows[:, 4].any())


def increments_of(tables: Tables) -> dict[str, Any]:
    """Changes of ticks, lots and least notionals by field of `Desk`.

    Raises:
        DataError: they are not in the order of their bars, or a number is out of its range.
    """
    rows = np.asarray(tables.increments, dtype=np.int64).reshape(-1, len(INCREMENT_FIELDS))
    bar, asset, steps, least = rows[:, 0], rows[:, 1], rows[:, 2:4], rows[:, 4]
    ordered = not len(rows) or (bar[0] >= 0 and not bool((bar[1:] < bar[:-1]).any()))
    known = not len(rows) or (asset.min() >= 0 and asset.max() < len(tables.assets))
    fit = not len(rows) or (steps.min() >= 1 and steps.max() < MOST_STEP and least.min() >= 0 and least.max() < LIMIT)
    if not (ordered and known and fit):
        what = "the increments are not rows of bar, asset, tick, lot and least notional in the order of their bars"
        raise DataError(what, where="kernel, increments", do="sort them by bar, from 0; ticks and lots in 1..2^31 - 1, notionals from 0")
    columns = {f"increment_{name}": rows[:, place] for place, name in enumerate(INCREMENT_FIELDS)}
    return {"increments": len(rows)} | {name: admit(column, TYPES[KINDS[name]]) for name, column in columns.items()}
