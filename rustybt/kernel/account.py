"""What `Tables` say about the account itself, as arrays of the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError, LedgerError
from rustybt.model import MARGIN_FIELDS, Tables
from rustybt.model.decimals import LIMIT

from .carry import carry_of
from .market import admit
from .state import HAS_FLOWS, HAS_MARGIN, HAS_SETTLEMENT, KINDS, TYPES


def account_of(tables: Tables) -> dict[str, Any]:
    """Settings of the account by field of `Desk`, and the bits of ``flags`` that they ask for.

    Raises:
        DataError: flows that are not rows of two in the order of their bars.
        LedgerError: a flow that does not fit.
    """
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
    margin = any(tables.row(name).any() for name in MARGIN_FIELDS)
    bits = ((flows[:, 1].any(), HAS_FLOWS), (margin, HAS_MARGIN), (len(due) and tables.row("settles").any(), HAS_SETTLEMENT))
    carried = carry_of(tables)
    flags = sum(bit for used, bit in bits if used) | carried.pop("flags")
    return fields | carried | {"flows": len(flows), "settlements": len(due), "flags": flags}
