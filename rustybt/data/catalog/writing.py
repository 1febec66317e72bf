"""A panel as a snapshot's folder: one Parquet file of exact decimals, the rows set aside, a description, and the ready form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rustybt.data.catalog.arrays import write_arrays
from rustybt.data.catalog.bars import same_bars, write_bars
from rustybt.data.catalog.files import Summed
from rustybt.data.catalog.reading import ARRAYS, BARS, DESCRIPTION, QUARANTINE, READY, assets_of, events_of, without_adjusted
from rustybt.data.columns import PRICES
from rustybt.errors import DataError
from rustybt.model import Asset, Event, Panel

FORMAT = 1
SPANS = ("ts", "row_bar", "offsets", "sessions", "events", "next_session", "session_close")

type Files = list[tuple[str, int, str]]
"""Name, bytes and SHA-256 of files."""


def write_snapshot(folder: Path, panel: Panel, events: Sequence[Event] | None) -> Files:
    """Writes every file of a snapshot and reads the bars and the description back.

    Returns:
        Its files, each with the checksum of the bytes that were written.

    Raises:
        DataError: what was read back is not what was to be written.
    """
    with ThreadPoolExecutor(2) as pool:  # beside the bars, on other processors
        known = pool.submit(lambda: panel.snapshot)
        ready = pool.submit(write_ready, folder, panel)
        with Summed(folder / BARS) as bars:
            write_bars(bars, panel)
        with Summed(folder / QUARANTINE) as aside:
            panel.quarantine.write_parquet(aside, compression="zstd")  # type: ignore[arg-type]
        known.result()
        with Summed(folder / DESCRIPTION) as words:
            about = json.dumps(description(panel, events), indent=1) + "\n"
            words.write(about.encode())
        said = json.loads(about)
        listed = None if events is None else list(events)
        if not same_bars(folder / BARS, panel) or assets_of(said) != panel.assets or events_of(said) != listed:
            raise DataError(
                "the snapshot reads back differently", where=str(folder), do="leave out extra columns of unusual types: extras=[]"
            )
        return [*(file.said for file in (bars, aside, words)), *ready.result()]


def description(panel: Panel, events: Sequence[Event] | None) -> dict[str, Any]:
    """What a snapshot says of itself, JSON values."""
    return {
        "format": FORMAT,
        "id": panel.snapshot,
        "assets": [_plain(asset) for asset in panel.assets],
        "events": None if events is None else [_plain(event) for event in events],
        "calendar": panel.calendar,
        "trusted": list(panel.trusted),
        "attached": list(panel.attached),
        "adj_digits": panel.adj_digits,
        "columns": panel.frame.columns,
        "warnings": list(panel.warnings),
        "aside": panel.quarantine.height if panel.quarantine.width else 0,
    }


def write_ready(folder: Path, panel: Panel) -> Files:
    """The form that is opened without any work: plain columns, the grid of the kernel, and the index between them.

    Returns:
        Its files.
    """
    import pyarrow as pa

    table = without_adjusted(panel.frame, panel.adj_digits).rechunk().to_arrow()
    with Summed(folder / READY) as ready, pa.ipc.new_file(ready, table.schema) as writer:
        writer.write_table(table)
    with Summed(folder / ARRAYS) as arrays:
        write_arrays(arrays, {name: array for name in (*SPANS, *PRICES) if (array := getattr(panel, name)) is not None})
    return [ready.said, arrays.said]


def _plain(item: Asset | Event) -> dict[str, Any]:
    return {name: value if value is None or isinstance(value, (str, int)) else str(value) for name, value in asdict(item).items()}
