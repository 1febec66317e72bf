"""What the user says of how files are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rustybt.data.options import Stamp
from rustybt.errors import ConfigError

type Missing = Literal["fail", "skip", "flag"]
POLICIES = ("fail", "skip", "flag")


@dataclass(frozen=True)
class Writing:
    """How files are written; what is None is found out.

    Args:
        delimiter: between columns.
        date_format: of dates or times, as in `strftime`.
        timezone: of times that carry none.
        columns: names in the file by ours.
        decimal: the mark before decimals.
        names: of the columns of files without a heading, in order.
        missing: rows with a missing price or volume: ``fail``, ``skip`` them and say how many, or ``flag``: the door sets them aside.
        stamp: as in `rustybt.load`.
    """

    delimiter: str | None = None
    date_format: str | None = None
    timezone: str | None = None
    decimal: str | None = None
    columns: Mapping[str, str] | None = None
    names: Sequence[str] | None = None
    missing: Missing = "flag"
    stamp: Stamp | None = None

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise ConfigError(f"decimal {self.decimal!r} is no mark of decimals", where="decimal", do='write "." or ","')
        if self.missing not in POLICIES:
            raise ConfigError(f"unknown way {self.missing!r} to treat missing values", where="missing", do=f"use {', '.join(POLICIES)}")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise ConfigError(f"delimiter {self.delimiter!r} is not one mark", where="delimiter", do='write it like ";"')
