"""Numbers, dates and codes as a reader wants to see them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from rustybt.analysis.metrics import Value
from rustybt.analysis.metrics.definitions import Unit

NOTHING = "\N{EN DASH}"
_LONG_HASH = 20


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction as a percentage.

    Example:
        >>> percent(0.1234), percent(None)
        ('12.34%', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value * 100:,.{digits}f}%"
    return text.removeprefix("-") if set(text) <= set("-0.%") else text


def money(value: Decimal | float | int | None, digits: int = 2) -> str:
    """An amount with thousands separators; a Decimal is rounded half-even, never through a float.

    Example:
        >>> money(Decimal("1234567.895")), money(-3)
        ('1,234,567.90', '-3.00')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    return f"{value:,.{digits}f}"


def number(value: float | None, digits: int = 2) -> str:
    """A plain number.

    Example:
        >>> number(1.2345), number(12345.0, 0)
        ('1.23', '12,345')
    """
    return NOTHING if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def metric(value: Value, unit: Unit) -> str:
    """A metric by its unit.

    Example:
        >>> metric(0.051, "fraction"), metric(12.0, "count"), metric(None, "ratio")
        ('5.10%', '12', '–')
    """
    if value is None or isinstance(value, str):
        return value or NOTHING
    if unit == "fraction":
        return percent(value)
    if unit in ("count", "sessions"):
        return number(value, 0)
    return money(value) if unit == "money" else number(value, 1 if unit == "bars" else 2)


def moment(value: date | datetime | None) -> str:
    """A date or instant; the time is left out at midnight, seconds when they are zero.

    Example:
        >>> moment(datetime(2024, 1, 3, 21, 0)), moment(date(2024, 1, 3))
        ('2024-01-03 21:00', '2024-01-03')
    """
    if value is None:
        return NOTHING
    if not isinstance(value, datetime) or value.time() == time(0):
        return f"{value:%Y-%m-%d}"
    return f"{value:%Y-%m-%d %H:%M}" if value.second == 0 else f"{value:%Y-%m-%d %H:%M:%S}"


def plain(value: Any) -> str:
    """Any setting as text: mappings (without what is not set) and sequences are joined.

    Example:
        >>> plain({"fast": 10, "slow": 50}), plain(["A", "B"]), plain(True), plain(None)
        ('fast = 10, slow = 50', 'A, B', 'yes', '–')
    """
    if value is None or value == "" or value == ():
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {plain(item)}" for key, item in value.items() if item is not None) or NOTHING
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(plain(item) for item in value) or NOTHING
    if isinstance(value, date):
        return moment(value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def sentence(text: str) -> str:
    """Text that begins with a capital and ends with a full stop.

    Example:
        >>> sentence("books balance"), sentence("Done!")
        ('Books balance.', 'Done!')
    """
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def label(code: str) -> str:
    """A code as words.

    Example:
        >>> label("take_profit")
        'Take profit'
    """
    words = code.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def shortened(text: str) -> str:
    """The first twelve characters of a long hash; other text as it is.

    Example:
        >>> shortened("ab12" * 16), shortened("0.1.0")
        ('ab12ab12ab12…', '0.1.0')
    """
    return f"{text[:12]}…" if len(text) > _LONG_HASH and " " not in text else text
