"""Keep the catalog whole: check every file against its checksum and content, repair what can be, remove what is not wanted."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from rustybt._sqlite import writing
from rustybt.data.catalog.aside import forget_aside
from rustybt.data.catalog.content import write_ready
from rustybt.data.catalog.damage import misfit
from rustybt.data.catalog.files import checksum
from rustybt.data.catalog.reading import DAMAGED, DERIVED, described, rebuild
from rustybt.data.catalog.store import Catalog, Version
from rustybt.data.reference.store import FILE
from rustybt.errors import ConfigError, DataError

UNREADABLE = (*DAMAGED, DataError)


@dataclass(frozen=True)
class Finding:
    """Something wrong in the catalog.

    Attributes:
        where: snapshot or path.
        what: what is wrong.
        repairable: whether nothing is lost by repairing it.
        datasets: that have the snapshot.
    """

    where: str
    what: str
    repairable: bool
    datasets: str = ""


def verify(catalog: Catalog, name: str | None = None) -> list[Finding]:
    """What is wrong with the snapshots of a dataset, or with the whole catalog."""
    listed = _reference(catalog) if name is None else []
    if not catalog.exists:
        return listed
    chosen = (
        None if name is None else {catalog.find(name).snapshot if "@" in name else v.snapshot for v in catalog.versions(_dataset(name))}
    )
    with catalog.reading() as connection:
        files = connection.execute("SELECT snapshot, name, bytes, sha256 FROM files ORDER BY snapshot, name").fetchall()
        versions = connection.execute("SELECT DISTINCT snapshot, dataset FROM versions ORDER BY dataset").fetchall()
    found = list[Finding]()
    for snapshot in dict.fromkeys(row[0] for row in files):
        if chosen is None or snapshot in chosen:
            found += _of_snapshot(catalog, snapshot, [row[1:] for row in files if row[0] == snapshot])
    named: dict[str, list[str]] = {}
    for version in versions:
        named.setdefault(version[0], []).append(version[1])
    found = [replace(finding, datasets=", ".join(named.get(finding.where, ()))) for finding in found]
    return found + (_strays(catalog, {row[0] for row in files}) if chosen is None else []) + listed


def _reference(catalog: Catalog) -> list[Finding]:
    """What SQLite finds wrong with the reference data."""
    if not catalog.reference.exists:
        return []
    try:
        with catalog.reference.reading() as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except DataError as error:
        said = [error.what]
    return [] if said == ["ok"] else [Finding(FILE, f"the reference data are damaged: {'; '.join(said)}", False)]


def _dataset(name: str) -> str:
    return name.partition("@")[0]


def _of_snapshot(catalog: Catalog, snapshot: str, files: list[tuple[str, int, str]]) -> list[Finding]:
    folder = catalog.folder(snapshot)
    found = [Finding(snapshot, said, name in DERIVED) for name, size, digest in files if (said := _wrong(folder / name, size, digest))]
    if not any(not finding.repairable for finding in found):
        try:
            again = rebuild(folder, described(folder)).snapshot
        except UNREADABLE as error:
            return [*found, Finding(snapshot, f"its bars cannot be read: {str(error).splitlines()[0]}", False)]
        if again != snapshot:
            found.append(Finding(snapshot, "its content is not what its name says", False))
    return found


def _wrong(path: Path, size: int, digest: str) -> str:
    return misfit(path, size) or ("" if checksum(path, digest) == digest else f"{path.name} has another checksum")


def _strays(catalog: Catalog, known: set[str]) -> list[Finding]:
    left = sorted((catalog.root / "staging").glob("*"))
    left += [path for path in sorted((catalog.root / "snapshots").glob("*")) if path.name not in known]
    return [Finding(str(path.relative_to(catalog.root)), "left by a process that died; nobody sees it", True) for path in left]


def repair(catalog: Catalog) -> list[str]:
    """Makes derived files again, removes what dead processes left, and sets damaged snapshots aside.

    A snapshot whose bars are damaged goes to the folder ``damaged``; its dataset is then the newest snapshot that is whole.

    Returns:
        What was done, one sentence each.
    """
    done: list[str] = []
    with catalog.changing() as connection:
        findings = verify(catalog)
        lost = {finding.where for finding in findings if not finding.repairable}
        for where in dict.fromkeys(finding.where for finding in findings if finding.where != FILE):
            stray = catalog.root / where
            if where in lost:
                _set_aside(catalog, connection, where)
                done.append(f"snapshot {where[:12]} was set aside in damaged/: ingest it again from its source")
            elif "/" in where:
                shutil.rmtree(stray)
                done.append(f"{where} was removed")
            else:
                _make_ready(catalog, connection, where)
                done.append(f"the ready files of snapshot {where[:12]} were made again")
    return done


def _make_ready(catalog: Catalog, connection: sqlite3.Connection, snapshot: str) -> None:
    folder = catalog.folder(snapshot)
    staged = catalog.root / "staging" / uuid.uuid4().hex
    staged.mkdir(parents=True)
    try:
        files = [(snapshot, *file) for file in write_ready(staged, rebuild(folder, described(folder)))]
        for path in sorted(staged.iterdir()):
            path.replace(folder / path.name)
        for name in {*DERIVED} - {file[1] for file in files}:  # of an earlier form
            (folder / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    with writing(connection):
        marks = ", ".join("?" * len(DERIVED))
        connection.execute(f"DELETE FROM files WHERE snapshot = ? AND name IN ({marks})", (snapshot, *DERIVED))
        connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", files)


def _set_aside(catalog: Catalog, connection: sqlite3.Connection, snapshot: str) -> None:
    with writing(connection):
        connection.execute("DELETE FROM versions WHERE snapshot = ?", (snapshot,))
        connection.execute("DELETE FROM snapshots WHERE id = ?", (snapshot,))
    if catalog.folder(snapshot).exists():
        (catalog.root / "damaged").mkdir(exist_ok=True)
        catalog.folder(snapshot).rename(catalog.root / "damaged" / f"{snapshot}-{uuid.uuid4().hex[:8]}")


def remove(catalog: Catalog, name: str, force: bool = False) -> list[Version]:
    """Removes a dataset, or with ``name@snapshot`` one snapshot of it; files go when no dataset has them any more.

    Raises:
        DataError: there is no such dataset.
        ConfigError: a saved run names a snapshot, and ``force`` is not given.
    """
    found = catalog.find(name)
    versions = [v for v in catalog.versions(found.dataset) if "@" not in name or v.snapshot == found.snapshot]
    with catalog.changing() as connection:
        marks = ", ".join("?" * len(versions))
        ids = [version.snapshot for version in versions]
        runs = connection.execute(f"SELECT folder FROM runs WHERE dataset = ? AND snapshot IN ({marks})", (found.dataset, *ids)).fetchall()
        if runs and not force:
            raise ConfigError(f"{len(runs)} saved runs use {name!r}", where=runs[0][0], do="keep it, or add --force")
        with writing(connection):
            connection.execute(f"DELETE FROM versions WHERE dataset = ? AND snapshot IN ({marks})", (found.dataset, *ids))
            connection.execute("DELETE FROM snapshots WHERE id NOT IN (SELECT snapshot FROM versions)")
            loose = forget_aside(connection)
        kept = {row[0] for row in connection.execute("SELECT id FROM snapshots")}
        for snapshot in set(ids) - kept:
            shutil.rmtree(catalog.folder(snapshot), ignore_errors=True)
        for snapshot, file in loose:
            (catalog.folder(snapshot) / file).unlink(missing_ok=True)
    return versions
