"""What is known of columns by their names."""

from __future__ import annotations

from collections.abc import Iterable

from rustybt.errors import ConfigError

METRICS = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown")
"""What is shown of every curve."""
LUCK = ("probabilistic_sharpe", "deflated_sharpe")
"""What a leaderboard adds to its rows."""
SMALLER = ("volatility",)
"""Metrics of which less is better."""


def refuse_taken(names: Iterable[str], taken: Iterable[str], where: str) -> None:
    """Refuse a parameter with the name of a column.

    Raises:
        ConfigError: naming it.
    """
    both = sorted(set(names) & set(taken))
    if both:
        raise ConfigError(f"the parameter {both[0]!r} has the name of a column", where=where, do="rename the parameter")
