"""Put rows in order, refuse broken keys, and set dirty rows aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.blocks import backward, ordered
from rustybt.data.columns import PRICES
from rustybt.data.hours import Days
from rustybt.data.metadata import Listed
from rustybt.data.stamps import Codes
from rustybt.data.ticks import Scaled
from rustybt.errors import DataError
from rustybt.model.panel import Ints

Mask = npt.NDArray[np.bool_]
Reasons = npt.NDArray[np.int8]
"""(rows,) number in `REASONS`, -1 where a row can be used."""
REASONS = (
    "null price",
    "NaN or infinite price",
    "zero or negative price",
    "price below half a tick",
    "high below low",
    "open or close outside low..high",
    "null volume",
    "NaN, infinite or negative volume",
    "before listing",
    "after delisting",
)
"""Why a row is set aside; the first that applies is named."""


@dataclass(frozen=True)
class Keyed:
    """Rows sorted by (asset, ts) with their keys as numbers.

    Attributes:
        frame: the rows; ``asset`` is an Enum in byte order of the symbols.
        symbols: in that order.
        codes: (rows,) asset numbers.
        stamps: (rows,) UTC microseconds as they came.
        notes: sentences about what was reordered.
    """

    frame: pl.DataFrame
    symbols: tuple[str, ...]
    codes: Codes
    stamps: Ints
    notes: tuple[str, ...]


def key_rows(frame: pl.DataFrame, where: str) -> Keyed:
    """Sorts rows by (asset, ts).

    Args:
        frame: ``ts`` Datetime(us, UTC) and ``asset`` text, with other columns.
        where: what to name in an error.

    Raises:
        DataError: a null key.
    """
    for name in ("ts", "asset"):
        if nulls := frame[name].null_count():
            row = int(frame[name].is_null().arg_max() or 0)
            raise DataError(f"{nulls} rows have a null {name}", where=f"{where}, row {row}", do="repair or drop them")
    symbols = tuple(sorted(frame["asset"].unique().to_list()))
    if symbols[:1] == ("",):
        row = int((frame["asset"] == "").arg_max() or 0)
        raise DataError("an asset has an empty name", where=f"{where}, row {row}", do="repair or drop the rows")
    if frame.schema["asset"] != pl.Enum(symbols):
        frame = frame.with_columns(pl.col("asset").cast(pl.Enum(symbols)))
    codes = frame["asset"].to_physical().to_numpy().astype(np.uint32)
    stamps: Ints = frame["ts"].to_physical().to_numpy()
    if ordered(codes) and not len(backward(stamps, codes)):
        return Keyed(frame, symbols, codes, stamps, ())
    order = np.argsort(codes.astype(np.uint16) if len(symbols) < 2**16 else codes, kind="stable")
    notes: tuple[str, ...] = ()
    if late := len(backward(stamps[order], codes[order])):
        notes = (f"Rows were sorted by time: {late} came before an earlier one of their asset.",)
        order = np.lexsort((stamps, codes))
    return Keyed(frame[order], symbols, codes[order], stamps[order], notes)


def check_unique(keyed: Keyed, ts: Ints, where: str, session: bool, came: pl.DataFrame | None = None) -> None:
    """Refuses two rows of one asset with the same time.

    Args:
        keyed: the rows.
        ts: (rows,) when they are complete.
        where: what to name in an error.
        session: whether they are stamped by sessions.
        came: their ``ts`` and ``asset`` in the order of the source, where it has all its rows: the error knows the first two by number.

    Raises:
        DataError: with the number of such rows and the first.
    """
    twice = backward(ts, keyed.codes, equal=True)
    if len(twice):
        row = int(twice[0])
        facts = {} if came is None else {"rows": _like(came, keyed.symbols[keyed.codes[row]], int(keyed.stamps[row]))}
        do = "keep one bar per session, or say how intraday bars are stamped" if session else "keep one row per asset and time"
        if len(keyed.symbols) == 1 and Path(where).name.startswith(keyed.symbols[0]):  # named by the file, as no column names the assets
            do += '; if a column names the assets, say which: columns={"asset": "<name in the source>"}'
        raise DataError(
            f"{len(twice)} rows repeat the asset and time of another",
            where=f"{where}, asset {keyed.symbols[keyed.codes[row]]!r}, {moment(int(keyed.stamps[row]))}",
            do=do,
            **facts,
        )


def _like(came: pl.DataFrame, symbol: str, stamp: int) -> tuple[int, ...]:
    """Numbers of the first two rows of an asset at a time."""
    same = (came["asset"].cast(pl.String) == symbol) & (came["ts"].to_physical() == stamp)
    return tuple(same.fill_null(value=False).arg_true().head(2).to_list())


def find_dirty(frame: pl.DataFrame, scaled: dict[str, Scaled], offsets: Ints, listed: Sequence[Listed], days: Days) -> Reasons:
    """Number in REASONS of why each row cannot be used, -1 where it can.

    Args:
        frame: the rows as they came, sorted.
        scaled: prices and volume in ticks.
        offsets: rows of each asset.
        listed: assets with their first and last day.
        days: session of each row.
    """
    found = np.full(frame.height, -1, dtype=np.int8)

    def mark(reason: str, rows: Mask) -> None:
        if rows.any():
            found[rows & (found == -1)] = REASONS.index(reason)

    for name in PRICES:
        mark("null price", _nulls(frame[name]))
    for name in PRICES:
        mark("NaN or infinite price", ~np.isfinite(scaled[name].floats))
    for name in PRICES:
        ticks = scaled[name].ticks
        if (ticks <= 0).any():
            raw = frame[name].cast(pl.Float64).to_numpy()
            with np.errstate(invalid="ignore"):
                mark("zero or negative price", raw <= 0)
            mark("price below half a tick", ticks <= 0)
    low, high = scaled["low"].ticks, scaled["high"].ticks
    mark("high below low", high < low)
    for name in ("open", "close"):
        mark("open or close outside low..high", (scaled[name].ticks < low) | (scaled[name].ticks > high))
    mark("null volume", _nulls(frame["volume"]))
    mark("NaN, infinite or negative volume", ~np.isfinite(scaled["volume"].floats) | (scaled["volume"].ticks < 0))
    for column, item in enumerate(listed):
        rows = slice(int(offsets[column]), int(offsets[column + 1]))
        outside = np.zeros(frame.height, dtype=np.bool_) if item.first is not None or item.last is not None else None
        if outside is not None and item.first is not None:
            outside[rows] = days[rows] < item.first
            mark("before listing", outside)
        if outside is not None and item.last is not None:
            outside[:] = False
            outside[rows] = days[rows] > item.last
            mark("after delisting", outside)
    return found


def report_dirty(found: Reasons, keyed: Keyed) -> str:
    """One sentence that counts the dirty rows by reason and names the first."""
    rows = np.flatnonzero(found >= 0)
    counts = np.bincount(found[rows], minlength=len(REASONS))
    return say_dirty(counts, keyed.symbols[keyed.codes[rows[0]]], int(keyed.stamps[rows[0]]))


def say_dirty(counts: Ints, symbol: str, stamp: int) -> str:
    """The sentence on dirty rows.

    Args:
        counts: by number in `REASONS`.
        symbol: asset of the first.
        stamp: its time.

    Example:
        >>> say_dirty(np.array([0, 0, 2]), "A", 0)
        "2 rows cannot be used: 2 zero or negative price (first: asset 'A', 1970-01-01)"
    """
    listed = ", ".join(f"{n} {REASONS[code]}" for code, n in enumerate(counts.tolist()) if n)
    return f"{counts.sum()} rows cannot be used: {listed} (first: asset {symbol!r}, {moment(stamp)})"


def moment(stamp: int) -> str:
    """A stamp as text, the date alone at 00:00.

    Example:
        >>> moment(86_400_000_000)
        '1970-01-02'
    """
    text = str(np.datetime64(stamp, "us").astype("datetime64[s]"))
    return text.removesuffix("T00:00:00")


def _nulls(column: pl.Series) -> Mask:
    return column.is_null().to_numpy() if column.null_count() else np.zeros(1, dtype=np.bool_)
