"""The nouns that every room shares; no input or output, no behaviour beyond their own invariants.

In: plain values. Out: frozen objects. To add one: one noun, one file.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.model.asset import PRESETS, Asset
    from rustybt.model.carry import CHARGE_FIELDS, EVERY_ASSET, HARD_FIELDS, CarryTable
    from rustybt.model.codes import NOWHERE, Barred, Detail, EventKind, FillAt, Intrabar, Reason, Sizing, Status, TargetKind
    from rustybt.model.controls import Control, ControlTable, Response
    from rustybt.model.currencies import CurrencyTable
    from rustybt.model.events import EVENT_FIELDS, widened
    from rustybt.model.life import STEPS, Life, Step, diagram, follow
    from rustybt.model.panel import Event, Panel
    from rustybt.model.requests import (
        REQUEST_FIELDS,
        TOLD_FIELDS,
        Clock,
        Measure,
        OrderFlag,
        OrderKind,
        Requests,
        TimeInForce,
    )
    from rustybt.model.tables import (
        DATED_FIELDS,
        DATED_SETTINGS,
        IMPACT_FIELDS,
        INCREMENT_FIELDS,
        MARGIN_FIELDS,
        NO_BARS,
        NO_DATED,
        NO_FLOWS,
        NO_INCREMENTS,
        SLOT_FIELDS,
        TIER_FIELDS,
        Log,
        Outcome,
        Plan,
        Tables,
    )
    from rustybt.model.tape import Tape
    from rustybt.model.timing import Finer, Timing, bars_clock
else:
    lazily(
        __name__,
        {
            "asset": ("PRESETS", "Asset"),
            "carry": ("CHARGE_FIELDS", "EVERY_ASSET", "HARD_FIELDS", "CarryTable"),
            "codes": ("NOWHERE", "Barred", "Detail", "EventKind", "FillAt", "Intrabar", "Reason", "Sizing", "Status", "TargetKind"),
            "controls": ("Control", "ControlTable", "Response"),
            "currencies": ("CurrencyTable",),
            "events": ("EVENT_FIELDS", "widened"),
            "life": ("STEPS", "Life", "Step", "diagram", "follow"),
            "panel": ("Event", "Panel"),
            "requests": ("REQUEST_FIELDS", "TOLD_FIELDS", "Clock", "Measure", "OrderFlag", "OrderKind", "Requests", "TimeInForce"),
            "tables": (
                "DATED_FIELDS",
                "DATED_SETTINGS",
                "IMPACT_FIELDS",
                "INCREMENT_FIELDS",
                "MARGIN_FIELDS",
                "NO_BARS",
                "NO_DATED",
                "NO_FLOWS",
                "NO_INCREMENTS",
                "SLOT_FIELDS",
                "TIER_FIELDS",
                "Log",
                "Outcome",
                "Plan",
                "Tables",
            ),
            "tape": ("Tape",),
            "timing": ("Finer", "Timing", "bars_clock"),
        },
    )

__all__ = [
    "CHARGE_FIELDS",
    "DATED_FIELDS",
    "DATED_SETTINGS",
    "EVENT_FIELDS",
    "EVERY_ASSET",
    "HARD_FIELDS",
    "IMPACT_FIELDS",
    "INCREMENT_FIELDS",
    "MARGIN_FIELDS",
    "NOWHERE",
    "NO_BARS",
    "NO_DATED",
    "NO_FLOWS",
    "NO_INCREMENTS",
    "PRESETS",
    "REQUEST_FIELDS",
    "SLOT_FIELDS",
    "STEPS",
    "TIER_FIELDS",
    "TOLD_FIELDS",
    "Asset",
    "Barred",
    "CarryTable",
    "Clock",
    "Control",
    "ControlTable",
    "CurrencyTable",
    "Detail",
    "Event",
    "EventKind",
    "FillAt",
    "Finer",
    "Intrabar",
    "Life",
    "Log",
    "Measure",
    "OrderFlag",
    "OrderKind",
    "Outcome",
    "Panel",
    "Plan",
    "Reason",
    "Requests",
    "Response",
    "Sizing",
    "Status",
    "Step",
    "Tables",
    "Tape",
    "TargetKind",
    "TimeInForce",
    "Timing",
    "bars_clock",
    "diagram",
    "follow",
    "widened",
]
