"""Tapes of stocks that several suites share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from rustybt.testing.vendors import Action, Tape, of_sessions

ACTIONS = (
    Action(date(2024, 3, 14), "dividend", amount=Decimal("0.24")),
    Action(date(2024, 6, 10), "split", up=4),
    Action(date(2024, 9, 12), "dividend", amount=Decimal("0.0625")),
    Action(date(2024, 10, 1), "split", up=1, down=3),
)


def stocks(frequency: str = "1d") -> list[Tape]:
    first, last = (date(2024, 1, 2), date(2024, 12, 31)) if frequency == "1d" else (date(2024, 6, 3), date(2024, 6, 14))
    return [
        of_sessions("AAPL", first, last, frequency=frequency, actions=ACTIONS if frequency == "1d" else ACTIONS[1:2]),
        of_sessions("MSFT", first, last, frequency=frequency, seed=2),
    ]
