"""Compile everything before the first run: what `rustybt warm` and the set-up do, and what to do before forking workers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from rustybt.model import REQUEST_FIELDS, TOLD_FIELDS

from .book import Book
from .cache import folder_for_now
from .example import one_asset, row_of, table
from .mode import MODE
from .simulate import simulate

BUILDS = 3
"""Programs that a run may need: those of `rustybt.kernel.kinds`."""


def warm(*, processes: bool = True, also: Sequence[str] = ()) -> Path | None:
    """Make every build of the compiled kernel once, so that it is compiled and kept.

    Args:
        processes: compile in two processes at once where something can be kept.
        also: modules of rooms that have compiled code of their own; their function ``compile_now`` is called.

    Returns:
        The folder in which compiled code is kept; None where nothing can be written, and then each process compiles for itself.

    Example:
        >>> isinstance(warm(), Path)
        True
    """
    home = folder_for_now()
    other = None
    if processes and home is not None and not is_warm():
        # Not a fork: NumPy and Polars have threads. It collects no cycles: a search of its heap takes a second, and it ends soon.
        code = f"import gc; gc.disable(); from rustybt.kernel.warm import compile_smaller; compile_smaller({tuple(also)!r})"
        other = subprocess.Popen([sys.executable, "-c", code])
    build("any")
    if other is not None:
        other.wait()
    compile_smaller(also)
    run_general()
    return home


def compile_smaller(also: Sequence[str] = ()) -> None:
    """Everything but the largest build."""
    build("plain")
    build("usual")
    run_plain()
    run_usual()
    read_orders()
    add_up_windows()
    for room in also:
        import_module(room).compile_now()


def build(name: str) -> None:
    """One build by numba, which loads or compiles it: a run would be content with its image, and a sweep is not."""
    if MODE != "compiled":
        return
    from numba import types

    from .native import TYPES_OF
    from .step import run

    made: Any = run
    (kind,) = (kind for kind in TYPES_OF if kind.kind.name == name)
    made.compile((kind, *(types.int64,) * 3))


def is_warm() -> bool:
    """Whether the kernel has been compiled and kept for this machine; if not, the first run takes some seconds longer."""
    home = folder_for_now()
    return home is not None and len(list(home.rglob("step.run-*.nbc"))) >= BUILDS


def keeps() -> bool:
    """Whether compiled code can be kept at all; where it cannot, asking has said so."""
    return folder_for_now() is not None


def run_plain() -> None:
    """A run of one asset by the plainest rules."""
    simulate(*one_asset([100, 101, 102], offers={0: 1}))


def run_usual() -> None:
    """A run with exits."""
    simulate(*one_asset([100, 101, 102], offers={0: 1}, stop=1_000_000))


def run_general() -> None:
    """Any other run: here one that is asked for an order."""
    book, none = Book(table(), orders=True), np.zeros((0, 5), dtype=np.int64)
    book.step(0, [100], [100], [100], [100], none, [], [])
    book.request(np.array(row_of(size=1), dtype=np.int64))


def add_up_windows() -> None:
    """The pass over windows of long frames."""
    from .entrance import Rolling

    Rolling(np.arange(3), np.empty(2))(0, 0, 2, 2, 2.0)


def read_orders() -> None:
    """The passes over what is asked for."""
    from .asked import add_up, faults_of, lay_out, tally

    one, told, pattern = (np.zeros(shape, dtype=np.int64) for shape in (1, (1, len(TOLD_FIELDS)), (1, len(REQUEST_FIELDS))))
    places, heads, own = np.zeros((2, 1), dtype=np.int32), np.array([[0], [1], [0]], dtype=np.int64), np.full((1, 3), -1, dtype=np.int64)
    bars = np.zeros(2, dtype=np.int32)
    tally(bars, places, one, heads)
    add_up(bars)
    priced = np.empty((0, 1)), np.empty(0)
    lay_out((bars, told), bars, heads, places, one, (own, own, one), np.zeros((0, 1), np.int64), priced, (0, False))
    faults_of(told, pattern, one, 1)
