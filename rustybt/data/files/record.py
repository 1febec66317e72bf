"""What is kept of files beside their bars: which they were, and what the user said of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rustybt.data.files.writing import Writing
from rustybt.data.sources import unreadable

MOST = 100
"""Files that are listed one by one; of more, how many there are and one digest of all."""


def said_of(writing: Writing) -> dict[str, str]:
    """The settings that differ from their defaults, as texts.

    Example:
        >>> from rustybt.data.files.writing import Writing
        >>> said_of(Writing(missing="skip", columns={"close": "Last"}))
        {'columns': 'close=Last', 'missing': 'skip'}
    """
    given = {one.name: getattr(writing, one.name) for one in fields(writing) if getattr(writing, one.name) != one.default}
    return {name: _text(value) for name, value in given.items()}


def record_of(paths: Sequence[str]) -> dict[str, Any]:
    """The files with their SHA-256, under ``files``.

    Raises:
        DataError: a file cannot be read any more.
    """
    listed = [{"path": str(Path(path).absolute()), "sha256": _digest(path)} for path in paths]
    if len(listed) <= MOST:
        return {"files": listed}
    both = "".join(f"{one['sha256']}  {one['path']}\n" for one in listed)
    return {"files": {"count": len(listed), "sha256": hashlib.sha256(both.encode()).hexdigest()}}


def _digest(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={told}" for name, told in value.items())
    return value if isinstance(value, str) else ",".join(value)
