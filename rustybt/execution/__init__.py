"""The vocabulary of execution: what a run may charge, written by the user and turned into the kernel's tables.

In: numbers as users write them (``bps(10)``, ``per_share("0.005", minimum="1")``). Out: frozen objects whose ``rows`` are the integers of
`rustybt.model.tables.Tables`. To add a cost: one class in ``costs/`` and its rule in the kernel, the reference and the rule book.
"""

from rustybt.execution.access import Bands, Halts, Stale, bands, halts, stale
from rustybt.execution.costs import (
    Commission,
    Costs,
    Profile,
    Slippage,
    bps,
    costs,
    maker_taker,
    per_contract,
    per_share,
    per_trade,
    profiles,
    ticks,
    tiered,
)
from rustybt.execution.costs.latency import Latency, latency, latency_profiles

__all__ = [
    "Bands",
    "Commission",
    "Costs",
    "Halts",
    "Latency",
    "Profile",
    "Slippage",
    "Stale",
    "bands",
    "bps",
    "costs",
    "halts",
    "latency",
    "latency_profiles",
    "maker_taker",
    "per_contract",
    "per_share",
    "per_trade",
    "profiles",
    "stale",
    "ticks",
    "tiered",
]
