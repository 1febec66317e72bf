"""Column: one bar's values of one column, as numpy arrays and as a Polars series, whichever is asked for.

In: rows of a signal frame. Out: `Rows`, which give a `Column` per name. A `Block` of many bars is encoded once, so that the rows of one bar
are views and cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Flags = npt.NDArray[np.bool_]
type Arrays = tuple[npt.NDArray[Any], Flags | None]
"""Physical values (anything where null), and which are known (None = all)."""


class Column:
    """Values of one column, kept in the form in which they were made; the other form is made when it is asked for.

    Example:
        >>> Column.of(pl.Series([1.0, None])).arrays[1].tolist()
        [True, False]
        >>> Column(pl.Float64(), (np.array([1.0, 0.0]), np.array([True, False]))).series.to_list()
        [1.0, None]
    """

    __slots__ = ("_arrays", "_series", "dtype")

    def __init__(self, dtype: pl.DataType, arrays: Arrays | None = None, series: pl.Series | None = None) -> None:
        self.dtype = dtype
        self._arrays = arrays
        self._series = series

    @classmethod
    def of(cls, series: pl.Series) -> Column:
        """A column that is a series already."""
        return cls(series.dtype, None, series)

    @property
    def arrays(self) -> Arrays:
        """Values and which are known."""
        if self._arrays is None:
            assert self._series is not None
            known = self._series.is_not_null().to_numpy() if self._series.null_count() else None
            self._arrays = encode(self._series), known
        return self._arrays

    @property
    def series(self) -> pl.Series:
        """The values as Polars has them."""
        if self._series is None:
            assert self._arrays is not None
            self._series = decode(*self._arrays, self.dtype)
        return self._series


class Block:
    """Rows of any number of bars.

    Example:
        >>> block = Block(pl.DataFrame({"close": [1.0, 2.0, 3.0]}))
        >>> block.rows(1, 3).column("close").arrays[0].tolist()
        [2.0, 3.0]
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.schema = dict(frame.schema)
        self._encoded: dict[str, Arrays | None] = {}

    def rows(self, start: int, stop: int) -> Rows:
        """The rows from one to before another."""
        return Rows(self, start, stop)

    def column(self, name: str, start: int, stop: int) -> Column:
        """One column of some rows.

        Raises:
            KeyError: there is none of this name.
        """
        dtype = self.schema[name]
        if name not in self._encoded:
            whole = Column.of(self.frame[name])
            self._encoded[name] = None if storage(dtype) is object or dtype == pl.Null else whole.arrays
        held = self._encoded[name]
        if held is None:
            return Column.of(self.frame[name].slice(start, stop - start))
        values, known = held
        if known is not None:
            known = known[start:stop]
            known = None if known.all() else known
        return Column(dtype, (values[start:stop], known))


class Rows:
    """The rows of one bar.

    Attributes:
        block: the block that they are part of.
        height: how many there are.
    """

    __slots__ = ("_start", "_stop", "block", "height")

    def __init__(self, block: Block, start: int, stop: int) -> None:
        self.block = block
        self._start, self._stop = start, stop
        self.height = stop - start

    @classmethod
    def of(cls, rows: Rows | pl.DataFrame) -> Rows:
        """From a frame, or rows as they are."""
        return rows if isinstance(rows, Rows) else cls(Block(rows), 0, rows.height)

    @property
    def frame(self) -> pl.DataFrame:
        """All columns as a frame."""
        return self.block.frame.slice(self._start, self.height)

    def column(self, name: str) -> Column:
        """One column."""
        return self.block.column(name, self._start, self._stop)


def storage(dtype: pl.DataType) -> Any:
    """The numpy dtype that holds the physical values of a column."""
    if dtype == pl.Float64:
        return np.float64
    if isinstance(dtype, pl.Enum):
        return np.uint32
    if dtype.is_numeric() and not dtype.is_decimal() and dtype not in (pl.Int128, pl.UInt128):
        return pl.Series([0], dtype=dtype).to_numpy().dtype
    if dtype == pl.Boolean:
        return np.bool_
    return np.int64 if dtype.is_temporal() else object


def encode(values: pl.Series) -> npt.NDArray[Any]:
    """Physical values of a column; anything where it is null."""
    dtype = values.dtype
    held = storage(dtype)
    if held is object:
        return np.array([*values.to_list(), None], dtype=object)[:-1]
    if isinstance(dtype, pl.Enum):
        return values.to_physical().cast(pl.UInt32).fill_null(0).to_numpy()
    plain = values.to_physical() if dtype.is_temporal() else values
    if plain.null_count():
        plain = plain.fill_null(False) if dtype == pl.Boolean else plain.cast(plain.dtype).fill_null(0) if dtype != pl.Null else values
    found: npt.NDArray[Any] = plain.to_numpy() if dtype != pl.Null else np.zeros(len(values))
    return found


def decode(values: npt.NDArray[Any], known: Flags | None, dtype: pl.DataType) -> pl.Series:
    """The column of physical values and the mask of known ones."""
    if dtype == pl.Null:
        return pl.Series([None] * len(values), dtype=pl.Null)
    if values.dtype == object:
        wanted = np.ones(len(values), np.bool_) if known is None else known
        return pl.Series([v if k else None for v, k in zip(values, wanted, strict=True)], dtype=dtype)
    series = pl.Series(np.ascontiguousarray(values))
    if dtype.is_temporal():
        series = series.cast(pl.Int32 if dtype == pl.Date else pl.Int64).cast(dtype)
    elif isinstance(dtype, pl.Enum):
        series = series.cat.to(dtype)
    if known is None or known.all():
        return series
    return pl.DataFrame([series.alias("x"), pl.Series("k", known)]).select(pl.when("k").then("x")).to_series()


def joined(columns: Sequence[Column]) -> pl.Series:
    """The values of several columns of one dtype, one after the other.

    Example:
        >>> joined([Column.of(pl.Series([1.0])), Column.of(pl.Series([None], dtype=pl.Float64))]).to_list()
        [1.0, None]
    """
    dtype = columns[0].dtype
    if storage(dtype) is object or dtype == pl.Null or any(column.dtype != dtype for column in columns):
        return pl.concat([column.series.alias("x") for column in columns], how="vertical")
    held = [column.arrays for column in columns]
    values = np.concatenate([arrays[0] for arrays in held])
    if all(known is None for _, known in held):
        return decode(values, None, dtype)
    return decode(values, np.concatenate([np.ones(len(v), np.bool_) if k is None else k for v, k in held]), dtype)
