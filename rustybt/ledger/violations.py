"""Limits that were passed, as a frame."""

from __future__ import annotations

import numpy as np
import polars as pl

from rustybt.ledger.frames import Books, coded, columns_of, place, take, times
from rustybt.ledger.money import lot_sizes, steps_column
from rustybt.model import Control, Detail, Reason, Response, Status

CONTROLS = pl.Enum([control.name.lower() for control in Control])
CODES = np.zeros(max(Detail) + 1, dtype=np.int64)
"""The control of a detail."""
for _control in Control:
    CODES[Detail[_control.name]] = _control
RESPONSES = pl.Enum([response.name.lower() for response in Response])


def violations_frame(books: Books) -> pl.DataFrame:
    """What the controls noticed, in order; one row for each limit that an order or the account passed.

    Returns:
        ts, asset, sleeve (null for the account), control, action (what followed), requested (Decimal, signed: the order as it came to this
        control; null for the account).
    """
    log, given = books.outcome.log, books.tables.controls
    rows = take(log, log.having(Status.VIOLATED))
    slot = np.maximum(rows.slot, 0)
    control = CODES[rows.detail]
    actions = np.full(len(Control), 0, dtype=np.int64) if given is None else given.actions
    frame = pl.DataFrame(
        [
            times(books, "ts", rows.bar),
            *place(books, slot),
            coded("control", control, CONTROLS),
            coded("action", actions[control], RESPONSES),
            steps_column("requested", rows.requested, lot_sizes(books.tables.assets), columns_of(books, slot)),
            pl.Series("order", ~rows.having(Reason.CONTROL)),
        ]
    )
    named = ("asset", "sleeve", "requested")
    return frame.with_columns(pl.when(pl.col("order")).then(pl.col(name)).alias(name) for name in named).drop("order")


def warned(books: Books) -> list[str]:
    """One sentence for each control that warns and was passed."""
    log, given = books.outcome.log, books.tables.controls
    if given is None:
        return []
    rows = CODES[log.detail[log.having(Status.VIOLATED)]]
    counts = np.bincount(rows, minlength=len(Control))
    return [
        f"the control {control.name.lower()!r} was passed {counts[control]} times; it warns and changes nothing."
        for control in Control
        if counts[control] and given.action(control) == Response.WARN
    ]
