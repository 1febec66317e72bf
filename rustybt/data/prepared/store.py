"""Entries on the disk: folders named by what they were made from, whole or not there, checked whenever they are opened.

No process waits for another. An entry is written apart and moved to its place; of two processes that make the same, the second one's goes.
Removing an entry leaves those at peace who have it open. What a killed process left behind is known by its lock, which nobody holds.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zlib_ng import zlib_ng

MANIFEST, LOCK = "entry.json", "lock"
BLOCK, THREADS = 2**23, 4
"""Bytes of a file that one thread adds up at a time, and threads."""


@dataclass(frozen=True)
class Entry:
    """What was kept.

    Attributes:
        folder: of its files.
        notes: what was said of it, JSON values.
        size: bytes.
    """

    folder: Path
    notes: dict[str, Any]
    size: int


class Store:
    """A folder of entries with a limit.

    Args:
        root: the folder.
        limit: bytes at most.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self.root, self.limit = root, limit

    def get(self, key: str) -> Entry | None:
        """An entry, or None where there is none. One that is damaged is removed."""
        folder = self.root / "entries" / key
        try:
            said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            whole = all(checksum(folder / name) == kept for name, kept in said["files"].items())
        except FileNotFoundError:
            if folder.exists():
                self.remove(key)
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            whole, said = False, {}
        if not whole:
            self.remove(key)
            return None
        with suppress(OSError):
            os.utime(folder / MANIFEST)  # it was used: the order in which entries go, and nothing else
        return Entry(folder, said["notes"], sum(kept[0] for kept in said["files"].values()))

    def put(self, key: str, write: Callable[[Path], dict[str, Any]]) -> bool:
        """Keep an entry.

        Args:
            key: what it was made from.
            write: writes its files into an empty folder and gives its notes.

        Returns:
            Whether it is there now: a full or read-only disk, or an entry beyond the limit, is no reason to fail.
        """
        staged = self.root / "staging" / uuid.uuid4().hex
        try:
            self._sweep()
            staged.mkdir(parents=True)
            with _locked(staged.with_suffix(f".{LOCK}")):
                notes = write(staged)
                files = {path.name: checksum(path) for path in sorted(staged.iterdir())}
                size = sum(kept[0] for kept in files.values())
                if size > self.limit:
                    return False
                (staged / MANIFEST).write_text(json.dumps({"notes": notes, "files": files}), encoding="utf-8")
                self._make_room(size)
                (self.root / "entries").mkdir(exist_ok=True)
                with suppress(OSError):  # another process was first
                    staged.rename(self.root / "entries" / key)
        except OSError:
            return False
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            with suppress(OSError):
                staged.with_suffix(f".{LOCK}").unlink()
        return (self.root / "entries" / key / MANIFEST).is_file()

    def remove(self, key: str) -> None:
        """Remove an entry at once: nobody finds half of it."""
        gone = self.root / "staging" / uuid.uuid4().hex
        with suppress(OSError):
            gone.parent.mkdir(parents=True, exist_ok=True)
            (self.root / "entries" / key).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def entries(self) -> list[tuple[float, int, str]]:
        """When each entry was used last, its bytes and its key, the least recently used first."""
        found = []
        for folder in _folders(self.root / "entries"):
            with suppress(OSError):
                size = sum(path.stat().st_size for path in folder.iterdir())
                found.append(((folder / MANIFEST).stat().st_mtime, size, folder.name))
        return sorted(found)

    def _make_room(self, size: int) -> None:
        kept = self.entries()
        total = size + sum(length for _, length, _ in kept)
        for _, length, key in kept:
            if total <= self.limit:
                return
            self.remove(key)
            total -= length

    def _sweep(self) -> None:
        """Remove what killed processes left behind."""
        for folder in _folders(self.root / "staging"):
            lock = folder.with_suffix(f".{LOCK}")
            with suppress(OSError), _locked(lock):
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)


def checksum(path: Path) -> list[int]:
    """Bytes of a file and the CRC-32 of each of its blocks: they tell damage, on several processors, at the speed of memory."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            return [0]
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view, memoryview(view) as whole:
            firsts = range(0, size, BLOCK)
            if len(firsts) == 1:
                return [size, zlib_ng.crc32(whole)]
            with ThreadPoolExecutor(min(len(firsts), THREADS)) as pool:
                return [size, *pool.map(lambda first: _sum(whole, first), firsts)]


def _sum(whole: memoryview, first: int) -> int:
    with whole[first : first + BLOCK] as part:
        return zlib_ng.crc32(part)


def _folders(root: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from [path for path in root.iterdir() if path.is_dir()]


class _locked:  # noqa: N801 - reads as what it does
    """A file that nobody else holds; the system frees it when the process dies.

    Raises:
        OSError: somebody does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        import fcntl

        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self.handle)
            raise

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)
