"""How long a bar is: a time, a number of sessions, or an amount that is traded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from rustybt.data.hours import DAY
from rustybt.errors import ConfigError

CLOCK = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
MONTHS = {"mo": 1, "q": 3, "y": 12}
AMOUNTS = ("ticks", "volume", "value")
DO = 'write "100ms", "5m", "1h", "1d", "1w", "1mo", "1q", "1y", or "500 ticks", "10000 volume", "1000000 value"'
FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


@dataclass(frozen=True)
class Every:
    """The length of bars.

    Attributes:
        text: as it was written.
        kind: ``clock`` (microseconds), ``days``, ``weeks``, ``months``, or ``ticks``, ``volume``, ``value`` (a row closes the bar).
        size: microseconds, days, weeks, months, or the amount.
    """

    text: str
    kind: str
    size: Decimal

    @property
    def amount(self) -> bool:
        """Whether bars end by what was traded, not by the clock."""
        return self.kind in AMOUNTS

    @property
    def length(self) -> int:
        """The size as a whole number."""
        return int(self.size)


def read_every(text: str, sessions: bool) -> Every:
    """The length from text.

    Args:
        text: such as ``"5m"``, ``"1d"``, ``"500 ticks"``.
        sessions: whether there is a calendar, so that a day is a session.

    Raises:
        ConfigError: it is not understood, or cannot be laid on sessions.

    Example:
        >>> read_every("15m", sessions=False).length
        900000000
    """
    found = FORM.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if found is None:
        raise ConfigError(f"interval {text!r} is not understood", where="resample, every", do=DO)
    size, unit = Decimal(found[1]), found[2]
    if unit in AMOUNTS:
        if size <= 0 or (unit == "ticks" and size % 1):
            raise ConfigError(f"interval {text!r} is no amount that can be traded", where="resample, every", do=DO)
        return Every(text, unit, size)
    if size % 1 or size < 1 or unit not in (*CLOCK, "d", "w", *MONTHS):
        raise ConfigError(f"interval {text!r} is not understood", where="resample, every", do=DO)
    if unit in CLOCK:
        return Every(text, "clock", size * CLOCK[unit])
    if unit in MONTHS:
        months = size * MONTHS[unit]
        if 12 % months:
            raise ConfigError(
                f"{text!r} does not divide a year", where="resample, every", do='use "1mo", "2mo", "1q", "4mo", "6mo" or "1y"'
            )
        return Every(text, "months", months)
    if size > 1 and sessions:
        raise ConfigError(f"{text!r} counts sessions from nowhere", where="resample, every", do='use "1d", "1w" or "1mo" with a calendar')
    return Every(text, "days" if unit == "d" else "weeks", size)


MONDAY = -3 * DAY
"""The Monday before 1970-01-01, from which weeks are counted."""
