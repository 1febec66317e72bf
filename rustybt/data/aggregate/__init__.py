"""Coarser bars from finer ones or from ticks, exactly.

In: a frame of bars or trades. Out: bars stamped when they are complete, never the one that is still open. `resample` makes them all at
once as one lazy query, `Resampler` one push at a time as they become known; the bytes are the same. `every` reads the length, `spells` the
trading hours, `columns` says how each column is combined.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.aggregate.barwise import Resampler
    from rustybt.data.aggregate.bulk import resample
else:
    lazily(
        __name__,
        {
            "barwise": ("Resampler",),
            "bulk": ("resample",),
        },
    )

__all__ = ["Resampler", "resample"]
