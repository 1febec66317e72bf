"""What a snapshot is made of: a panel in memory, or whatever else says the same of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl

from rustybt.data.catalog.arrays import write_arrays
from rustybt.data.catalog.decimals import Bars
from rustybt.data.catalog.files import Summed
from rustybt.data.catalog.reading import ARRAYS, READY, without_adjusted
from rustybt.data.columns import PRICES
from rustybt.model import Asset, Panel
from rustybt.model.panel import Ints

SPANS = ("ts", "row_bar", "offsets", "sessions", "events", "next_session", "session_close")

type File = tuple[str, int, str]
"""Name, bytes and checksum of a file."""
type Files = list[File]
type Spans = list[tuple[str, int, str, str]]
"""Symbol, rows, first and last instant of assets."""


class Content(Bars, Protocol):
    """Bars with all that a snapshot says of them; the names are those of `Panel`."""

    @property
    def snapshot(self) -> str: ...  # noqa: D102 - of the class
    @property
    def calendar(self) -> str | None: ...  # noqa: D102
    @property
    def attached(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def adj_digits(self) -> int: ...  # noqa: D102
    @property
    def columns(self) -> list[str]: ...  # noqa: D102
    @property
    def warnings(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def quarantine(self) -> pl.DataFrame: ...  # noqa: D102

    def spans(self) -> Spans:
        """Of each asset, in order."""

    def write_frame(self, folder: Path) -> File:
        """Write what is opened without any work: the plain columns."""

    def write_arrays(self, folder: Path) -> File:
        """And the grid of the kernel, with the index between both."""


@dataclass(frozen=True)
class OfPanel:
    """A panel as content."""

    whole: Panel

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    @property
    def height(self) -> int:
        """Rows."""
        return self.whole.frame.height

    @property
    def columns(self) -> list[str]:
        """Names of the columns of its frame."""
        return self.whole.frame.columns

    def part(self, rows: slice) -> pl.DataFrame:
        """Some rows."""
        return self.whole.frame[rows]

    def largest(self, name: str) -> int:
        """The ticks of a column that are farthest from zero."""
        ticks: Ints = self.whole.frame[f"ticks_{name}"].to_numpy()
        return max(abs(int(ticks.min())), abs(int(ticks.max())))

    def spans(self) -> Spans:
        """Of each asset, in order."""
        stamps, offsets = self.whole.frame["ts"].to_physical().to_numpy(), self.whole.offsets
        return spans_of(self.whole.assets, offsets, stamps[offsets[:-1]].tolist(), stamps[offsets[1:] - 1].tolist())

    def write_frame(self, folder: Path) -> File:
        """Write the columns that are mapped."""
        import pyarrow as pa

        table = without_adjusted(self.whole.frame, self.whole.adj_digits).rechunk().to_arrow()
        with Summed(folder / READY, quick=True) as ready, pa.ipc.new_file(ready, table.schema) as writer:
            writer.write_table(table)
        return ready.said

    def write_arrays(self, folder: Path) -> File:
        """Write the arrays that are mapped."""
        with Summed(folder / ARRAYS, quick=True) as arrays:
            write_arrays(arrays, {name: array for name in (*SPANS, *PRICES) if (array := getattr(self.whole, name)) is not None})
        return arrays.said


def spans_of(assets: Sequence[Asset], offsets: Ints, firsts: Sequence[int], lasts: Sequence[int]) -> Spans:
    """Symbol, rows, first and last instant of each asset."""
    counts = np.diff(offsets).tolist()
    return [(asset.symbol, n, text_of(a), text_of(b)) for asset, n, a, b in zip(assets, counts, firsts, lasts, strict=True)]


def outline_of(spans: Spans) -> tuple[int, int, str, str]:
    """Rows, assets, and the instants of the first and the last bar."""
    first, last = min(span[2] for span in spans), max(span[3] for span in spans)
    return sum(span[1] for span in spans), len(spans), first, last


def text_of(stamp: int) -> str:
    """An instant as the catalog writes it, in order as a text too: years have four digits."""
    return f"{np.datetime64(stamp, 'us')}Z"


def write_ready(folder: Path, panel: Panel) -> Files:
    """Write the ready form of a panel.

    Returns:
        Its files.
    """
    content = OfPanel(panel)
    return [content.write_frame(folder), content.write_arrays(folder)]
