"""Files of a snapshot: written with their checksums and forced to the disk, so that a rename publishes them whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zlib_ng import zlib_ng

from rustybt._output import is_full, reason
from rustybt.errors import DataError

BUFFER = 2**20
BEHIND = 2**25
"""Bytes of a file after which they are forced to the disk, and their memory is given back."""
CRC = "crc32:"
WAIT = 30.0
"""Seconds that a second writer waits for the first."""


@contextmanager
def sole_writer(root: Path, wait: float = WAIT) -> Iterator[None]:
    """Hold the catalog's writing lock, which the system frees when the process dies.

    Raises:
        DataError: another process keeps it longer than the wait.
    """
    with (root / "writer.lock").open("a+") as lock:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise DataError(
                        f"another process has been writing to the catalog for {wait:g} seconds",
                        where=str(root),
                        do="wait until it has finished",
                    ) from None
                time.sleep(0.02)
        yield


class Crc32:
    """A checksum that tells damage, many times faster than SHA-256: of files that can be made again."""

    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: Any) -> None:
        """Add bytes."""
        self._sum = zlib_ng.crc32(data, self._sum)

    def hexdigest(self) -> str:
        """As it is kept: with its name, by which it is told from a SHA-256."""
        return f"{CRC}{self._sum:08x}"


class Summed:
    """A new file whose checksum is added up while it is written, so that it need not be read again.

    Args:
        path: of the file.
        quick: with CRC-32 in place of SHA-256.
        unread: nobody reads it soon. A thread forces it to the disk while it grows, and the system need not keep it in memory: pages that
            go round are cheaper than fresh ones, and others keep theirs.
    """

    def __init__(self, path: Path, *, quick: bool = False, unread: bool = False) -> None:
        self.path, self.size, self._sum = path, 0, Crc32() if quick else hashlib.sha256()
        self._file = path.open("wb", buffering=BUFFER)
        self._beside = ThreadPoolExecutor(1) if unread and hasattr(os, "posix_fadvise") else None
        self._behind, self._settling = 0, list[Future[None]]()

    def __enter__(self) -> Summed:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._beside is not None:
                self._beside.shutdown()
                self._settled()
        finally:
            self._file.close()

    @property
    def said(self) -> tuple[str, int, str]:
        """Name, bytes and checksum."""
        return self.path.name, self.size, self._sum.hexdigest()

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    def write(self, data: Any) -> int:
        """Take bytes."""
        self._sum.update(data)
        count = self._file.write(data)
        self.size += count
        if self._beside is not None and self.size - self._behind >= BEHIND:
            self._file.flush()
            self._settled()
            self._settling.append(self._beside.submit(self._give_back, self.size))
            self._behind = self.size
        return count

    def _settled(self) -> None:
        """Wait for what is on its way to the disk, and say what it refused."""
        while self._settling:
            self._settling.pop().result()

    def _give_back(self, size: int) -> None:
        os.fdatasync(self._file.fileno())
        os.posix_fadvise(self._file.fileno(), 0, size, os.POSIX_FADV_DONTNEED)

    def tell(self) -> int:
        """Bytes so far."""
        return self.size

    def flush(self) -> None:
        """Give what is held back to the system."""
        self._file.flush()

    def close(self) -> None:
        """Whoever opened it closes it: a writer that is given the file leaves it open."""


def checksum(path: Path, like: str = "") -> str:
    """Checksum of a file.

    Args:
        path: of the file.
        like: one of the same kind; a SHA-256 is digits alone.
    """
    with path.open("rb") as file:
        if not like.startswith(CRC):
            return hashlib.file_digest(file, "sha256").hexdigest()
        found = Crc32()
        while part := file.read(BUFFER):
            found.update(part)
        return found.hexdigest()


def settle(folder: Path) -> None:
    """Force a folder and its files to the disk."""
    for path in (*sorted(folder.iterdir()), folder):
        settle_one(path)


def settle_one(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unwritable(root: Path, error: Exception) -> DataError:
    """The one message for a disk that does not take a file; Polars hides the system's number in its text."""
    said = reason(error)
    do = "free some space" if is_full(said) else "choose another place with RUSTYBT_CATALOG"
    return DataError(f"the catalog cannot be written: {said}", where=str(root), do=f"{do}; nothing was published")
