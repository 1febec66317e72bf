"""Statistics of one run: Float64 numbers computed from exact balances.

In: a `Curve` (equity, cash and gross exposure bar by bar as whole money units), and, when there are any, a `Benchmark`
and `RunFacts` (trades, costs, counts). Out: a mapping of stable names to numbers, ISO dates, or None where a number is
not defined. Every convention is in the docstring of its function and in docs/concepts/metrics.md.
To add one: a function in the file of its family, its line in `DEFINITIONS`, and its place in `measure`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.analysis.metrics.activity import RunFacts
    from rustybt.analysis.metrics.curve import Closes, Curve
    from rustybt.analysis.metrics.definitions import DEFINITIONS, Definition
    from rustybt.analysis.metrics.drawdown import Drawdown, drawdown_of, worst_drawdowns
    from rustybt.analysis.metrics.measure import Conventions, Value, measure
    from rustybt.analysis.metrics.months import MonthRow, monthly_returns, yearly_returns
    from rustybt.analysis.metrics.periods import periods_per_year
    from rustybt.analysis.metrics.relative import Benchmark
    from rustybt.analysis.metrics.rolling import Rolling, rolling
    from rustybt.analysis.metrics.trades import Trades
else:
    lazily(
        __name__,
        {
            "activity": ("RunFacts",),
            "curve": ("Closes", "Curve"),
            "definitions": ("DEFINITIONS", "Definition"),
            "drawdown": ("Drawdown", "drawdown_of", "worst_drawdowns"),
            "measure": ("Conventions", "Value", "measure"),
            "months": ("MonthRow", "monthly_returns", "yearly_returns"),
            "periods": ("periods_per_year",),
            "relative": ("Benchmark",),
            "rolling": ("Rolling", "rolling"),
            "trades": ("Trades",),
        },
    )

__all__ = [
    "DEFINITIONS",
    "Benchmark",
    "Closes",
    "Conventions",
    "Curve",
    "Definition",
    "Drawdown",
    "MonthRow",
    "Rolling",
    "RunFacts",
    "Trades",
    "Value",
    "drawdown_of",
    "measure",
    "monthly_returns",
    "periods_per_year",
    "rolling",
    "worst_drawdowns",
    "yearly_returns",
]
