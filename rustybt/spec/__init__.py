"""Strategies as data: what to trade and when, in plain Polars expressions.

In: a function of typed parameters, or terms given to `Strategy`. Out: a frozen `Strategy` that the guard has checked, with its
JSON form and identity, and a plan that evaluates its terms on a frame of bars.

Where to add one: a schedule in ``schedule.py``, an exit rule in ``exits.py`` (and in the rule book), a parameter type in
``parameters.py``, a node of Polars in ``form.py`` (how it is written) and ``bounds.py`` (what it reads).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.spec.decorate import StrategyFunction, strategy
    from rustybt.spec.exits import Exits, exits
    from rustybt.spec.explain import Explanation, explain
    from rustybt.spec.hooks import Context, OnBar
    from rustybt.spec.load import load_strategy
    from rustybt.spec.orders import Order, bracket, order
    from rustybt.spec.parameters import Parameter, Range
    from rustybt.spec.schedule import (
        Moment,
        Schedule,
        cron,
        every,
        month_end,
        month_start,
        session_close,
        session_open,
        week_end,
        week_start,
    )
    from rustybt.spec.serialise import from_json, spec_id, to_json
    from rustybt.spec.strategy import Strategy
    from rustybt.spec.targets import Target, notional, quantity, weight
else:
    lazily(
        __name__,
        {
            "decorate": ("StrategyFunction", "strategy"),
            "exits": ("Exits", "exits"),
            "explain": ("Explanation", "explain"),
            "hooks": ("Context", "OnBar"),
            "load": ("load_strategy",),
            "orders": ("Order", "bracket", "order"),
            "parameters": ("Parameter", "Range"),
            "schedule": (
                "Moment",
                "Schedule",
                "cron",
                "every",
                "month_end",
                "month_start",
                "session_close",
                "session_open",
                "week_end",
                "week_start",
            ),
            "serialise": ("from_json", "spec_id", "to_json"),
            "strategy": ("Strategy",),
            "targets": ("Target", "notional", "quantity", "weight"),
        },
    )

__all__ = [
    "Context",
    "Exits",
    "Explanation",
    "Moment",
    "OnBar",
    "Order",
    "Parameter",
    "Range",
    "Schedule",
    "Strategy",
    "StrategyFunction",
    "Target",
    "bracket",
    "cron",
    "every",
    "exits",
    "explain",
    "from_json",
    "load_strategy",
    "month_end",
    "month_start",
    "notional",
    "order",
    "quantity",
    "session_close",
    "session_open",
    "spec_id",
    "strategy",
    "to_json",
    "week_end",
    "week_start",
    "weight",
]
