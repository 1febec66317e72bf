"""The directory of a sweep: rows as Parquet parts while it runs, one file when it is done, and a manifest that says whose they are.

A file is written beside its place and then moved there, so that a process killed at any instant leaves whole files only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from rustybt._output import written
from rustybt.errors import ConfigError
from rustybt.sweeps.parts import Parts, Sorted, safely, unwritable
from rustybt.sweeps.whole import Files, digest_of, sealed, unsealed

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
        self.parts = Parts(path / PARTS, curves=bool(facts.get("curves")))

    def open(self) -> Sorted:
        """Make it ready; it has to be `held`.

        Returns:
            What is there of it. Parts that are damaged are gone: their variants are to be run again.

        Raises:
            ConfigError: it holds another sweep, its manifest or a file of all rows is damaged, or it cannot be written.
        """
        try:
            if (self.path / MANIFEST).is_file():
                self._compare(read_manifest(self.path))
            else:
                self._write({"finished": False, **self.notes})
            for litter in (*self.path.glob("**/*.tmp"), *self.path.glob("**/.*.part")):
                litter.unlink()
            if self.finished:
                self.files().check()
                self.parts.clear()
                return Sorted((range(self.facts["variants"]),), {})
            self.parts.path.mkdir(exist_ok=True)
            found = self.parts.sort(self.facts["variants"])
            self.parts.keep(found)
        except OSError as error:
            raise unwritable(self.path, error) from None
        return found

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
            raise unwritable(self.path, error) from None
        try:
            import fcntl
        except ImportError:  # not on Windows
            yield
            return
        try:
            handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            if not ((self.path / MANIFEST).is_file() and self.finished):
                raise unwritable(self.path, error) from None
            yield  # it is only read, from a place that can only be read
            return
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

    @property
    def done(self) -> int:
        """Number of variants that need not be run again.

        Raises:
            ConfigError: a file of them may not be read, or the disk fails.
        """
        return self.parts.sort().done

    def finish(self) -> None:
        """One file of all parts, the same bytes however they were cut.

        Raises:
            ConfigError: it cannot be written; the parts stay.
        """
        digests = {}
        for what, name in (("curves", CURVES), ("rows", RESULTS)):
            files = self.parts.files(what)
            if files:
                with self._writing(name) as staged:
                    pl.scan_parquet(files).sink_parquet(staged, row_group_size=2**17, maintain_order=True)
                    digests[name] = digest_of(staged)
                    safely(staged)
        self._write({"finished": True, "sha256": digests, **self.notes})
        try:
            self.parts.clear()
        except OSError as error:
            raise unwritable(self.path, error) from None

    def rows(self) -> pl.LazyFrame:
        """All rows that are there."""
        whole = self.path / RESULTS
        return pl.scan_parquet(whole if self.finished else self.parts.files())

    def curves(self) -> pl.LazyFrame:
        """All curves that are there."""
        whole = self.path / CURVES
        return pl.scan_parquet(whole if self.finished else self.parts.files("curves"))

    def _write(self, notes: Mapping[str, Any]) -> None:
        with self._writing(MANIFEST) as staged:
            staged.write_text(sealed({"kind": KIND, "version": VERSION, **self.facts, **notes}), encoding="utf-8")
            safely(staged)

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        do, then = "choose a directory that can be written", "the same call goes on from what is kept"
        with written(self.path / name, "the sweep", do=do, then=then) as staged:
            yield staged


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a sweep's directory.

    Raises:
        ConfigError: there is none, or it is of something else.
    """
    try:
        found = unsealed((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        do = "put it back, or choose another directory"
        said = error.strerror if isinstance(error, OSError) else f"it is damaged: {error}"
        raise ConfigError(f"the manifest cannot be read: {said}", where=str(path / MANIFEST), do=do) from None
    if found.get("kind") != KIND or found.get("version") != VERSION:
        raise ConfigError("the directory holds something that is not a sweep", where=str(path), do="choose an empty or new one")
    return found
