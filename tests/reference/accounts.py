"""Small accounts for the tests of the reference: one asset at ticks and lots of 1, cents, no costs unless asked for."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

from rustybt.model import Asset, FillAt, Sizing, TargetKind
from rustybt.reference.account import Account, Position, Rules, Terms
from rustybt.reference.rounding import ZERO

CENT = Decimal("0.01")


def terms(number: int = 0, **settings: Any) -> Terms:
    plain: dict[str, Any] = {field.name: ZERO for field in fields(Terms)}
    plain |= {
        "fee_lots": Decimal(1),
        "down": Decimal(1),
        "fee_maximum": None,
        "fee_cap": None,
        "fee_maker": None,
        "ladder": None,
        "slip_buy": None,
        "slip_sell": None,
        "cap_carry": False,
        "max_bars": 0,
        "cool_down": 0,
        "currency": 0,
    }
    plain |= {"reentry_on_schedule": False, "scheduled": False, "kind": TargetKind.QUANTITY}
    plain |= {"number": number, "column": number, "asset": Asset(f"A{number}", tick_size=Decimal(1))}
    return Terms(**(plain | settings))


def account(*slots: Terms, cash: str = "1000", gross: str = "1", sizing: Sizing = Sizing.AT_DECISION) -> Account:
    rules = Rules(CENT, Decimal(gross), FillAt.NEXT_OPEN, sizing, slots)
    last: list[Decimal | None] = [Decimal(100)] * len(slots)
    positions = tuple(Position() for _ in slots)
    return Account(rules=rules, cash=Decimal(cash), positions=positions, last=last, deposits=Decimal(cash))
