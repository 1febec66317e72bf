"""The nouns that every room shares; no input or output, no behaviour beyond their own invariants.

In: plain values. Out: frozen objects. To add one: one noun, one file.
"""

from rustybt.model.asset import PRESETS, Asset
from rustybt.model.codes import Detail, EventKind, FillAt, Reason, Sizing, Status, TargetKind
from rustybt.model.events import EVENT_FIELDS, widened
from rustybt.model.panel import Event, Panel
from rustybt.model.tables import SLOT_FIELDS, Log, Outcome, Plan, Tables

__all__ = [
    "EVENT_FIELDS",
    "PRESETS",
    "SLOT_FIELDS",
    "Asset",
    "Detail",
    "Event",
    "EventKind",
    "FillAt",
    "Log",
    "Outcome",
    "Panel",
    "Plan",
    "Reason",
    "Sizing",
    "Status",
    "Tables",
    "TargetKind",
    "widened",
]
