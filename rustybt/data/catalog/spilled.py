"""Bars on the disk as a snapshot: the same bytes as of a panel that holds them, made a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.arrow import series_of
from rustybt.data.catalog.arrays import Array, Streamed, write_arrays
from rustybt.data.catalog.content import File, Spans, spans_of
from rustybt.data.catalog.files import Summed
from rustybt.data.catalog.lying import CHUNK, Lying, slices
from rustybt.data.catalog.reading import ARRAYS, READY
from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.exact import nearest_doubles
from rustybt.data.spill import Gathered
from rustybt.model import EVENT_FIELDS, Asset, Panel
from rustybt.model.panel import IDENTITY, identity_of

NO_EVENTS = np.zeros((0, len(EVENT_FIELDS)), np.int64)


class OfSpill:
    """What `rustybt.data.spill` gathered, as content.

    Args:
        found: the bars.
    """

    whole: Panel | None = None
    trusted: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    calendar: str | None = None
    adj_digits = 0

    def __init__(self, found: Gathered) -> None:
        self._rows, self._offsets, self._found = found.rows, found.offsets, found
        self.assets, self.quarantine = found.assets, found.quarantine
        self._symbols = pl.Series("asset", [asset.symbol for asset in found.assets], dtype=pl.Enum([a.symbol for a in found.assets]))
        self.height = found.rows.height

    @property
    def columns(self) -> list[str]:
        """Names of the columns of its frame."""
        return ["ts", "asset", "session", *(f"{kind}{name}" for kind in ("", "ticks_", "adj_", "ticks_adj_") for name in FIELDS)]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about its rows."""
        return self._found.warnings

    @cached_property
    def snapshot(self) -> str:
        """Its identity, as `Panel.snapshot`."""
        digest = identity_of(self.assets, (self.calendar, self.adj_digits, self.trusted), self._offsets, NO_EVENTS)
        for name in IDENTITY:
            for piece in self._pieces(name):
                digest.update(piece)
        return digest.hexdigest()

    def part(self, rows: slice) -> pl.DataFrame:
        """Some rows: keys and ticks."""
        found = {name: series_of(name, self._rows.column(name, rows.start, rows.stop)) for name in IDENTITY}
        keys = [found["ts"].cast(pl.Datetime("us", "UTC")), self._assets(rows), found["session"].cast(pl.Date)]
        return pl.DataFrame([*keys, *(found[f"ticks_{name}"] for name in FIELDS)])

    def largest(self, name: str) -> int:
        """The ticks of a column that are farthest from zero."""
        return self._found.largest[name]

    def spans(self) -> Spans:
        """Of each asset, in order."""
        return spans_of(self.assets, self._offsets, self._found.firsts, self._found.lasts)

    def write_frame(self, folder: Path) -> File:
        """Write the columns that are mapped."""
        with Summed(folder / READY, quick=True, unread=True) as ready:
            self._write_frame(ready)
        return ready.said

    def write_arrays(self, folder: Path) -> File:
        """Write the arrays that are mapped."""
        with Summed(folder / ARRAYS, quick=True) as arrays:
            write_arrays(arrays, self._arrays())
        return arrays.said

    def _write_frame(self, file: Summed) -> None:
        """One batch of Arrow. Its writer is given memory that nobody touches, in whose place the values are written."""
        import pyarrow as pa

        first = self.part(slice(0, 1))
        floats = [series_of(name, np.zeros(1)) for name in FIELDS]
        schema = pl.DataFrame([*first.get_columns()[:3], *floats, *first.get_columns()[3:]]).to_arrow().schema
        symbols = first["asset"].to_arrow().dictionary
        code = schema.field("asset").type.index_type
        untouched = pa.py_buffer(np.empty(self.height * 8, np.uint8))
        columns = []
        for field in schema:
            kind = code if field.name == "asset" else field.type
            column = pa.Array.from_buffers(kind, self.height, [None, untouched.slice(0, self.height * kind.bit_width // 8)])
            columns.append(pa.DictionaryArray.from_arrays(column, symbols, safe=False, ordered=True) if field.name == "asset" else column)
        filled = _Filled(file, untouched, (self._values(name, code.to_pandas_dtype()) for name in schema.names))
        with pa.ipc.new_file(filled, schema) as writer:
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))

    def _values(self, name: str, code: type[Any]) -> Iterator[Array]:
        if name == "asset":
            return (self._assets(rows).to_physical().to_numpy().astype(code, copy=False) for rows in slices(0, self.height, CHUNK))
        return self._doubles(name) if name in FIELDS else self._pieces(name)

    def _pieces(self, name: str) -> Iterator[Array]:
        return (self._rows.column(name, rows.start, rows.stop) for rows in slices(0, self.height, CHUNK))

    def _doubles(self, name: str) -> Iterator[Array]:
        for rows in slices(0, self.height, CHUNK):
            ticks = self._rows.column(f"ticks_{name}", rows.start, rows.stop)
            for asset, some in self._of_assets(rows):
                step = asset.volume_step if name == "volume" else asset.tick_size
                yield nearest_doubles(ticks[some.start - rows.start : some.stop - rows.start], step)

    def _of_assets(self, rows: slice) -> Iterator[tuple[Asset, slice]]:
        """Each asset that has some of the rows, with those."""
        column = int(np.searchsorted(self._offsets, rows.start, side="right")) - 1
        at = rows.start
        while at < rows.stop:
            stop = min(int(self._offsets[column + 1]), rows.stop)
            yield self.assets[column], slice(at, stop)
            at, column = stop, column + 1

    def _assets(self, rows: slice) -> pl.Series:
        edges = np.clip(self._offsets, rows.start, rows.stop)
        counts = edges[1:] - edges[:-1]
        return self._symbols.gather(series_of("", np.repeat(np.arange(len(counts), dtype=np.uint32), counts)))

    def _arrays(self) -> dict[str, Array | Streamed]:
        """Grid and index, as `write_ready` has them of a panel."""
        lying = Lying(self._rows, self._offsets)
        bars, assets = lying.bars, len(self.assets)
        made: dict[str, Array | Streamed] = {
            "ts": lying.ts,
            "row_bar": Streamed(np.dtype(np.int32), (self.height,), lying.row_bar),
            "offsets": self._offsets,
            "sessions": lying.sessions,
            "events": NO_EVENTS,
        }
        for name in PRICES:
            made[name] = Streamed(np.dtype(np.int64), (bars, assets), lying.grid(name))
        return made


class _Filled:
    """A file that takes values wherever it is given memory that was never written.

    Args:
        file: that takes all the rest.
        untouched: that memory.
        columns: the values, in the order in which they are asked for.
    """

    closed = False

    def __init__(self, file: Summed, untouched: Any, columns: Iterator[Iterator[Array]]) -> None:
        self._file, self._columns = file, columns
        self._begin, self._end = untouched.address, untouched.address + untouched.size

    def write(self, data: Any) -> int:
        """Take bytes, or what they stand for."""
        if not self._begin <= getattr(data, "address", 0) < self._end:
            return self._file.write(data)
        count = sum(self._file.write(memoryview(piece).cast("B")) for piece in next(self._columns))
        if count != data.size:
            raise ValueError(f"a column has {count} bytes, not {data.size}")
        return count

    def tell(self) -> int:
        """Bytes so far."""
        return self._file.tell()

    def flush(self) -> None:
        """Give what is held back to the system."""
        self._file.flush()

    def close(self) -> None:
        """The file's owner closes it."""
