"""Trial: whether a numpy version of an operation gives the bits of the installed Polars.

In: an operation and the dtypes of its inputs. Out: its function, or None when there is none or it differs on any of the awkward numbers:
signed zeros, infinities, NaN, the smallest and greatest, ties, nulls. A trial is done once per operation and kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
import polars as pl

from rustybt.spec.column import Arrays, Column
from rustybt.spec.crosswise import Across, across_of
from rustybt.spec.lower import REF, fill, over
from rustybt.spec.rowwise import NUMBERS, Function, Operation, function_of
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import build, key

SIZES = (1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 33, 64, 65, 100, 129, 257, 300)
AWKWARD = [0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 0.1, -7.25, 5e-324, -1e-310, 1e-300, 1.7e308, -1.7e308, 1e16, 9007199254740993.0]
GRID = 400
"""At least the square of the number of awkward values."""
ODD = [float("nan"), float("inf"), float("-inf")]


def native_row(tree: Tree, inputs: dict[int, pl.DataType], out: pl.DataType) -> Function | None:
    """The numpy version of an operation on rows, if it is as good as that of Polars.

    Args:
        tree: with a placeholder where an input stands.
        inputs: dtype of each, by number of its placeholder.
        out: dtype of its value.

    Example:
        >>> from rustybt.spec.tree import parse
        >>> third = {"BinaryExpr": {"left": {"#": 0}, "op": "TrueDivide", "right": parse(pl.lit(3))}}
        >>> native_row(third, {0: pl.Float64()}, pl.Float64()) is None
        False
    """
    if not inputs or any(type(dtype) not in (*NUMBERS, pl.Boolean) for dtype in (*inputs.values(), out)):
        return None
    names = {at: number for number, at in enumerate(inputs)}  # equal operations share one trial, whatever their nodes are
    plain = fill(tree, lambda at: {REF: names[at]})
    return _row(key(plain), tuple(inputs.values()), out)


@lru_cache(maxsize=4096)
def _row(text: str, dtypes: tuple[pl.DataType, ...], out: pl.DataType) -> Function | None:
    tree: Tree = json.loads(text)
    function = function_of(Operation(tree, dict(enumerate(dtypes)), out))
    if function is None:
        return None
    expr = build(cast("Tree", fill(tree, lambda at: {"Column": f"x{at}"})))
    for nulls in (False, True):
        given = [_pool(dtype, at, nulls) for at, dtype in enumerate(dtypes)]
        try:
            wanted = pl.DataFrame([s.alias(f"x{at}") for at, s in enumerate(given)]).select(expr.alias("v"))["v"]
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        with np.errstate(all="ignore"):
            found = function([Column.of(series).arrays for series in given])
        if not same_bits(found, wanted, out):
            return None
    return function


def native_cross(tree: Tree, dtype: pl.DataType, out: pl.DataType) -> Across | None:
    """The numpy version of a cross-section, if it is as good as that of Polars.

    Args:
        tree: the operation, with a placeholder where its input stands.
        dtype: of the input.
        out: of its value.
    """
    return _cross(key(cast("Tree", fill(tree, lambda _: {"Column": "x"}))), dtype, out)


@lru_cache(maxsize=1024)
def _cross(text: str, dtype: pl.DataType, out: pl.DataType) -> Across | None:
    tree: Tree = json.loads(text)
    across = across_of(tree, dtype, out)
    if across is None:
        return None
    expr = build(over(tree, [{"Column": "g"}]))
    for nulls in (False, True):
        frame = _groups(dtype, nulls)
        try:
            wanted = frame.with_columns(expr.alias("v"))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        for part in wanted.partition_by("g", maintain_order=True):
            values, known = Column.of(part["x"]).arrays
            with np.errstate(all="ignore"):
                found = across(values, known)
            if found is not None and not same_bits(found, part["v"], out):
                return None
    return across


def same_bits(found: Arrays, wanted: pl.Series, dtype: pl.DataType) -> bool:
    """Whether arrays hold exactly what a series does, the signs of zeros and NaN included."""
    if wanted.dtype != dtype:
        return False
    values, known = found
    target, there = Column.of(wanted).arrays
    if values.dtype != target.dtype or len(values) != len(target):
        return False
    if not np.array_equal(np.ones(len(target), np.bool_) if known is None else known, wanted.is_not_null().to_numpy()):
        return False
    if there is not None:
        values, target = values[there], target[there]
    if values.dtype == np.float64:
        values, target = np.ascontiguousarray(values).view(np.int64), np.ascontiguousarray(target).view(np.int64)
    return bool(np.array_equal(values, target))


@lru_cache(maxsize=64)
def _pool(dtype: pl.DataType, number: int, nulls: bool) -> pl.Series:
    """Some thousand values; those of two inputs meet in every combination of awkward ones."""
    rng = np.random.default_rng([number, 7])
    awkward = _awkward(dtype)
    size, grid = len(awkward), np.arange(GRID)
    picked = (grid // size % size, grid % size, rng.permutation(grid) % size)[min(number, 2)]
    values = np.concatenate([np.array(awkward, _held(dtype))[picked], _drawn(dtype, rng, 900)])
    return _masked(values, dtype, rng, 0.2 if nulls else 0.0)


def _groups(dtype: pl.DataType, nulls: bool) -> pl.DataFrame:
    """Groups of many sizes with their rows mixed: usual numbers, ties, awkward ones, nulls alone."""
    rng = np.random.default_rng(11)
    parts, group = [], 0
    for tidy in (True, False, None):
        for size in SIZES:
            values = _drawn(dtype, rng, size)
            if tidy is None:
                values = rng.choice(values[: max(1, size // 3)], size)
            elif not tidy:
                odd = rng.random(size) < 0.3
                values[odd] = rng.choice(np.array(_awkward(dtype), _held(dtype)), int(odd.sum()))
            x = _masked(values, dtype, rng, (1.0 if group % 13 == 12 else 0.25) if nulls else 0.0)
            parts.append(pl.DataFrame({"g": np.full(size, group), "x": x}))
            group += 1
    whole = pl.concat(parts)
    return whole[rng.permutation(whole.height)]


def _awkward(dtype: pl.DataType) -> Sequence[Any]:
    if dtype == pl.Float64:
        return [*AWKWARD, *ODD]
    if dtype == pl.Boolean:
        return [False, True]
    edge = np.iinfo(_held(dtype))
    return [0, 1, 2, 3, 7, 50, edge.max, edge.min, edge.max - 1, edge.min + 1]


def _held(dtype: pl.DataType) -> Any:
    return np.bool_ if dtype == pl.Boolean else NUMBERS[type(dtype)]


def _drawn(dtype: pl.DataType, rng: np.random.Generator, size: int) -> Any:
    if dtype == pl.Boolean:
        return rng.random(size) < 0.5
    if dtype != pl.Float64:
        return rng.integers(0, 400, size).astype(_held(dtype))
    prices = np.round(100 * np.exp(rng.normal(0, 0.5, size)), 2)
    changes = rng.normal(0, 0.02, size)
    wild = rng.normal(0, 1, size) * 10.0 ** rng.integers(-30, 30, size)
    return np.where(rng.random(size) < 0.4, prices, np.where(rng.random(size) < 0.6, changes, wild))


def _masked(values: Any, dtype: pl.DataType, rng: np.random.Generator, share: float) -> pl.Series:
    series = pl.Series("x", values, dtype=dtype)
    gone = pl.Series("k", rng.random(len(values)) >= share)
    return pl.DataFrame([series, gone]).select(pl.when("k").then("x")).to_series() if share else series
