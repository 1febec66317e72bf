"""Money in several currencies: which asset is quoted in which, and what each is worth in that of the account, bar by bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rustybt.model.panel import Ints

MOST_CURRENCIES = 32
"""The most currencies of one run, that of the account included."""


@dataclass(frozen=True)
class CurrencyTable:
    """The currencies of a run.

    Attributes:
        names: the account's first, the others in byte order.
        of_asset: (assets,) Int64: place of each asset's currency in ``names``.
        num, den: (bars, currencies) Int64: one unit of a currency is worth ``num / den`` of the account's at the close of a bar, reduced;
            ``num`` 0 = not known yet, or as before. The account's own is 1 / 1.
        convert: whether foreign cash becomes cash of the account at every mark; else it stays in its book.
        cost_rate, cost_minimum, least: what a conversion costs, in 1e-8 of what it brings and at least so many money units of the
            account's; cash worth less than ``least`` waits.

    Example:
        >>> one = np.ones((1, 1), dtype=np.int64)
        >>> CurrencyTable(("USD",), np.zeros(3, dtype=np.int64), one, one).foreign
        0
    """

    names: tuple[str, ...]
    of_asset: Ints
    num: Ints
    den: Ints
    convert: bool = True
    cost_rate: int = 0
    cost_minimum: int = 0
    least: int = 0

    @property
    def foreign(self) -> int:
        """How many currencies there are beside the account's."""
        return len(self.names) - 1

    def of_slots(self, slot: npt.NDArray[np.integer]) -> Ints:
        """Place of the currency of each slot; rows about the account (slot -1) are in the account's."""
        found = self.of_asset[np.maximum(slot, 0) % len(self.of_asset)]
        return np.asarray(np.where(slot < 0, 0, found), dtype=np.int64)
