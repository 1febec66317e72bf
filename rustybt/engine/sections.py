"""What one section of a file of settings means: each turns plain values into what `rustybt.run` takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.errors import ConfigError
from rustybt.execution import Bands, Carry, Halts, Latency, Stale, bands, carry, halts, latency, latency_profiles, stale
from rustybt.execution.fields import fields_of, symbols_of

TABLES = (".csv", ".parquet", ".arrow", ".feather", ".ipc")
"""Suffixes that make a text the name of a file of rows."""
WAITS = ("delay", "bars", "uniform", "lognormal", "history", "profile", "seed", "bar")
HOLDING = ("borrow", "interest", "credit", "financing", "funding", "swap", "day_count", "rollover", "triple")


def latency_from(plain: Any) -> Latency:
    """Latency from ``"250ms"``, ``"2bars"``, the name of a profile, a table of the arguments of `rustybt.latency`, or a list to add up.

    Raises:
        ConfigError: it is none of them.

    Example:
        >>> latency_from("2bars").bars, len(latency_from(["20ms", {"uniform": ["1ms", "5ms"]}]).delays)
        (2, 2)
    """
    if isinstance(plain, list) and plain:
        return reduce(add, map(latency_from, plain))
    if isinstance(plain, Mapping):
        return latency(**fields_of(plain, WAITS, "latency"))
    if isinstance(plain, str):
        bars = plain.removesuffix("bars").removesuffix("bar").strip()
        if bars != plain and bars.isdecimal():
            return latency(bars=int(bars))
        if plain in latency_profiles():
            return latency(profile=plain)
    return latency(plain)


def bands_from(plain: Any, where: str = "bands") -> Bands:
    """Price limits from a fraction, or a table of the arguments of `rustybt.bands`."""
    if not isinstance(plain, Mapping):
        return bands(plain)
    given = fields_of(plain, ("up", "down", "by_asset"), where)
    own = symbols_of(given.pop("by_asset", {}), f"{where}, by_asset")
    return bands(**given, by_asset={symbol: bands_from(value, f"{where}, by_asset, {symbol!r}") for symbol, value in own.items()})


def stale_from(plain: Any) -> Stale:
    """Stale bars from a number of bars, or a table of the arguments of `rustybt.stale`."""
    return stale(**fields_of(plain, ("repeats", "zero_volume"), "stale")) if isinstance(plain, Mapping) else stale(plain)


def halts_from(plain: Any, folder: Path) -> Halts:
    """Halts from a file, rows of asset, start and end, or a table of ``table`` (either of them) and ``cancel``."""
    given = fields_of(plain, ("table", "cancel"), "halts") if isinstance(plain, Mapping) else {"table": plain}
    rows = rows_from(given.get("table"), folder, "halts")
    if isinstance(rows, list):
        rows = [tuple(row) if isinstance(row, list) else row for row in rows]
    return halts(rows, cancel=given.get("cancel", False))


def carry_from(plain: Any, folder: Path) -> Carry:
    """Carry from a table of the arguments of `rustybt.carry`; rates by date are rows, or a file of rows."""
    given = fields_of(plain, HOLDING, "carry")
    for name in ("borrow", "interest", "credit", "financing", "funding"):
        if name in given:
            rows = rows_from(given[name], folder, f"carry, {name}")
            given[name] = frame_from(rows, f"carry, {name}", instants=name == "funding")
    if "swap" in given:
        given["swap"] = symbols_of(given["swap"], "carry, swap")
    return carry(**given)


def rows_from(plain: Any, folder: Path, where: str) -> Any:
    """The rows of a file, for the name of one; anything else as it is.

    Raises:
        ConfigError: the file cannot be read.
    """
    if not isinstance(plain, str) or Path(plain).suffix.lower() not in TABLES:
        return plain
    path = folder / plain
    try:
        if path.suffix.lower() == ".csv":
            return pl.read_csv(path, infer_schema=False)  # text keeps every digit
        return pl.read_parquet(path) if path.suffix.lower() == ".parquet" else pl.read_ipc(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"{path} cannot be read: {str(error).splitlines()[0]}", where=where, do="name a file of rows") from None


def frame_from(rows: Any, where: str, *, instants: bool = False) -> Any:
    """Rows as the frame that carry takes; what is no rows as it is.

    Args:
        rows: a frame, or a list of tables.
        where: how errors call it.
        instants: whether ``ts`` are instants.

    Raises:
        ConfigError: a column is not what its name says.
    """
    if isinstance(rows, list) and rows and all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        rows = pl.DataFrame({name: [_text(row.get(name)) for row in rows] for name in names}, schema=dict.fromkeys(names, pl.String))
    if not isinstance(rows, pl.DataFrame):
        return rows
    kinds = rows.schema
    if kinds.get("available") == pl.String:
        words = rows["available"].str.to_lowercase()
        wrong = words.drop_nulls().filter(~words.drop_nulls().is_in(["true", "false"]))
        if len(wrong):
            raise ConfigError(f"available {wrong[0]!r} is not true or false", where=f"{where}, available", do="write true or false")
        rows = rows.with_columns(words == "true")
    if instants and kinds.get("ts") == pl.String:
        try:
            rows = rows.with_columns(pl.col("ts").str.to_datetime("%+", time_unit="us", time_zone="UTC"))
        except pl.exceptions.PolarsError:
            do = 'write instants with their zone, such as "2024-01-31T08:00:00Z"'
            raise ConfigError("ts are not instants", where=f"{where}, ts", do=do) from None
    return rows


def _text(value: Any) -> str | None:
    """A plain value as text; true and false in lower case, as files have them."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def flows_from(plain: Any, folder: Path) -> Any:
    """Deposits and withdrawals from rows of date and amount, a table of amounts by date, or a file."""
    rows = rows_from(plain, folder, "flows")
    if isinstance(rows, Iterable) and not isinstance(rows, str | pl.DataFrame | Mapping):
        return [tuple(row) if isinstance(row, list) else row for row in rows]
    return rows
