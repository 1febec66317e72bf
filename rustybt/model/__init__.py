"""The nouns that every room shares; no input or output, no behaviour beyond their own invariants.

In: plain values. Out: frozen objects. To add one: one noun, one file.
"""

from rustybt.model.asset import PRESETS, Asset
from rustybt.model.codes import Detail, FillAt, Reason, Sizing, Status, TargetKind
from rustybt.model.panel import Event, Panel

__all__ = ["PRESETS", "Asset", "Detail", "Event", "FillAt", "Panel", "Reason", "Sizing", "Status", "TargetKind"]
