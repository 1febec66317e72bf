"""What this process used last stays at hand, up to a limit."""

from __future__ import annotations

import threading
from collections import OrderedDict


class Recent[T]:
    """Values by key, the least recently used of which go when all together are larger than a limit, in bytes or in rows.

    Example:
        >>> held = Recent[str]()
        >>> held.put("a", "first", size=2, limit=3)
        >>> held.put("b", "second", size=2, limit=3)
        >>> held.get("a"), held.get("b"), held.size
        (None, 'second', 2)
    """

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0

    def get(self, key: str) -> T | None:
        """A value, or None."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: str, value: T, size: int, limit: int) -> None:
        """Keep a value of a size; one that is beyond the limit by itself is not kept."""
        with self._lock:
            self._drop(key)
            if size <= limit:
                self._held[key] = value, size
                self.size += size
            while self.size > limit:
                self.size -= self._held.popitem(last=False)[1][1]

    def drop(self, key: str) -> None:
        """Forget one value."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self.size = 0

    def _drop(self, key: str) -> None:
        if key in self._held:
            self.size -= self._held.pop(key)[1]
