"""Large plain CSV files a part at a time: the lines that begin in a piece of a file, as columns in memory that is used again and again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.text import read
from rustybt.data.text.read import Plan, Wanted, fill, frame_of, numbers_of, plans_of

AHEAD = 2**12
"""Bytes that are read beyond a piece at first, for the end of its last line."""


@dataclass(frozen=True)
class Piece:
    """Bytes ``start:stop`` of a file; its lines are those that begin there."""

    file: int
    start: int
    stop: int


class Parts:
    """Files that are written alike, cut into pieces.

    Args:
        wanted: the files.
        plans: how each is read.
    """

    def __init__(self, wanted: Sequence[Wanted], plans: Sequence[Plan]) -> None:
        self._wanted, self._kinds = wanted, plans[0].kinds
        self._layouts = [plan.layout(one.origin) for plan, one in zip(plans, wanted, strict=True)]
        self._mine = local()
        self._sizes = [(_heading(one.path), Path(one.path).stat().st_size) for one in wanted]

    def cut(self, times: int = 1) -> list[Piece]:
        """All lines, in the order of the files.

        Args:
            times: how many times larger than usual the pieces are.
        """
        length = times * read.BLOCK
        return [
            Piece(number, start, min(start + length, size))
            for number, (first, size) in enumerate(self._sizes)
            for start in range(first, size, length)
        ]

    @property
    def times(self) -> pl.Series:
        """An empty column of the type of the times."""
        return pl.Series("ts", [], dtype=self._kinds["ts"])

    def frame(self, piece: Piece) -> pl.DataFrame | None:
        """The rows of a piece in the order of their lines, or None where one is not plain or the file is gone; ``asset`` is an Enum.

        The memory is this thread's, and is written into when it asks for the next piece.
        """
        from rustybt.data.text import parse as p

        try:
            text = self._text(piece)
        except OSError:
            text = None
        if text is None:
            return None
        found_in = self._parsed(text, self._layouts[piece.file])
        if found_in is None:
            return None
        rows, seen, lines, known = found_in
        ts, codes, gaps = (array[:lines] for array in (rows.ts, rows.codes, rows.gaps))
        floats, wholes = (array[:, :lines] for array in (rows.floats, rows.wholes))
        if "asset" in self._kinds:
            try:
                found = [bytes(text[at : at + length]).decode() for at, length in seen.names[:known].tolist()]
            except UnicodeDecodeError:
                return None
        else:
            found = [self._wanted[piece.file].alone] if lines else []
            codes[:] = 0
        order = sorted(found)
        if order != found:
            place = np.empty(len(order), np.uint32)
            at = {name: number for number, name in enumerate(found)}
            place[[at[name] for name in order]] = np.arange(len(order), dtype=np.uint32)
            codes = place[codes]
        return frame_of(self._kinds, p.Rows(ts, codes, floats, wholes, gaps), order)

    def _parsed(self, text: np.ndarray[Any, np.dtype[np.uint8]], layout: Any) -> tuple[Any, Any, int, int] | None:
        """Rows of a text, the names in it, and how many there are of both; None where a line is not plain.

        Its lines are counted where there is no memory yet, or too little.
        """
        from rustybt.data.text import parse as p

        counted = not hasattr(self._mine, "seen")
        while True:
            rows, seen = self._room(int(np.count_nonzero(text == read.NEWLINE)) if counted else 0)
            seen.table.fill(-1)
            stop, known, failed = p.parse(text, layout, rows, (0, len(rows.ts)), seen)
            if failed < 0:
                return rows, seen, stop, known
            if counted or stop < len(rows.ts):
                return None
            counted = True

    def _room(self, lines: int) -> tuple[Any, Any]:
        """Arrays for so many rows and the names in them."""
        from rustybt.data.text import parse as p

        if getattr(self._mine, "rows", 0) < lines or not hasattr(self._mine, "seen"):
            height = lines + lines // 8
            floats = np.empty((len(numbers_of(self._kinds, pl.Float64)), height))
            wholes = np.empty((len(numbers_of(self._kinds, pl.Int64)), height), np.int64)
            gaps = np.empty(height, np.uint8 if len(floats) + len(wholes) <= 8 else np.uint64)
            self._mine.room = p.Rows(np.empty(height, np.int64), np.empty(height, np.uint32), floats, wholes, gaps)
            self._mine.rows = height
            self._mine.seen = p.Seen(np.empty((p.NAMES, 2), np.int64), np.empty(p.PLACES, np.int32))
        return self._mine.room, self._mine.seen

    def _text(self, piece: Piece) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
        """The lines that begin in a piece, each with its end; None where the file is shorter by now."""
        first, ahead = max(piece.start - 1, 0), AHEAD
        with Path(self._wanted[piece.file].path).open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            while True:
                want = min(piece.stop + ahead, size) - first
                buffer = self._buffer(want + 1)
                file.seek(first)
                if fill(file, memoryview(buffer)[:want]) < want or size < piece.stop:
                    return None
                last = buffer.find(b"\n", piece.stop - 1 - first, want)
                if last >= 0 or first + want == size:
                    break
                ahead *= 16
        if last < 0:  # a last line without its end
            last = want
            buffer[want] = read.NEWLINE
        begin = buffer.find(b"\n", 0, last + 1) + 1 if piece.start else 0
        return np.frombuffer(buffer, np.uint8)[begin : last + 1] if begin <= last else np.zeros(0, np.uint8)

    def _buffer(self, size: int) -> bytearray:
        if len(getattr(self._mine, "text", b"")) < size:
            self._mine.text = bytearray(size)
        found: bytearray = self._mine.text
        return found


def parts_of(wanted: Sequence[Wanted]) -> Parts | None:
    """Files in parts; None where they are not plain or too small to be worth it.

    Raises:
        PolarsError, OSError: a file cannot be read.
    """
    plans = plans_of(wanted)
    return None if plans is None else Parts(wanted, plans)


def _heading(path: str) -> int:
    """Where the line of names ends."""
    with Path(path).open("rb") as file:
        return len(file.readline())
