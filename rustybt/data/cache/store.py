"""The cache itself: two tiers, one index, safe under several processes and under a kill at any instant."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import platformdirs
import polars as pl

from rustybt._sqlite import opened, writing
from rustybt.data.cache import index
from rustybt.data.cache.freshness import Reach
from rustybt.data.cache.index import COUNTED, INDEX, Entry
from rustybt.data.cache.memory import memory_of
from rustybt.data.catalog.files import checksum, settle_one, sole_writer, unwritable
from rustybt.errors import ConfigError, DataError
from rustybt.model.source import Source, Terms

type Tier = Literal["memory", "disk"]

CATALOG_HOME = "RUSTYBT_CATALOG"
LIMITS = {"bytes": ("RUSTYBT_CACHE_BYTES", 4_000_000_000), "rows": ("RUSTYBT_CACHE_ROWS", 5_000_000)}
"""Environment variable and default of each limit."""
TRIES = 5
"""Looks at the index before giving up: a file that it names may have been replaced in between."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a source, but for the span: what an answer is kept under.

    Args:
        source: its name.
        address: where it is reached.
        options: settings that change its answers.
        symbol: as the source writes it.
        frequency: length of the bars.
    """

    source: str
    address: str
    options: tuple[tuple[str, str], ...]
    symbol: str
    frequency: str

    @classmethod
    def of(cls, source: Source, symbol: str, frequency: str) -> Asked:
        """What is asked of a source."""
        options = tuple(sorted((name, str(value)) for name, value in source.options.items()))
        return cls(source.name, source.address, options, symbol, frequency)

    @property
    def texts(self) -> tuple[str, str, str, str, str]:
        """As the index writes it."""
        return self.source, self.address, json.dumps(self.options), self.symbol, self.frequency

    @property
    def key(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(json.dumps(self.texts).encode()).hexdigest()


@dataclass(frozen=True)
class Answer:
    """What a source said of one symbol, made one.

    Args:
        bars: complete ones, in order, each once; numbers as the source wrote them.
        reach: how far they reach, and when the source was asked.
        terms: what it said of the symbol.
        events: corporate actions.
        notes: sentences for the user.
    """

    bars: pl.DataFrame
    reach: Reach
    terms: Terms
    events: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Cache:
    """Downloads that were made once.

    Args:
        root: folder of the catalog, beside which they are kept in ``cache``; default: the user's.
        limit: most bytes on the disk, beside the newest entry; default: the environment variable RUSTYBT_CACHE_BYTES, else 4 GB.
        rows: most rows that this process holds in memory; default: RUSTYBT_CACHE_ROWS, else five million.
        clock: what time it is, for tests.

    Raises:
        ConfigError: a limit is no whole number.

    Example:
        >>> import tempfile
        >>> Cache(tempfile.mkdtemp()).stats()["entries"]
        0
    """

    root: Path | str | None = None
    limit: int | None = None
    rows: int | None = None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)

    def __post_init__(self) -> None:
        home = self.root or os.environ.get(CATALOG_HOME) or platformdirs.user_data_path("rustybt") / "catalog"
        object.__setattr__(self, "root", Path(home).absolute())
        object.__setattr__(self, "limit", _limit("bytes", self.limit))
        object.__setattr__(self, "rows", _limit("rows", self.rows))

    @property
    def folder(self) -> Path:
        """Of the cache."""
        return Path(self.root or "") / "cache"

    def find(self, asked: Asked) -> Entry | None:
        """What is kept under a request, without its bars."""
        if not (self.folder / "index.db").is_file():
            return None
        with self._index() as connection:
            return index.find(connection, asked.key)

    def read(self, asked: Asked) -> tuple[Answer, Tier] | None:
        """What is kept under a request, and from which tier it comes; None where nothing is kept, or it is damaged.

        Raises:
            DataError: the index cannot be used.
        """
        memory = memory_of(self.folder)
        entry = self.find(asked)
        for _ in range(TRIES):
            if entry is None:
                return None
            tier: Tier = "memory"
            bars = memory.get(entry.file)
            if bars is None:
                tier, place = "disk", self._bars / entry.file
                try:
                    bars = pl.read_parquet(place) if checksum(place) == entry.sha256 else None
                except FileNotFoundError:  # another process replaced it after the index was read
                    entry = self.find(asked)
                    continue
                except (OSError, pl.exceptions.PolarsError):
                    bars = None
                if bars is None:
                    self._forget(entry)
                    return None
                memory.put(entry.file, bars, bars.height, self.rows or 0)
            return Answer(bars, entry.reach, entry.terms, entry.events, entry.notes), tier
        if entry is not None:
            self._forget(entry)
        return None

    def put(self, asked: Asked, answer: Answer) -> None:
        """Keep an answer in the place of what was kept under the same request, and make room for it.

        The file is written beside the others and forced to the disk; one transaction makes it count. A process that dies before leaves a
        file that nobody sees, which the next writer removes.

        Raises:
            DataError: the disk does not take it, or the index cannot be used.
        """
        name = f"{uuid.uuid4().hex}.parquet"
        with self._changing() as connection:
            self._sweep(connection)
            place = self._bars / name
            self._bars.mkdir(parents=True, exist_ok=True)
            answer.bars.write_parquet(place, compression="zstd")
            settle_one(place)
            settle_one(self._bars)
            entry = Entry(
                asked.key, asked.symbol, answer.reach, answer.bars.height, place.stat().st_size, name, checksum(place),
                answer.terms, tuple(answer.events), tuple(answer.notes),
            )  # fmt: skip
            with writing(connection):
                gone = [index.replace(connection, entry, asked.texts)]
                crowded = index.oldest(connection, self.limit or 0)
                for key, file in crowded:
                    connection.execute("DELETE FROM entries WHERE key = ?", (key,))
                    gone.append(file)
                if crowded:
                    index.count(connection, "evicted", len(crowded))
            self._drop([file for file in gone if file is not None])
        memory_of(self.folder).put(name, answer.bars, answer.bars.height, self.rows or 0)

    def used(self, answers: Sequence[tuple[Asked, str]]) -> None:
        """Count answers by where they came from, one of `COUNTED`; all in one transaction."""
        if not answers:
            return
        with self._index() as connection, writing(connection):
            for asked, how in answers:
                index.count(connection, how)
                if how in ("memory", "disk", "start", "end", "whole"):
                    index.use(connection, asked.key, how in ("memory", "disk"))

    @contextmanager
    def alone(self, asked: Asked, wait: float) -> Iterator[None]:
        """No other process or thread asks the source for the same meanwhile.

        Raises:
            DataError: another one did so for longer than the wait.
        """
        place = self.folder / "locks" / asked.key[:32]
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(place, error) from error
        with sole_writer(place, wait):
            yield

    def stats(self) -> dict[str, Any]:
        """What is kept and what was answered from where.

        Returns:
            ``folder``, ``entries``, ``rows``, ``bytes``, their limits, ``memory_rows`` of this process, ``counts`` by name,
            ``hit_rate`` (the part of the answers that needed nothing of the source; None before the first) and ``kept``, a list of
            requests with their reach.
        """
        about: dict[str, Any] = {"folder": str(self.folder), "entries": 0, "rows": 0, "bytes": 0}
        about |= {"limit_bytes": self.limit, "limit_memory_rows": self.rows, "memory_rows": memory_of(self.folder).size}
        counts, kept = dict.fromkeys(COUNTED, 0), list[dict[str, Any]]()
        if (self.folder / "index.db").is_file():
            with self._index() as connection:
                counts |= dict(connection.execute("SELECT name, number FROM counts").fetchall())
                names = ("source", "symbol", "frequency", "options", "start", "until", "asked", "rows", "bytes", "hits")
                rows = connection.execute(f"SELECT {', '.join(names)} FROM entries ORDER BY source, symbol, frequency, options")
                kept = [dict(zip(names, row, strict=True)) for row in rows]
        about |= {"entries": len(kept)} | {name: sum(one[name] for one in kept) for name in ("rows", "bytes")}
        hits = counts["memory"] + counts["disk"]
        answered = hits + counts["start"] + counts["end"] + counts["whole"]
        return {**about, "counts": counts, "hit_rate": hits / answered if answered else None, "kept": kept}

    def clear(self, source: str | None = None, symbol: str | None = None) -> int:
        """Forget what is kept: all with its counts, or that of a source, of a symbol, or of both.

        Returns:
            How many requests were kept.
        """
        memory_of(self.folder).clear()
        if not self.folder.is_dir():
            return 0
        if source is None and symbol is None:
            return self._clear_all()
        with self._changing() as connection:
            chosen = "WHERE (:source IS NULL OR source = :source) AND (:symbol IS NULL OR symbol = :symbol)"
            names = {"source": source, "symbol": symbol}
            with writing(connection):
                gone = [str(row[0]) for row in connection.execute(f"SELECT file FROM entries {chosen}", names)]
                connection.execute(f"DELETE FROM entries {chosen}", names)
            self._drop(gone)
        return len(gone)

    def _clear_all(self) -> int:
        """Also where the index is damaged."""
        try:
            with self._changing() as connection:
                with writing(connection):
                    number = int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])
                    connection.execute("DELETE FROM entries")
                    connection.execute("DELETE FROM counts")
                self._sweep(connection)
                return number
        except DataError as error:
            if error.facts.get("locked") or "another process" in error.what:
                raise
            with sole_writer(self.folder):
                number = len(list(self._bars.glob("*.parquet")))
                shutil.rmtree(self._bars, ignore_errors=True)
                for place in self.folder.glob("index.db*"):
                    place.unlink()
                return number

    @property
    def _bars(self) -> Path:
        return self.folder / "bars"

    @contextmanager
    def _index(self) -> Iterator[sqlite3.Connection]:
        try:
            with opened(self.folder / "index.db", INDEX) as connection:
                yield connection
        except DataError as error:
            if error.facts.get("locked"):
                raise
            raise replaced(error) from error

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with sole_writer(self.folder), self._index() as connection:
                yield connection
        except (OSError, pl.exceptions.PolarsError) as error:
            raise unwritable(self.folder, error) from error

    def _sweep(self, connection: sqlite3.Connection) -> None:
        """Files that no entry names: of processes that died. The writing lock is held, so none of them is being written."""
        known = {row[0] for row in connection.execute("SELECT file FROM entries")}
        self._drop([place.name for place in self._bars.glob("*.parquet") if place.name not in known])

    def _drop(self, files: Sequence[str]) -> None:
        for file in files:
            memory_of(self.folder).drop(file)
            (self._bars / file).unlink(missing_ok=True)

    def _forget(self, entry: Entry) -> None:
        """Of a damaged file: the next answer comes from the source."""
        with self._changing() as connection:
            with writing(connection):
                connection.execute("DELETE FROM entries WHERE key = ? AND file = ?", (entry.key, entry.file))
                index.count(connection, "damaged")
            self._drop([entry.file])


def replaced(error: DataError) -> DataError:
    """The same, with the way out that a cache has."""
    return DataError(error.what, where=error.where, do="run rustybt cache clear: only downloads are lost", **error.facts)


def _limit(name: str, given: int | None) -> int:
    variable, default = LIMITS[name]
    said = os.environ.get(variable) if given is None else given
    try:
        found = default if said is None else int(said)
    except ValueError:
        found = -1
    if found < 0:
        raise ConfigError(f"the limit {said!r} is no number of {name}", where=variable, do="give a whole number, 0 or more")
    return found


def merged(old: Answer, new: Answer) -> Answer:
    """An answer about the end behind what was kept; the age of the whole is that of its oldest part."""
    reach = replace(new.reach, start=old.reach.start, oldest=min(old.reach.oldest, new.reach.oldest))
    return replace(new, reach=reach, notes=tuple(dict.fromkeys((*old.notes, *new.notes))))
