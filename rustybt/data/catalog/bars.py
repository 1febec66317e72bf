"""The Parquet file of a snapshot: exact decimals, sorted by asset and time, written and read back a row group at a time.

Decimals of at most 18 digits are whole numbers in the file, which it keeps as differences: a third smaller than long decimals, and twice as
fast to write and to read. Others are kept long.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from rustybt.data.blocks import blocks
from rustybt.data.catalog.decimals import LONG, Bars, Exact
from rustybt.data.columns import FIELDS
from rustybt.model import Panel

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 65_536
"""Rows of a row group: sorted by asset and time, so that their statistics leave out what a query does not ask for."""
LEVEL = 1
"""Of zstd: of whole numbers kept as differences a higher one takes twice the time for a twentieth of the bytes."""
RUNS = 2**8
"""Of rows of one asset, for which the names are compared run by run."""
NUMBERS = (pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64(), pl.Float32(), pl.Float64())
PLAIN = (
    *NUMBERS,
    pl.String(),
    pl.Boolean(),
    pl.Date(),
    *(pl.Datetime(unit, zone) for unit in ("ms", "us", "ns") for zone in (None, "UTC")),
)
"""Types of extra columns that a Parquet file tells without the schema of Arrow."""


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
        and _same_names(here["asset"], want["asset"].to_physical(), symbols)
        and all(one.same(here[one.name], want) for one in exact)
        and all(here[name].equals(want[name], check_dtypes=True, null_equal=True) for name in trusted)
    )


def _same_names(here: pl.Series, codes: pl.Series, symbols: pl.Series) -> bool:
    """Whether names are those of assets by number, which stand in long runs."""
    number = codes.to_numpy()
    edges = [0, *(np.flatnonzero(number[1:] != number[:-1]) + 1).tolist(), len(number)]
    if len(edges) > RUNS:
        return here.equals(symbols.gather(codes))
    runs = itertools.pairwise(edges)
    return here.null_count() == 0 and all((here[begin:end] == symbols[int(number[begin])]).all() for begin, end in runs)


def _table(bars: Bars, exact: list[Exact], part: slice) -> pa.Table:
    import pyarrow as pa

    rows = bars.part(part)
    names = pa.DictionaryArray.from_arrays(rows["asset"].to_physical().to_arrow(), pa.array([asset.symbol for asset in bars.assets]))
    keys = {"ts": rows["ts"].to_arrow(), "asset": names, "session": rows["session"].to_arrow()}
    return pa.table({**keys, **{one.name: one.arrow(rows) for one in exact}, **{name: rows[name].to_arrow() for name in bars.trusted}})
