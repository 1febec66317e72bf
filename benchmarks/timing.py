"""Clocks and memory of a process."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def peak_mib() -> float:
    """The most resident memory of this process so far, MiB.

    Linux's own high-water mark where there is one: ``getrusage`` also counts the parent's memory at the moment of the fork.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    except OSError:
        pass
    import resource

    unit = 1024**2 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def age() -> float:
    """Seconds since this process began, in steps of 10 ms; 0 where the system does not say."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def rounds_for(slowest: float, budget: float, fewest: int = 5, most: int = 31) -> int:
    """How many rounds fit into a budget of seconds, an odd number.

    Example:
        >>> rounds_for(0.5, 10.0), rounds_for(0.001, 10.0), rounds_for(60.0, 10.0)
        (19, 31, 5)
    """
    fit = min(most, max(fewest, int(budget / max(slowest, 1e-9))))
    return fit if fit % 2 else fit - 1
