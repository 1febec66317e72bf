"""Which files an address means, and what a file says of itself by its name and its first lines."""

from __future__ import annotations

import glob
import gzip
from pathlib import Path

from rustybt.data.sources import stem_of, suffix_of, unreadable
from rustybt.errors import DataError

HEAD = 40
"""Lines of a file that its delimiter is found from."""


def paths_of(address: str, suffixes: tuple[str, ...]) -> list[str]:
    """Files of a path, a folder or a glob, sorted."""
    place = Path(address)
    if place.is_file():
        return [address]
    if place.is_dir():
        found = sorted(str(path) for path in place.iterdir() if path.name.lower().endswith(suffixes))
    else:
        found = sorted(path for path in glob.glob(address, recursive=True) if Path(path).is_file())  # noqa: PTH207 -- absolute patterns
    if not found:
        raise DataError("there is no such file", where=address, do=f"give a file, a folder or a glob of {', '.join(suffixes)}")
    return found


def asset_of(path: str) -> str:
    """The asset of a file that holds a single one.

    Example:
        >>> asset_of("prices/KO.csv.gz"), asset_of("prices/KO.txt")
        ('KO', 'KO')
    """
    return stem_of(path) if suffix_of(path) else Path(path).stem


def head_of(path: str) -> list[str]:
    """The first lines of a file."""
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig") if path.endswith(".gz") else Path(path).open(encoding="utf-8-sig") as file:
            lines = [line.rstrip("\r\n") for line, _ in zip(file, range(HEAD), strict=False)]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise DataError("the file is empty", where=path, do="check that it was written completely")
    return lines
