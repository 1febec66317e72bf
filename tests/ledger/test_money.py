"""Integers become Decimal columns by two ways that agree."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from rustybt.ledger import money
from rustybt.ledger.money import decimal_column

EDGES = np.array([0, 1, -1, 10**18, -(10**18), 2**61 - 1, 1 - 2**61, 2**63 - 1, -(2**63)], dtype=np.int64)


@pytest.mark.parametrize("scale", [0, 2, 8, 12])
def test_long_columns_hold_the_digits_of_short_ones(monkeypatch: pytest.MonkeyPatch, scale: int) -> None:
    short = decimal_column("x", EDGES, scale)
    monkeypatch.setattr(money, "LARGE", 1)
    long = decimal_column("x", EDGES, scale)
    assert long.dtype == short.dtype == pl.Decimal(38, scale)
    assert long.name == "x"
    assert long.to_list() == short.to_list()


def test_a_long_column_does_not_change_with_the_array_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money, "LARGE", 1)
    units = EDGES.copy()
    column = decimal_column("x", units, 2)
    before = column.to_list()
    units[:] = 7
    assert column.to_list() == before
