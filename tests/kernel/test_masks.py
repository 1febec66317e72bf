"""Bits of comparisons, against the comparisons one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rustybt.kernel.compile import MODE, entry

if MODE != "compiled":
    pytest.skip("about machine code", allow_module_level=True)

from rustybt.kernel.intrinsics import changes, known, lowest


@entry
def told(a: Any, ok: Any, first: int, found: Any) -> int:
    """Places of changes and of what is known, and how many."""
    count = 0
    for kind in range(2):
        bits = changes(a, first) if kind == 0 else known(ok, first)
        while bits != 0:
            found[kind, lowest(bits)] = 1
            bits &= bits - np.uint64(1)
            count += 1
    return count


def test_bits_are_what_is_compared() -> None:
    rng = np.random.default_rng(5)
    values = np.array([0.0, -0.0, 1.0, 1.0, np.nan, np.inf])
    for first in (1, 2, 7, 63):
        for _ in range(50):
            a, ok = rng.choice(values, 140), rng.choice(np.array([0, 1, 2], dtype=np.uint8), 140)
            found = np.zeros((2, 64), dtype=np.int64)
            count = told(a, ok, first, found)
            place = np.arange(first, first + 64)
            assert (found[0] == (a[place] != a[place - 1])).all()
            assert (found[1] == (ok[place] != 0)).all()
            assert count == found.sum()
