"""What `Tables` say about carry, as arrays of the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError, LedgerError
from rustybt.model import CHARGE_FIELDS, HARD_FIELDS, CarryTable, Reason, Tables
from rustybt.model.decimals import LIMIT

from .flags import HAS_CARRY
from .market import admit
from .state import KINDS, TYPES

KINDS_OF_CHARGE = (Reason.BORROW, Reason.INTEREST, Reason.CREDIT, Reason.FINANCING, Reason.FUNDING, Reason.SWAP)


def carry_of(tables: Tables) -> dict[str, Any]:
    """Charges and what cannot be borrowed, by field of `Desk`, with the bit of ``flags`` that they ask for.

    Raises:
        DataError: charges that are not in the order of their bars, or about nothing that there is.
        LedgerError: a number that does not fit.
    """
    given = tables.carry or CarryTable()
    charges, hard = _rows(given.charges, CHARGE_FIELDS), _rows(given.hard, HARD_FIELDS)
    check(charges, hard, len(tables.assets), 1 if tables.currencies is None else len(tables.currencies.names))
    columns = {f"charge_{name}": charges[:, place] for place, name in enumerate(CHARGE_FIELDS)}
    columns |= {f"hard_{name}": hard[:, place] for place, name in enumerate(HARD_FIELDS)}
    fields: dict[str, Any] = {name: admit(np.ascontiguousarray(column), TYPES[KINDS[name]]) for name, column in columns.items()}
    most = int(np.unique(charges[:, 0], return_counts=True)[1].max()) if len(charges) else 0
    sizes = {"charges": len(charges), "hard": len(hard), "charge_rows": most * len(tables.assets) * tables.sleeves}
    return fields | sizes | {"flags": HAS_CARRY if len(charges) or len(hard) else 0}


def _rows(table: Any, fields: tuple[str, ...]) -> Any:
    return np.asarray(table, dtype=np.int64).reshape(-1, len(fields))


def check(charges: Any, hard: Any, assets: int, currencies: int) -> None:
    """Refuse charges that the kernel could not serve."""
    if len(hard) and (hard[:, 0].min() < 0 or hard[:, 0].max() >= assets):
        raise DataError(f"an asset outside 0..{assets - 1} cannot be borrowed", where="kernel, carry", do="name assets by column")
    if not len(charges):
        return
    bar, reason, asset, side, num, den, price = charges.T
    do = "give what rustybt.model.CarryTable says"
    if bar[0] < 0 or bool((bar[1:] < bar[:-1]).any()):
        raise DataError("the charges are not in the order of their bars", where="kernel, carry", do="sort them by bar, from 0")
    on_cash = np.isin(reason, (Reason.INTEREST, Reason.CREDIT))
    least = np.where(on_cash, -currencies, -1)
    if not np.isin(reason, KINDS_OF_CHARGE).all() or (asset < least).any() or asset.max() >= assets or not np.isin(side, (-1, 0, 1)).all():
        raise DataError("a charge is about nothing that there is", where="kernel, carry", do=do)
    if (on_cash & ((side == 0) | (asset >= 0))).any() or den.min() <= 0 or price.min() < 0:
        raise DataError("a charge has no side, no denominator or no price", where="kernel, carry", do=do)
    if max(int(np.abs(num).max()), int(den.max()), int(price.max())) >= LIMIT:
        raise LedgerError("a charge of 2^61 units or more", where="kernel, carry", do="use a coarser money_scale or fewer digits")
