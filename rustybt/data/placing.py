"""Where rows stand in their files: for messages, so it is looked for only once something is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from rustybt.data.columns import FIELDS
from rustybt.data.files.detect import odd_one
from rustybt.errors import DataError

DELIMITED = (".csv", ".csv.gz")
ISO = r"^\d{4}-\d{2}-\d{2}"


def checked_rows(named: Sequence[tuple[str, pl.LazyFrame]], frame: pl.DataFrame, chosen: Sequence[str] | None = None) -> None:
    """Refuse rows without an asset or a time, and texts that are no times or numbers.

    Args:
        named: the sources, with house names; their names are those of their files.
        frame: their rows in order.
        chosen: assets whose rows need a time; None for all.

    Raises:
        DataError: with the file, the line and the value.
    """
    checked_keys(named, frame, chosen)
    checked_numbers(named, frame)


def checked_keys(named: Sequence[tuple[str, pl.LazyFrame]], frame: pl.DataFrame, chosen: Sequence[str] | None = None) -> None:
    """The part of `checked_rows` that is about assets and times."""
    asset = frame["asset"]
    lacking = asset.is_null()
    if asset.dtype == pl.String:
        lacking = lacking | (asset == "").fill_null(value=True)
    if lacking.any():
        said = f"{lacking.sum()} rows have a null asset, or one with an empty name"
        raise DataError(said, where=place_of_row(named, int(lacking.arg_max() or 0)), do="repair or drop them")
    timeless = frame["ts"].is_null()
    if timeless.any() and chosen is not None:
        timeless &= asset.cast(pl.String).is_in(list(chosen))
    if timeless.any():
        where = place_of_row(named, int(timeless.arg_max() or 0))
        raise DataError(f"{timeless.sum()} rows have a null ts", where=where, do="repair or drop them")
    if frame.schema["ts"] == pl.String and frame["ts"].drop_nulls().len() and _is_csv(named[0][0]):
        found = odd_one(frame["ts"])
        odd = ~frame["ts"].str.contains(ISO).fill_null(value=True)
        row = int((odd if odd.any() else frame["ts"].is_not_null()).arg_max() or 0) if found is None else found
        place = place_of_row(named, row)
        do = f"write all times in one form such as 2024-01-31T21:00:00Z; csv:{place.partition(', line')[0]} reads other forms"
        raise DataError(f"ts holds the text {frame['ts'][row]!r}, which names no instant", where=place, do=do)


def checked_numbers(named: Sequence[tuple[str, pl.LazyFrame]], frame: pl.DataFrame) -> None:
    """The part of `checked_rows` that is about prices and volume."""
    for name in (name for name in FIELDS if name in frame.columns and frame.schema[name] == pl.String):
        wrong = frame[name].is_not_null() & frame[name].cast(pl.Float64, strict=False).is_null()
        if wrong.any():
            row = int(wrong.arg_max() or 0)
            path = place_of_row(named, row).partition(", line")[0]
            do = f"repair it; numbers of another form, such as 1.234,5, are read from csv:{path}" if _is_csv(path) else "give numbers"
            raise DataError(f"{name} holds {frame[name][row]!r}, which is no number", where=place_of_row(named, row), do=do)


def place_of_row(named: Sequence[tuple[str, pl.LazyFrame]], row: int) -> str:
    """The file and the line of a row.

    Example:
        >>> place_of_row([("a.csv", pl.LazyFrame({"ts": [1, 2]})), ("b.csv", pl.LazyFrame({"ts": [3]}))], 2)
        'b.csv, line 2'
    """
    for name, frame in named:
        height = int(frame.select(pl.len()).collect().item()) if len(named) > 1 else row + 1
        if row < height:
            return f"{name or 'the frame'}, {f'line {row + 2}' if _is_csv(name) else f'row {row}'}"
        row -= height
    return "the frame"


def place_of_value(named: Sequence[tuple[str, pl.LazyFrame]], column: str, value: float, asset: str) -> str | None:
    """The file and the line of the first row with a value, of an asset where it has that name in the file; None where it is of no file.

    Example:
        >>> place_of_value([("a.csv", pl.LazyFrame({"asset": ["A", "B"], "high": [1.0, 1e20]}))], "high", 1e20, "B")
        'a.csv, line 3'
    """
    same = pl.col(column).cast(pl.Float64) == value
    for rows in (same & (pl.col("asset").cast(pl.String) == asset), same):
        for name, frame in named:
            found = frame.select("asset", column).with_row_index("row").filter(rows).select("row").head(1).collect()
            if name and found.height:
                return place_of_row([(name, frame)], int(found.item()))
    return None


def placed(error: DataError, named: Sequence[tuple[str, pl.LazyFrame]]) -> DataError:
    """An error with the lines of the rows that it knows by number, or of the value that it knows."""
    facts: Mapping[str, object] = error.facts
    rows, value = facts.get("rows"), facts.get("value")
    if isinstance(value, tuple):
        place = place_of_value(named, *value)
        return error if place is None else placed_at(error, place)
    if not isinstance(rows, tuple) or not rows:
        return error
    return placed_at(error, " and ".join(place_of_row(named, row) for row in rows))


def placed_at(error: DataError, place: str) -> DataError:
    """An error with a place in a file instead of the source that it names."""
    rest = error.where.partition(", asset ")
    facts = {name: fact for name, fact in error.facts.items() if name not in ("rows", "value")}
    return type(error)(error.what, where=f"{place}{rest[1]}{rest[2]}", do=error.do, **facts)


def _is_csv(name: str) -> bool:
    return name.lower().endswith(DELIMITED)
