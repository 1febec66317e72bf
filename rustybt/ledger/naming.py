"""Names that a plain-text ledger accepts, for assets, currencies and sleeves that may be called anything."""

from __future__ import annotations

import re
from collections.abc import Iterable

RESERVED = ("TRUE", "FALSE", "NULL")
"""Words of the language that look like a commodity."""


def commodities(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """One commodity each: capitals, digits and ``' . _ -``, a letter first; a number at the end where two would be the same.

    Example:
        >>> commodities(["AAPL", "btc/usd", "BTC-USD", "600519.SS", "T"])
        ['AAPL', 'BTC-USD', 'BTC-USD-2', 'X600519.SS', 'T']
    """
    return _apart([_commodity(name) for name in names], {*RESERVED, *taken})


def accounts(names: Iterable[str]) -> list[str]:
    """One part of an account name each: letters, digits and hyphens, a capital or a digit first.

    Example:
        >>> accounts(["AAPL", "my fund", "brk.b"])
        ['AAPL', 'My-fund', 'Brk-b']
    """
    return _apart([_account(name) for name in names], set())


def quoted(text: str) -> str:
    r"""Text as a string of the language.

    Example:
        >>> quoted('a "b"')
        '"a \\"b\\""'
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _commodity(name: str) -> str:
    text = re.sub(r"[^A-Z0-9'._-]", "-", name.upper()).rstrip("'._-")
    return text if re.match(r"[A-Z]", text) else f"X{text}"


def _account(name: str) -> str:
    text = re.sub(r"[^A-Za-z0-9-]", "-", name).strip("-") or "X"
    return text[0].upper() + text[1:]


def _apart(names: list[str], taken: set[str]) -> list[str]:
    found = []
    for name in names:
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name}-{count}"
        taken.add(unique)
        found.append(unique)
    return found
