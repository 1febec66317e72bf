"""All checks over one source, and what they found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from rustybt._output import written
from rustybt.data.actions import check_named, read_events
from rustybt.data.addresses import FILES, OF_FILES, source_of
from rustybt.data.calendars import Calendar, code_of
from rustybt.data.catalog import Catalog
from rustybt.data.catalog.aside import about_version
from rustybt.data.catalog.damage import damaged
from rustybt.data.catalog.naming import may_be_name
from rustybt.data.catalog.reading import BARS, DAMAGED, events_of, set_aside
from rustybt.data.columns import FIELDS, name_columns
from rustybt.data.options import Options, Stamp
from rustybt.data.placing import checked_keys, checked_numbers
from rustybt.data.quality.aside import Aside, reasons_of
from rustybt.data.quality.coverage import Coverage, coverage_of
from rustybt.data.quality.endings import find_endings
from rustybt.data.quality.findings import SCHEMA, SEVERITY
from rustybt.data.quality.given import lay_events
from rustybt.data.quality.intraday import find_intraday, is_intraday
from rustybt.data.quality.outliers import SPIKES, find_outliers
from rustybt.data.quality.page import render
from rustybt.data.quality.payments import find_payments
from rustybt.data.quality.relations import find_beyond, find_relations
from rustybt.data.quality.restated import find_restated
from rustybt.data.quality.series import find_few, find_repeats
from rustybt.data.quality.temporal import days_of, find_keys, find_moves, find_sessions
from rustybt.data.quality.texts import find_texts, without_texts
from rustybt.data.sources import collect, open_source
from rustybt.data.spans import name_of
from rustybt.data.stamps import utc
from rustybt.errors import ConfigError, DataError
from rustybt.model import Event

SESSION = "__session"
"""Column of a dataset's bars: the day of each, which a name of ours would not bring through the door."""


@dataclass(frozen=True)
class Quality:
    """What was found.

    Attributes:
        rows: how many were checked.
        findings: ``layer, check, severity, asset, ts, detail``, by layer, check, asset and time.
        coverage: which bars there are, by asset and stretch of time.
        source: what was checked, in words.
        calendar: name of the calendar that gaps were looked for against, or empty.
        aside: rows that were set aside when a dataset was ingested; they are not among those that were checked.
    """

    rows: int
    findings: pl.DataFrame
    coverage: Coverage
    source: str = ""
    calendar: str = ""
    aside: Aside = field(default_factory=Aside)

    @property
    def counts(self) -> dict[str, int]:
        """Findings by check, in the order of the layers."""
        found = dict(self.findings["check"].value_counts().iter_rows())
        return {check: found[check] for check in SEVERITY if check in found}

    @property
    def ok(self) -> bool:
        """Whether there is no error and no warning among the rows that were checked."""
        return self.findings.filter(pl.col("severity") != "note").is_empty()

    def page(self, path: str | Path, title: str | None = None) -> Path:
        """Writes an HTML page: coverage by asset and time, every check, the assets and the findings. One file that needs no other.

        Args:
            path: of the file.
            title: what to call the bars; default: the name of the source.

        Raises:
            DataError: the file cannot be written.
        """
        file = Path(path)
        page = render(self, title or self.source or "Bars")
        with written(file, "the page", do="choose a file in a folder that exists", kind=DataError) as part:
            part.write_text(page, encoding="utf-8")
        return file

    def __str__(self) -> str:
        lines = [f"{self.rows} rows, {self.findings.height} findings"]
        for check, count in self.counts.items():
            first = self.findings.filter(pl.col("check") == check).row(0, named=True)
            layer, severity = SEVERITY[check]
            lines.append(
                f"{severity:8}{layer:10}{count:6}  {check} (first: {first['asset']} {first['ts']:%Y-%m-%d %H:%M}, {first['detail']})"
            )
        return "\n".join([*lines, *self.aside.lines()])


