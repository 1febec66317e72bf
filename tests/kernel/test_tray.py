"""Rows of a long log are written into a tray first, and nothing that is read differs for it."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rustybt.kernel.example import one_asset
from rustybt.kernel.state import TRAY_ROWS
from rustybt.model import Outcome
from rustybt.testing.generators import session
from rustybt.testing.outcomes import differences, run_or_error

from .builds import COMPILED, twin


def run_with_tray(package: ModuleType, given: Any, monkeypatch: pytest.MonkeyPatch, rows: int = 2**20) -> Outcome | None:
    """A run of a build whose log has a tray however short it is, and room for so many rows at first."""
    bulk = importlib.import_module(f"{package.__name__}.simulate")
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "LONG", 0)
        patch.setattr(bulk, "FIRST_ROWS", rows)
        return run_or_error(package.simulate, given)


def kernel() -> ModuleType:
    return importlib.import_module("rustybt.kernel")


@pytest.mark.parametrize("seed", range(60))
def test_a_run_with_a_tray_is_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = session(seed)
    assert differences(run_or_error(kernel().simulate, given), run_with_tray(kernel(), given, monkeypatch)) == []


@pytest.mark.parametrize("seed", range(5))
def test_by_the_interpreter_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = session(seed)
    assert differences(run_or_error(kernel().simulate, given), run_with_tray(twin(), given, monkeypatch)) == []


@pytest.mark.parametrize("rows", [1, TRAY_ROWS - 1, TRAY_ROWS, TRAY_ROWS + 1, 2 * TRAY_ROWS, 5 * TRAY_ROWS + 7])
@pytest.mark.parametrize("room", [0, 2**20], ids=["a log that is lengthened", "one that holds all"])
def test_every_row_is_put_down(rows: int, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = one_asset([100 + n % 7 for n in range(rows + 1)], offers={n: 10 * (1 - n % 2) for n in range(rows)})
    plain, found = kernel().simulate(*given), run_with_tray(kernel(), given, monkeypatch, room)
    assert found is not None
    assert len(found.log.bar) == rows
    assert found.log.bar.tolist() == list(range(1, rows + 1))
    assert differences(plain, found) == []


@pytest.mark.skipif(not COMPILED, reason="takes the interpreter seconds")
def test_a_long_log_has_one_by_itself() -> None:
    bulk = importlib.import_module("rustybt.kernel.simulate")
    offers = {n: 1 - n % 2 for n in range(bulk.LONG)}
    tables, market, plan, events = one_asset([100] * (len(offers) + 1), offers=offers)
    desk, *_ = bulk.desk_for(tables, market, plan, events)
    assert desk.tray == -TRAY_ROWS
    assert all(getattr(desk, name).ctypes.data % 64 == 0 for name in ("log_bar", "log_reason", "log_fee", "tray_status", "tray_price"))
    log = bulk.simulate(tables, market, plan, events).log
    assert np.array_equal(log.seq, np.arange(1, len(offers) + 1))
    assert np.array_equal(log.filled, np.where(log.seq % 2, 1, -1))
