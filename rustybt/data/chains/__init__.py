"""Continuous futures: contracts of one root, chained by a rule, with the log of every roll.

In: a panel of contracts and their last trading days. Out: `Continuous`: the chained bars, raw or adjusted, the rolls, and the same rolls as
corporate actions, by which a run moves its positions. The steps::

    rolls.py    which contract is in front at each bar, known at that bar
    stitch.py   what the prices before and after a roll are shifted by, exactly

To add a rule: its name in `rolls.RULES` and its vote in `rolls.Front`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.chains.rolls import Roll
    from rustybt.data.chains.stitch import Continuous, continuous
else:
    lazily(
        __name__,
        {
            "rolls": ("Roll",),
            "stitch": ("Continuous", "continuous"),
        },
    )

__all__ = ["Continuous", "Roll", "continuous"]
