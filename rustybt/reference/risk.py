"""Section 12: value at risk, and what moves together."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rustybt.reference.account import Account, Terms
from rustybt.reference.currencies import at_home
from rustybt.reference.fills import value
from rustybt.reference.rounding import ZERO, amount, nearest

COARSE = Decimal("1E-5")
"""Correlations are made of moves that are whole multiples of it."""
MOST_COARSE = 10**6
"""Of them, at most so many."""


def worth_at_home(account: Account, terms: Terms, quantity: Decimal) -> Decimal:
    """What a quantity is worth at the last price, in the account's currency."""
    return at_home(account, terms.currency, value(quantity, account.last[terms.column] or ZERO, terms, account.rules.unit))


def gain(account: Account, terms: Terms, worth: Decimal, move: Decimal) -> Decimal:
    """What a value gains by a move."""
    return amount(nearest(worth * move, account.rules.unit), account.rules.unit, "gain", terms.asset.symbol)


def gains_of(account: Account, planned: list[Decimal], rows: list[list[Decimal]], without: int | None) -> list[Decimal]:
    """What the quantities of all slots but one would have gained in each bar."""
    gains = [ZERO] * len(rows)
    for terms in account.rules.terms:
        if terms.number == without or planned[terms.number] == 0:
            continue
        worth = worth_at_home(account, terms, planned[terms.number])
        for back, row in enumerate(rows):
            total = gains[back] + gain(account, terms, worth, row[terms.column])
            gains[back] = amount(total, account.rules.unit, "gain", terms.asset.symbol)
    return gains


@dataclass(frozen=True)
class Lookback:
    """The last bars as one slot sees them.

    Attributes:
        terms: of the slot. rows: moves, newest first. gains: of what the other slots hold, per bar.
        tail: in how many bars more may be lost.
    """

    account: Account
    terms: Terms
    rows: list[list[Decimal]]
    gains: list[Decimal]
    tail: int

    def risky(self, quantity: Decimal, bound: Decimal) -> bool:
        """Whether with a quantity in the slot more than a sum would have been lost in too many bars."""
        worth, count = worth_at_home(self.account, self.terms, quantity), 0
        for row, others in zip(self.rows, self.gains, strict=True):
            count += -(others + gain(self.account, self.terms, worth, row[self.terms.column])) > bound
        return count > self.tail

    def at_risk(self, quantity: Decimal, bound: Decimal) -> Decimal:
        """The least sum, more than a bound, at which it is not risky."""
        unit = self.account.rules.unit
        low, high = int(bound / unit), 2**62
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.risky(quantity, middle * unit) else (low, middle)
        return high * unit

    def room(self, held: Decimal, extra: Decimal, bound: Decimal, *, reduces: bool) -> Decimal | None:
        """The quantity by which an order may open; None = any. One that does not raise the value at risk passes."""
        if not self.risky(held + extra, bound):
            return None
        if self.risky(held, bound):
            bound = self.at_risk(held, bound)
            if not self.risky(held + extra, bound):
                return None
        if not reduces:
            return ZERO
        lot = self.terms.asset.lot_size
        low, high, side = 0, int(abs(extra) / lot), 1 if extra > 0 else -1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.risky(held + side * middle * lot, bound) else (middle, high)
        return low * lot


def together(rows: list[list[Decimal]], one: int, other: int, above: Decimal) -> int:
    """1 where two assets are correlated more than a limit, -1 where they are by its opposite, else 0."""
    if one == other:
        return 1
    x, y = ([min(MOST_COARSE, int(row[column] / COARSE)) for row in rows] for column in (one, other))
    bars = len(rows)
    common = bars * sum(a * b for a, b in zip(x, y, strict=True)) - sum(x) * sum(y)
    spread = (bars * sum(a * a for a in x) - sum(x) ** 2) * (bars * sum(b * b for b in y) - sum(y) ** 2)
    if common * common <= above * above * spread:
        return 0
    return 1 if common > 0 else -1


def exposure_together(account: Account, planned: list[Decimal], rows: list[list[Decimal]], column: int, above: Decimal) -> Decimal:
    """The value of what moves with an asset, less that of what moves against it."""
    total = ZERO
    for terms in account.rules.terms:
        side = together(rows, column, terms.column, above) if planned[terms.number] != 0 else 0
        if side:
            worth = worth_at_home(account, terms, planned[terms.number])
            total = amount(total + side * worth, account.rules.unit, "exposure", terms.asset.symbol)
    return total