def check_bars(
    source: Any,
    *,
    calendar: str | Calendar | None = None,
    stamp: Stamp | None = None,
    interval: str | None = None,
    asset_class: str = "equity",
    timezone: str | None = None,
    columns: Mapping[str, str] | None = None,
    events: Any = None,
) -> Quality:
    """Check bars in four layers: schema, relations within a row, outliers, and time.

    Args:
        source: anything `rustybt.load` takes but a Panel, or files of another form as ``csv:FILE``, as they are; of a dataset of
            the catalog its calendar counts unless another is given.
        calendar: a code or a `rustybt.calendar`, against which gaps are looked for: daily bars stamped with their date, or bars within a
            day; None leaves that check out.
        stamp: whether bars within a day are stamped at their open or close; None: either edge of the trading hours is inside.
        interval: length of bars within a day; None: their usual spacing.
        asset_class: chooses what is a large move.
        timezone: of times that carry none.
        columns: names in the source by our names.
        events: corporate actions, as `rustybt.load` takes them; of a dataset its own count unless others are given. A split among them
            explains its jump, and has to have one; its dividends are checked against the prices.

    Raises:
        DataError: the source or the events cannot be read, a key is null, or an event is of an asset without a row.

    Example:
        >>> from rustybt.data.demo import BARS
        >>> check_bars(BARS, calendar="XNYS").counts
        {'jump like a split': 4}
    """
    given = Options(
        stamp=stamp, calendar=calendar, interval=interval, timezone=timezone, columns=columns, asset_class=asset_class, events=events
    )
    read = read_bars(source, given, texts=True)
    frame, code, where = read.frame, read.calendar, read.name
    ordered = frame.sort("asset", "ts", maintain_order=True)
    laid = lay_events(ordered, read.events or ())
    found = [*find_relations(read.sound), *find_outliers(ordered, asset_class), *find_keys(frame), *find_moves(laid), *find_payments(laid)]
    found += [*find_restated(laid), *find_repeats(ordered), *find_few(ordered), *read.found]
    if code is not None:
        found += find_intraday(ordered, code, stamp, interval) if is_intraday(ordered) else find_sessions(ordered, code)
    rows = pl.concat([part.cast(SCHEMA) for part in found if part.width] or [pl.DataFrame(schema=SCHEMA)])  # type: ignore[arg-type]
    order = pl.Enum(list(SEVERITY))
    layer, severity = ({check: of[place] for check, of in SEVERITY.items()} for place in (0, 1))
    said = pl.col("check").replace_strict(layer, return_dtype=pl.String).alias("layer"), "check"
    bad = pl.col("check").replace_strict(severity, return_dtype=pl.String).alias("severity")
    rows = rows.sort(pl.col("check").cast(order), "asset", "ts").select(*said, bad, "asset", "ts", "detail")
    return Quality(frame.height, rows, coverage_of(ordered, code, interval), where, "" if code is None else name_of(code), read.aside)


@dataclass(frozen=True)
class Read:
    """Bars as they came, by our names: ``ts`` in UTC, ``day`` its date there.

    Attributes:
        frame: the bars.
        calendar: code of their calendar.
        name: what to call them.
        found: what their files tell: ends within a line, texts for numbers and values beyond the scale with their lines.
        events: corporate actions that were given, or that the dataset has; None for neither.
        aside: rows of a dataset that are not among them.
        odd: numbers of rows with a text for a number, which is null there and among what was found.
    """

    frame: pl.DataFrame
    calendar: str | None
    name: str
    found: list[pl.DataFrame]
    events: list[Event] | None = None
    aside: Aside = field(default_factory=Aside)
    odd: tuple[int, ...] = ()

    @property
    def sound(self) -> pl.DataFrame:
        """The rows without texts for numbers."""
        return self.frame.filter(~pl.int_range(pl.len()).is_in(self.odd)) if self.odd else self.frame


