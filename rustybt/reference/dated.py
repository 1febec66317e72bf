"""Section 18: commissions with their tiers, and margin, by date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from rustybt.model.decimals import RATE
from rustybt.model.tables import DATED_SETTINGS, TIER_SETTINGS, Tables
from rustybt.reference.account import Account
from rustybt.reference.tariff import read_ladder

MONEY = {
    "fee_flat": "fee_flat",
    "fee_min": "fee_minimum",
    "fee_max": "fee_maximum",
    "fee_lot_num": "fee_per_lot",
    "margin_lot_initial": "margin_lot_initial",
    "margin_lot_maintenance": "margin_lot_maintenance",
}
"""Settings in money, and what the terms of a slot call them; all others but numbers of lots and tiers are fractions, by their own name."""


@dataclass(frozen=True)
class Setting:
    """From ``bar`` on the slots of an asset's column have these terms."""

    bar: int
    column: int
    terms: dict[str, Any]


def read_settings(tables: Tables, unit: Decimal) -> list[Setting]:
    """The dated settings of a run in human units, in the order of their bars."""
    found = []
    for (bar, column), rows in groupby(tables.dated.tolist(), key=lambda row: (row[0], row[1])):
        numbers = [(DATED_SETTINGS[place], number) for _, _, place, number in rows]
        found.append(Setting(bar, column, dict(in_words(numbers, tables, unit))))
    return found


def in_words(numbers: Iterable[tuple[str, int]], tables: Tables, unit: Decimal) -> Iterable[tuple[str, Any]]:
    """Settings as terms of a slot."""
    tiers: dict[str, int] = {}
    for name, number in numbers:
        if name in TIER_SETTINGS:
            tiers[name] = number
            if name == TIER_SETTINGS[-1]:
                yield "ladder", read_ladder(tables, tiers, unit)
        elif name == "fee_lot_den":
            yield "fee_lots", Decimal(number)
        elif name in MONEY:
            yield MONEY[name], None if number < 0 else number * unit
        else:
            yield name, None if number < 0 else number / Decimal(RATE)


def date_terms(account: Account, bar: int, settings: list[Setting]) -> None:
    """Give the slots the settings of a bar."""
    due = [setting for setting in settings if setting.bar == bar]
    if not due:
        return
    terms = list(account.rules.terms)
    for setting in due:
        terms = [replace(one, **setting.terms) if one.column == setting.column else one for one in terms]
    account.rules = replace(account.rules, terms=tuple(terms))
