"""The nouns that every room shares; no input or output, no behaviour beyond their own invariants.

In: plain values. Out: frozen objects. To add one: one noun, one file.
"""

from rustybt.model.asset import PRESETS, Asset
from rustybt.model.codes import NOWHERE, Detail, EventKind, FillAt, Reason, Sizing, Status, TargetKind
from rustybt.model.events import EVENT_FIELDS, widened
from rustybt.model.panel import Event, Panel
from rustybt.model.requests import (
    REQUEST_FIELDS,
    Clock,
    Measure,
    OrderFlag,
    OrderKind,
    Requests,
    TimeInForce,
)
from rustybt.model.tables import NO_FLOWS, SLOT_FIELDS, TIER_FIELDS, Log, Outcome, Plan, Tables
from rustybt.model.tape import Tape

__all__ = [
    "EVENT_FIELDS",
    "NOWHERE",
    "NO_FLOWS",
    "PRESETS",
    "REQUEST_FIELDS",
    "SLOT_FIELDS",
    "TIER_FIELDS",
    "Asset",
    "Clock",
    "Detail",
    "Event",
    "EventKind",
    "FillAt",
    "Log",
    "Measure",
    "OrderFlag",
    "OrderKind",
    "Outcome",
    "Panel",
    "Plan",
    "Reason",
    "Requests",
    "Sizing",
    "Status",
    "Tables",
    "Tape",
    "TargetKind",
    "TimeInForce",
    "widened",
]
