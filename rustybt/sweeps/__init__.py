"""Many variants of one strategy: a grid of parameters, each run exactly, in threads.

In: a ``@strategy`` function, data and a grid. Out: a `Sweep`, one row per variant. To add a search method: one module that yields
    assignments.
"""

from rustybt.sweeps.grid import assignments
from rustybt.sweeps.run import Sweep, sweep

__all__ = ["Sweep", "assignments", "sweep"]
