"""What the costs of a run read of the data beside the prices."""

from __future__ import annotations

import numpy as np

from rustybt.model import Panel, Tables, Tape


def build_tape(panel: Panel, tables: Tables) -> Tape | None:
    """The columns that the rules of a run read; None where they read none."""
    if not tables.tiers.shape[1]:
        return None
    return Tape(day=panel.sessions.astype(np.int64))
