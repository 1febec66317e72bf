"""What can be seen of damage without reading files, and the one message that names it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rustybt.errors import DataError

if TYPE_CHECKING:
    from rustybt.data.catalog.store import Catalog, Version

REPAIR = "run rustybt catalog verify, then rustybt catalog repair"


def damaged(catalog: Catalog, version: Version, error: BaseException) -> DataError:
    """The one message for a snapshot whose files cannot be read."""
    folder = catalog.folder(version.snapshot)
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return DataError(f"snapshot {version.name} is damaged: {glance(catalog).get(version.snapshot, first)}", where=str(folder), do=REPAIR)


def glance(catalog: Catalog) -> dict[str, str]:
    """By snapshot, what is wrong with the first of its files that is not there or has another size; the others are left out."""
    with catalog.reading() as connection:
        files = connection.execute("SELECT snapshot, name, bytes FROM files ORDER BY snapshot, name").fetchall()
    found = dict[str, str]()
    for snapshot, name, size in files:
        if snapshot not in found and (said := misfit(catalog.folder(snapshot) / name, size)):
            found[snapshot] = said
    return found


def misfit(path: Path, size: int) -> str:
    """How a file is not as it was written, by its size; empty where that fits."""
    try:
        have = path.stat().st_size if path.is_file() else None
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror or error}"
    if have is None:
        return f"{path.name} is missing"
    return "" if have == size else f"{path.name} has {have} bytes, not {size}"
