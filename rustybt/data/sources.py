"""Open a source of bars: files by suffix, or frames of Polars, pandas and Arrow."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.errors import DataError


def _text(path: str) -> pl.LazyFrame:
    from rustybt.data.text.head import scan_by_all

    return scan_by_all(path)


READERS: dict[str, Callable[[str], pl.LazyFrame]] = {
    ".parquet": lambda path: pl.scan_parquet(path, glob=False),
    ".csv": _text,
    ".csv.gz": _text,
    ".arrow": lambda path: pl.scan_ipc(path, glob=False),
    ".ipc": lambda path: pl.scan_ipc(path, glob=False),
    ".feather": lambda path: pl.scan_ipc(path, glob=False),
}
"""How a file is read, by suffix."""
DELIMITED = (".csv", ".csv.gz")
ADDRESS = re.compile(r"[a-z][a-z0-9_-]+:(?!//)")
"""A text that names a source; a letter and a colon is a drive."""

UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, UnicodeDecodeError)


def open_source(source: Any, *, by_head: bool = False) -> list[tuple[str, pl.LazyFrame]]:
    """Named lazy frames: one per file, or a single one for a frame in memory.

    Args:
        source: a path, a glob, a list of them, a Polars frame, a pandas frame or a pyarrow table.
        by_head: whether the types of CSV files may be found from their first rows. Reading a row that is not like those is then an error,
            after which the source has to be opened without.

    Raises:
        DataError: no such file, a glob that matches nothing, an unknown suffix, a file that cannot be read, or an unknown type.
    """
    if isinstance(source, (str, Path)):
        return [(path, _scan(path, by_head)) for path in _paths(str(source))]
    if isinstance(source, (list, tuple)) and source and all(isinstance(s, (str, Path)) for s in source):
        return [(path, _scan(path, by_head)) for item in source for path in _paths(str(item))]
    return [("", frame_of(source).lazy())]


def files_of(source: Any) -> list[str] | None:
    """The files of a source; None where it is a frame in memory, or where `open_source` would refuse it."""
    items = source if isinstance(source, (list, tuple)) else (source,)
    if not items or not all(isinstance(item, (str, Path)) for item in items):
        return None
    try:
        return [path for item in items for path in _paths(str(item))]
    except DataError:
        return None


def frame_of(source: Any) -> pl.DataFrame | pl.LazyFrame:
    """A Polars frame from a frame of any of the known libraries.

    Raises:
        DataError: the type is not known, or its columns cannot be converted.
    """
    if isinstance(source, (pl.DataFrame, pl.LazyFrame)):
        return source
    library = type(source).__module__.split(".")[0]
    try:
        if library == "pandas" and hasattr(source, "reset_index"):
            return pl.DataFrame(pl.from_pandas(_plain_pandas(source)))
        if library == "pyarrow":
            return pl.DataFrame(pl.from_arrow(source))
    except (TypeError, ValueError, ImportError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"the {library} frame cannot be converted: {first_line(error)}", do="give plain numeric and time columns"
        ) from error
    raise DataError(
        f"bars cannot be read from a {type(source).__name__}",
        do="give a path or glob of Parquet, CSV or Arrow files, a Polars or pandas frame, a pyarrow table, a Panel, or the word 'demo'",
    )


def collect(named: Sequence[tuple[str, pl.LazyFrame]]) -> pl.DataFrame:
    """Reads the lazy frames into one; an error names the file that caused it."""
    try:
        if len(named) == 1:
            return named[0][1].collect()
        return pl.concat([frame for _, frame in named], how="diagonal_relaxed").collect()
    except UNREADABLE as error:
        for name, frame in named:
            try:
                frame.collect()
            except UNREADABLE as cause:
                raise unreadable(name, cause) from cause
        files = f"{named[0][0]} and {len(named) - 1} more"
        raise DataError(
            f"the files do not fit together: {first_line(error)}", where=files, do="give their columns the same types"
        ) from error


def schema_of(name: str, frame: pl.LazyFrame) -> pl.Schema:
    """The columns of one source, without reading its rows."""
    try:
        return frame.collect_schema()
    except UNREADABLE as error:
        raise unreadable(name, error) from error


def unreadable(name: str, error: BaseException, mark: str = ",") -> DataError:
    """The one message for a source that fails while it is read.

    Args:
        name: of its file; empty for a frame.
        error: of who read it.
        mark: between the fields of a text file.
    """
    if not name:
        return DataError(f"the frame cannot be evaluated: {first_line(error)}", do="make the lazy frame collect on its own first")
    from rustybt.data.text.failures import failure_of

    return failure_of(name, error, mark) or DataError(
        f"the file cannot be read: {first_line(error)}", where=name, do="check that it is complete and of the type that its suffix says"
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def suffix_of(path: str) -> str | None:
    """The known suffix that a path ends with."""
    return next((suffix for suffix in READERS if path.lower().endswith(suffix)), None)


def stem_of(path: str) -> str:
    """The file name without its known suffix: the asset of a file that holds a single one.

    Example:
        >>> stem_of("data/BRK.B.csv.gz")
        'BRK.B'
    """
    return Path(path).name[: -len(suffix_of(path) or "")]


def _paths(text: str) -> list[str]:
    if not text.strip():
        raise DataError(
            "the name of the data is empty", where="data", do="name a file or a dataset; the word 'demo' gives the embedded set"
        )
    if Path(text).is_file():
        return [text]
    if Path(text).is_dir():
        kind = "csv" if any(suffix_of(path.name) in DELIMITED for path in Path(text).iterdir()) else "parquet"
        do = f"give a glob, for example '{text.rstrip('/')}/*.{kind}', or ingest {kind}:{text}, which names the assets by their files"
        raise DataError("the source is a folder", where=text, do=do)
    if any(mark in text for mark in "*?["):
        matches = glob.glob(text, recursive=True)  # noqa: PTH207 -- Path.glob takes no absolute pattern
        found = sorted(path for path in matches if Path(path).is_file())
        if not found:
            raise DataError("the glob matches no file", where=text, do="check the folder and the pattern")
        return found
    if ADDRESS.match(text):
        do = f"keep its bars first: rustybt ingest {text} --name NAME, then give NAME"
        raise DataError(f"{text!r} is a source, not a file or a dataset", where=text, do=do)
    raise DataError("no such file", where=text, do="check the path; the word 'demo' gives the embedded set")


def _scan(path: str, by_head: bool) -> pl.LazyFrame:
    suffix = suffix_of(path)
    if suffix is None:
        raise DataError(f"unknown file type {Path(path).suffix!r}", where=path, do=f"use one of {', '.join(READERS)}")
    if Path(path).stat().st_size == 0:
        raise DataError("the file is empty", where=path, do="check that it was written completely")
    try:
        return _scan_text(path, suffix, by_head) if suffix in DELIMITED else READERS[suffix](path)
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def _scan_text(path: str, suffix: str, by_head: bool) -> pl.LazyFrame:
    """A text file, whose dates mean one thing."""
    from rustybt.data.text.dates import refuse_ambiguous
    from rustybt.data.text.head import scan_by_head, start_of

    quick = scan_by_head(path) if by_head else None
    frame = READERS[suffix](path) if quick is None else quick
    refuse_ambiguous(path, start_of(path), frame)
    return frame


def _plain_pandas(frame: Any) -> Any:
    if getattr(frame.columns, "nlevels", 1) > 1:
        raise DataError(
            "the pandas frame has columns of several levels", do='bring the assets into rows first: frame.stack(level="Ticker")'
        )
    if any(name is not None for name in frame.index.names) or type(frame.index).__name__ == "DatetimeIndex":
        frame = frame.rename_axis(index=[name or "ts" for name in frame.index.names]).reset_index()
    return frame.rename(columns=str)
