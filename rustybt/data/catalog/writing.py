"""A panel as a snapshot's folder: one Parquet file of exact decimals, the rows set aside, a description, and the ready form."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rustybt.data.catalog.bars import same_bars, write_bars
from rustybt.data.catalog.content import Content, File, Files
from rustybt.data.catalog.files import Summed, settle_one
from rustybt.data.catalog.reading import BARS, DESCRIPTION, QUARANTINE, assets_of, events_of
from rustybt.errors import DataError
from rustybt.model import Asset, Event

FORMAT = 1
BESIDE = 3
"""Threads at most beside the one that writes the bars; no more than there are processors left, for the bars take longest."""


def write_snapshot(folder: Path, content: Content, events: Sequence[Event] | None) -> Files:
    """Writes every file of a snapshot and reads the bars and the description back.

    Returns:
        Its files, each with the checksum of the bytes that were written.

    Raises:
        DataError: what was read back is not what was to be written.
    """
    with ThreadPoolExecutor(1) as disk, ThreadPoolExecutor(min(BESIDE, max((os.cpu_count() or 1) - 1, 1))) as pool:

        def settled(write: Callable[[Path], File]) -> tuple[File, Future[None]]:
            file = write(folder)
            return file, disk.submit(settle_one, folder / file[0])

        frame = pool.submit(settled, content.write_frame)  # what takes longest begins first
        arrays = pool.submit(settled, content.write_arrays)
        known = pool.submit(lambda: (content.snapshot, content.warnings))
        with Summed(folder / BARS) as bars:
            write_bars(bars, content)
        safe = disk.submit(settle_one, folder / BARS)
        same = same_bars(folder / BARS, content)
        with Summed(folder / QUARANTINE) as aside:
            content.quarantine.write_parquet(aside, compression="zstd")  # type: ignore[arg-type]
        known.result()
        with Summed(folder / DESCRIPTION) as words:
            about = json.dumps(description(content, events), indent=1) + "\n"
            words.write(about.encode())
        said = json.loads(about)
        listed = None if events is None else list(events)
        if not same or assets_of(said) != content.assets or events_of(said) != listed:
            raise DataError(
                "the snapshot reads back differently", where=str(folder), do="leave out extra columns of unusual types: extras=[]"
            )
        made = [frame.result(), arrays.result()]
        for waited in (safe, *(one for _, one in made)):
            waited.result()
        return [*(file.said for file in (bars, aside, words)), *(file for file, _ in made)]


def description(content: Content, events: Sequence[Event] | None) -> dict[str, Any]:
    """What a snapshot says of itself, JSON values."""
    return {
        "format": FORMAT,
        "id": content.snapshot,
        "assets": [_plain(asset) for asset in content.assets],
        "events": None if events is None else [_plain(event) for event in events],
        "calendar": content.calendar,
        "trusted": list(content.trusted),
        "attached": list(content.attached),
        "adj_digits": content.adj_digits,
        "columns": content.columns,
        "warnings": list(content.warnings),
        "aside": content.quarantine.height if content.quarantine.width else 0,
    }


def _plain(item: Asset | Event) -> dict[str, Any]:
    return {name: value if value is None or isinstance(value, (str, int)) else str(value) for name, value in asdict(item).items()}
