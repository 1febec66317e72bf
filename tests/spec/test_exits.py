"""Exit rules as exact data."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.errors import SpecError
from rustybt.model.tables import SLOT_FIELDS
from rustybt.spec.exits import Exits, exits


@pytest.mark.parametrize("value", ["0.05", 0.05, Decimal("0.05")])
def test_a_fraction_is_exact_however_it_is_written(value: Any) -> None:
    assert exits(stop_loss=value).stop_loss == Decimal("0.05")
    assert exits(stop_loss=value) == exits(stop_loss="0.050")


def test_units_are_the_columns_of_the_tables() -> None:
    units = exits(stop_loss="0.05", take_profit="1.5", trailing=0.1, max_bars=7, cool_down=3, reentry="schedule").units()
    assert units == {
        "stop": 5_000_000,
        "take": 150_000_000,
        "trail": 10_000_000,
        "max_bars": 7,
        "cool_down": 3,
        "reentry_schedule": 1,
    }
    assert set(units) <= set(SLOT_FIELDS)


def test_rules_that_are_not_set_are_zero() -> None:
    assert set(exits().units().values()) == {0}


@given(st.integers(1, 10**8 - 1))
def test_every_multiple_of_the_unit_survives(units: int) -> None:
    assert exits(trailing=Decimal(units).scaleb(-8)).units()["trail"] == units


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stop_loss", 0), ("stop_loss", "-0.1"), ("stop_loss", 1), ("stop_loss", "1.2"), ("stop_loss", "0.000000001"),
        ("stop_loss", float("nan")), ("stop_loss", "five"), ("stop_loss", True), ("trailing", 1), ("trailing", "inf"), ("take_profit", 0),
        ("take_profit", -1), ("take_profit", "1e12"), ("max_bars", 0), ("max_bars", 2.0), ("max_bars", True), ("max_bars", "5"),
        ("cool_down", -1), ("cool_down", 1.5), ("cool_down", None), ("reentry", "never"), ("reentry", None),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    with pytest.raises(SpecError) as error:
        exits(**{field: value})
    assert field in error.value.where
    assert error.value.do


def test_a_take_profit_may_be_more_than_the_price() -> None:
    assert exits(take_profit=3).take_profit == 3


def test_the_class_checks_like_the_function() -> None:
    with pytest.raises(SpecError, match="stop_loss"):
        Exits(stop_loss=Decimal(2))


def test_the_text_shows_only_what_is_set() -> None:
    assert repr(exits(stop_loss="0.05", cool_down=2)) == "exits(stop_loss=0.05, cool_down=2)"
