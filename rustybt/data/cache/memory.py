"""What this process read last, so that the same bars are not read from the disk twice."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock

import polars as pl


class Memory:
    """Frames by the file that they came from, least recently used first; no more rows in all than the limit.

    A file is never changed, so a frame of its name cannot be stale, whoever else writes.
    """

    def __init__(self) -> None:
        self._frames: OrderedDict[str, pl.DataFrame] = OrderedDict()
        self._lock = Lock()

    @property
    def rows(self) -> int:
        """Held now."""
        with self._lock:
            return sum(frame.height for frame in self._frames.values())

    def get(self, file: str) -> pl.DataFrame | None:
        """The frame of a file, if it is held."""
        with self._lock:
            frame = self._frames.get(file)
            if frame is not None:
                self._frames.move_to_end(file)
            return frame

    def put(self, file: str, frame: pl.DataFrame, limit: int) -> None:
        """Hold a frame and let go of those that were not used for longest; one that is too long by itself is not held."""
        with self._lock:
            self._frames.pop(file, None)
            if frame.height <= limit:
                self._frames[file] = frame
            rows = sum(one.height for one in self._frames.values())
            while rows > limit:
                rows -= self._frames.popitem(last=False)[1].height

    def drop(self, file: str) -> None:
        """Let go of one frame."""
        with self._lock:
            self._frames.pop(file, None)

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._frames.clear()


_MEMORIES: dict[Path, Memory] = {}


def memory_of(folder: Path) -> Memory:
    """The one memory of a folder in this process."""
    return _MEMORIES.setdefault(folder, Memory())
