"""The ways into compiled code, from Python: the machine code that is kept on disk where it can be loaded, else numba's own way."""

from __future__ import annotations

import logging
from collections.abc import Callable
from ctypes import byref, c_int64, c_void_p
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rustybt.model.panel import Ints

from .kinds import kind_of
from .limits import SUMS_AT_ONCE
from .mode import MODE

if TYPE_CHECKING:
    from .image import Way
    from .state import Desk


UNEXPECTED = (AttributeError, ImportError, KeyError, OSError, RuntimeError, TypeError, ValueError)
"""What another llvmlite, or a file of another make, may raise."""
log = logging.getLogger(__name__)


def run(desk: Desk, start: int, stop: int, margin: int) -> int:
    """`rustybt.kernel.step.run`, whichever way it is called."""
    code = code_of(kind_of(desk).name) if MODE == "compiled" else None
    if code is None:
        return int(by_numba()(desk, start, stop, margin))
    return answer(code, desk.address, start, stop, margin)


def answer(code: Callable[..., int], *given: Any) -> int:
    """What machine code gives back."""
    result, raised = c_int64(), c_void_p()
    status = code(byref(result), byref(raised), *given)
    if status != 0:
        raise RuntimeError(f"the kernel ended with status {status}, which it never does: report this")
    return result.value


class Rolling:
    """Rolling sums, as `rustybt.kernel.rolling.roll` says, of the same memory again and again.

    Args:
        values: Int64.
        found: Float64, written by calls.

    Example:
        >>> found = np.empty(2)
        >>> Rolling(np.array([1, 2, 4]), found)(0, 0, 2, 2, 2.0)
        >>> found.tolist()
        [1.5, 3.0]
    """

    def __init__(self, values: Ints, found: npt.NDArray[np.float64]) -> None:
        self.code = code_of_roll()
        self.memory = values, np.empty(SUMS_AT_ONCE, np.int64), found
        self.source, self.scratch, self.place = (array.__array_interface__["data"][0] for array in self.memory)

    def __call__(self, first: int, at: int, rows: int, size: int, below: float) -> None:
        """Roll some windows. It looks at no bounds.

        Args:
            first: number with which the first window begins.
            at: place of its sum.
            rows: how many windows.
            size: of a window.
            below: what sums are divided by, a whole number below 2^52.
        """
        answer(self.code, self.source + 8 * first, self.scratch, self.place + 8 * at, rows, size, below)


def roller() -> type[Rolling] | None:
    """`Rolling` where there is machine code of it."""
    return Rolling if MODE == "compiled" else None


@cache
def by_numba() -> Any:
    """The function itself: importing it imports numba and every rule."""
    from .step import run as made

    return made


@cache
def code_of_roll() -> Callable[..., int]:
    """The machine code of `rustybt.kernel.rolling.roll`, of numba where it is not kept."""
    from .image import ROLL

    kept = code_of("roll", ROLL)
    if kept is not None:
        return kept
    from numba import types

    from .rolling import roll as made

    numbers: Any = made
    kinds = (*map(types.CPointer, (types.int64, types.int64, types.float64)), types.int64, types.int64, types.float64)
    numbers.compile(kinds)
    built = numbers.overloads[kinds]
    from_numba: Callable[..., int] = ROLL.call(built.library.get_pointer_to_function(built.fndesc.llvm_func_name))
    return from_numba


@cache
def code_of(build: str, way: Way | None = None) -> Callable[..., int] | None:
    """The machine code of a build, or None where numba has to give it."""
    from .cache import folder_for_now
    from .image import RUN, is_wanted, load, path_of

    home = folder_for_now() if is_wanted() else None
    try:
        return None if home is None else load(path_of(home, build), way or RUN)
    except UNEXPECTED as error:
        log.info("the machine code of the build %r cannot be loaded by itself, numba is asked: %s", build, error)
        return None
