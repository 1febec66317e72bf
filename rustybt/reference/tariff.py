"""Section 4: the rates of a commission, which may fall with what was traded in the calendar month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from rustybt.model.decimals import RATE
from rustybt.model.tables import TIER_SETTINGS, Tables
from rustybt.reference.rounding import ZERO, amount

if TYPE_CHECKING:
    from rustybt.reference.account import Account, Terms

FINEST = Decimal("1E-8")
"""Quantities that count towards a tier are whole numbers of this."""
FIRST = date(1970, 1, 1)
PER_RATE = 1 / Decimal(RATE)


@dataclass(frozen=True)
class Rates:
    """What one fill is charged by: a fraction of its value, another one for orders that rested, and money for so many lots."""

    rate: Decimal
    maker: Decimal | None
    per_lot: Decimal
    lots: Decimal

    def resting(self) -> Rates:
        """The same for an order that rested at its price."""
        return self if self.maker is None else replace(self, rate=self.maker)


@dataclass(frozen=True)
class Ladder:
    """Tiers of one asset.

    Attributes:
        group: which count they go by. by_quantity: whether it counts quantity, else value.
        tiers: from how much on, and the rates, lowest first.
    """

    group: int
    by_quantity: bool
    tiers: tuple[tuple[Decimal, Rates], ...]


def read_ladder(tables: Tables, place: Mapping[str, int], unit: Decimal) -> Ladder | None:
    """The tiers that the settings `rustybt.model.tables.TIER_SETTINGS` name; None where they are none."""
    first, count, group, each = (place[name] for name in TIER_SETTINGS)
    if count == 0:
        return None
    tiers = []
    for column in range(first, first + count):
        floor, rate, maker, num, den = (int(number) for number in tables.tiers[:, column])
        rates = Rates(rate * PER_RATE, None if maker < 0 else maker * PER_RATE, num * unit, Decimal(den))
        tiers.append((floor * (FINEST if each else unit), rates))
    return Ladder(group, each != 0, tuple(tiers))


def rates_of(account: Account, terms: Terms) -> Rates:
    """The rates in force for the next fill: those of what was traded before it."""
    if terms.ladder is None:
        return terms.rates
    traded = account.traded_in_month.get(terms.ladder.group, ZERO)
    reached = [rates for floor, rates in terms.ladder.tiers if floor <= traded]
    return reached[-1] if reached else terms.ladder.tiers[0][1]


def note_traded(account: Account, terms: Terms, quantity: Decimal, notional: Decimal) -> None:
    """Count a fill towards the tiers of its month."""
    if terms.ladder is None:
        return
    by_quantity, unit = terms.ladder.by_quantity, account.rules.unit
    added, step = (abs(quantity), FINEST) if by_quantity else (abs(notional), unit)
    amount(added, step, "traded in the month", terms.asset.symbol)
    before = account.traded_in_month.get(terms.ladder.group, ZERO)
    account.traded_in_month[terms.ladder.group] = amount(before + added, step, "traded in the month", terms.asset.symbol)


def turn_month(account: Account, day: int) -> None:
    """Nothing was traded yet in a new calendar month."""
    today = FIRST + timedelta(days=day)
    month = (today.year, today.month)
    if account.month != month:
        account.month = month
        account.traded_in_month.clear()
