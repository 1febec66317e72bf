"""What a source means that is given as a text: a file, or an address such as ``csv:prices/`` and ``yfinance:AAPL``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rustybt.model.source import Source

LOOKS_LIKE = re.compile(r"[a-z][a-z0-9_-]+:(?!//)")
"""A text that names a source, if only one that there is none of; a letter and a colon is a drive."""
FILES, OF_FILES = ("csv", "parquet"), ("columns", "timezone", "stamp")


def source_of(source: Any, settings: Mapping[str, Any] | None, options: dict[str, Any]) -> tuple[Source | None, tuple[str, ...]]:
    """The source that is meant and the symbols that its address lists, or None for files and frames that the door reads.

    What the user says of the columns, zone and stamp of ``csv:`` and ``parquet:`` is for the source rather than for the door.
    """
    if isinstance(source, str) and ":" in source and not Path(source).exists():
        from rustybt.data.download import is_address, open_address

        if not is_address(source) and not LOOKS_LIKE.match(source):
            return None, ()
        if source.partition(":")[0] in FILES:
            mine = {name: options.pop(name) for name in OF_FILES if name in options}
            settings = {**{name: value for name, value in mine.items() if value is not None}, **(settings or {})}
        return open_address(source, settings)
    return (source, ()) if isinstance(source, Source) else (None, ())
