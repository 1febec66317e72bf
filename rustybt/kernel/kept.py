"""Compiled code on disk: every file ends in a checksum, and one that is cut short or damaged is dropped and compiled again.

Numba loads what it finds: a short file ends in a traceback, a flipped bit in machine code that does something else. The checksum stands
behind what numba wrote, where its reader does not look.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

SEAL = 16
"""Bytes of the checksum."""
log = logging.getLogger(__name__)


def seal(content: bytes) -> bytes:
    """The checksum of a file's content.

    Example:
        >>> len(seal(b"machine code"))
        16
    """
    return hashlib.blake2b(content, digest_size=SEAL).digest()


def is_sound(path: Path) -> bool:
    """Whether a file is as it was written; a file that cannot be read is not."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return seal(content[:-SEAL]) == content[-SEAL:]


@cache
def cache_class() -> Any:
    """Numba's cache of one function, with checksums; None where numba is not as expected."""
    from numba.core import caching

    inner: Any = getattr(caching, "IndexDataCacheFile", None)
    if not all(hasattr(inner, name) for name in ("_load_index", "_load_data", "_data_path", "_open_for_write")):
        return None

    class File(inner):  # type: ignore[misc]
        """Index and data files of one function."""

        def _load_index(self) -> Any:
            return super()._load_index() if drop_if_damaged(self._index_path) else {}

        def _load_data(self, name: str) -> Any:
            if not drop_if_damaged(self._data_path(name)):
                raise FileNotFoundError(name)  # to numba as if it had never been there
            return super()._load_data(name)

        @contextmanager
        def _open_for_write(self, filepath: str) -> Iterator[Any]:
            with super()._open_for_write(filepath) as file:
                content = io.BytesIO()
                yield content
                file.write(content.getvalue() + seal(content.getvalue()))

    class Kept(caching.FunctionCache):  # type: ignore[misc]
        """What is kept of one function."""

        def __init__(self, function: Any) -> None:
            super().__init__(function)
            self._cache_file = File(self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp())

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            """Without looking for declarations first: numba imports half of itself for them, SciPy too, and only compiling takes them."""
            if not all(hasattr(self, name) for name in ("_load_overload", "_guard_against_spurious_io_errors")):
                return super().load_overload(sig, target_context)
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)

        def save_overload(self, sig: Any, data: Any) -> None:
            try:
                super().save_overload(sig, data)
            except OSError as error:  # a full disk, a folder that was taken away
                log.warning("compiled code could not be kept, the next process compiles again: %s", error)

    return Kept


def drop_if_damaged(name: str) -> bool:
    """Whether a file is sound or absent; a damaged one is removed, and said so in one line."""
    path = Path(name)
    if not path.exists() or is_sound(path):
        return True
    with suppress(OSError):
        path.unlink()
    log.warning("damaged file of compiled code, dropped and compiled again: %s", path)
    return False


def checked(function: Any) -> Any:
    """A compiled function, its kept code checked before it is loaded.

    Args:
        function: numba's dispatcher, caching or not.
    """
    from numba.core.caching import FunctionCache

    if cache_class() is not None and type(getattr(function, "_cache", None)) is FunctionCache:
        function._cache = cache_class()(function.py_func)  # noqa: SLF001 - numba has no door for it
    return function
