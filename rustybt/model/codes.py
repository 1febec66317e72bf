"""The coded reasons and states of orders and log rows, shared by the kernel, the reference and the books."""

from __future__ import annotations

from enum import IntEnum


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
    ORDER = 17


class Status(IntEnum):
    """What became of it."""

    FILLED = 0
    REJECTED = 1
    CANCELLED = 2
    WORKING = 3
    APPLIED = 4
    ACCRUED = 5
    ACCEPTED = 6
    TRIGGERED = 7
    EXPIRED = 8


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
    POST_ONLY = 11
    REDUCE_ONLY = 12
    REQUESTED = 13
    TIME = 14
    UNMET = 15
    AMENDED = 16
    ACTIVATED = 17
    OCO = 18
    PARENT = 19


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
