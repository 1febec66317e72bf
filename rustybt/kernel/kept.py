"""Compiled code on disk, as numba keeps it: each file is sealed, and one that is damaged is compiled again.

Numba loads what it finds: a short file ends in a traceback, a flipped bit in machine code that does something else. The seal stands
behind what numba wrote, where its reader does not look.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from .sealed import drop_if_damaged, seal

WAYS_IN: dict[tuple[str, str], Callable[[Any], str]] = {
    (f"{__package__}.step", "run"): lambda kinds: str(kinds[0].kind.name),
    (f"{__package__}.rolling", "roll"): lambda kinds: "roll",
}
"""Functions whose machine code is kept by itself too, by module and name, and what a build of given arguments is called."""
log = logging.getLogger(__name__)


@cache
def cache_class() -> Any:
    """Numba's cache of one function, with checksums; None where numba is not as expected."""
    from numba.core import caching

    from . import image

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
        """What is kept of one function.

        Attributes:
            counts: whether its code counts references.
        """

        counts = True

        def __init__(self, function: Any) -> None:
            super().__init__(function)
            self._named = WAYS_IN.get((function.__module__, function.__name__))
            self._cache_file = File(self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp())

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            """Without looking for declarations first: numba imports half of itself for them, SciPy too, and only compiling takes them.

            Code that counts references takes them too: they tell LLVM where what it calls is.
            """
            beside = self._image(sig)
            if beside is not None and not beside.exists():
                return None  # a build is kept in both forms or in none: it is compiled, and written, again
            if self.counts or not all(hasattr(self, name) for name in ("_load_overload", "_guard_against_spurious_io_errors")):
                return super().load_overload(sig, target_context)
            with self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)

        def save_overload(self, sig: Any, data: Any) -> None:
            beside = self._image(sig)
            try:
                if beside is not None:
                    image.write(beside, data.library, data.fndesc.llvm_func_name)
                super().save_overload(sig, data)
            except OSError as error:  # a full disk, a folder that was taken away
                log.warning("compiled code could not be kept, the next process compiles again: %s", error)

        def _image(self, sig: Any) -> Path | None:
            """Where the machine code of a build is kept by itself; None where it is not."""
            if self._named is None:
                return None
            return image.path_of(Path(self._cache_path).parent, self._named(getattr(sig, "args", sig)))

    return Kept


def checked(function: Any) -> Any:
    """A compiled function, its kept code checked before it is loaded.

    Args:
        function: numba's dispatcher, caching or not.
    """
    from numba.core.caching import FunctionCache

    if cache_class() is not None and type(getattr(function, "_cache", None)) is FunctionCache:
        function._cache = kept = cache_class()(function.py_func)  # noqa: SLF001 - numba has no door for it
        kept.counts = function.targetoptions.get("_nrt") is not False
    return function
