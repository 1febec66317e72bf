"""The Parquet file of a snapshot: exact decimals, sorted by asset and time, written and read back a row group at a time.

Decimals of at most 18 digits are whole numbers in the file, which it keeps as differences: a third smaller than long decimals, and twice as
fast to write and to read. Others are kept long.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from rustybt.data.blocks import blocks
from rustybt.data.columns import FIELDS
from rustybt.model import Asset, Panel

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 65_536
"""Rows of a row group: sorted by asset and time, so that their statistics leave out what a query does not ask for."""
LEVEL = 1
"""Of zstd: of whole numbers kept as differences a higher one takes twice the time for a twentieth of the bytes."""
NUMBERS = (pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64(), pl.Float32(), pl.Float64())
PLAIN = (
    *NUMBERS,
    pl.String(),
    pl.Boolean(),
    pl.Date(),
    *(pl.Datetime(unit, zone) for unit in ("ms", "us", "ns") for zone in (None, "UTC")),
)
"""Types of extra columns that a Parquet file tells without the schema of Arrow."""
DIGITS = 18
"""Of a decimal that is kept as a whole number."""
LONG = 10**DIGITS
"""Ticks that are not."""


class Bars(Protocol):
    """Bars in order of asset and time, wherever they lie.

    Attributes:
        assets: in byte order of their symbols.
        height: rows.
        trusted: names of the extra columns.
        whole: the panel that they are of, where all of it is in memory.
    """

    @property
    def assets(self) -> tuple[Asset, ...]: ...  # noqa: D102 - of the class
    @property
    def height(self) -> int: ...  # noqa: D102
    @property
    def trusted(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def whole(self) -> Panel | None: ...  # noqa: D102

    def part(self, rows: slice) -> pl.DataFrame:
        """Some rows: ``ts``, ``asset``, ``session``, ``ticks_open`` .. ``ticks_volume`` and the extra columns."""

    def largest(self, name: str) -> int:
        """The ticks of a column that are farthest from zero, without their sign."""


class Exact:
    """Prices or volumes as decimals.

    Args:
        assets: in the order of their numbers.
        name: ``open`` .. ``volume``.
        largest: the ticks that are farthest from zero.

    Attributes:
        scale: decimals.
        short: whether they have at most `DIGITS` digits.
    """

    def __init__(self, assets: Sequence[Asset], name: str, largest: int) -> None:
        setting, scale = ("volume_step", "volume_scale") if name == "volume" else ("tick_size", "price_scale")
        self.name, self.scale = name, max(getattr(asset, scale) for asset in assets)
        self._units = [int(getattr(asset, setting).scaleb(self.scale)) for asset in assets]
        self.short = largest * max(self._units) < LONG

    def whole(self, rows: pl.DataFrame) -> pl.Series:
        """Rows as whole numbers of the last decimal: Int64 where they are short, else Int128."""
        kind = pl.Int64() if self.short else pl.Int128()
        ticks, units = rows[f"ticks_{self.name}"].cast(kind), pl.Series(self._units, dtype=kind)
        if set(self._units) == {1}:
            return ticks
        return ticks * (units[:1] if len(set(self._units)) == 1 else units.gather(rows["asset"].to_physical()))

    def arrow(self, rows: pl.DataFrame) -> Any:
        """Rows as an Arrow array of decimals."""
        import pyarrow as pa

        whole = self.whole(rows)
        if not self.short:
            return whole.reinterpret(dtype=pl.Decimal(38, self.scale)).to_arrow()
        return pa.Array.from_buffers(pa.decimal64(DIGITS, self.scale), len(whole), [None, pa.py_buffer(whole.to_numpy())])


def decimal_frame(panel: Panel) -> pl.DataFrame:
    """Times, assets, exact decimal prices and volume, and the extra columns; sorted by asset and time."""
    keys = panel.frame.select("ts", pl.col("asset").cast(pl.String), "session")
    kinds = [Exact(panel.assets, name, LONG) for name in FIELDS]
    exact = [one.whole(panel.frame).reinterpret(dtype=pl.Decimal(38, one.scale)).alias(one.name) for one in kinds]
    return keys.hstack(exact).hstack(panel.frame.select(panel.trusted).get_columns())


def write_bars(file: Any, bars: Bars) -> None:
    """Write bars to an open file."""
    if bars.whole is not None and not all(bars.whole.frame.schema[name] in PLAIN for name in bars.trusted):
        decimal_frame(bars.whole).write_parquet(file, compression="zstd", row_group_size=ROW_GROUP, statistics=True)
        return
    exact = [Exact(bars.assets, name, bars.largest(name)) for name in FIELDS]
    writer = None
    try:
        for part in blocks(bars.height):
            table = _table(bars, exact, part)
            writer = writer or writer_of(file, table.schema, [one.name for one in exact if one.short])
            writer.write_table(table, row_group_size=ROW_GROUP)
    finally:
        if writer is not None:
            writer.close()


def writer_of(file: Any, schema: pa.Schema, short: Sequence[str]) -> Any:
    """What writes tables into a file of bars: times and decimals as differences, the rest by the values that repeat.

    Args:
        file: open, or its path.
        schema: of the tables.
        short: columns of decimals with at most `DIGITS` digits.
    """
    from pyarrow import parquet

    differences = dict.fromkeys(["ts", *short], "DELTA_BINARY_PACKED")
    return parquet.ParquetWriter(
        file, schema, compression="zstd", compression_level=LEVEL, store_decimal_as_integer=True, store_schema=False,
        column_encoding=differences, use_dictionary=[name for name in schema.names if name not in differences],
    )  # fmt: skip


def same_bars(path: Path, bars: Bars) -> bool:
    """Whether a file holds some bars, read part by part."""
    exact = [Exact(bars.assets, name, bars.largest(name)) for name in FIELDS]
    symbols, rows = pl.Series([asset.symbol for asset in bars.assets]), pl.scan_parquet(path, glob=False)

    def same(part: slice) -> bool:
        here, want = rows.slice(part.start, part.stop - part.start).collect(), bars.part(part)
        return here.height == want.height and _same(here, want, exact, symbols, bars.trusted)

    if rows.select(pl.len()).collect().item() != bars.height:
        return False
    with ThreadPoolExecutor(2) as pool:
        return all(pool.map(same, blocks(bars.height)))


def _same(here: pl.DataFrame, want: pl.DataFrame, exact: list[Exact], symbols: pl.Series, trusted: Sequence[str]) -> bool:
    return (
        here["ts"].equals(want["ts"], check_dtypes=True)
        and here["session"].equals(want["session"], check_dtypes=True)
        and here["asset"].equals(symbols.gather(want["asset"].to_physical()))
        and all(here[one.name].dtype == pl.Decimal(here[one.name].dtype.precision, one.scale) for one in exact)  # type: ignore[attr-defined]
        and all(_whole(here[one.name], whole := one.whole(want)).equals(whole) for one in exact)
        and all(here[name].equals(want[name], check_dtypes=True, null_equal=True) for name in trusted)
    )


def _whole(column: pl.Series, like: pl.Series) -> pl.Series:
    """Decimals as whole numbers of a type; null where one is too long for it."""
    return column.to_physical().cast(like.dtype, strict=False)


def _table(bars: Bars, exact: list[Exact], part: slice) -> pa.Table:
    import pyarrow as pa

    rows = bars.part(part)
    names = pa.DictionaryArray.from_arrays(rows["asset"].to_physical().to_arrow(), pa.array([asset.symbol for asset in bars.assets]))
    keys = {"ts": rows["ts"].to_arrow(), "asset": names, "session": rows["session"].to_arrow()}
    return pa.table({**keys, **{one.name: one.arrow(rows) for one in exact}, **{name: rows[name].to_arrow() for name in bars.trusted}})
