"""The Parquet file of a snapshot: exact decimals, sorted by asset and time, written and read back a row group at a time.

Decimals of at most 18 digits are whole numbers in the file, which it keeps as differences: a third smaller than long decimals, and twice as
fast to write and to read. Others are kept long.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt.data.blocks import blocks
from rustybt.data.columns import FIELDS
from rustybt.model import Panel
from rustybt.model.panel import Ints

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


class Exact:
    """The prices or volumes of a panel as decimals.

    Args:
        panel: the bars.
        name: ``open`` .. ``volume``.

    Attributes:
        scale: decimals.
        short: whether they have at most `DIGITS` digits.
    """

    def __init__(self, panel: Panel, name: str) -> None:
        setting, scale = ("volume_step", "volume_scale") if name == "volume" else ("tick_size", "price_scale")
        self.name, self.scale = name, max(getattr(asset, scale) for asset in panel.assets)
        self._units = [int(getattr(asset, setting).scaleb(self.scale)) for asset in panel.assets]
        self._ticks, self._codes = panel.frame[f"ticks_{name}"], panel.frame["asset"].to_physical()
        ticks: Ints = self._ticks.to_numpy()
        largest = max(abs(int(ticks.min())), abs(int(ticks.max())))
        self.short = largest * max(self._units) < 10**DIGITS

    def whole(self, part: slice) -> pl.Series:
        """Rows as whole numbers of the last decimal: Int64 where they are short, else Int128."""
        kind = pl.Int64() if self.short else pl.Int128()
        ticks, units = self._ticks[part].cast(kind), pl.Series(self._units, dtype=kind)
        return ticks * (units if len(set(self._units)) == 1 else units.gather(self._codes[part])) if set(self._units) != {1} else ticks

    def arrow(self, part: slice) -> Any:
        """Rows as an Arrow array of decimals."""
        import pyarrow as pa

        whole = self.whole(part)
        if not self.short:
            return whole.reinterpret(dtype=pl.Decimal(38, self.scale)).to_arrow()
        return pa.Array.from_buffers(pa.decimal64(DIGITS, self.scale), len(whole), [None, pa.py_buffer(whole.to_numpy())])


def decimal_frame(panel: Panel) -> pl.DataFrame:
    """Times, assets, exact decimal prices and volume, and the extra columns; sorted by asset and time."""
    keys = panel.frame.select("ts", pl.col("asset").cast(pl.String), "session")
    exact = []
    for found in (Exact(panel, name) for name in FIELDS):
        wide = found.whole(slice(0, panel.frame.height)).cast(pl.Int128)
        exact.append(wide.reinterpret(dtype=pl.Decimal(38, found.scale)).alias(found.name))
    return keys.hstack(exact).hstack(panel.frame.select(panel.trusted).get_columns())


def write_bars(file: Any, panel: Panel) -> None:
    """Write the bars of a panel to an open file."""
    if not all(panel.frame.schema[name] in PLAIN for name in panel.trusted):
        decimal_frame(panel).write_parquet(file, compression="zstd", row_group_size=ROW_GROUP, statistics=True)
        return
    exact = [Exact(panel, name) for name in FIELDS]
    writer = None
    try:
        for part in blocks(panel.frame.height):
            table = _table(panel, exact, part)
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


def same_bars(path: Path, panel: Panel) -> bool:
    """Whether a file holds the bars of a panel, read part by part."""
    exact = [Exact(panel, name) for name in FIELDS]
    rows, found = pl.scan_parquet(path, glob=False), 0
    for part in blocks(panel.frame.height):
        here, want = rows.slice(part.start, part.stop - part.start).collect(), panel.frame[part]
        found += here.height
        if here.height != want.height or not _same(here, want, panel, exact, part):
            return False
    return bool(found == panel.frame.height == rows.select(pl.len()).collect().item())


def _same(here: pl.DataFrame, want: pl.DataFrame, panel: Panel, exact: list[Exact], part: slice) -> bool:
    names = pl.Series(panel.symbols).gather(want["asset"].to_physical())
    return (
        here["ts"].equals(want["ts"], check_dtypes=True)
        and here["session"].equals(want["session"], check_dtypes=True)
        and here["asset"].equals(names)
        and all(here[one.name].to_physical().cast(pl.Int128).equals(one.whole(part).cast(pl.Int128)) for one in exact)
        and all(here[one.name].dtype == pl.Decimal(here[one.name].dtype.precision, one.scale) for one in exact)  # type: ignore[attr-defined]
        and all(here[name].equals(want[name], check_dtypes=True, null_equal=True) for name in panel.trusted)
    )


def _table(panel: Panel, exact: list[Exact], part: slice) -> pa.Table:
    import pyarrow as pa

    rows = panel.frame[part]
    names = pa.DictionaryArray.from_arrays(rows["asset"].to_physical().to_arrow(), pa.array(panel.symbols))
    keys = {"ts": rows["ts"].to_arrow(), "asset": names, "session": rows["session"].to_arrow()}
    return pa.table({**keys, **{one.name: one.arrow(part) for one in exact}, **{name: rows[name].to_arrow() for name in panel.trusted}})
