"""How the rule book's source becomes a program: the decorators of every kernel function, in one place.

The same source is built in three ways. ``compiled`` (numba) is what users run. ``python`` leaves it to the interpreter on unbounded
integers, which finds wraps and measures coverage. ``float`` compiles it with float money, to measure what exactness costs.
The copies of `rustybt.kernel.twin` say by their package name which one they are; RUSTYBT_KERNEL=python chooses for a whole process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from .mode import MODE as MODE  # noqa: PLC0414 - read from here too

PRIVATE = {
    "kernel": {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True},
    "aside": {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": False},
    "entry": {"_nrt": False, "no_cfunc_wrapper": True, "forceinline": False},
    "called": {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": False},
}
"""Options of numba without a promise: no reference counting (nothing here allocates), no way in from Python or C where none is needed, and
inlining by LLVM. They make the kernel faster, or faster to compile, and never change a result: a numba without them still runs it.
``forceinline`` is always said, for a function that does not say it inherits it from its caller."""


def private_options(wanted: Mapping[str, bool]) -> dict[str, bool]:
    """Those of the wanted options that the installed numba knows.

    Example:
        >>> private_options({"no_such_option": True})
        {}
    """
    from numba.core.options import DefaultOptions

    return {name: value for name, value in wanted.items() if hasattr(DefaultOptions, name)}


@cache
def decorator(kind: str) -> Callable[[Any], Any]:
    """The decorator of one kind of kernel function: ``kernel``, ``aside``, ``entry`` or ``called``."""
    if MODE == "python":
        return _as_is
    import numba

    from .cache import folder_for_now
    from .kept import checked
    from .whole import part, pipeline

    home = folder_for_now() if MODE == "compiled" else None
    is_way_in = kind in ("entry", "called")
    options = {"nogil": True, "error_model": "numpy", "cache": is_way_in and home is not None} | private_options(PRIVATE[kind])
    options["pipeline_class"] = (pipeline() if is_way_in else None) or part()

    def decorate(function: Any) -> Any:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = "" if home is None else str(home)
        try:
            return checked(numba.njit(**options)(function))
        finally:
            numba.config.CACHE_DIR = before

    return decorate


def _as_is(function: Any) -> Any:
    return function


if MODE == "python":

    def apart() -> None:
        """Says nothing to the interpreter."""

    def fetch(array: Any, place: int) -> None:
        """Neither does this."""

    def pour(log: Any, place: int, tray: Any) -> None:
        """`rustybt.kernel.intrinsics.pour`, number by number."""
        for n in range(len(tray)):
            log[place + n] = tray[n]

    def settle_writes() -> None:
        """The interpreter has nothing to wait for."""

    def fused(a: float, b: float, c: float) -> float:
        """`rustybt.kernel.intrinsics.fused`, rounded once."""
        return float(Fraction(a) * Fraction(b) + Fraction(c))

    def add_lanes(a: Any, first: int, n: int, found: Any) -> None:
        """`rustybt.kernel.intrinsics.add_lanes`, number by number."""
        for lane in range(8):
            found[lane] = a[first + lane]
        for i in range(8, n):
            found[i % 8] += a[first + i]

else:
    from .intrinsics import add_lanes as add_lanes  # noqa: PLC0414 - part of this module
    from .intrinsics import apart as apart  # noqa: PLC0414 - likewise
    from .intrinsics import fetch as fetch  # noqa: PLC0414 - likewise
    from .intrinsics import fused as fused  # noqa: PLC0414 - likewise
    from .intrinsics import pour as pour  # noqa: PLC0414 - likewise
    from .intrinsics import settle_writes as settle_writes  # noqa: PLC0414 - likewise


def kernel[F: Callable[..., Any]](function: F) -> F:
    """Marks a function of the hot path: it is inlined into its callers."""
    made: F = decorator("kernel")(function)
    return made


def aside[F: Callable[..., Any]](function: F) -> F:
    """Marks a rarely taken path: it stays a function of its own, compiled once."""
    made: F = decorator("aside")(function)
    return made


def entry[F: Callable[..., Any]](function: F) -> F:
    """Marks a function that is called from Python."""
    if MODE != "python":
        from . import native as native  # noqa: PLC0414 - any entry may be the first one called: numba must know what a desk is
    made: F = decorator("entry")(function)
    return made


def called[F: Callable[..., Any]](function: F) -> F:
    """Marks a function that is called at its address: `rustybt.kernel.entrance`."""
    made: F = decorator("called")(function)
    return made
