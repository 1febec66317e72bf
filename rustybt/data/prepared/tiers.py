"""Memory before disk: what was used last stays at hand, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from rustybt.data.prepared.settings import current
from rustybt.data.prepared.store import Store


class Recent:
    """Values by key, the least recently used of which go when they take too many bytes."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0

    def get(self, key: str) -> Any:
        """A value, or None."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: str, value: Any, size: int, limit: int) -> None:
        """Keep a value of so many bytes, if that is within the limit."""
        with self._lock:
            self.size -= self._held.pop(key, (None, 0))[1]
            if size <= limit:
                self._held[key] = value, size
                self.size += size
            while self.size > limit:
                self.size -= self._held.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self.size = 0


memory = Recent()
"""Of this process, panels and features together."""


def disk() -> Store | None:
    """The store on the disk, or None where it is switched off."""
    said = current()
    return Store(said.folder, said.disk) if said.disk else None