def read_bars(source: Any, options: Options, *, texts: bool = False) -> Read:
    """The bars of a source or of a dataset, unchecked but for what a check needs.

    Args:
        source: as for `check_bars`.
        options: likewise.
        texts: whether single texts for numbers are findings rather than an error.

    Raises:
        DataError: the source cannot be read, a key is null, or prices are no numbers.
        ConfigError: the asset class is unknown.
    """
    if options.asset_class not in SPIKES:
        raise ConfigError(f"unknown asset class {options.asset_class!r}", where="asset_class", do=f"use one of {', '.join(SPIKES)}")
    kept = dataset_of(source)
    filed = files_of_source(source, options, texts=texts) if kept is None else None
    opened = open_source(source if kept is None else kept.rows) if filed is None else filed
    where = opened[0][0] or "the frame" if kept is None else kept.name
    options = options if filed is None else replace(options, columns=None, timezone=None)
    code = code_of(options.calendar) or (None if kept is None else kept.calendar)
    frame = collect([(name, name_columns(name, one, options).frame) for name, one in opened])
    if not frame.height:
        raise DataError("the source has no rows", where=where, do="check the file, or the filter that made the frame")
    checked_keys(opened, frame)
    frame, odd = without_texts(frame, opened) if texts else (frame, [])
    checked_numbers(opened, frame)
    for name in FIELDS:
        if not frame[name].dtype.is_numeric():
            raise DataError(f"column {name!r} holds {frame[name].dtype}, not numbers", where=where, do="convert it first")
    stamps, _, _ = utc(frame["ts"], options, where)
    frame = frame.with_columns(stamps.alias("ts"), pl.col("asset").cast(pl.String))
    frame = frame.with_columns(days_of(stamps)) if kept is None else frame.rename({SESSION: "day"})
    events = kept.events if options.events is None and kept is not None else None
    if options.events is not None:
        events = read_events(options.events)
        check_named(events, frame["asset"].unique().to_list())
    if kept is not None:
        return Read(frame, code, where, [], events, kept.aside)
    found = [*find_texts(frame, odd), *find_endings(opened, options), *find_beyond(frame, opened, options.asset_class)]
    return Read(frame, code, where, found, events, odd=tuple(row for row, _ in odd))


def files_of_source(source: Any, options: Options, *, texts: bool = False) -> list[tuple[str, pl.LazyFrame]] | None:
    """The files of ``csv:`` and ``parquet:``, read as they are written and changed in nothing; None for all else.

    Raises:
        DataError: a file cannot be read, or two readings of it are possible.
    """
    from rustybt.data.files import FileSource

    if isinstance(source, str) and source.partition(":")[0] in FILES:
        source, _ = source_of(source, None, {name: getattr(options, name) for name in OF_FILES})
    return source.as_it_is(texts=texts) if isinstance(source, FileSource) else None


@dataclass(frozen=True)
class Kept:
    """A dataset, to be checked: its bars with their `SESSION`, calendar, name, corporate actions, and what was set aside."""

    rows: pl.DataFrame
    calendar: str | None
    name: str
    events: list[Event] | None
    aside: Aside


def dataset_of(source: Any) -> Kept | None:
    """What the catalog has under a name, or None for a source that is no name.

    Bars of a whole session have the date of the session again, as a vendor gives them.
    """
    if not (isinstance(source, str) and may_be_name(source) and not Path(source).exists() and (shelf := Catalog()).exists):
        return None
    version = shelf.find(source)
    folder = shelf.folder(version.snapshot)
    try:
        rows, about = pl.read_parquet(folder / BARS, glob=False), about_version(folder, version)
        aside = set_aside(folder, about)
    except DAMAGED as error:
        raise damaged(shelf, version, error) from error
    if not rows.select(pl.struct("asset", "session").is_duplicated().any()).item():
        rows = rows.with_columns(pl.col("session").alias("ts"))
    rows = rows.rename({"session": SESSION})
    return Kept(rows, about["calendar"], version.name, events_of(about), Aside(reasons_of(aside), version.source))
