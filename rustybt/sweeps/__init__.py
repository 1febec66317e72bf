"""Many variants of one strategy: a grid of parameters, each run exactly, in threads; and how far to trust what comes out.

In: a ``@strategy`` function, data and a grid. Out: a `Sweep`, one row per variant. To add a search method: one module that yields
    assignments; a change that a robust strategy should survive: a class in `changes`.
"""

from rustybt.sweeps.changes import Case, Change, DrawnLatency, ExtraSlippage, MissedFills, ParameterJitter, PriceNoise, SyntheticBars
from rustybt.sweeps.grid import assignments
from rustybt.sweeps.honest import judged
from rustybt.sweeps.monte_carlo import Perturbed, perturb, resample_returns, resample_trades
from rustybt.sweeps.registry import Tally, Trial, TrialRegistry, trial_of
from rustybt.sweeps.run import Sweep, sweep
from rustybt.sweeps.sensitivity import Pick, curve, pick, stability, surface

__all__ = [
    "Case",
    "Change",
    "DrawnLatency",
    "ExtraSlippage",
    "MissedFills",
    "ParameterJitter",
    "Perturbed",
    "Pick",
    "PriceNoise",
    "Sweep",
    "SyntheticBars",
    "Tally",
    "Trial",
    "TrialRegistry",
    "assignments",
    "curve",
    "judged",
    "perturb",
    "pick",
    "resample_returns",
    "resample_trades",
    "stability",
    "surface",
    "sweep",
    "trial_of",
]
