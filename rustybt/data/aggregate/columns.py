"""How each column of a coarser bar is made from the rows in it: picked as it is, or summed as whole steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import polars as pl

from rustybt.data.aggregate.every import Every
from rustybt.data.columns import PRICES
from rustybt.errors import ConfigError, DataError

How = Literal["first", "last", "max", "min", "sum"]
DIGITS = 8
"""Decimals to which doubles are counted when they are summed."""
STEPS = 10**DIGITS
MOST_WORTH = 1e20
"""The largest price x volume of a row; a sum of a hundred such rows fits in 128 bits with 16 decimals."""


@dataclass(frozen=True)
class Plan:
    """What is done to the columns of one source.

    Attributes:
        schema: of the source.
        ticks: whether rows are trades, with ``price`` and ``size``, not bars.
        rows: which rows count: those with all prices and a volume.
        raw: columns to make of every row, by name.
        how: how each of them is combined.
        final: the columns of a bar, from the combined ones.
        amount: what a row adds to a bar that ends by an amount, or None.
        threshold: the amount at which it ends, in the same steps.
    """

    schema: pl.Schema
    ticks: bool
    rows: pl.Expr
    raw: Mapping[str, pl.Expr]
    how: Mapping[str, How]
    final: tuple[pl.Expr, ...]
    amount: pl.Expr | None
    threshold: int

    @property
    def combined(self) -> list[pl.Expr]:
        """The raw columns of many rows as those of one bar; nulls are passed over."""
        return [self._combine(name, how) for name, how in self.how.items()]

    def _combine(self, name: str, how: How) -> pl.Expr:
        column = pl.col(name)
        if how in ("first", "last") and name not in PRICES:
            column = column.drop_nulls()
        return {"first": column.first, "last": column.last, "max": column.max, "min": column.min, "sum": column.sum}[how]()


def plan_of(schema: pl.Schema, every: Every, extras: Mapping[str, How]) -> Plan:
    """What is done to the columns of a source.

    Args:
        schema: ``ts, asset`` with ``open, high, low, close, volume`` (and ``vwap``), or with ``price`` and ``size``.
        every: length of the bars.
        extras: further columns and how they are combined.

    Raises:
        DataError: a needed column is missing or holds no numbers.
        ConfigError: an extra column is not there, or cannot be combined so; an amount finer than the steps that are counted.
    """
    names, ticks = set(schema), "price" in schema and "open" not in schema
    traded = "size" if ticks else "volume"
    for name in ("asset", *(("price",) if ticks else PRICES), traded):
        if name not in names:
            do = "give ts, asset, open, high, low, close, volume of bars, or ts, asset, price, size of trades"
            raise DataError(f"column {name!r} is missing; the frame has {', '.join(map(repr, schema))}", where="resample", do=do)
        if name != "asset" and not schema[name].is_numeric():
            raise DataError(f"column {name!r} holds {schema[name]}, not numbers", where="resample", do="convert it first")
    prices = {name: pl.col("price" if ticks else name) for name in PRICES}
    raw: dict[str, pl.Expr] = {**prices, "volume": steps(pl.col(traded), schema[traded])}
    how: dict[str, How] = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    final = [*(pl.col(name) for name in PRICES), from_steps(pl.col("volume"), schema[traded]).alias("volume")]
    weighted = "price" if ticks else "vwap" if "vwap" in names and "vwap" not in extras else None
    if weighted is not None:
        raw |= {"__worth": worth(weighted, traded, schema), "__size": eights(pl.col(traded), schema[traded])}
        how |= {"__worth": "sum", "__size": "sum"}
        mean = pl.col("__worth").cast(pl.Float64) / (pl.col("__size").cast(pl.Float64) * STEPS)
        final.append(pl.when(pl.col("__size") > 0).then(mean).alias("vwap"))
    for name, way in extras.items():
        _check_extra(name, way, schema, {"ts", "asset", *raw})
        column, dtype = pl.col(name), schema[name]
        column = column.fill_nan(None) if dtype.is_float() else column
        raw[name], how[name] = (steps(column, dtype), way) if way == "sum" else (column, way)
        final.append(from_steps(pl.col(name), dtype).alias(name) if way == "sum" else pl.col(name))
    needed = [pl.col(name) for name in (*(("price",) if ticks else PRICES), traded)]
    good = [column.is_not_null() & (column.is_finite() if schema[column.meta.output_name()].is_float() else True) for column in needed]
    amount, threshold = _amount(every, raw, "price" if ticks else "close", traded, schema)
    return Plan(schema, ticks, pl.all_horizontal(good), raw, how, tuple(final), amount, threshold)


def steps(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column as whole steps, Int128: integers as they are, decimals by their scale, doubles to `DIGITS` decimals, half-even."""
    if dtype.is_integer():
        return column.cast(pl.Int128)
    if isinstance(dtype, pl.Decimal):
        return column.to_physical().cast(pl.Int128)
    number = column.cast(pl.Float64)
    whole = number.floor()
    # The whole part apart, so that the fraction loses nothing by the multiplication.
    fraction: pl.Expr = ((number - whole) * STEPS).round(0, mode="half_to_even").cast(pl.Int128)
    return whole.cast(pl.Int128) * wide(STEPS) + fraction


