"""The compiled rule book (docs/concepts/rulebook.md): orders meet bars, exactly and fast.

In: `rustybt.model.Tables` (the rules), a `Market` (ticks), a `rustybt.model.Plan` (targets), corporate actions. Out: a
`rustybt.model.Outcome`. `simulate` does all bars at once, `Book` one bar at a time or parts of one; both run the same `step`.

To add a rule: the rule book first, then the module of its section here, then `rustybt.reference`. The modules that compute
(`step`, `events`, `orders`, `fills`, `exits`, `decisions`, `valuation`) allocate nothing, raise nothing and know no strings. numba is
imported when the kernel is first used.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from .book import Book
    from .market import Market, TimedMarket
    from .queued import Working
    from .simulate import simulate
    from .warm import is_warm, warm
else:
    lazily(
        __name__,
        {
            "book": ("Book",),
            "market": ("Market", "TimedMarket"),
            "queued": ("Working",),
            "simulate": ("simulate",),
            "warm": ("is_warm", "warm"),
        },
    )

__all__ = ["Book", "Market", "TimedMarket", "Working", "is_warm", "simulate", "warm"]
