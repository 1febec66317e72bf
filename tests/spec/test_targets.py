"""Targets and constants lifted into them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from rustybt.errors import SpecError
from rustybt.model.codes import TargetKind
from rustybt.spec.targets import Target, notional, quantity, weight

ROW = pl.DataFrame({"close": [10.0]})


@pytest.mark.parametrize(("make", "kind"), [(weight, TargetKind.WEIGHT), (notional, TargetKind.NOTIONAL), (quantity, TargetKind.QUANTITY)])
def test_each_constructor_has_its_kind(make: object, kind: TargetKind) -> None:
    assert callable(make)
    assert make(pl.col("close")).kind is kind


@pytest.mark.parametrize("value", [0.5, 1, -1, Decimal("0.25"), np.float64(0.5), np.int64(3), None])
def test_a_constant_is_lifted_to_its_exact_value(value: object) -> None:
    assert ROW.select(weight(value).expr.alias("x")).item() == value  # type: ignore[arg-type]


def test_an_expression_stays_the_same_object() -> None:
    expr = pl.col("close") / 100
    assert weight(expr).expr is expr


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), Decimal("NaN"), Decimal("Infinity")])
def test_a_constant_that_is_not_finite_is_refused_by_term(value: object) -> None:
    with pytest.raises(SpecError, match="not finite") as error:
        weight(value)  # type: ignore[arg-type]
    assert "'target'" in error.value.where


@pytest.mark.parametrize("value", ["close", True, [1.0], pl.Series([1.0]), {"a": 1}, 1j])
def test_what_is_neither_expression_nor_number_is_refused_by_term(value: object) -> None:
    with pytest.raises(SpecError) as error:
        quantity(value)  # type: ignore[arg-type]
    assert "'target'" in error.value.where


def test_a_text_is_answered_with_the_column_it_may_mean() -> None:
    with pytest.raises(SpecError) as error:
        weight("close")  # type: ignore[arg-type]
    assert 'pl.col("close")' in error.value.do


def test_an_open_when_is_not_taken_for_an_expression() -> None:
    with pytest.raises(SpecError) as error:
        weight(pl.when(pl.col("close") > 1))  # type: ignore[arg-type]
    assert "otherwise" in error.value.do


def test_a_kind_that_is_not_a_kind_is_refused() -> None:
    with pytest.raises(SpecError, match="kind 'weight'"):
        Target("weight", pl.lit(1))  # type: ignore[arg-type]


def test_the_text_of_a_target_shows_its_windows() -> None:
    assert repr(weight(pl.col("close").rolling_mean(20))) == "weight(close.rolling_mean(20))"
