"""Find what is wrong with bars before they are used.

In: a file or a frame, as it came. Out: a `Quality`: one row per defect, with layer, check, severity, asset, time and detail. Nothing is
changed. To add a check: a function in `relations`, `outliers` or `temporal` that gives rows, and its line in `SEVERITY`.
"""

from rustybt.data.quality.check import Quality, check_bars
from rustybt.data.quality.findings import SEVERITY

__all__ = ["SEVERITY", "Quality", "check_bars"]
