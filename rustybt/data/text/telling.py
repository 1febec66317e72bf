"""How much of files has been read, for who waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

MEGABYTE = 1_000_000


class Telling:
    """Progress in whole megabytes; any thread may add to it.

    Args:
        progress: called with megabytes read and all of them, 1 at least.
        paths: the files.

    Example:
        >>> told = []
        >>> telling = Telling(lambda done, total: told.append((done, total)), [])
        >>> telling.finish()
        >>> told
        [(0, 1), (1, 1)]
    """

    def __init__(self, progress: Callable[[int, int], None], paths: Sequence[str]) -> None:
        self._progress, self._lock, self._read = progress, Lock(), 0
        self._total = max(sum(Path(path).stat().st_size for path in paths) // MEGABYTE, 1)
        self.restart()

    def restart(self) -> None:
        """Nothing is read: the files are read anew in another way."""
        with self._lock:
            self._read = 0
            self._progress(0, self._total)

    def add(self, size: int) -> None:
        """So many more bytes are read."""
        with self._lock:
            self._read += size
            self._progress(min(self._read // MEGABYTE, self._total), self._total)

    def finish(self) -> None:
        """All is read."""
        with self._lock:
            self._progress(self._total, self._total)
