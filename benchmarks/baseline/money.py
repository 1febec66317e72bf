"""An account in decimals: a fixed number of shares while one average is above another, a fee on each side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True)
class Terms:
    """Windows, shares, cash and the fee as a part of the traded value."""

    fast: int
    slow: int
    shares: int
    cash: Decimal
    fee: Decimal
    step: Decimal = Decimal("0.00000001")


def account(opened: Sequence[int], close: Sequence[int], terms: Terms) -> tuple[list[Decimal], int]:
    """Equity after every bar, and the number of orders.

    Args:
        opened, close: cents.
        terms: of the account. What is decided at a close is bought or sold at the next open.
    """
    cent, held, cash, wanted, orders = Decimal("0.01"), 0, terms.cash, 0, 0
    equity = []
    for t in range(len(close)):
        if wanted != held:
            price = opened[t] * cent
            fee = (abs(wanted - held) * price * terms.fee).quantize(terms.step, ROUND_HALF_EVEN)
            cash -= (wanted - held) * price + fee
            held = wanted
            orders += 1
        equity.append(cash + held * close[t] * cent)
        if t >= terms.slow - 1:
            fast, slow = sum(close[t - terms.fast + 1 : t + 1]), sum(close[t - terms.slow + 1 : t + 1])
            wanted = terms.shares if fast * terms.slow > slow * terms.fast else 0
    return equity, orders
