"""The way into the compiled rules, from Python: the machine code that is kept on disk where it can be loaded, else numba's own way."""

from __future__ import annotations

import logging
from ctypes import byref, c_int64, c_void_p
from functools import cache
from typing import TYPE_CHECKING, Any

from .kinds import kind_of
from .mode import MODE

if TYPE_CHECKING:
    from .state import Desk

UNEXPECTED = (AttributeError, ImportError, KeyError, OSError, RuntimeError, TypeError, ValueError)
"""What another llvmlite, or a file of another make, may raise."""
log = logging.getLogger(__name__)


def run(desk: Desk, start: int, stop: int, margin: int) -> int:
    """`rustybt.kernel.step.run`, whichever way it is called."""
    code = code_of(kind_of(desk).name) if MODE == "compiled" else None
    if code is None:
        return int(by_numba()(desk, start, stop, margin))
    reached, raised = c_int64(), c_void_p()
    status = code(byref(reached), byref(raised), desk.address, start, stop, margin)
    if status != 0:
        raise RuntimeError(f"the kernel ended with status {status}, which it never does: report this")
    return reached.value


@cache
def by_numba() -> Any:
    """The function itself: importing it imports numba and every rule."""
    from .step import run as made

    return made


@cache
def code_of(build: str) -> Any:
    """The machine code of a build, or None where numba has to give it."""
    from .cache import folder_for_now
    from .image import is_wanted, load, path_of

    home = folder_for_now() if is_wanted() else None
    try:
        return None if home is None else load(path_of(home, build))
    except UNEXPECTED as error:
        log.info("the machine code of the build %r cannot be loaded by itself, numba is asked: %s", build, error)
        return None
