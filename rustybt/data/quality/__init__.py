"""Find what is wrong with bars before they are used.

In: a file or a frame, as it came. Out: a `Quality`: one row per defect, with layer, check, severity, asset, time and detail. Nothing is
changed; `mend` repairs what it is told to, in a copy. To add a check: a function in `relations`, `outliers`, `temporal` or `payments` that
gives rows, and its line in `SEVERITY`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.quality.check import Quality, check_bars
    from rustybt.data.quality.findings import SEVERITY
    from rustybt.data.quality.mend import CHANGES, Mended, mend
else:
    lazily(
        __name__,
        {
            "check": ("Quality", "check_bars"),
            "findings": ("SEVERITY",),
            "mend": ("CHANGES", "Mended", "mend"),
        },
    )

__all__ = ["CHANGES", "SEVERITY", "Mended", "Quality", "check_bars", "mend"]
