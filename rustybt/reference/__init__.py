"""The rule book (docs/concepts/rulebook.md) in plain Python and `decimal.Decimal`, written to be audited, slow on purpose.

In: the tables, bars, targets and corporate actions of one run, as integers. Out: the same `Outcome` as the compiled kernel, to the last
digit. Inside, every number is a price, a quantity or an amount of money as a person would write it. One module per section:

1. `rounding`: rounding points, and the limit of 2^61 units.
2. `simulate`: one bar, in order. `entrance` and `leaving` translate integers to human units and back.
3. `events`: splits and dividends.
4. `fills`: slippage, commission, what a fill does to a position.
5. `orders`: reductions, then increases as far as they are affordable.
6. `exits`: stop loss, trailing stop, take profit, max bars.
7. `decisions`: targets become orders.
8. `identity`: the books balance.
10. `requests`, `priced`, `clocks`: orders asked for one by one, their kinds, their time in force.

A new rule goes into the rule book first, then into the module of its section here, and into `rustybt.kernel`.
"""

from rustybt.reference.simulate import simulate

__all__ = ["simulate"]
