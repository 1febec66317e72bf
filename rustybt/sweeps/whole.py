"""Whether the files of a sweep are those that were written: told by their digests, so that a changed bit is no number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from rustybt.errors import ConfigError

DIGESTS = "sha256-"
"""How the name of a file begins that holds the digest of a part."""


class Files:
    """Files that were whole when they were opened, looked at again where they have changed since.

    Args:
        wanted: SHA-256 by file; None where it is not known.
    """

    def __init__(self, wanted: Mapping[Path, str | None]) -> None:
        self.wanted, self.seen = dict(wanted), dict[Path, tuple[int, int]]()

    def trusted(self) -> Files:
        """The same, of which what is there now needs no look."""
        self.seen = {file: _stamp(file) for file in self.wanted if file.is_file()}
        return self

    def check(self, name: str | None = None) -> None:
        """Read those that are not as they were.

        Args:
            name: of one of them; None = all.

        Raises:
            ConfigError: one is damaged or gone.
        """
        for file, digest in self.wanted.items():
            if name not in (None, file.name):
                continue
            then = "the same call makes it again"
            try:
                now = _stamp(file)
            except OSError:
                raise ConfigError(f"{file.name} is gone", where=str(file), do=f"put it back: else {then}") from None
            if self.seen.get(file) != now:
                rows_in(file, then, digest=digest)
                self.seen[file] = now

    @contextmanager
    def read(self, name: str) -> Iterator[None]:
        """Name the file in what goes wrong with it meanwhile.

        Raises:
            ConfigError: one is damaged or gone.
        """
        self.check(name)
        try:
            yield
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            self.seen.clear()
            self.check(name)
            raise


def rows_in(file: Path, then: str, what: str = "it", digest: str | None = None) -> int:
    """Number of rows of a file, all of which is read.

    Args:
        file: Parquet.
        then: what happens when the damaged is deleted.
        what: has to be deleted.
        digest: SHA-256 of the file; None = whatever can be read is whole.

    Raises:
        ConfigError: the file is damaged.
    """
    try:
        if digest is not None and digest_of(file) != digest:
            raise OSError("it holds other bytes than were written")
        counts = () if digest is not None else (pl.all().null_count().name.prefix("nulls in "),)
        return int(pl.scan_parquet(file).select(pl.len(), *counts).collect(engine="streaming")["len"][0])
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        why = str(error).partition("\n")[0]
        raise ConfigError(f"{file.name} cannot be read, it is damaged: {why}", where=str(file), do=f"delete {what}: {then}") from None


def digest_of(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _stamp(file: Path) -> tuple[int, int]:
    now = file.stat()
    return now.st_size, now.st_mtime_ns


def keep_digest(part: Path, digest: str) -> None:
    """Write the digest of a part beside it."""
    (part.parent / f"{DIGESTS}{part.stem}").write_text(digest)


def digest_kept(part: Path) -> str | None:
    """The digest that was written with a part; None where there is none that can be read."""
    try:
        found = (part.parent / f"{DIGESTS}{part.stem}").read_text()
    except (OSError, ValueError):
        return None
    return found if len(found) == 64 and found.isalnum() else None  # the digits of a SHA-256
