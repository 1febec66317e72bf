"""Rows of a vendor as the frame of a page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

NUMBERS = ("open", "high", "low", "close", "volume")
NEW_YORK = "America/New_York"
LENGTHS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
"""Milliseconds of the units of a frequency."""


def milliseconds(frequency: str) -> int:
    """Length of a bar.

    Example:
        >>> milliseconds("15m")
        900000
    """
    return int(frequency[:-1]) * LENGTHS[frequency[-1]]


def bars_of(rows: Iterable[Sequence[Any]], zone: str | None = None) -> pl.DataFrame:
    """Bars of a page.

    Args:
        rows: milliseconds since 1970, then open, high, low, close and volume as texts.
        zone: for daily bars stamped at midnight of an exchange: its zone. They become dates.

    Example:
        >>> bars_of([(1704171600000, "1.5", "2", "1", "1.9", "10")], NEW_YORK)["ts"].to_list()
        [datetime.date(2024, 1, 2)]
    """
    listed = list(rows)
    columns: dict[str, list[Any]] = {name: [row[i] for row in listed] for i, name in enumerate(("ts", *NUMBERS))}
    schema = {name: pl.Int64 if name == "ts" else pl.String for name in columns}
    stamps = pl.col("ts").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    return pl.DataFrame(columns, schema=schema).with_columns(stamps if zone is None else stamps.dt.convert_time_zone(zone).dt.date())


def exact_json(text: str | bytes) -> Any:
    """JSON with every number as the text that came.

    Example:
        >>> exact_json('{"c": 187.150000000000006, "v": 7.07e+07}')
        {'c': '187.150000000000006', 'v': '7.07e+07'}
    """
    return json.loads(text, parse_float=str, parse_int=str)


def ratio_text(up: object, down: object) -> str:
    """New shares for one old as a decimal, with enough digits for the fraction to be known again.

    Example:
        >>> ratio_text("4", "1"), ratio_text(1, 3)
        ('4', '0.3333333333333333333333333333')
    """
    return f"{(Decimal(str(up)) / Decimal(str(down))).normalize():f}"
