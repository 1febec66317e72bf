"""The coded reasons and states of orders and log rows, shared by the kernel, the reference and the books."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Reason(IntEnum):
    """Why a log row exists: why an order was sent, or which event it was."""

    TARGET = 0
    STOP_LOSS = 1
    TRAILING_STOP = 2
    TAKE_PROFIT = 3
    MAX_BARS = 4
    CALLBACK = 5
    EXTERNAL = 6
    SPLIT = 7
    DIVIDEND = 8
    DEPOSIT = 9
    WITHDRAWAL = 10
    PAYMENT = 11
    SPINOFF = 12
    MERGER = 13
    DELISTING = 14
    EXPIRY = 15
    ROLL = 16
    MARGIN_CALL = 17
    LIQUIDATION = 18
    VARIATION = 19
    CONTROL = 20
    HALT = 21
    ORDER = 22
    BORROW = 23
    INTEREST = 24
    CREDIT = 25
    FINANCING = 26
    FUNDING = 27
    SWAP = 28
    CONVERSION = 29
    TOP_UP = 30
    LIQUIDATION_FEE = 31


class Status(IntEnum):
    """What became of it."""

    FILLED = 0
    REJECTED = 1
    CANCELLED = 2
    WORKING = 3
    APPLIED = 4
    ACCRUED = 5
    VIOLATED = 6
    ACCEPTED = 7
    TRIGGERED = 8
    EXPIRED = 9


class Detail(IntEnum):
    """What happened to an order that was not simply filled."""

    NONE = 0
    UNAFFORDABLE = 1
    REPLACED = 2
    EXITED = 3
    COOL_DOWN = 4
    NO_PRICE = 5
    SPLIT = 6
    MERGED = 7
    DELISTED = 8
    SETTLED = 9
    ROLLED = 10
    CAPPED = 11
    MARGIN_CALL = 12
    HALTED = 13
    RESTRICTED = 14
    LONG_ONLY = 15
    ORDERS_PER_DAY = 16
    ORDER_QUANTITY = 17
    ORDER_NOTIONAL = 18
    POSITION = 19
    CONCENTRATION = 20
    DRAWDOWN = 21
    DAILY_LOSS = 22
    UNRESOLVED = 23
    BARRED = 24
    POST_ONLY = 25
    REDUCE_ONLY = 26
    REQUESTED = 27
    TIME = 28
    UNMET = 29
    AMENDED = 30
    ACTIVATED = 31
    OCO = 32
    PARENT = 33
    LOT_SIZE = 34
    MIN_NOTIONAL = 35
    NO_BORROW = 36
    END_OF_DAY = 37
    UNSETTLED = 38
    ASSET_DATES = 39
    PRICE_COLLAR = 40
    DUPLICATE = 41
    GROSS_EXPOSURE = 42
    NET_EXPOSURE = 43
    MAX_LEVERAGE = 44
    MIN_LEVERAGE = 45
    DISPLAYED = 46
    PRICE_MOVE = 47
    VALUE_AT_RISK = 48
    CORRELATED_EXPOSURE = 49
    MAX_VALUE_AT_RISK = 50
    SHORTFALL = 51


class EventKind(IntEnum):
    """What a corporate action does; at one bar those of an asset come in this order."""

    SPLIT = 0
    DIVIDEND = 1
    PAYMENT = 2
    SPINOFF = 3
    MERGER = 4
    DELISTING = 5
    EXPIRY = 6
    ROLL = 7


NOWHERE = -1
"""Slot of a log row that is about the account and no position."""


class TargetKind(IntEnum):
    """What the number of a target means."""

    QUANTITY = 0
    NOTIONAL = 1
    WEIGHT = 2


class FillAt(IntEnum):
    """The moment at which market orders are filled."""

    NEXT_OPEN = 0
    NEXT_CLOSE = 1
    SAME_BAR_CLOSE = 2


class Sizing(IntEnum):
    """The moment at which a weight or notional becomes lots."""

    AT_DECISION = 0
    AT_FILL = 1


class Intrabar(IntEnum):
    """Which comes first when a bar reaches the stop and the target of a position."""

    PESSIMISTIC = 0
    OPTIMISTIC = 1
    NEAREST = 2


class Barred(IntFlag):
    """What cannot be done with an asset at a bar."""

    ALL = 1
    BUYING = 2
    SELLING = 4
    CANCELS = 8
