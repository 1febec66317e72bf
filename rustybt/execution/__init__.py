"""The vocabulary of execution: what a run may charge and what it may not do, written by the user and turned into the kernel's tables.

In: numbers as users write them (``bps(10)``, ``per_share("0.005", minimum="1")``). Out: frozen objects whose ``rows`` are the integers of
`rustybt.model.tables.Tables`. To add a cost: one class in ``costs/`` and its rule in the kernel, the reference and the rule book.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.execution.access import Bands, Halts, Stale, bands, halts, stale
    from rustybt.execution.bounds import Limit, limit
    from rustybt.execution.controls import Controls, controls
    from rustybt.execution.costs import (
        Commission,
        Costs,
        Ladder,
        Profile,
        Slippage,
        VolumeCap,
        asymmetric,
        bps,
        costs,
        half_spread,
        maker_taker,
        per_contract,
        per_share,
        per_trade,
        profile_of,
        profiles,
        slippage_term,
        square_root,
        ticks,
        tiered,
        volatility_share,
        volume_cap,
        volume_share,
    )
    from rustybt.execution.costs.carry import Carry, carry
    from rustybt.execution.costs.conversion import Conversion, conversion
    from rustybt.execution.costs.latency import Latency, latency, latency_profiles
    from rustybt.execution.margin import Margin, margin
else:
    lazily(
        __name__,
        {
            "access": ("Bands", "Halts", "Stale", "bands", "halts", "stale"),
            "bounds": ("Limit", "limit"),
            "controls": ("Controls", "controls"),
            "costs": (
                "Commission",
                "Costs",
                "Ladder",
                "Profile",
                "Slippage",
                "VolumeCap",
                "asymmetric",
                "bps",
                "costs",
                "half_spread",
                "maker_taker",
                "per_contract",
                "per_share",
                "per_trade",
                "profile_of",
                "profiles",
                "slippage_term",
                "square_root",
                "ticks",
                "tiered",
                "volatility_share",
                "volume_cap",
                "volume_share",
            ),
            "costs.carry": ("Carry", "carry"),
            "costs.conversion": ("Conversion", "conversion"),
            "costs.latency": ("Latency", "latency", "latency_profiles"),
            "margin": ("Margin", "margin"),
        },
    )

__all__ = [
    "Bands",
    "Carry",
    "Commission",
    "Controls",
    "Conversion",
    "Costs",
    "Halts",
    "Ladder",
    "Latency",
    "Limit",
    "Margin",
    "Profile",
    "Slippage",
    "Stale",
    "VolumeCap",
    "asymmetric",
    "bands",
    "bps",
    "carry",
    "controls",
    "conversion",
    "costs",
    "half_spread",
    "halts",
    "latency",
    "latency_profiles",
    "limit",
    "maker_taker",
    "margin",
    "per_contract",
    "per_share",
    "per_trade",
    "profile_of",
    "profiles",
    "slippage_term",
    "square_root",
    "stale",
    "ticks",
    "tiered",
    "volatility_share",
    "volume_cap",
    "volume_share",
]
