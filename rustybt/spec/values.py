"""Values inside expressions: typed literals, lists and data types, between Polars' JSON and our own form of it.

Polars writes a list as Arrow bytes; here it is a data type and plain values.
"""

from __future__ import annotations

import io
import json
import math
from decimal import Decimal
from typing import Any, NoReturn

import polars as pl

from rustybt.spec import tree

PHYSICAL = (pl.Date, pl.Datetime, pl.Duration, pl.Time)
"""Types whose values are written as the whole numbers beneath them."""
TEXTUAL = (pl.Decimal, pl.Enum, pl.Categorical)
"""Types whose values are written as text."""
SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def encode_plain(value: Any) -> Any:
    """A plain payload (options, data types) with the categories of an Enum spelled out.

    Example:
        >>> encode_plain({"closed": "Both"})
        {'closed': 'Both'}
    """
    if isinstance(value, list):
        return [encode_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Enum"} and isinstance(value["Enum"], dict) and set(value["Enum"]) == {"strings"}:
        return {"Enum": _from_bytes(value["Enum"]["strings"]).to_list()}
    return {key: encode_plain(item) for key, item in value.items()}


def decode_plain(value: Any) -> Any:
    """The payload that `encode_plain` was given."""
    if isinstance(value, list):
        return [decode_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Enum"} and isinstance(value["Enum"], list):
        return {"Enum": {"strings": _to_bytes(pl.Series("categories", value["Enum"], dtype=pl.String))}}
    return {key: decode_plain(item) for key, item in value.items()}


def encode_scalar(scalar: dict[str, Any]) -> list[Any]:
    """The word and value of a typed literal: ``{"Int64": 1}`` is ``["int64", 1]``.

    Raises:
        ValueError: it holds NaN or infinity, or values that cannot be written.

    Example:
        >>> encode_scalar({"Boolean": True})
        ['boolean', True]
    """
    kind, value = next(iter(scalar.items()))
    if kind in ("Float32", "Float64") and value is None:
        raise ValueError("is a NaN or infinite literal, which JSON cannot hold")
    if kind in ("List", "Series"):
        series = _from_bytes(value)
        name = [series.name] if kind == "Series" else []
        return [kind.lower(), *name, _dtype(series.dtype), _encode_values(series)]
    if kind == "Enum":
        return ["enum", value["value"], _from_bytes(value["categories"]).to_list()]
    if kind == "Struct":
        return ["struct", [[name, encode_scalar(inner)] for name, inner in value]]
    return [kind.lower(), encode_plain(value)]


def decode_scalar(form: list[Any]) -> dict[str, Any]:
    """The typed literal that `encode_scalar` was given.

    Raises:
        KeyError: the word is unknown.
    """
    word, *rest = form
    kind = KINDS[word]
    if kind == "List":
        return {kind: _to_bytes(_decode_values("", *rest))}
    if kind == "Series":
        return {kind: _to_bytes(_decode_values(*rest))}
    if kind == "Enum":
        return {kind: {"value": rest[0], "categories": _to_bytes(pl.Series("categories", rest[1], dtype=pl.String))}}
    if kind == "Struct":
        return {kind: [[name, decode_scalar(inner)] for name, inner in rest[0]]}
    return {kind: decode_plain(rest[0])}


KINDS = {
    kind.lower(): kind
    for kind in (
        "Null Boolean String Binary Int8 Int16 Int32 Int64 Int128 UInt8 UInt16 UInt32 UInt64 UInt128 Float16 Float32 Float64 "
        "Decimal Date Datetime Duration Time List Series Enum Struct"
    ).split()
}


def _encode_values(series: pl.Series) -> list[Any]:
    dtype = series.dtype
    if isinstance(dtype, (pl.List, pl.Array, pl.Struct, pl.Object)):
        _unwritable(dtype)
    if isinstance(dtype, PHYSICAL):
        return series.to_physical().to_list()
    if isinstance(dtype, TEXTUAL):
        return [None if value is None else str(value) for value in series]
    if isinstance(dtype, pl.Binary):
        return [None if value is None else list(value) for value in series]
    return [_word(value) if isinstance(value, float) and not math.isfinite(value) else value for value in series.to_list()]


def _decode_values(name: str, dtype: Any, values: list[Any]) -> pl.Series:
    kind = _read_dtype(dtype)
    if isinstance(kind, PHYSICAL):
        physical = pl.Int32 if isinstance(kind, pl.Date) else pl.Int64
        return pl.Series(name, values, dtype=physical).cast(kind)
    if isinstance(kind, pl.Decimal):
        return pl.Series(name, [None if value is None else Decimal(value) for value in values], dtype=kind)
    if isinstance(kind, pl.Binary):
        return pl.Series(name, [None if value is None else bytes(value) for value in values], dtype=kind)
    if kind.is_float():
        return pl.Series(name, [SPECIAL.get(value, value) if isinstance(value, str) else value for value in values], dtype=kind)
    return pl.Series(name, values, dtype=kind)


def _dtype(dtype: pl.DataType) -> Any:
    node = tree.parse(pl.lit(None).cast(dtype))
    return encode_plain(tree.body(node)["dtype"]["Literal"])


def _read_dtype(form: Any) -> pl.DataType:
    node = {"Cast": {"expr": {"Literal": {"Scalar": {"Null": "Null"}}}, "dtype": {"Literal": decode_plain(form)}, "options": "Strict"}}
    return pl.select(tree.build(node)).dtypes[0]


def _from_bytes(values: list[int]) -> pl.Series:
    frame = pl.read_ipc_stream(io.BytesIO(bytes(values)))
    return frame.to_series(0)


def _to_bytes(series: pl.Series) -> list[int]:
    raw: list[int] = json.loads(pl.lit(series).meta.serialize(format="json"))["Literal"]["Series"]
    return raw


def _word(value: float) -> str:
    return next(word for word, special in SPECIAL.items() if str(special) == str(value))


def _unwritable(dtype: pl.DataType) -> NoReturn:
    raise ValueError(f"holds values of type {dtype}, which JSON cannot hold")
