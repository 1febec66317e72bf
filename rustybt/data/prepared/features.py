"""Features of sweeps, kept by the snapshot of the data, the rows that are evaluated, the universe and the expression."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.data.prepared.built import versions
from rustybt.data.prepared.settings import current
from rustybt.data.prepared.tiers import disk, memory
from rustybt.model import Panel

VALUES, VALID = "values.npy", "valid.npy"
FEWEST = 2**15
"""Rows below which a feature is evaluated anew, which takes no longer."""
WORTH = 40e-9
"""Seconds per row of an evaluation from which on its result is kept: it is read back in about 10."""


@dataclass(frozen=True)
class KeptFeature:
    """A feature as it was evaluated.

    Attributes:
        values: (rows,) Float64. valid: (rows,) UInt8, or (1,) where none is null.
        kind: its type; see `rustybt.sweeps.program`.
        reach: bars before a row that decide it; None = unbounded.
    """

    values: npt.NDArray[np.float64]
    valid: npt.NDArray[np.uint8]
    kind: str
    reach: int | None


class KeptFeatures:
    """The features of one universe on some rows of one panel.

    Args:
        panel: bars.
        universe: text of its expression, or None.
        mask: (rows,) which rows are evaluated; None = all.
    """

    def __init__(self, panel: Panel, universe: str | None, mask: npt.NDArray[np.bool_] | None) -> None:
        said = current()
        self.on = said.features and bool(said.disk or said.memory) and panel.frame.height >= FEWEST
        rows = "" if mask is None or not self.on else hashlib.sha256(np.packbits(mask)).hexdigest()
        self.about = ["feature", versions(), panel.snapshot, rows, universe] if self.on else []

    def key(self, text: str) -> str:
        """SHA-256 of all that a feature follows from."""
        return "feature-" + hashlib.sha256(json.dumps([*self.about, text], sort_keys=True).encode()).hexdigest()

    def find(self, text: str) -> KeptFeature | None:
        """A feature that was kept, or None."""
        if not self.on:
            return None
        key = self.key(text)
        held: KeptFeature | None = memory.get(key)
        if held is None and (held := _opened(key)) is not None:
            memory.put(key, held, held.values.nbytes + held.valid.nbytes, current().memory)
        return held

    def worth(self, seconds: float, rows: int) -> bool:
        """Whether a feature of so many rows that took so long to evaluate is kept."""
        return self.on and seconds >= WORTH * rows

    def keep(self, text: str, made: KeptFeature) -> None:
        """Keep a feature. In memory only where there is no disk: what is mapped from the disk takes no memory that others need."""
        key, store = self.key(text), disk()
        if store is None:
            memory.put(key, made, made.values.nbytes + made.valid.nbytes, current().memory)
        else:
            store.put(key, lambda folder: _write(folder, made))


def _write(folder: Path, made: KeptFeature) -> dict[str, Any]:
    np.save(folder / VALUES, made.values)
    np.save(folder / VALID, made.valid)
    return {"kind": made.kind, "reach": made.reach}


def _opened(key: str) -> KeptFeature | None:
    store = disk()
    entry = None if store is None else store.get(key)
    if entry is None:
        return None
    try:
        values, valid = (np.load(entry.folder / name, mmap_mode="r") for name in (VALUES, VALID))
    except (OSError, ValueError):
        return None
    return KeptFeature(values, valid, entry.notes["kind"], entry.notes["reach"])