def from_steps(total: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A sum of steps as a number: Int64, Decimal of the scale, or Float64."""
    if dtype.is_integer():
        return total.cast(pl.Int64)
    if isinstance(dtype, pl.Decimal):
        exact: pl.Expr = total.reinterpret(dtype=pl.Decimal(38, dtype.scale))
        return exact
    number = total.cast(pl.Float64)
    # By a column: Polars multiplies by the reciprocal of a constant, and is then off by a unit in the last place.
    found: pl.Expr = number / (number * 0.0 + STEPS)
    return found


def eights(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column as whole steps of `DIGITS` decimals, Int128; a finer decimal is rounded half up."""
    counted = steps(column, dtype)
    if dtype.is_integer():
        return counted * wide(STEPS)
    if not isinstance(dtype, pl.Decimal):
        return counted
    scale = dtype.scale or 0
    if scale <= DIGITS:
        return counted * wide(10 ** (DIGITS - scale))
    finer = wide(10 ** (scale - DIGITS))
    return (counted + finer // 2) // finer


def worth(price: str, size: str, schema: pl.Schema) -> pl.Expr:
    """Price x volume of each row in steps of 2 x `DIGITS` decimals, Int128; refused before it would overflow."""
    product = eights(pl.col(price), schema[price]) * eights(pl.col(size), schema[size])
    rough = (pl.col(price).cast(pl.Float64) * pl.col(size).cast(pl.Float64)).map_batches(
        _bounded, return_dtype=pl.Float64, is_elementwise=True
    )
    return pl.when(rough.is_not_null()).then(product)


def wide(number: int) -> pl.Expr:
    """A whole number as Int128."""
    return pl.lit(number, dtype=pl.Int128)


def _bounded(rough: pl.Series) -> pl.Series:
    most: Any = rough.abs().max()
    if most is not None and most > MOST_WORTH:
        raise DataError(f"price x volume of {most:g} is too large", where="resample", do="count volume in larger units")
    return rough


def _check_extra(name: str, way: str, schema: pl.Schema, taken: set[str]) -> None:
    where = f"resample, extras, {name!r}"
    if name not in schema:
        raise ConfigError(f"column {name!r} is missing; the frame has {', '.join(map(repr, schema))}", where=where, do="correct extras")
    if name in taken or name.startswith("__"):
        raise ConfigError(f"column {name!r} is made by itself", where=where, do="leave it out of extras, or rename it")
    if way not in get_args(How):
        raise ConfigError(f"unknown way {way!r} to combine a column", where=where, do=f"use {', '.join(get_args(How))}")
    if way == "sum" and not schema[name].is_numeric():
        raise ConfigError(f"column of {schema[name]} cannot be summed", where=where, do='use "first" or "last"')


def _amount(every: Every, raw: Mapping[str, pl.Expr], price: str, size: str, schema: pl.Schema) -> tuple[pl.Expr | None, int]:
    """What a row adds to a bar that ends by an amount, and the amount, in the same steps."""
    if not every.amount:
        return None, 0
    if every.kind == "ticks":
        return wide(1), every.length
    if every.kind == "value":
        threshold, amount = every.size * STEPS * STEPS, worth(price, size, schema)
    else:
        dtype = schema[size]
        unit = 1 if dtype.is_integer() else int(10 ** (dtype.scale or 0)) if isinstance(dtype, pl.Decimal) else STEPS
        threshold, amount = every.size * unit, raw["volume"]
    if threshold % 1:
        what = f"{every.text!r} is finer than the steps in which {size} is counted"
        raise ConfigError(what, where="resample, every", do="use a coarser amount")
    return amount, int(threshold)
