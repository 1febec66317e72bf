"""A folder of files as a source: one page a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.data.columns import FIELDS, find_names
from rustybt.data.files.detect import HINT, clean_name, delimiter_of, numbers, stamps
from rustybt.data.files.paths import asset_of, head_of, paths_of
from rustybt.data.files.record import said_of
from rustybt.data.files.writing import Writing
from rustybt.data.options import Stamp
from rustybt.data.sources import UNREADABLE, unreadable
from rustybt.data.stamps import unplaced
from rustybt.data.text.lines import unfinished
from rustybt.errors import ConfigError, DataError, SourceError
from rustybt.model.source import History, Page, Rate, Terms

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
MOST = 1e20
"""From here on an exact number has no room for its decimals; neither has a price or a volume."""


def open_csv(address: str, **writing: Any) -> tuple[FileSource, tuple[str, ...]]:
    """The source of ``csv:<file, folder or glob>`` and its symbols; settings are those of `Writing`.

    Raises:
        ConfigError: a setting is wrong.
        DataError: there is no such file.
    """
    return _opened("csv", address, (".csv", ".csv.gz", ".txt", ".tsv"), writing)


def open_parquet(address: str, **writing: Any) -> tuple[FileSource, tuple[str, ...]]:
    """The source of ``parquet:<file, folder or glob>`` and its symbols; settings are those of `Writing`.

    Raises:
        ConfigError: a setting is wrong.
        DataError: there is no such file.
    """
    return _opened("parquet", address, (".parquet",), writing)


def _opened(kind: str, address: str, suffixes: tuple[str, ...], writing: Mapping[str, Any]) -> tuple[FileSource, tuple[str, ...]]:
    names = writing.get("names")
    if isinstance(names, str):  # from the command line
        writing = {**writing, "names": [name.strip() for name in names.split(",")]}
    source = FileSource(kind, paths_of(address, suffixes), Writing(**writing), address)
    return source, source.symbols


class FileSource:
    """Files, each with the bars of one asset (its name) or of several (a column). The cursor is the number of the next file.

    Args:
        kind: ``csv`` or ``parquet``.
        paths: of the files.
        writing: how they are written.
        address: the file, folder or glob that the user gave.
    """

    frequencies: Sequence[str] = ()
    rates: Sequence[Rate] = ()
    version = f"polars {pl.__version__}"

    def __init__(self, kind: str, paths: Sequence[str], writing: Writing, address: str) -> None:
        self.name, self._writing = kind, writing
        self._first = 2 if writing.names is None else 1
        self.address, self.options = str(Path(address).absolute()), said_of(writing)
        self._read: Callable[[str], pl.DataFrame] = self._csv if kind == "csv" else _parquet
        self._kept: dict[str, dict[str, pl.DataFrame]] = {}
        self._places: dict[str, list[str]] = {}
        for path in paths:
            for symbol in self._assets(path):
                self._places.setdefault(symbol, []).append(path)

    @property
    def stamp(self) -> Stamp | None:
        """What the user said."""
        return self._writing.stamp

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every asset of the files, sorted."""
        return tuple(sorted(self._places))

    def files(self, symbols: Sequence[str]) -> list[str]:
        """The files of symbols, each once."""
        return list(dict.fromkeys(path for symbol in symbols for path in self._places.get(symbol, ())))

    def terms(self, symbol: str) -> Terms:
        """Files know nothing of their assets but the name."""
        if symbol not in self._places:
            have = f"{len(self._places)} symbols: {', '.join(self.symbols[:5])}"
            raise SourceError(f"there is no file of {symbol!r}", where=f"{self.name}, {symbol!r}", do=f"choose among {have}")
        return Terms("equity")

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:  # noqa: ARG002 -- the door cuts to the span
        """The bars of one file."""
        number, places = int(cursor or 0), self._places[symbol]
        path = places[number]
        frame = self._of(path, symbol)
        if len(places) > 1 or frame["ts"].is_duplicated().any():
            frame = _shortest(frame)
        bars, notes = self._whole(frame, path)
        if self.name == "csv":
            notes += tuple(unfinished([path]))
        return Page(bars, cursor=str(number + 1) if number + 1 < len(places) else None, notes=notes)

    def as_it_is(self, *, texts: bool = False) -> list[tuple[str, pl.LazyFrame]]:
        """The rows of each file in its order, repeated or not, with doubles for numbers.

        Args:
            texts: whether columns with a text that is no number stay texts; else it is an error.
        """
        found = []
        for path in self.files(tuple(self._places)):
            rows = self._shaped(path, self._read(path), texts=texts).drop("line")
            if "asset" not in rows.columns:
                rows = rows.with_columns(pl.lit(asset_of(path)).alias("asset"))
            plain = [name for name in FIELDS if rows.schema[name] == pl.String and rows[name].str.contains(NUMBER).all()]
            found.append((path, rows.with_columns(pl.col(plain).cast(pl.Float64)).lazy()))
        return found

    def place_of(self, symbol: str, field: str, value: float) -> str | None:
        """The file and the line of the first row of an asset with a value, or None."""
        for path in self._places.get(symbol, ()):
            found = self._of(path, symbol).filter(pl.col(field).cast(pl.Float64) == value)
            if found.height:
                return f"{path}, {self._line(int(found['line'][0]) - self._first)}"
        return None

    def places_of_time(self, symbol: str, ts: Any) -> str | None:
        """The files and the lines of the first two rows of an asset at a time, or None."""
        found = []
        for path in self._places.get(symbol, ()):
            lines = self._of(path, symbol).filter(pl.col("ts") == ts)["line"].to_list()
            found += [f"{path}, {self._line(line - self._first)}" for line in lines]
        return " and ".join(found[:2]) or None

    def _of(self, path: str, symbol: str) -> pl.DataFrame:
        """The rows of an asset in a file."""
        frame = self._kept[path].get(symbol) if path in self._kept else None
        return self._shaped(path, self._read(path)) if frame is None else frame

    def _assets(self, path: str) -> list[str]:
        """The assets of a file; one with a column of them is read once and kept by asset."""
        if "asset" not in self._found(path, self._heading(path)):
            return [asset_of(path)]
        frame = self._shaped(path, self._read(path))
        self._kept[path] = {str(key[0]): part.drop("asset") for key, part in frame.partition_by("asset", as_dict=True).items()}
        return list(self._kept[path])

    def _found(self, path: str, have: Sequence[str]) -> dict[str, str]:
        """Our names by those of the file; a date and a time in two columns count as one."""
        lower = {name.lower(): name for name in have}
        columns = dict(self._writing.columns or {})
        if "ts" not in columns and {"date", "time"} <= lower.keys():
            columns["ts"] = lower["date"]
        return find_names(path, have, columns)

    def _shaped(self, path: str, frame: pl.DataFrame, *, texts: bool = False) -> pl.DataFrame:
        """Columns ts, asset where there is one, and exact numbers."""
        found = self._found(path, frame.columns)
        lower = {name.lower(): name for name in frame.columns}
        said = frame[found["ts"]]
        if said.dtype == pl.String:
            if found["ts"].lower() == "date" and "time" in lower:
                said = (said + " " + frame[lower["time"]]).alias(found["ts"])
            said = self._zoned(stamps(said, self._writing.date_format, path, self._first), path, found["ts"])
        elif isinstance(said.dtype, pl.Datetime) and said.dtype.time_zone is None:
            said = self._zoned(said, path, found["ts"])
        if lacking := said.null_count():
            where = f"{path}, {self._line(int(said.is_null().arg_max() or 0))}"
            raise DataError(f"{lacking} rows have no time", where=where, do="repair or drop them")
        columns = [said.rename("ts"), pl.Series("line", range(self._first, frame.height + self._first))]
        if "asset" in found:
            columns.append(self._named(frame[found["asset"]], path))
        for name in FIELDS:
            if name in found:
                column = frame[found[name]]
                columns.append((self._numbers(column, path, name, texts=texts) if column.dtype == pl.String else column).rename(name))
        if "volume" not in found:
            columns.append(pl.repeat("0", frame.height, eager=True).rename("volume"))
        return pl.DataFrame(columns)

    def _named(self, column: pl.Series, path: str) -> pl.Series:
        """Names of assets, none of them empty."""
        names = column.cast(pl.String)
        empty = names.is_null() | (names.str.strip_chars() == "").fill_null(value=True)
        if empty.any():
            where = f"{path}, {self._line(int(empty.arg_max() or 0))}"
            raise DataError(f"{empty.sum()} rows have no asset", where=where, do="repair or drop them")
        return names.rename("asset")

    def _numbers(self, column: pl.Series, path: str, name: str, *, texts: bool) -> pl.Series:
        """Texts of numbers, each of which is one unless other texts are wanted too."""
        found = numbers(column, path, self._writing.decimal)
        wrong = (~found.str.contains(NUMBER)).fill_null(value=False)
        if wrong.any() and texts:
            return found
        if wrong.any():
            row = int(wrong.arg_max() or 0)
            what, where = f"{name} holds {column[row]!r}, which is no number", f"{path}, {self._line(row)}"
            raise DataError(what, where=where, do="repair it, or leave it empty where the value is not known")
        large = (found.cast(pl.Float64).abs() >= MOST).fill_null(value=False)
        if large.any():
            row = int(large.arg_max() or 0)
            what, where = f"{name} holds {column[row]!r}, which is too large", f"{path}, {self._line(row)}, column {column.name!r}"
            raise DataError(what, where=where, do="repair it, or leave it empty where the value is not known")
        return found

    def _line(self, row: int) -> str:
        return f"line {row + self._first}" if self.name == "csv" else f"row {row}"

    def _zoned(self, times: pl.Series, path: str, heading: str) -> pl.Series:
        """Times with their zone: what they carry, what the user says, or what the heading says."""
        if not isinstance(times.dtype, pl.Datetime) or times.dtype.time_zone is not None or self._writing.stamp == "session":
            return times
        zone = self._writing.timezone or ("UTC" if HINT.search(heading.replace("_", " ")) else None)
        if zone is None:
            do = 'if they are UTC, pass timezone="UTC"; else name their zone, such as timezone="America/New_York"'
            raise DataError("the times carry no zone", where=f"{path}, column {heading!r}", do=do)
        try:
            return times.dt.replace_time_zone(zone).dt.convert_time_zone("UTC")
        except pl.exceptions.PolarsError as error:
            raise unplaced(times, zone, path) from error

    def _whole(self, frame: pl.DataFrame, path: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """Rows after the policy for missing values; one for each time."""
        if frame["ts"].is_duplicated().any():
            once = frame.unique([name for name in frame.columns if name != "line"], keep="first", maintain_order=True)
            twice = once.filter(once["ts"].is_duplicated()).sort("ts", "line")
            if twice.height:
                lines = " and ".join(str(line) for line in twice["line"][:2])
                what = f"{twice['ts'].n_unique()} bars came twice with different numbers"
                raise DataError(what, where=f"{path}, lines {lines}, {twice['ts'][0]}", do="keep one row per asset and time")
        lacking = frame.filter(pl.any_horizontal(pl.col(*FIELDS).is_null()))
        rows = frame.drop("line")
        if not lacking.height or self._writing.missing == "flag":
            return rows, ()
        line = int(lacking["line"][0])
        if self._writing.missing == "fail":
            raise DataError(
                f"{lacking.height} rows lack a price or a volume", where=f"{path}, line {line}", do='repair them, or missing="skip"'
            )
        kept = frame.filter(~pl.any_horizontal(pl.col(*FIELDS).is_null())).drop("line")
        return kept, (f"{lacking.height} rows of {Path(path).name} that lack a price or a volume were skipped (first: line {line}).",)

    def _heading(self, path: str) -> list[str]:
        if self.name == "parquet":
            try:
                return list(pl.read_parquet_schema(path))
            except UNREADABLE as error:
                raise unreadable(path, error) from error
        lines = head_of(path)
        mark = self._writing.delimiter or delimiter_of(lines)
        return list(self._writing.names or [clean_name(name.strip('"')) for name in lines[0].split(mark)])

    def _csv(self, path: str) -> pl.DataFrame:
        mark = self._writing.delimiter or delimiter_of(head_of(path))
        try:
            frame = pl.read_csv(path, separator=mark, infer_schema=False, has_header=self._writing.names is None, glob=False)
        except UNREADABLE as error:
            raise unreadable(path, error, mark) from error
        names = list(self._writing.names or [clean_name(name) for name in frame.columns])
        if len(names) != frame.width:
            raise ConfigError(f"names lists {len(names)} columns", where=path, do=f"the file has {frame.width}")
        frame.columns = names
        return frame


def _shortest(frame: pl.DataFrame) -> pl.DataFrame:
    """Numbers without the zeros that say nothing, so that rows can be compared: 10.0 and 10.00 are one."""
    texts = pl.col([name for name in FIELDS if frame.schema[name] == pl.String])
    return frame.with_columns(texts.str.replace(r"(\.\d*?)0+$", "${1}").str.replace(r"\.$", ""))


def _parquet(path: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except UNREADABLE as error:
        raise unreadable(path, error) from error
