"""Two runs compared to the last byte."""

from __future__ import annotations

import numpy as np
import polars as pl

from rustybt.engine.result import Result
from rustybt.model import Log, Outcome


def outcome_difference(first: Outcome, second: Outcome) -> str:
    """The first place at which two outcomes differ, or an empty text."""
    for name in Log.__dataclass_fields__:
        found = _differs(getattr(first.log, name), getattr(second.log, name))
        if found:
            return f"log column {name!r}: {found}"
    for name in ("equity", "cash", "gross", "lots", "last", "aside"):
        found = _differs(getattr(first, name), getattr(second, name))
        if found:
            return f"{name}: {found}"
    return ""


def _differs(first: np.ndarray, second: np.ndarray) -> str:
    if len(first) != len(second):
        return f"{len(first)} and {len(second)} rows"
    apart = np.flatnonzero(first != second)
    if len(apart):
        return f"row {apart[0]}: {first[apart[0]]} and {second[apart[0]]}"
    return ""


def signal_difference(first: Result, second: Result) -> str:
    """The first signal, asset and ts at which two runs differ bit for bit, or an empty text."""
    one, two = first.signals, second.signals
    if one.columns != two.columns or one.height != two.height:
        return f"signals: {one.height} x {one.columns} and {two.height} x {two.columns}"
    for name in one.columns:
        a, b = one[name], two[name]
        if a.dtype.is_float():
            a, b = _bits(a), _bits(b)
        apart = a.ne_missing(b)
        if apart.any():
            row = int(apart.arg_max() or 0)
            return f"signal {name!r}: {one[name][row]} and {two[name][row]} at asset {one['asset'][row]}, {one['ts'][row]}"
    return ""


def _bits(values: pl.Series) -> pl.Series:
    return values.cast(pl.Float64).reinterpret(dtype=pl.Int64)
