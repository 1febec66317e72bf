"""What an ingest said and set aside: it belongs to the version, for other sources may give the same usable bars without it."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt.data.catalog.content import Content
from rustybt.data.catalog.files import Summed, settle_one
from rustybt.data.catalog.reading import QUARANTINE, described

if TYPE_CHECKING:
    from rustybt.data.catalog.store import Version

NAMED = "quarantine-{}.parquet"
"""Rows set aside by a later ingest of the same bars, by the first digits of their own SHA-256."""


def keep_aside(connection: sqlite3.Connection, root: Path, content: Content, last: Version | None) -> str:
    """Keep the rows that were set aside beside bars that are there already.

    Args:
        connection: to the catalog, in no transaction.
        root: of the catalog.
        content: with the rows.
        last: a version of the snapshot of which the file is taken again, where it holds the same.

    Returns:
        Name of their file in the snapshot's folder; no file is made for no rows.
    """
    rows, folder = content.quarantine, root / "snapshots" / content.snapshot
    if not rows.height:
        return last.aside if last is not None and not last.quarantined else QUARANTINE
    staged = root / "staging" / uuid.uuid4().hex
    staged.mkdir(parents=True)
    try:
        with Summed(staged / QUARANTINE) as file:
            rows.write_parquet(file, compression="zstd")  # type: ignore[arg-type]
        if last is not None and last.quarantined == rows.height and _same(staged / QUARANTINE, folder / last.aside):
            return last.aside
        if _same(staged / QUARANTINE, folder / QUARANTINE):
            return QUARANTINE
        _, size, digest = file.said
        name = NAMED.format(digest[:16])
        settle_one(staged / QUARANTINE)
        (staged / QUARANTINE).replace(folder / name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (content.snapshot, name, size, digest))
    return name


def about_version(folder: Path, version: Version) -> dict[str, Any]:
    """What a snapshot says of itself, with the warnings and rows set aside of one version of it."""
    mine: Mapping[str, Any] = {"warnings": list(version.warnings), "aside": version.quarantined, "quarantine": version.aside}
    return {**described(folder), **mine}


def forget_aside(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Take the files of rows that no version names any more out of the list.

    Returns:
        Snapshot and name of each; they can be deleted.
    """
    loose = "name LIKE 'quarantine-%' AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.snapshot = files.snapshot AND v.aside = files.name)"
    gone = connection.execute(f"SELECT snapshot, name FROM files WHERE {loose}").fetchall()
    connection.execute(f"DELETE FROM files WHERE {loose}")
    return gone


def _same(new: Path, old: Path) -> bool:
    return old.is_file() and pl.read_parquet(new).equals(pl.read_parquet(old))
