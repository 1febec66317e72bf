"""The catalog: named datasets, each a line of immutable snapshots. Many processes may read while one writes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import platformdirs
import polars as pl

from rustybt._sqlite import opened, writing
from rustybt.data.catalog.aside import about_version, keep_aside
from rustybt.data.catalog.content import Content, OfPanel, outline_of
from rustybt.data.catalog.damage import damaged
from rustybt.data.catalog.files import WAIT, settle, sole_writer, unwritable
from rustybt.data.catalog.naming import check_name, split_name
from rustybt.data.catalog.reading import DAMAGED, QUARANTINE, SIZES, assets_of, described, events_of, open_ready, rebuild
from rustybt.data.catalog.repairs import LOG, check_log, keep_repairs, read_repairs
from rustybt.data.catalog.schema import CATALOG
from rustybt.data.catalog.writing import write_snapshot
from rustybt.data.options import Options
from rustybt.data.reference import Reference, Revision
from rustybt.data.spill.rows import Spill
from rustybt.errors import ConfigError, DataError
from rustybt.model import Event, Panel

HOME = "RUSTYBT_CATALOG"
PARTS = ("start", "end", "assets", "asset_class", "attach")
"""Options that choose a part of a dataset, or add to it; the others were settled when it was ingested."""
COLUMNS = ("dataset", "snapshot", "created", "source", "options", "warnings", "quarantined", "aside")
LIKE = "bars = ? AND assets = ? AND first = ? AND last = ?"


@dataclass(frozen=True)
class Version:
    """One ingest of a dataset: the snapshot that it gave, and what was said and set aside on the way.

    Attributes:
        dataset: its name.
        snapshot: SHA-256 of its content.
        created: UTC, when it was ingested.
        source: where the bars came from.
        options: what the door was told.
        new: whether ingesting it changed the bars of the dataset.
        warnings: what was assumed, rounded and set aside, one sentence each.
        quarantined: rows that were set aside.
        aside: name of the file of the snapshot that holds them.
        number: of the ingest, in the order of the whole catalog; its repairs are kept under it.
    """

    dataset: str
    snapshot: str
    created: str
    source: str
    options: dict[str, Any]
    new: bool = True
    warnings: tuple[str, ...] = ()
    quarantined: int = 0
    aside: str = QUARANTINE
    number: int = 0

    @property
    def name(self) -> str:
        """Name and snapshot in short, as every command takes it."""
        return f"{self.dataset}@{self.snapshot[:12]}"


class Catalog:
    """A folder of datasets.

    Args:
        root: the folder; default: that of the environment variable RUSTYBT_CATALOG, else the user's data folder.

    Example:
        >>> import tempfile, rustybt as rbt
        >>> shelf = rbt.Catalog(tempfile.mkdtemp())
        >>> made = rbt.ingest("demo", "stocks", catalog=shelf)
        >>> shelf.open("stocks").snapshot == rbt.load("demo").snapshot == made.snapshot
        True
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root or os.environ.get(HOME) or platformdirs.user_data_path("rustybt") / "catalog").absolute()

    @property
    def exists(self) -> bool:
        """Whether anything was ever ingested."""
        return (self.root / "catalog.db").is_file()

    @property
    def reference(self) -> Reference:
        """What was listed under which symbol, when, and on which terms: beside the datasets, not part of them."""
        return Reference(self.root)

    def folder(self, snapshot: str) -> Path:
        """Where the files of a snapshot are."""
        return self.root / "snapshots" / snapshot

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The metadata, to be read."""
        with opened(self.root / "catalog.db", CATALOG) as connection:
            yield connection

    @contextmanager
    def changing(self, wait: float = WAIT) -> Iterator[sqlite3.Connection]:
        """The metadata, to be changed by this process alone; the disk's refusals become one message."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with sole_writer(self.root, wait), opened(self.root / "catalog.db", CATALOG) as connection:
                yield connection
        except (OSError, pl.exceptions.PolarsError) as error:
            raise unwritable(self.root, error) from error

    @contextmanager
    def spilling(self) -> Iterator[Spill]:
        """A place on the catalog's disk for rows on their way into it, which is gone afterwards."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            spill = Spill(self.root)
        except OSError as error:
            raise unwritable(self.root, error) from error
        try:
            yield spill
        except OSError as error:
            raise unwritable(self.root, error) from error
        finally:
            spill.close()

    def publish(
        self,
        bars: Panel | Content,
        dataset: str,
        source: str,
        options: dict[str, Any],
        events: Sequence[Event] | None = None,
        *,
        repairs: pl.DataFrame | None = None,
    ) -> Version:
        """Keep bars as the newest snapshot of a dataset: whole, or not at all.

        The files are staged and forced to the disk, the folder is renamed, and one transaction makes it visible. A process that dies before
        leaves nothing that a reader can see.

        Args:
            bars: a panel, or what says the same of itself.
            dataset: its name.
            source: where they came from.
            options: what the door was told.
            events: corporate actions.
            repairs: the log of `rustybt.data.quality.mend`, or None.

        Raises:
            DataError: the disk is full, or another process writes.
        """
        check_name(dataset)
        log = pl.DataFrame(schema=LOG) if repairs is None else check_log(repairs)
        content = OfPanel(bars) if isinstance(bars, Panel) else bars
        with self.changing() as connection:
            # The identity of content that differs in number or time from all that is there is found while it is written.
            like = connection.execute(f"SELECT 1 FROM snapshots WHERE {LIKE}", outline_of(content.spans())).fetchone()
            have = like and connection.execute("SELECT 1 FROM snapshots WHERE id = ?", (content.snapshot,)).fetchone()
            files = [] if have else self._stage(content, events)
            known = self._versions(connection, dataset)[-1:]
            last = known[0] if known and known[0].snapshot == content.snapshot else None
            aside = keep_aside(connection, self.root, content, last) if have else QUARANTINE
            told, gone = tuple(content.warnings), content.quarantine.height
            made = Version(dataset, content.snapshot, now(), source, options, last is None, told, gone, aside)
            alike = last is not None and _said_alike(made, last) and read_repairs(connection, last).equals(log)
            version = made if last is None or not alike else replace(last, new=False)
            with writing(connection):
                if not have:
                    _describe(connection, content, files)
                if version is made:
                    version = _listed(connection, made)
                    keep_repairs(connection, version, log)
            return version

    def repairs(self, name: str) -> pl.DataFrame:
        """What was repaired before the newest ingest of a name, as `rustybt.data.quality.mend` wrote it down; no rows where nothing was.

        Raises:
            DataError: there is no such dataset or snapshot.
        """
        version = self.find(name)
        with self.reading() as connection:
            return read_repairs(connection, version)

    def _stage(self, content: Content, events: Sequence[Event] | None) -> list[tuple[str, int, str]]:
        staged = self.root / "staging" / uuid.uuid4().hex
        staged.mkdir(parents=True)
        try:
            files = write_snapshot(staged, content, events)
            settle(staged)
            final = self.folder(content.snapshot)
            final.parent.mkdir(exist_ok=True)
            if final.exists():  # left by a process that died before its transaction
                shutil.rmtree(final)
            staged.rename(final)
            settle_parent(final)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return files

    def versions(self, dataset: str | None = None) -> list[Version]:
        """Snapshots of one dataset or of all, oldest first."""
        if not self.exists:
            return []
        with self.reading() as connection:
            return self._versions(connection, dataset)

    def _versions(self, connection: sqlite3.Connection, dataset: str | None) -> list[Version]:
        chosen = "" if dataset is None else "WHERE dataset = ?"
        found = connection.execute(
            f"SELECT {', '.join(COLUMNS)}, number FROM versions {chosen} ORDER BY number",
            () if dataset is None else (dataset,),
        )
        return [Version(row[0], row[1], row[2], row[3], json.loads(row[4]), True, tuple(json.loads(row[5])), *row[6:]) for row in found]

    def datasets(self) -> list[Version]:
        """The newest snapshot of each dataset, by name."""
        newest = {version.dataset: version for version in self.versions()}
        return [newest[name] for name in sorted(newest)]

    def find(self, name: str) -> Version:
        """The snapshot that ``name`` or ``name@snapshot`` means: the newest, or the one whose id begins so.

        Raises:
            DataError: there is no such dataset or snapshot.
        """
        dataset, wanted = split_name(name)
        versions = self.versions(dataset)
        if not versions:
            names = [version.dataset for version in self.datasets()]
            like = get_close_matches(dataset, names, n=3, cutoff=0.5) or names[:5]
            do = f"the catalog has {', '.join(map(repr, like))}" if like else "the catalog is empty: rustybt ingest FILE --name NAME"
            raise DataError(f"there is no dataset {dataset!r}", where=f"catalog {self.root}", do=do)
        found = {version.snapshot: version for version in versions if version.snapshot.startswith(wanted)}
        if wanted and len(found) != 1:
            said = "is no snapshot" if not found else f"begins {len(found)} snapshots"
            known = ", ".join(version.snapshot[:12] for version in versions[-5:])
            raise DataError(f"{wanted!r} {said} of dataset {dataset!r}", where=f"catalog {self.root}", do=f"use one of {known}")
        return next(iter(found.values())) if wanted else versions[-1]

    def open(self, name: str, options: Options | None = None) -> Panel:
        """The panel of a dataset, or the part of it between ``start`` and ``end`` or of some ``assets``.

        Raises:
            DataError: it is not there, or its files are damaged.
            ConfigError: an option that was settled when it was ingested.
        """
        version = self.find(name)
        given = () if options is None else options.given
        fixed = [item for item in given if item not in PARTS] or (["assets"] if options is not None and options.overrides else [])
        if fixed:
            raise ConfigError(
                f"{fixed[0]} cannot be applied to a dataset", where=name, do="it was settled by rustybt ingest: ingest it again"
            )
        read: Callable[[Path, dict[str, Any]], Panel] = open_ready
        if any(item != "asset_class" for item in given):
            read = lambda folder, about: rebuild(folder, about, options)  # noqa: E731
        folder = self.folder(version.snapshot)
        try:
            panel = read(folder, about_version(folder, version))
        except DAMAGED as error:
            raise damaged(self, version, error) from error
        return replace_keeping(panel, version.name)

    def enlist(self, name: str) -> Revision:
        """Take the assets of a dataset, with what they trade in, and their corporate actions into the reference data.

        Assets that are there already stay as they are. The first bar is no listing date, so none is written down.

        Raises:
            DataError: there is no such dataset, or it is damaged.

        Example:
            >>> import tempfile, rustybt as rbt
            >>> shelf = rbt.Catalog(tempfile.mkdtemp())
            >>> made = rbt.ingest("demo", "stocks", catalog=shelf)
            >>> shelf.enlist("stocks").added
            105
        """
        version = self.find(name)
        try:
            about = described(self.folder(version.snapshot))
            assets, events = assets_of(about), events_of(about) or []
        except DAMAGED as error:
            raise damaged(self, version, error) from error
        have = self.reference.entries([asset.symbol for asset in assets])
        fresh = [asset for asset in assets if asset.symbol not in have]
        fields = ("currency", *SIZES)
        rows = [
            {"asset": asset.symbol, "kind": asset.asset_class, **{field: str(getattr(asset, field)) for field in fields}} for asset in fresh
        ]
        ids = {asset.symbol for asset in fresh}
        mine = [event for event in events if event.asset in ids and (event.other is None or event.other in ids)]
        return self.reference.add(rows or None, events=mine or None, source=version.name)

    def record_run(self, run_id: str, folder: Path, panel: Panel) -> None:
        """Remember that a run used a snapshot.

        Raises:
            DataError: the catalog cannot be written.
        """
        if panel.dataset is None:
            return
        version = self.find(panel.dataset)
        with self.changing() as connection, writing(connection):
            connection.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)",
                (run_id, str(folder.absolute()), version.snapshot, version.dataset, now()),
            )


def replace_keeping(panel: Panel, dataset: str) -> Panel:
    """The panel with the name it came by, and its identity if that is known already."""
    known = panel.__dict__.get("snapshot")
    named = replace(panel, dataset=dataset)
    if known is not None:
        named.__dict__["snapshot"] = known
    return named


def settle_parent(path: Path) -> None:
    """Force the entry of a renamed folder to the disk."""
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def now() -> str:
    """This second, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _said_alike(one: Version, other: Version) -> bool:
    """Whether two ingests of the same bars warned of the same and set the same rows aside."""
    return (one.warnings, one.quarantined, one.aside) == (other.warnings, other.quarantined, other.aside)


def _listed(connection: sqlite3.Connection, version: Version) -> Version:
    """The version with its number."""
    told, said = json.dumps(version.options, default=str), json.dumps(version.warnings)
    made = connection.execute(
        f"INSERT INTO versions ({', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (version.dataset, version.snapshot, version.created, version.source, told, said, version.quarantined, version.aside),
    )
    return replace(version, number=int(made.lastrowid or 0))


def _describe(connection: sqlite3.Connection, content: Content, files: Sequence[tuple[str, int, str]]) -> None:
    spans = content.spans()
    about = (content.snapshot, now(), *outline_of(spans), content.calendar)
    connection.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)", about)
    connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", [(content.snapshot, *file) for file in files])
    connection.executemany("INSERT INTO symbols VALUES (?, ?, ?, ?, ?)", [(content.snapshot, *span) for span in spans])
