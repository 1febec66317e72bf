"""Pack: a tree as MessagePack, the form in which Polars reads an expression without losing a bit.

Polars' JSON reader rounds about one in five 17-digit floats to a neighbour, so an expression built from JSON text may hold another
threshold than its author wrote. Its binary form is MessagePack with the same names, and exact.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

WIDE = frozenset({"Int", "Int128", "UInt128"})
"""Literals whose whole number is 128 bits wide; Polars' other whole numbers are at most 64."""
RAW = frozenset({"List", "Series", "strings", "categories"})
"""Names whose list of numbers is Arrow bytes."""
FLOAT = struct.Struct(">d").pack


def pack(value: Any) -> bytes:
    r"""The MessagePack bytes of a tree.

    Raises:
        TypeError: a value that no tree holds.

    Example:
        >>> pack({"Column": "close"})
        b'\x81\xa6Column\xa5close'
    """
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is dict:
        parts = [_head(len(value), 0x80, 0xDE)]
        for name, item in value.items():
            parts += (_text(name), _member(name, item))
        return b"".join(parts)
    if kind is list or kind is tuple:
        return b"".join([_head(len(value), 0x90, 0xDC), *map(pack, value)])
    if value is None:
        return b"\xc0"
    if kind is bool:
        return b"\xc3" if value else b"\xc2"
    if kind is float:
        return b"\xcb" + FLOAT(value)
    if kind is int:
        return _whole(value)
    raise TypeError(f"a {kind.__name__} in an expression tree")


def _member(name: str, item: Any) -> bytes:
    kind = type(item)
    if kind is int and name in WIDE:
        return _wide(item)
    if kind is list and name == "Decimal" and len(item) == 3:
        return b"\x93" + _wide(item[0]) + pack(item[1]) + pack(item[2])
    if kind is list and name in RAW and item and type(item[0]) is int:
        return b"\xc6" + len(item).to_bytes(4, "big") + bytes(item)
    return pack(item)


def _head(length: int, short: int, long: int) -> bytes:
    if length < 16:
        return bytes([short | length])
    return bytes([long]) + length.to_bytes(2, "big") if length < 1 << 16 else bytes([long + 1]) + length.to_bytes(4, "big")


@lru_cache(maxsize=4096)
def _text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) < 32:
        return bytes([0xA0 | len(raw)]) + raw
    return b"\xdb" + len(raw).to_bytes(4, "big") + raw


def _whole(value: int) -> bytes:
    if 0 <= value < 128:
        return bytes([value])
    if value < 1 << 63:
        return b"\xd3" + value.to_bytes(8, "big", signed=True)
    return b"\xcf" + value.to_bytes(8, "big")


def _wide(value: int) -> bytes:
    return b"\xc4\x10" + (value % (1 << 128)).to_bytes(16, "big")
