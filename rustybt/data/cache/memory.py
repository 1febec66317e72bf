"""What this process read last, so that the same bars are not read from the disk twice."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from rustybt.data.recent import Recent

_MEMORIES: dict[Path, Recent[pl.DataFrame]] = {}


def memory_of(folder: Path) -> Recent[pl.DataFrame]:
    """The one memory of a folder in this process: frames by the file that they came from, no more rows in all than a limit.

    A file is never changed, so a frame of its name cannot be stale, whoever else writes.
    """
    return _MEMORIES.setdefault(folder, Recent())
