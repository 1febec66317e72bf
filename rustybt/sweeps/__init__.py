"""Many variants of a strategy, each run exactly; and how far to trust what comes out.

In: ``@strategy`` functions, data, and a grid, a list or a space of parameters. Out: a `Sweep`, one row per variant. The way through:
`grid` and `sampling` name the assignments, `variants` numbers them, `executors` hands chunks of them to `evaluate`, `store` keeps the rows,
`outcome` answers questions about them. To add a search method: one module that calls `evaluate`; an executor: a generator in `executors`;
a change that a robust strategy should survive: a class in `changes`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.sweeps.changes import Case, Change, DrawnLatency, ExtraSlippage, MissedFills, ParameterJitter, PriceNoise, SyntheticBars
    from rustybt.sweeps.combine import cross_validate
    from rustybt.sweeps.combined import CrossValidation
    from rustybt.sweeps.evaluate import evaluate
    from rustybt.sweeps.found import Search, search
    from rustybt.sweeps.grid import assignments
    from rustybt.sweeps.honest import judged
    from rustybt.sweeps.monte_carlo import Perturbed, perturb, resample_returns, resample_trades
    from rustybt.sweeps.outcome import Sweep
    from rustybt.sweeps.plan import SweepPlan
    from rustybt.sweeps.registry import Tally, Trial, TrialRegistry, trial_of
    from rustybt.sweeps.run import plan, sweep
    from rustybt.sweeps.sensitivity import Pick, curve, pick, stability, surface
    from rustybt.sweeps.splits import Split, Walk, Window, combinatorial, groups, paths, windows
    from rustybt.sweeps.walk import walk_forward
    from rustybt.sweeps.walked import WalkForward
else:
    lazily(
        __name__,
        {
            "changes": ("Case", "Change", "DrawnLatency", "ExtraSlippage", "MissedFills", "ParameterJitter", "PriceNoise", "SyntheticBars"),
            "combine": ("cross_validate",),
            "combined": ("CrossValidation",),
            "evaluate": ("evaluate",),
            "found": ("Search", "search"),
            "grid": ("assignments",),
            "honest": ("judged",),
            "monte_carlo": ("Perturbed", "perturb", "resample_returns", "resample_trades"),
            "outcome": ("Sweep",),
            "plan": ("SweepPlan",),
            "registry": ("Tally", "Trial", "TrialRegistry", "trial_of"),
            "run": ("plan", "sweep"),
            "sensitivity": ("Pick", "curve", "pick", "stability", "surface"),
            "splits": ("Split", "Walk", "Window", "combinatorial", "groups", "paths", "windows"),
            "walk": ("walk_forward",),
            "walked": ("WalkForward",),
        },
    )

__all__ = [
    "Case",
    "Change",
    "CrossValidation",
    "DrawnLatency",
    "ExtraSlippage",
    "MissedFills",
    "ParameterJitter",
    "Perturbed",
    "Pick",
    "PriceNoise",
    "Search",
    "Split",
    "Sweep",
    "SweepPlan",
    "SyntheticBars",
    "Tally",
    "Trial",
    "TrialRegistry",
    "Walk",
    "WalkForward",
    "Window",
    "assignments",
    "combinatorial",
    "cross_validate",
    "curve",
    "evaluate",
    "groups",
    "judged",
    "paths",
    "perturb",
    "pick",
    "plan",
    "resample_returns",
    "resample_trades",
    "search",
    "stability",
    "surface",
    "sweep",
    "trial_of",
    "walk_forward",
    "windows",
]
