"""How a sweep is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """How a sweep is run: nothing here changes a row.

    Attributes:
        budget: bytes.
        workers: how many at a time.
        executor: name.
        out: directory, or None.
        curves: whether they are kept.
        trials: file of the registry; see `sweep`.
    """

    budget: int
    workers: int
    executor: str
    out: Path | None
    curves: bool
    trials: str | Path | None
