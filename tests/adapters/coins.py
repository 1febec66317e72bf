"""Tapes of coins that several suites share."""

from __future__ import annotations

from datetime import UTC, datetime

from rustybt.testing.vendors import Tape, around_the_clock

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def coins() -> list[Tape]:
    return [
        around_the_clock("BTCUSDT", NEW_YEAR, "1h", 1500, seed=1, tick="0.01"),
        around_the_clock("ETHUSDT", NEW_YEAR, "1h", 1100, seed=2, tick="0.0001", step="0.001"),
    ]
