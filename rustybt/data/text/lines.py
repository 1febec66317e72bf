"""Lines of text files, for messages."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path


def fields_of(path: str, mark: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The fields of each line, with the number of the line that they end on.

    Raises:
        csv.Error: a field is too long.
    """
    with _opened(path) as raw:
        reader = csv.reader(io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline=""), delimiter=mark)
        for fields in reader:
            yield reader.line_num, fields


def line_of_text(path: str, column: str, text: str, mark: str = ",") -> int | None:
    """The first line whose field of a column holds a text, or None.

    Args:
        path: of a text file.
        column: its name in the heading.
        text: to look for.
        mark: between fields.
    """
    try:
        lines = fields_of(path, mark)
        _, heading = next(lines, (0, []))
        at = heading.index(column)
        return next((line for line, fields in lines if len(fields) > at and fields[at] == text), None)
    except (csv.Error, ValueError):
        return None


def line_not_utf8(path: str) -> int | None:
    """The first line with bytes that are not UTF-8, or None."""
    with _opened(path) as raw:
        for number, line in enumerate(raw, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None


def _opened(path: str) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path, "rb") if path.lower().endswith(".gz") else Path(path).open("rb")


def line_too_long(path: str, mark: str = ",") -> int | None:
    """The first line with more fields than the heading has, or None.

    Args:
        path: of a text file.
        mark: between its fields.
    """
    try:
        lines = fields_of(path, mark)
        width = len(next(lines, (0, []))[1])
        return next((line for line, fields in lines if len(fields) > width), None)
    except csv.Error:
        return None


def ends_within_a_line(path: str) -> bool:
    """Whether the last byte of a file is not the end of a line.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _, _ = file.write(b"1,2"), file.flush()
        ...     ends_within_a_line(file.name)
        True
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 1, 0))
        return file.read(1) not in (b"", b"\n", b"\r")


def is_text(path: str) -> bool:
    """Whether a file has lines that can be looked at as they are: packed ones would have to be read."""
    return path.lower().endswith((".csv", ".txt", ".tsv"))


def unfinished(paths: Sequence[str]) -> list[str]:
    """One sentence on text files that end within a line; none on nothing. Other files may be among them, and the empty name of a frame."""
    cut = [path for path in paths if is_text(path) and ends_within_a_line(path)]
    if not cut:
        return []
    which = f"{Path(cut[0]).name} ends" if len(cut) == 1 else f"{len(cut)} files end (first: {Path(cut[0]).name})"
    return [f"{which} within the last line: if it was cut there, its last number is short."]
