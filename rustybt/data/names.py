"""Symbol changes: the rows of one asset under all its names become the rows of one asset, under the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from rustybt.data.actions import place_of
from rustybt.data.hours import DAY
from rustybt.data.timing import Timed
from rustybt.errors import DataError
from rustybt.model import Event

NAMED = "__named"
"""Name of the column that keeps what a row was called, while the rows are put in order."""


@dataclass(frozen=True)
class Names:
    """Names and when they hold.

    Attributes:
        first: first name of an asset by each of its later ones.
        changes: the symbol changes, by date.
    """

    first: dict[str, str]
    changes: tuple[Event, ...]

    def one_name(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame under first names; the names it came with in a column beside."""
        if not self.changes:
            return frame
        named = pl.col("asset").cast(pl.String).alias(NAMED)
        return frame.with_columns(named, named.replace(self.first).alias("asset"))

    def of(self, events: Sequence[Event]) -> list[Event]:
        """The events but the symbol changes, under first names."""
        kept = (event for event in events if event.kind != "rename")
        return [replace(e, asset=self.first.get(e.asset, e.asset), other=self.first.get(e.other or "", e.other)) for e in kept]

    def notes(self, symbols: Sequence[str]) -> list[str]:
        """One sentence for each change of an asset that is there."""
        known = set(symbols)
        said = [(self.first.get(e.asset, e.asset), e) for e in self.changes]
        return [f"{name!r} is the asset named {e.other!r} from {_day(e)} on." for name, e in said if name in known]

    def check(self, timed: Timed) -> Timed:
        """The rows without the names they came with, if these were the asset's at the time.

        Raises:
            DataError: naming the first.
        """
        if not self.changes:
            return timed
        named = timed.keyed.frame[NAMED]
        for event in self.changes:
            too_soon = (named == event.other).to_numpy() & (timed.days < event.ts // DAY)
            too_late = (named == event.asset).to_numpy() & (timed.days >= event.ts // DAY)
            for wrong, name, when in ((too_soon, event.other, "before"), (too_late, event.asset, "on or after")):
                if wrong.any():
                    row = np.datetime64(int(timed.days[int(wrong.argmax())]), "D")
                    raise DataError(
                        f"{name!r} has a bar on {row}, {when} the change of its name",
                        where=place_of(event),
                        do="correct the date, or give the other company another symbol",
                    )
        return replace(timed, keyed=replace(timed.keyed, frame=timed.keyed.frame.drop(NAMED)))


def names_of(events: Sequence[Event]) -> Names:
    """The names that the symbol changes among some events give.

    Raises:
        DataError: a name is taken by two assets, or given up twice.
    """
    changes = sorted((event for event in events if event.kind == "rename"), key=lambda event: event.ts)
    first: dict[str, str] = {}
    left: set[str] = set()
    for event in changes:
        if event.other in first or event.other in left or event.asset in left:
            raise DataError(
                f"{event.asset!r} becomes {event.other!r}, a name that changes twice", where=place_of(event), do="keep one change"
            )
        first[str(event.other)] = first.get(event.asset, event.asset)
        left.add(event.asset)
    return Names(first, tuple(changes))


def _day(event: Event) -> np.datetime64:
    return np.datetime64(event.ts // DAY, "D")
