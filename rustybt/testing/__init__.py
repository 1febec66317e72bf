"""What users need to test their own strategies: synthetic markets.

In: a seed and a few numbers. Out: bars, events, or a `rustybt.model.Panel`. To add a kind of trouble: a trait in `markets.Recipe`.
"""

from rustybt.testing.markets import Market, Recipe, market, panel

__all__ = ["Market", "Recipe", "market", "panel"]
