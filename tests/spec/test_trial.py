"""Operations in numpy: which there are, and that what is kept gives the bits of Polars."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.spec.column import Column
from rustybt.spec.planner import plan_terms
from rustybt.spec.trial import native_cross, native_row, same_bits

a, b, n, p, q = (pl.col(name) for name in "abnpq")
SCHEMA: dict[str, Any] = {"a": pl.Float64(), "b": pl.Float64(), "n": pl.UInt32(), "p": pl.Boolean(), "q": pl.Boolean(), "ts": pl.Int64()}
ROWS = [
    a + b, a - b,
    a * b, a / b, a / 3, a * 0.1, 2 / a, 1 - a, a - 0.0, a + 0.0, a * -1, -a, a.abs(), a.sqrt(),
    a.fill_null(0.0), pl.coalesce(a, b), a > b, a <= b,
    a == b, a != 1, pl.lit(1) < a, p & q, p | q, ~p, a.is_null(), a.is_nan(), a.is_finite(),
    pl.when(p).then(a).otherwise(b), pl.when(p).then(0.5).otherwise(None), pl.when(p).then(1.0), n <= 3, a / n, n.cast(pl.Float64),
    n % 3, n % 4, n // 3, n // 4, n % 1, pl.when(p).then(7).otherwise(0), pl.when(p).then(-7).otherwise(0.0),
]  # fmt: skip
CROSSES = [a.rank(method, descending=down) for method in ("ordinal", "average", "min", "max", "dense") for down in (False, True)]
CROSSES += [a.mean(), a.sum(), a.max(), a.min(), a.count()]
FLOATS = st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1.0, 100.25, 0.1]))


def operation(expr: pl.Expr) -> tuple[Any, dict[int, pl.DataType], list[str], pl.DataType]:
    graph = plan_terms({"x": expr}).graph
    last = graph.items[-1]
    names = [graph.items[at].tree["Column"] for at in last.inputs]
    out = pl.DataFrame(schema=SCHEMA).select(expr.alias("x")).schema["x"]
    return last.tree, {at: SCHEMA[name] for at, name in zip(last.inputs, names, strict=True)}, names, out


@pytest.mark.parametrize("expr", ROWS, ids=str)
@settings(max_examples=15)
@given(rows=st.lists(st.tuples(FLOATS, FLOATS, st.integers(0, 9), *[st.sampled_from([True, False, None])] * 2), min_size=2, max_size=12))
def test_common_operations_on_rows_have_the_bits_of_the_installed_polars(expr: pl.Expr, rows: list[tuple[Any, ...]]) -> None:
    tree, inputs, names, out = operation(expr)
    function = native_row(tree, inputs, out)
    assert function is not None
    frame = pl.DataFrame(rows, schema=[*SCHEMA.items()][:5], orient="row")
    with np.errstate(all="ignore"):
        found = function([Column.of(frame[name]).arrays for name in names])
    assert same_bits(found, frame.select(expr.alias("x"))["x"], out)


@pytest.mark.parametrize("expr", CROSSES, ids=str)
@settings(max_examples=15)
@given(values=st.lists(FLOATS, min_size=2, max_size=40))
def test_common_cross_sections_have_the_bits_of_the_installed_polars(expr: pl.Expr, values: list[float | None]) -> None:
    tree, inputs, _, out = operation(expr.over("ts"))
    across = native_cross(tree, next(iter(inputs.values())), out)
    assert across is not None
    frame = pl.DataFrame({"a": pl.Series(values, dtype=pl.Float64), "g": np.zeros(len(values))})
    with np.errstate(all="ignore"):
        found = across(*Column.of(frame["a"]).arrays)
    assert found is None or same_bits(found, frame.select(expr.over("g").alias("x"))["x"], out)


@pytest.mark.parametrize("expr", [a.log(), a**2, a // 2, pl.col("a").cast(pl.String)])
def test_what_numpy_does_otherwise_is_left_to_polars(expr: pl.Expr) -> None:
    tree, inputs, _, out = operation(expr)
    assert native_row(tree, inputs, out) is None


def test_a_version_that_differs_in_a_bit_is_seen() -> None:
    third = pl.Series([0.1, 0.7, 49.0]) / pl.Series([3.0, 3.0, 3.0])
    assert same_bits((third.to_numpy(), None), third, pl.Float64())
    assert not same_bits((np.array([0.1, 0.7, 49.0]) * (1 / 49.0), None), third, pl.Float64())
    assert not same_bits((np.array([-0.0]), None), pl.Series([0.0]), pl.Float64())
    assert not same_bits((np.array([0.0]), None), pl.Series([None], dtype=pl.Float64), pl.Float64())
