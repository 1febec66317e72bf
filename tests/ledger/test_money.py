"""Integers become Decimal columns by two ways that agree."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from rustybt.ledger import money
from rustybt.ledger.money import Made, decimal_column, magnitudes, steps_column

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


def test_units_that_are_made_while_they_are_written_give_the_same_column(monkeypatch: pytest.MonkeyPatch) -> None:
    units = np.arange(-20, 21, dtype=np.int64) * 10**16
    whole, made = np.abs(units), magnitudes(units)
    expected = decimal_column("x", whole, 4).to_list()
    assert decimal_column("x", made, 4).to_list() == expected
    monkeypatch.setattr(money, "LARGE", 1)
    monkeypatch.setattr(money, "BLOCK", 7)
    assert decimal_column("x", made, 4).to_list() == decimal_column("x", whole, 4).to_list() == expected
    steps, column = (Decimal("0.01"), Decimal("2.5")), np.arange(41, dtype=np.int64) % 2
    shown = steps_column("q", Made(3, lambda part: np.array([3, 7, -2])[part]), steps, column[:3])
    assert shown.to_list() == [Decimal("0.03"), Decimal("17.50"), Decimal("-0.02")]
    one_step = steps_column("q", magnitudes(units), steps[1:], None)
    assert one_step.to_list() == [abs(int(n)) * Decimal("2.5") for n in units]


def test_memory_of_a_column_serves_the_next_one_and_never_two_at_once() -> None:
    units = np.arange(money.LARGE, dtype=np.int64)
    first = decimal_column("x", units, 0)
    second = decimal_column("x", -units, 0)
    assert first[-1] == -second[-1] == money.LARGE - 1
    frame = first.to_frame()
    del first
    third = decimal_column("x", units + 5, 0)
    assert frame["x"][-1] == money.LARGE - 1, "a frame holds the memory of its column"
    assert third[-1] == money.LARGE + 4
