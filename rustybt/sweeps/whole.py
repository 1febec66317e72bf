"""Whether the files of a sweep are those that were written: told by their digests, so that a changed bit is no number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.errors import ConfigError

OTHER = "it holds other values than were written"
"""What is wrong with JSON whose digest is another."""
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
                now = None
            if now is None or self.seen.get(file) != now:
                rows_in(file, then, digest)
                self.seen |= {} if now is None else {file: now}

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


def rows_in(file: Path, then: str, digest: str | None = None) -> int:
    """Number of rows of a file, all of which is read.

    Args:
        file: Parquet.
        then: what happens when it is deleted.
        digest: SHA-256 of the file; None = whatever can be read is whole.

    Raises:
        ConfigError: the file is damaged or gone (``facts["damaged"]``); or it may not be read, or the disk fails: it may be whole then.
    """
    try:
        if digest is not None and digest_of(file) != digest:
            raise _damaged(file, "it holds other bytes than were written", then)
        with file.open("rb"):  # the system's own word on what cannot be read
            counts = () if digest is not None else (pl.all().null_count().name.prefix("nulls in "),)
            return int(pl.scan_parquet(file).select(pl.len(), *counts).collect(engine="streaming")["len"][0])
    except FileNotFoundError:
        raise ConfigError(f"{file.name} is gone", where=str(file), do=f"put it back: else {then}", damaged=True) from None
    except OSError as error:
        if error.errno is None:  # of Polars, on what it has read
            raise _damaged(file, str(error), then) from None
        do = f"see that it can be, or delete it: {then}"
        raise ConfigError(f"{file.name} cannot be read: {error.strerror}", where=str(file), do=do) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _damaged(file, str(error), then) from None


def _damaged(file: Path, why: str, then: str) -> ConfigError:
    what = f"{file.name} cannot be read, it is damaged: {why.partition(chr(10))[0]}"
    return ConfigError(what, where=str(file), do=f"delete it: {then}", damaged=True)


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


def forget_digest(part: Path) -> None:
    """Delete the digest of a part, if there is one."""
    (part.parent / f"{DIGESTS}{part.stem}").unlink(missing_ok=True)


def digest_kept(part: Path) -> str | None:
    """The digest that was written with a part; None where there is none that can be read."""
    try:
        found = (part.parent / f"{DIGESTS}{part.stem}").read_text()
    except (OSError, ValueError):
        return None
    return found if len(found) == 64 and found.isalnum() else None  # the digits of a SHA-256


def sealed(values: Mapping[str, Any]) -> str:
    """Values as JSON with the digest of them, for `unsealed`.

    Example:
        >>> text = sealed({"seconds": 0.25})
        >>> unsealed(text)
        {'seconds': 0.25}
        >>> unsealed(text.replace("0.25", "0.26"))
        Traceback (most recent call last):
        ...
        ValueError: it holds other values than were written
    """
    plain = json.loads(json.dumps(values, default=str))
    return json.dumps(plain | {"digest": _digest_of(plain)}, indent=1) + "\n"


def unsealed(text: str) -> dict[str, Any]:
    """The values of a sealed text; those of one without a digest are taken as they are.

    Raises:
        ValueError: no JSON, no mapping, or values that were changed.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("it is no whole JSON object")
    digest = found.pop("digest", None)
    if digest is not None and digest != _digest_of(found):
        raise ValueError(OTHER)
    return found


def _digest_of(plain: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
