"""Numbers of bytes as users write them."""

from __future__ import annotations

import re

from rustybt.errors import ConfigError

SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def bytes_of(given: str | int, where: str = "sweep, budget") -> int:
    """A number of bytes: ``"2GB"``, ``"512 MiB"`` or a plain number.

    Raises:
        ConfigError: it is no such thing.

    Example:
        >>> bytes_of("2GB"), bytes_of("1.5 KiB"), bytes_of(100)
        (2000000000, 1536, 100)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(given))
    if isinstance(given, bool) or found is None or found[2].upper() not in SIZES or float(found[1]) <= 0:
        name = where.rpartition(", ")[2]
        raise ConfigError(f"{name} {given!r} is no number of bytes", where=where, do=f'write {name}="2GB" or "500MB"')
    return int(float(found[1]) * SIZES[found[2].upper()])


def shown(size: float) -> str:
    """A number of bytes for people.

    Example:
        >>> shown(1_234_567)
        '1.2 MB'
    """
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
