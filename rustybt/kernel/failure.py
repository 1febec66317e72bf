"""Error codes of the kernel in words."""

from __future__ import annotations

from rustybt.errors import LedgerError
from rustybt.model import Tables

from .state import BLAME, ERROR, OVERFLOW, Desk


def check(tables: Tables, desk: Desk, bar: int) -> None:
    """Raise what the kernel noted.

    Raises:
        LedgerError: an amount does not fit, or the books do not balance.
    """
    code = int(desk.count[ERROR])
    if code == 0:
        return
    symbol = tables.assets[int(desk.count[BLAME]) % len(tables.assets)].symbol
    if code == OVERFLOW:
        raise LedgerError(
            f"an amount of asset {symbol!r} does not fit below 2^61 units",
            where=f"asset {symbol!r}, bar {bar}",
            do=f"use a smaller money_scale (now {tables.money_scale}), or a coarser tick_size or lot_size for {symbol!r}",
            asset=symbol,
            bar=bar,
        )
    raise LedgerError("the books do not balance", where=f"bar {bar}", do="report this: it is a bug of RustyBT", bar=bar)
