"""Compile everything before the first run: what `rustybt warm` and the set-up do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .book import Book
from .cache import folder_for_now
from .example import one_asset, table
from .simulate import simulate


def warm() -> Path | None:
    """Call every way into the compiled kernel once, so that it is compiled and kept.

    Returns:
        The folder in which compiled code is kept; None where nothing can be written, and then each process compiles for itself.

    Example:
        >>> isinstance(warm(), Path)
        True
    """
    simulate(*one_asset([100, 101, 102], offers={0: 1}))
    book, none = Book(table()), np.zeros((0, 5), dtype=np.int64)
    book.step(0, [100], [100], [100], [100], none, [0], [10])
    book.submit(0, 5)
    book.cancel(0)
    book.book(0, 5, 100, 1)
    Book.load(table(), book.save())
    return folder_for_now()
