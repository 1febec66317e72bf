"""A panel as a snapshot's folder: one Parquet file of exact decimals, the rows set aside, a description, and the ready form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.catalog.arrays import write_arrays
from rustybt.data.catalog.reading import ARRAYS, BARS, DESCRIPTION, QUARANTINE, READY, rebuild, without_adjusted
from rustybt.data.columns import FIELDS, PRICES
from rustybt.errors import DataError
from rustybt.model import Asset, Event, Panel

FORMAT = 1
ROW_GROUP = 65_536
"""Rows of a row group: sorted by asset and time, so that their statistics leave out what a query does not ask for."""
SPANS = ("ts", "row_bar", "offsets", "sessions", "events", "next_session", "session_close")


def write_snapshot(folder: Path, panel: Panel, events: Sequence[Event] | None) -> dict[str, Any]:
    """Writes every file of a snapshot and reads the Parquet file back.

    Returns:
        The description.

    Raises:
        DataError: what was read back is not what was to be written.
    """
    about = description(panel, events)
    decimal_frame(panel).write_parquet(folder / BARS, compression="zstd", row_group_size=ROW_GROUP, statistics=True)
    panel.quarantine.write_parquet(folder / QUARANTINE, compression="zstd")
    (folder / DESCRIPTION).write_text(json.dumps(about, indent=1) + "\n")
    again = rebuild(folder, about)
    if again.snapshot != panel.snapshot:
        raise DataError("the snapshot reads back differently", where=str(folder), do="leave out extra columns of unusual types: extras=[]")
    write_ready(folder, panel)
    return about


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


def write_ready(folder: Path, panel: Panel) -> None:
    """The form that is opened without any work: plain columns, the grid of the kernel, and the index between them."""
    without_adjusted(panel.frame, panel.adj_digits).rechunk().write_ipc(
        folder / READY, compression="uncompressed", record_batch_size=max(panel.frame.height, 1)
    )
    write_arrays(folder / ARRAYS, {name: array for name in (*SPANS, *PRICES) if (array := getattr(panel, name)) is not None})


def decimal_frame(panel: Panel) -> pl.DataFrame:
    """Times, assets, exact decimal prices and volume, and the extra columns; sorted by asset and time."""
    counts = np.diff(panel.offsets)
    steps = {"volume": ("volume_step", max(asset.volume_scale for asset in panel.assets))}
    steps |= dict.fromkeys(PRICES, ("tick_size", max(asset.price_scale for asset in panel.assets)))
    exact = []
    for name, (setting, scale) in steps.items():
        units = pl.Series([int(getattr(asset, setting).scaleb(scale)) for asset in panel.assets], dtype=pl.Int128)
        each = units.gather(pl.Series(np.repeat(np.arange(len(panel.assets)), counts)))
        whole = panel.frame[f"ticks_{name}"].cast(pl.Int128) * each
        exact.append(whole.reinterpret(dtype=pl.Decimal(38, scale)).alias(name))
    ordered = {column.name: column for column in exact}
    keys = panel.frame.select("ts", pl.col("asset").cast(pl.String), "session")
    return keys.hstack([ordered[name] for name in FIELDS]).hstack(panel.frame.select(panel.trusted).get_columns())


def _plain(item: Asset | Event) -> dict[str, Any]:
    return {name: value if value is None or isinstance(value, (str, int)) else str(value) for name, value in asdict(item).items()}
