"""Which sources are large plain CSV files, and which of them can be checked in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rustybt.data.columns import PRICES, Named, name_columns
from rustybt.data.options import Options
from rustybt.data.sources import UNREADABLE, files_of, open_source, stem_of
from rustybt.data.text.lines import unfinished
from rustybt.data.text.parts import Parts, parts_of
from rustybt.data.text.read import Wanted
from rustybt.errors import ConfigError, DataError


@dataclass(frozen=True)
class Plain:
    """A source that can be checked in parts.

    Attributes:
        parts: of its files.
        where: what to name in an error.
        notes: sentences about its columns.
    """

    parts: Parts
    where: str
    notes: tuple[str, ...]


def wanted_of(named: Sequence[tuple[str, Named]]) -> list[Wanted] | None:
    """The columns of files that have all of ours; None where one has not, or is no file."""
    if not all(name and {"ts", *PRICES, "volume"} <= found.origin.keys() for name, found in named):
        return None
    return [Wanted(name, found.origin, stem_of(name)) for name, found in named]


def plain_of(source: Any, options: Options) -> Plain | None:
    """A source in parts; None where it is not plain, or where an option or an extra column takes all rows at once."""
    if not _row_by_row(options) or files_of(source) is None:
        return None
    try:
        named = [(name, name_columns(name, frame, options)) for name, frame in open_source(source, by_head=True)]
        wanted = wanted_of(named)
        parts = None if wanted is None or any(found.extras for _, found in named) else parts_of(wanted)
    except (DataError, ConfigError, *UNREADABLE):  # the door says it
        return None
    notes = dict.fromkeys([*(note for _, found in named for note in found.notes), *unfinished([name for name, _ in named])])
    return None if parts is None else Plain(parts, named[0][0], tuple(notes))


def _row_by_row(options: Options) -> bool:
    """Whether a row can be judged by itself and the one before."""
    among = (options.events, options.attach, options.reference, options.selection, options.start, options.end, options.calendar)
    return all(one is None for one in among) and (options.stamp != "open" or options.interval is not None)
