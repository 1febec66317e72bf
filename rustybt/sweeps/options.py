"""How a sweep is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rustybt.model import Panel

CHUNK = 2**11
"""Variants that a worker takes at a time, at most."""
ROWS = 2**24
"""Rows of all variants that a worker takes at a time, about."""


@dataclass(frozen=True)
class Site:
    """Where a sweep is evaluated.

    Attributes:
        executor: name.
        workers: how many at a time.
        beside: how many of them share the memory of one machine.
        address: of a Ray cluster; None = this machine.
    """

    executor: str
    workers: int
    beside: int
    address: str | None = None


@dataclass(frozen=True)
class Options:
    """How a sweep is run: nothing here changes a row.

    Attributes:
        budget: bytes.
        site: where it is evaluated.
        out: directory, or None.
        curves: whether they are kept.
        trials: file of the registry; see `sweep`.
    """

    budget: int
    site: Site
    out: Path | None
    curves: bool
    trials: str | Path | None


def chunk_size(count: int, workers: int, panels: Sequence[Panel]) -> int:
    """Variants of a chunk: many, so that they share, and few enough that all workers have something to do."""
    rows, each = max(1, *(int(panel.frame.height) for panel in panels)), 2 if count <= CHUNK else 3
    return max(1, min(CHUNK, max(8, ROWS // rows), -(-count // (each * workers))))
