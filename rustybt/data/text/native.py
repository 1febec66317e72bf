"""How the reader of lines is compiled, and where compiled code is kept between processes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent
SOURCES = ("exact.py", "rows.py", "scan.py", "ticks.py", "text/digits.py", "text/native.py", "text/parse.py", "text/words.py")
"""What is compiled, and whose constants are in it."""


def compiles() -> bool:
    """Whether code is compiled at all: RUSTYBT_KERNEL=python leaves all of it to the interpreter."""
    return os.environ.get("RUSTYBT_KERNEL") != "python"


def native[F: Callable[..., Any]](function: F) -> F:
    """Compile a function; other threads run while it does."""
    return _compiled(function, inline=False)


def inlined[F: Callable[..., Any]](function: F) -> F:
    """Compile a function into each of its callers: a call costs more than reading a number, and LLVM by itself leaves the larger ones."""
    return _compiled(function, inline=True)


def _compiled[F: Callable[..., Any]](function: F, *, inline: bool) -> F:
    import numba

    before, place = numba.config.CACHE_DIR, home()
    numba.config.CACHE_DIR = "" if place is None else str(place)
    try:
        made: F = numba.njit(nogil=True, cache=place is not None, error_model="numpy", forceinline=inline, _nrt=False)(function)
        return made
    finally:
        numba.config.CACHE_DIR = before


def _digest() -> str:
    """Changes with what is compiled and with the constants that it takes from other modules, which numba does not look at."""
    content = b"".join(name.encode() + (DATA / name).read_bytes() for name in SOURCES)
    return hashlib.sha256(content).hexdigest()[:16]


@cache
def home() -> Path | None:
    """A folder of this user's; None where nothing can be written, and then every process compiles for itself."""
    import platformdirs

    given = os.environ.get("RUSTYBT_CACHE_DIR")
    for base in [*([Path(given)] if given else []), platformdirs.user_cache_path("rustybt")]:
        path = base / "text" / _digest()
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(path, os.W_OK) and path.stat().st_uid == os.getuid():  # code is loaded from here
                return path
        except OSError:
            continue
    return None
