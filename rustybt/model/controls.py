"""The limits of a run as integers: what the kernel and the reference are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from rustybt.model.panel import Ints

FAR_DAY = 2**31 - 1
"""A day beyond all others."""
MOST_BARS = 1_000
"""The most bars that controls look back."""


class Control(IntEnum):
    """What is watched; an order is checked in this order."""

    HALTED = 0
    RESTRICTED = 1
    LONG_ONLY = 2
    ORDERS_PER_DAY = 3
    ORDER_QUANTITY = 4
    ORDER_NOTIONAL = 5
    POSITION = 6
    CONCENTRATION = 7
    DRAWDOWN = 8
    DAILY_LOSS = 9
    ASSET_DATES = 10
    PRICE_COLLAR = 11
    DUPLICATE = 12
    GROSS_EXPOSURE = 13
    NET_EXPOSURE = 14
    MAX_LEVERAGE = 15
    MIN_LEVERAGE = 16
    PRICE_MOVE = 17
    VALUE_AT_RISK = 18
    CORRELATED_EXPOSURE = 19
    MAX_VALUE_AT_RISK = 20

    @property
    def watches_account(self) -> bool:
        """Whether it looks at the account after every bar, and at no order."""
        return self in ACCOUNT

    @property
    def watches_moves(self) -> bool:
        """Whether it looks at how prices moved."""
        return self >= Control.PRICE_MOVE


ACCOUNT = (Control.DRAWDOWN, Control.DAILY_LOSS, Control.MAX_LEVERAGE, Control.MIN_LEVERAGE, Control.MAX_VALUE_AT_RISK)
"""Controls that look at the account after every bar."""


class Response(IntEnum):
    """What follows when a limit is passed, mildest first."""

    ALLOW = 0
    WARN = 1
    REDUCE = 2
    REJECT = 3
    HALT = 4


def _none() -> Ints:
    return np.zeros((0, 3), dtype=np.int64)


@dataclass(frozen=True)
class ControlTable:
    """The controls of one run.

    Attributes:
        actions: (controls,) Int64: an `Response` per `Control`, -1 = not watched.
        quantity, position: (assets,) Int64 lots of an order and of a position, -1 = no limit for the asset.
        notional: of an order, money units. concentration: of an asset in equity, 1e-8. orders: per day.
        drawdown, daily_loss: of the peak and of the equity at the end of the session before, 1e-8.
        flatten: whether a halt closes all positions.
        restricted: (n, 3) Int64 rows of (asset, first day, last day). dates: the same, at most one
            per asset: the days on which it may be bought or sold short.
        collar: how far a price may lie from the last price, 1e-8. duplicate: bars. move: how far the last bar may have moved, 1e-8.
        value_at_risk, max_value_at_risk: of equity, 1e-8; by ``risk_bars`` bars, of which ``risk_tail`` may lose more.
        correlated_exposure: of equity, 1e-8, with assets correlated above ``correlated_above``, 1e-8, over ``correlated_bars`` bars.
        gross_exposure, net_exposure, max_leverage, min_leverage: of equity, 1e-8. deadline: sessions.
        days: (bars,) Int64 session of each bar; empty: every bar is a day of its own.
    """

    actions: Ints
    quantity: Ints
    position: Ints
    notional: int = 0
    concentration: int = 0
    orders: int = 0
    drawdown: int = 0
    daily_loss: int = 0
    flatten: bool = False
    restricted: Ints = field(default_factory=_none)
    dates: Ints = field(default_factory=_none)
    collar: int = 0
    duplicate: int = 0
    gross_exposure: int = 0
    net_exposure: int = 0
    max_leverage: int = 0
    min_leverage: int = 0
    deadline: int = 0
    move: int = 0
    value_at_risk: int = 0
    max_value_at_risk: int = 0
    risk_bars: int = 1
    risk_tail: int = 0
    correlated_exposure: int = 0
    correlated_above: int = 0
    correlated_bars: int = 1
    days: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def window(self) -> int:
        """How many bars back the controls that are watched look at moves."""
        risk = self.action(Control.VALUE_AT_RISK) >= 0 or self.action(Control.MAX_VALUE_AT_RISK) >= 0
        return max(self.risk_bars if risk else 0, self.correlated_bars if self.action(Control.CORRELATED_EXPOSURE) >= 0 else 0)

    def action(self, control: Control) -> int:
        """The action of a control, -1 = not watched."""
        return int(self.actions[control])
