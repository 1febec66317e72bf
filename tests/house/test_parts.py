"""Work in parts gives what work in one piece gives."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from rustybt import _parts
from rustybt.analysis.metrics import Curve
from rustybt.analysis.metrics.activity import exposure
from rustybt.spec.exact import Rolling, Running, Step

ROWS = 70_001


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 100])
def test_parts_cover_all_rows_once_in_order(monkeypatch: pytest.MonkeyPatch, rows: int, threads: int) -> None:
    monkeypatch.setattr(_parts, "LONG", 2)
    found = _parts.in_parts(lambda start, stop: list(range(start, stop)), rows, 4, threads)
    assert [row for part in found for row in part] == list(range(rows))
    assert len(found) <= threads


def test_an_error_in_a_part_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parts, "LONG", 2)
    with pytest.raises(ZeroDivisionError):
        _parts.in_parts(lambda start, stop: 1 // (start - 4), 8, 4, 2)


@pytest.mark.parametrize("function", ["Mean", "Sum", "Std"])
def test_windows_and_exposure_have_the_same_bits_from_any_number_of_threads(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    rng = np.random.default_rng(5)
    ticks = rng.integers(1, 10**6, ROWS)
    cash = rng.integers(10**9, 10**10, ROWS)
    gross = np.where(rng.random(ROWS) < 0.5, rng.integers(1, 10**9, ROWS), 0)
    curve = Curve(np.arange(ROWS), np.zeros(ROWS, dtype=np.int32), cash + gross, cash, gross)
    found = []
    for cores in (1, 2, 3):
        monkeypatch.setattr(_parts, "LONG", 2)
        monkeypatch.setattr(_parts, "cores", lambda cores=cores: cores)
        values = Running(pl.Series(ticks)).whole(Rolling("close", function, 20, 20), Step(1, 100), False)
        found.append((values.tobytes(), exposure(curve)))
    assert found[0] == found[1] == found[2]
