"""Files that end in a checksum: one that is cut short or damaged is dropped."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from pathlib import Path

SEAL = 16
"""Bytes of the checksum."""
log = logging.getLogger(__name__)


def seal(content: bytes) -> bytes:
    """The checksum of a file's content.

    Example:
        >>> len(seal(b"machine code"))
        16
    """
    return hashlib.blake2b(content, digest_size=SEAL).digest()


def is_sound(path: Path) -> bool:
    """Whether a file is as it was written; a file that cannot be read is not."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return seal(content[:-SEAL]) == content[-SEAL:]


def drop_if_damaged(name: str) -> bool:
    """Whether a file is sound or absent; a damaged one is removed, and said so in one line."""
    path = Path(name)
    if not path.exists() or is_sound(path):
        return True
    with suppress(OSError):
        path.unlink()
    log.warning("damaged file of compiled code, dropped and compiled again: %s", path)
    return False
