"""The directory of a sweep: rows as Parquet parts while it runs, one file when it is done, and a manifest that says whose they are.

A part is written beside its place and then moved there, so that a process killed at any instant leaves whole parts only. Rows come in the
order of the variants: what is done is always the first so many.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.errors import ConfigError
from rustybt.sweeps.whole import DIGESTS, Files, digest_kept, digest_of, keep_digest, rows_in

MANIFEST, RESULTS, CURVES, LOCK, PARTS = "manifest.json", "results.parquet", "curves.parquet", "lock", "parts"
KIND, VERSION = "rustybt sweep", 1


class Folder:
    """The directory of one sweep.

    Args:
        path: new, empty, or holding an earlier start of the same sweep.
        facts: what makes it this sweep, by name; a directory with other facts is refused.
        notes: further entries of the manifest, which do not have to agree.
    """

    def __init__(self, path: Path, facts: Mapping[str, Any], notes: Mapping[str, Any]) -> None:
        self.path, self.facts, self.notes = path, dict(facts), dict(notes)

    def open(self) -> None:
        """Make it ready; it has to be `held`.

        Raises:
            ConfigError: it holds another sweep, a file of it is damaged, or it cannot be written.
        """
        try:
            if (self.path / MANIFEST).is_file():
                self._compare(read_manifest(self.path))
            else:
                self._write({"finished": False, **self.notes})
            for litter in self.path.glob("**/*.tmp"):
                litter.unlink()
            if self.finished:
                self.files().check()
            else:
                (self.path / PARTS).mkdir(exist_ok=True)
                done = self.done
                for part in self.parts("curves"):
                    if begins(part) >= done:  # of rows that are to be run
                        part.unlink()
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def _compare(self, found: Mapping[str, Any]) -> None:
        for name, value in self.facts.items():
            if found.get(name) != value:
                raise ConfigError(
                    f"the directory holds another sweep: its {name} {'differs' if len(str(value)) > 40 else f'is {found.get(name)!r}'}",
                    where=str(self.path),
                    do="give another out=, or repeat the call that began it",
                )

    @contextmanager
    def held(self) -> Iterator[None]:
        """No other process works in it meanwhile.

        Raises:
            ConfigError: one does, or the directory holds something else or cannot be written.
        """
        try:
            strangers = self.path.is_file() or [file for file in self.path.glob("*") if file.name != LOCK]
            if strangers and not (self.path / MANIFEST).is_file():
                raise ConfigError(
                    "the directory holds something that is not a sweep", where=str(self.path), do="choose an empty or new one"
                )
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        try:
            import fcntl
        except ImportError:  # not on Windows
            yield
            return
        try:
            handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            do = "wait for it, or give another out="
            raise ConfigError("another process is working on this sweep", where=str(self.path), do=do) from None
        finally:
            os.close(handle)

    @property
    def finished(self) -> bool:
        """Whether all rows are there, in one file, and all curves where they are kept."""
        wanted = (RESULTS, CURVES) if self.facts.get("curves") else (RESULTS,)
        return all((self.path / name).is_file() for name in wanted) and bool(read_manifest(self.path).get("finished"))

    def files(self) -> Files:
        """The files of a finished sweep, as they are to be."""
        digests = read_manifest(self.path).get("sha256")
        known = digests if isinstance(digests, dict) else {}
        wanted = (RESULTS, CURVES) if self.facts.get("curves") else (RESULTS,)
        return Files({self.path / name: known.get(name) for name in wanted})

    def parts(self, prefix: str = "rows") -> list[Path]:
        """Parts written so far, in order."""
        return sorted((self.path / PARTS).glob(f"{prefix}-*.parquet"))

    @property
    def done(self) -> int:
        """Number of variants that need not be run again.

        Raises:
            ConfigError: a part is missing or damaged.
        """
        rows, do = 0, "delete it and the parts after it: the same call keeps those before and goes on from there"
        for part in self.parts():
            if begins(part) != rows:
                raise ConfigError(f"a part is missing before {part.name}", where=str(part), do=do.replace("it and", "this part and"))
            rows += rows_in(part, do.removeprefix("delete it and the parts after it: "), "it and the parts after it", digest_kept(part))
        for part in self.parts("curves"):
            if begins(part) < rows:
                rows_in(part, "the same call goes on from there", f"it and the parts from {begins(part):012} on", digest_kept(part))
        return rows

    def add(self, first: int, rows: pl.DataFrame, curves: pl.DataFrame | None) -> None:
        """Keep the rows of variants from one on."""
        try:
            if curves is not None:
                _put(curves, self.path / PARTS / f"curves-{first:012}.parquet")
            _put(rows, self.path / PARTS / f"rows-{first:012}.parquet")
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def finish(self) -> None:
        """One file of all parts, the same bytes however they were cut."""
        digests = {}
        try:
            for prefix, name in (("curves", CURVES), ("rows", RESULTS)):
                parts = self.parts(prefix)
                if parts:
                    staged = self.path / f"{name}.tmp"
                    pl.scan_parquet(parts).sink_parquet(staged, row_group_size=2**17, maintain_order=True)
                    digests[name] = digest_of(staged)
                    staged.replace(self.path / name)
            self._write({"finished": True, "sha256": digests, **self.notes})
            for part in (*self.parts("curves"), *self.parts()):
                part.unlink()
            for digest in (self.path / PARTS).glob(f"{DIGESTS}*"):
                digest.unlink()
            (self.path / PARTS).rmdir()
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def rows(self) -> pl.LazyFrame:
        """All rows that are there."""
        whole = self.path / RESULTS
        return pl.scan_parquet(whole if self.finished else self.parts())

    def curves(self) -> pl.LazyFrame:
        """All curves that are there."""
        whole = self.path / CURVES
        return pl.scan_parquet(whole if self.finished else self.parts("curves"))

    def _write(self, notes: Mapping[str, Any]) -> None:
        text = json.dumps({"kind": KIND, "version": VERSION, **self.facts, **notes}, indent=1, default=str) + "\n"
        staged = self.path / f"{MANIFEST}.tmp"
        staged.write_text(text)
        staged.replace(self.path / MANIFEST)


def begins(part: Path) -> int:
    """Number of the first variant of a part.

    Example:
        >>> begins(Path("parts/rows-000000000512.parquet"))
        512
    """
    return int(part.stem.rpartition("-")[2])


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a sweep's directory.

    Raises:
        ConfigError: there is none, or it is of something else.
    """
    try:
        found = json.loads((path / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        do = "put it back, or choose another directory"
        raise ConfigError(f"the manifest cannot be read: {error}", where=str(path / MANIFEST), do=do) from None
    if not isinstance(found, dict) or found.get("kind") != KIND or found.get("version") != VERSION:
        raise ConfigError("the directory holds something that is not a sweep", where=str(path), do="choose an empty or new one")
    return found


def _put(frame: pl.DataFrame, place: Path) -> None:
    """Write a file whole or not at all, and have it on the disk before it counts."""
    staged = place.with_suffix(".tmp")
    frame.write_parquet(staged)
    keep_digest(place, digest_of(staged))
    with staged.open("rb+") as handle:
        os.fsync(handle.fileno())
    staged.replace(place)


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"cannot write the sweep: {error.strerror or error}", where=str(path), do="choose a directory that can be written")
