"""Large plain CSV files as columns: cut into blocks of whole lines, which threads read into their place in arrays made once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from rustybt.data.arrow import series_of
from rustybt.data.text.head import Moments, head_of
from rustybt.data.text.native import compiles

if TYPE_CHECKING:
    from rustybt.data.text.parse import Layout, Rows

WORTH = 2**25
"""Bytes of files that are read here; fewer are not worth loading the compiled code for."""
BLOCK = 2**22
THREADS = 4
MOST = 64
"""Columns of numbers."""
NEWLINE = 10


@dataclass(frozen=True)
class Wanted:
    """A file and what is wanted of it.

    Args:
        path: of the file.
        origin: columns of the file by our names, in the order in which they are wanted.
        alone: the asset of a file without a column of assets.
    """

    path: str
    origin: Mapping[str, str]
    alone: str


@dataclass(frozen=True)
class Block:
    """Whole lines of a file: ``start:stop`` of its bytes, the row of the first, and the row after the last."""

    file: int
    start: int
    stop: int
    row: int
    end: int


def read_plain(wanted: Sequence[Wanted], tell: Callable[[int], None] | None = None) -> pl.DataFrame | None:
    """The columns of files that are written alike, or None where one is not plain or they are too small to be worth it.

    Args:
        wanted: the files. Their columns have the same names here, in one order.
        tell: called with the bytes of each block that is read, by several threads.

    Returns:
        The rows in the order of the files and lines; ``asset`` is an Enum in byte order.

    Raises:
        PolarsError, OSError: a file cannot be read.
    """
    plans = plans_of(wanted)
    return None if plans is None else _Reading(wanted, plans, tell).frame()


def plans_of(wanted: Sequence[Wanted]) -> list[Plan] | None:
    """How files are read that are written alike; None where one is not plain or they are too small to be worth it.

    Raises:
        PolarsError, OSError: a file cannot be read.
    """
    if not wanted or not compiles() or sum(Path(one.path).stat().st_size for one in wanted) < WORTH:
        return None
    plans = [plan_of(one) for one in wanted]
    first = plans[0]
    if first is None or any(plan is None or plan.kinds != first.kinds for plan in plans):
        return None
    return [plan for plan in plans if plan is not None]


@dataclass(frozen=True)
class Plan:
    """How a file is read: kinds by our names, then the columns of the file as `Layout` has them."""

    kinds: dict[str, Any]
    columns: list[str]
    moments: Moments

    def layout(self, origin: Mapping[str, str]) -> Layout:
        """As the compiled code takes it."""
        from rustybt.data.text import parse as p

        ours = {theirs: name for name, theirs in origin.items()}
        kinds = {pl.Float64: p.FLOAT, pl.Int64: p.WHOLE, pl.String: p.ASSET}
        places = {name: number for kind in (pl.Float64, pl.Int64) for number, name in enumerate(numbers_of(self.kinds, kind))}
        found = [p.SKIPPED if (name := ours.get(column)) is None else kinds.get(self.kinds[name], p.MOMENT) for column in self.columns]
        tail = np.frombuffer(f"{self.moments.fraction}{self.moments.zone}".encode(), np.uint8)
        where = [places.get(ours.get(column, ""), 0) for column in self.columns]
        return p.Layout(np.array(found), np.array(where), ord(self.moments.mark or "\0"), tail)


def numbers_of(kinds: Mapping[str, Any], kind: Any) -> list[str]:
    """Columns of one kind, in the order of `Rows`."""
    return [name for name, dtype in kinds.items() if dtype == kind]


def plan_of(one: Wanted) -> Plan | None:
    """How a file is read, or None where it is not plain.

    Raises:
        PolarsError, OSError: it cannot be read.
    """
    if not one.path.lower().endswith(".csv"):
        return None
    with Path(one.path).open("rb") as file:
        heading = file.readline()
    head = head_of(one.path)
    if head is None or head.moments is None or one.origin["ts"] not in head.moments or b'"' in heading or not heading.isascii():
        return None
    kinds: dict[str, Any] = {name: head.schema[theirs] for name, theirs in one.origin.items()}
    plain = [dtype in (pl.Float64, pl.Int64) for name, dtype in kinds.items() if name not in ("ts", "asset")]
    if (
        not all(plain)
        or len(plain) > MOST
        or kinds.get("asset", pl.String()) != pl.String
        or len(set(one.origin.values())) < len(one.origin)
    ):
        return None
    moments = head.moments[one.origin["ts"]]
    kinds["ts"] = pl.Date() if not moments.mark else pl.Datetime("us", "UTC" if moments.zone else None)
    return Plan(kinds, head.schema.names(), moments)


class _Reading:
    """One reading of files."""

    def __init__(self, wanted: Sequence[Wanted], plans: Sequence[Plan], tell: Callable[[int], None] | None = None) -> None:
        self.wanted, self.kinds, self.tell = wanted, plans[0].kinds, tell
        self.layouts = [plan.layout(one.origin) for plan, one in zip(plans, wanted, strict=True)]
        self.symbols: dict[str, int] = {}
        self.lock = Lock()

    def frame(self) -> pl.DataFrame | None:
        from rustybt.data.text.parse import Rows

        with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
            blocks, height = self._cut(pool)
            if not height:
                return None
            floats = np.empty((len(numbers_of(self.kinds, pl.Float64)), height))
            wholes = np.empty((len(numbers_of(self.kinds, pl.Int64)), height), np.int64)
            gaps = np.empty(height, np.uint8 if len(floats) + len(wholes) <= 8 else np.uint64)
            rows = Rows(np.empty(height, np.int64), np.empty(height, np.uint32), floats, wholes, gaps)
            if not all(pool.map(lambda block: self._read(block, rows), blocks)):
                return None
        return self._columns(rows)

    def _cut(self, pool: ThreadPoolExecutor) -> tuple[list[Block], int]:
        """Blocks that end with a line; none where a heading is longer than a block, or a file changes meanwhile."""
        sizes = [Path(one.path).stat().st_size for one in self.wanted]
        pieces = [(number, start, min(start + BLOCK, size)) for number, size in enumerate(sizes) for start in range(0, size, BLOCK)]
        blocks, row, begin = list[Block](), 0, 0
        for (number, start, stop), counted in zip(pieces, pool.map(self._count, pieces), strict=True):
            if counted is None or (start == 0 and not counted[0]):
                return [], 0
            lines, heading, last = counted
            if start == 0:
                begin, lines = heading, lines - 1  # the line of names is no row
            if stop == sizes[number]:
                lines += last < stop  # a last line without its end
                last = stop
            if lines:
                blocks.append(Block(number, begin, last, row, row + lines))
                begin, row = last, row + lines
        return blocks, row

    def _count(self, piece: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """Lines that end in a piece of a file, and where the first and the last of them end; None where the file is shorter by now."""
        number, start, stop = piece
        text = bytes_of(self.wanted[number].path, start, stop)
        if len(text) < stop - start:
            return None
        ends = text == NEWLINE
        lines = int(np.count_nonzero(ends))
        return lines, start + int(ends.argmax()) + 1, stop - int(ends[::-1].argmax()) if lines else start

    def _read(self, block: Block, rows: Rows) -> bool:
        """Whether a block is plain; then its rows are in their place."""
        from rustybt.data.text import parse as p

        text = bytes_of(self.wanted[block.file].path, block.start, block.stop, ending=True)
        seen = p.Seen(np.empty((p.NAMES, 2), np.int64), np.full(p.PLACES, -1, np.int32))
        stop, known, failed = p.parse(text, self.layouts[block.file], rows, (block.row, block.end), seen)
        if failed >= 0 or stop != block.end:  # not plain, or another process changed the file meanwhile
            return False
        if self.tell is not None:
            self.tell(block.stop - block.start)
        mine = slice(block.row, stop)
        if "asset" not in self.kinds:
            rows.codes[mine] = self._numbers([self.wanted[block.file].alone])[0]
            return True
        try:
            found = [bytes(text[at : at + length]).decode() for at, length in seen.names[:known].tolist()]
        except UnicodeDecodeError:
            return False
        rows.codes[mine] = self._numbers(found)[rows.codes[mine]]
        return True

    def _numbers(self, names: list[str]) -> np.ndarray[Any, np.dtype[np.uint32]]:
        with self.lock:
            return np.array([self.symbols.setdefault(name, len(self.symbols)) for name in names], np.uint32)

    def _columns(self, rows: Rows) -> pl.DataFrame:
        order = sorted(self.symbols)
        place = np.empty(len(order), np.uint32)
        place[[self.symbols[name] for name in order]] = np.arange(len(order), dtype=np.uint32)
        codes = rows.codes if (place == np.arange(len(place))).all() else place[rows.codes]
        return frame_of(self.kinds, rows._replace(codes=codes), order)


def frame_of(kinds: Mapping[str, Any], rows: Rows, order: Sequence[str]) -> pl.DataFrame:
    """Rows as columns that share their memory.

    Args:
        kinds: by our names, in the order that is wanted.
        rows: their codes are places in the order of the names.
        order: names of the assets in byte order.
    """
    made = {"asset": pl.Series("asset", order, dtype=pl.Enum(order)).gather(pl.Series(rows.codes))}
    ts = series_of("ts", rows.ts)
    made["ts"] = ts.cast(kinds["ts"]) if kinds["ts"] != pl.Date else ts.cast(pl.Datetime("us")).cast(pl.Date)
    empty = bool(rows.gaps.any())
    numbers = [*numbers_of(kinds, pl.Float64), *numbers_of(kinds, pl.Int64)]
    for bit, (name, values) in enumerate(zip(numbers, (*rows.floats, *rows.wholes), strict=True)):
        lacking = (rows.gaps >> rows.gaps.dtype.type(bit)) & rows.gaps.dtype.type(1) if empty else None
        made[name] = series_of(name, values, lacking if lacking is not None and lacking.any() else None)
    names = list(kinds)
    return pl.DataFrame([made[name] for name in (names if "asset" in kinds else [names[0], "asset", *names[1:]])])


def bytes_of(path: str, start: int, stop: int, *, ending: bool = False) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Bytes of a file; with ``ending`` a last line without its end gets one."""
    found = bytearray(stop - start + ending)
    with Path(path).open("rb", buffering=0) as file:
        file.seek(start)
        size = fill(file, memoryview(found)[: stop - start])
    if ending and not found.endswith(b"\n", 0, size):
        found[size], size = NEWLINE, size + 1
    return np.frombuffer(found, np.uint8)[:size]


def fill(file: Any, into: memoryview) -> int:
    """Read until nothing is left to fill or to read; how many bytes."""
    done = 0
    while done < len(into) and (count := file.readinto(into[done:])):
        done += count
    return done
