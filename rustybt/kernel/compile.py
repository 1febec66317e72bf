"""How the rule book's source becomes a program: the decorators of every kernel function, in one place.

The same source is built in three ways. ``compiled`` (numba) is what users run. ``python`` leaves it to the interpreter on unbounded
integers, which finds wraps and measures coverage. ``float`` compiles it with float money, to measure what exactness costs.
The copies of `rustybt.kernel.twin` say by their package name which one they are; RUSTYBT_KERNEL=python chooses for a whole process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

MODE = {"rustybt.kernel_python": "python", "rustybt.kernel_float": "float"}.get(
    __package__ or "", "python" if os.environ.get("RUSTYBT_KERNEL") == "python" else "compiled"
)
"""How this copy of the source is built."""

PRIVATE = {"_nrt": False, "forceinline": True}
"""Options of numba without a promise: no reference counting (nothing in the kernel allocates) and inlining by LLVM. Each is worth a
factor of 4 in speed and nothing in correctness, so a numba without them still runs the kernel."""


def private_options(wanted: dict[str, bool] | None = None) -> dict[str, bool]:
    """The private options that the installed numba still knows.

    Args:
        wanted: options to look for; those of the kernel unless given.

    Example:
        >>> private_options({"no_such_option": True})
        {}
    """
    from numba.core.options import DefaultOptions

    return {name: value for name, value in (PRIVATE if wanted is None else wanted).items() if hasattr(DefaultOptions, name)}


def decorator(inline: bool) -> Callable[[Any], Any]:
    """The decorator of one kind of kernel function.

    Args:
        inline: into its callers; otherwise it stays a function of its own.
    """
    if MODE == "python":
        return _as_is
    import numba

    from .cache import folder_for_now

    home = folder_for_now() if MODE == "compiled" else None
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": home is not None}
    options |= {name: value for name, value in private_options().items() if inline or name != "forceinline"}

    def decorate(function: Any) -> Any:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = "" if home is None else str(home)
        try:
            return numba.njit(**options)(function)
        finally:
            numba.config.CACHE_DIR = before

    return decorate


def _as_is(function: Any) -> Any:
    return function


def kernel[F: Callable[..., Any]](function: F) -> F:
    """Marks a function of the hot path: it is inlined into its callers."""
    made: F = _inlined()(function)
    return made


def aside[F: Callable[..., Any]](function: F) -> F:
    """Marks a rarely taken path, or an entry from Python: compiled once, on its own."""
    made: F = _alone()(function)
    return made


_made: dict[bool, Callable[[Any], Any]] = {}


def _inlined() -> Callable[[Any], Any]:
    if True not in _made:
        _made[True] = decorator(inline=True)
    return _made[True]


def _alone() -> Callable[[Any], Any]:
    if False not in _made:
        _made[False] = decorator(inline=False)
    return _made[False]
