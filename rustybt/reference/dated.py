"""Section 18: commissions and margin by date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from rustybt.model.decimals import RATE
from rustybt.model.tables import DATED_SETTINGS, Tables
from rustybt.reference.account import Account

MONEY = ("fee_flat", "margin_lot_initial", "margin_lot_maintenance")


@dataclass(frozen=True)
class Setting:
    """From ``bar`` on the slots of an asset's column have this setting."""

    bar: int
    column: int
    name: str
    value: Decimal | None


def read_settings(tables: Tables, unit: Decimal) -> list[Setting]:
    """The dated settings of a run in human units, in the order of their bars."""
    found = []
    for bar, column, place, number in tables.dated.tolist():
        name = DATED_SETTINGS[place]
        value = number * unit if name in MONEY else number / Decimal(RATE)
        found.append(Setting(bar, column, name, None if number < 0 else value))
    return found


def date_terms(account: Account, bar: int, settings: list[Setting]) -> None:
    """Give the slots the settings of a bar."""
    due = [setting for setting in settings if setting.bar == bar]
    if not due:
        return
    terms = list(account.rules.terms)
    for setting in due:
        changed: dict[str, Any] = {setting.name: setting.value}
        terms = [replace(one, **changed) if one.column == setting.column else one for one in terms]
    account.rules = replace(account.rules, terms=tuple(terms))
