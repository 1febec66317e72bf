"""Trees as MessagePack: every number reaches Polars unchanged."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rustybt.spec import tree
from rustybt.spec.pack import pack


def literal(node: Any) -> Any:
    return pl.select(tree.build({"Literal": node})).item()


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(123456789.123456789)
@example(5.960464477539063e-08)
@example(-0.0)
@example(5e-324)
@example(1.7976931348623157e308)
def test_a_float_is_exact(value: float) -> None:
    built = literal({"Dyn": {"Float": value}})
    assert built == value
    assert math.copysign(1, built) == math.copysign(1, value)


@given(st.integers(2, 500))
def test_the_decay_of_an_average_is_exact(span: int) -> None:
    node = tree.parse(pl.col("close").ewm_mean(span=span + 1 / 3))
    assert tree.parse(tree.build(node)) == node


@given(st.integers(-(2**127), 2**127 - 1))
def test_a_wide_number_is_exact(value: int) -> None:
    node = {"Literal": {"Scalar": {"Int128": value}}}
    assert tree.parse(tree.build(node)) == node


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_number_is_exact(value: int) -> None:
    assert literal({"Scalar": {"Int64": value}}) == value
    assert literal({"Dyn": {"Int": value}}) == value


@pytest.mark.parametrize("value", [0, 127, 128, 255, 256, 2**63 - 1, 2**63, 2**64 - 1])
def test_an_unsigned_number_is_exact(value: int) -> None:
    assert literal({"Scalar": {"UInt64": value}}) == value


@pytest.mark.parametrize("length", [0, 1, 31, 32, 255, 256, 65_535, 65_536, 70_000])
def test_a_text_of_any_length_is_whole(length: int) -> None:
    text = "é" * (length // 2) + "a" * (length % 2)
    assert literal({"Scalar": {"String": text}}) == text


@pytest.mark.parametrize("length", [1, 15, 16, 17, 2000])
def test_a_list_of_any_length_is_whole(length: int) -> None:
    frame = pl.DataFrame({"a": [1]})
    total = tree.build(tree.parse(pl.sum_horizontal([pl.col("a")] * length)))
    assert frame.select(total).item() == length
    member = tree.build(tree.parse(pl.col("a").is_in(list(range(-length, 2)))))
    assert frame.select(member).item()


def test_seventeen_arguments_and_twenty_options_are_whole() -> None:
    node = tree.parse(pl.struct(*(pl.lit(i).alias(f"f{i}") for i in range(70))))
    assert tree.parse(tree.build(node)) == node


@pytest.mark.parametrize("value", [{1}, object(), 1j, b"x"])
def test_what_no_tree_holds_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        pack({"Column": value})
