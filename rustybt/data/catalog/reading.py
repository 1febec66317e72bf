"""A snapshot's folder as a panel: mapped from its ready form, or built again from its Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.assemble import Ready, assemble
from rustybt.data.attach import attach_to
from rustybt.data.build import scale_rows
from rustybt.data.calendars import sessions
from rustybt.data.catalog.arrays import map_arrays
from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.hours import DAY
from rustybt.data.metadata import Listed, check_known, days_of
from rustybt.data.options import Options
from rustybt.data.rows import Keyed
from rustybt.data.timing import Timed, instant_of
from rustybt.errors import DataError
from rustybt.model import Asset, Event, Panel

BARS, QUARANTINE, DESCRIPTION = "bars.parquet", "quarantine.parquet", "snapshot.json"
READY, ARRAYS = "ready.arrow", "ready.arrays"
GRID, INDEX = "ready-grid.npy", "ready-index.npz"
"""What snapshots have in place of `ARRAYS` that were written before there was such a file."""
DERIVED = (READY, ARRAYS, GRID, INDEX)
"""Files that can be made again from the others."""
DAMAGED = (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError)
SIZES = ("tick_size", "lot_size", "volume_step", "multiplier", "min_notional")
EXACT = ("cash", "price", "part")


def described(folder: Path) -> dict[str, Any]:
    """What a snapshot says of itself."""
    found: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
    return found


def assets_of(about: Mapping[str, Any]) -> tuple[Asset, ...]:
    """The assets of a description."""
    sizes = {text: Decimal(text) for text in {one[name] for one in about["assets"] for name in SIZES if name in one}}
    plain: list[dict[str, Any]] = [{k: sizes[v] if k in SIZES else v for k, v in one.items()} for one in about["assets"]]
    return tuple(Asset(**one) for one in plain)


def events_of(about: Mapping[str, Any]) -> list[Event] | None:
    """The corporate actions of a description."""
    if about["events"] is None:
        return None
    plain: list[dict[str, Any]] = [
        {k: Decimal(v) if k in EXACT and v is not None else v for k, v in one.items()} for one in about["events"]
    ]
    return [Event(**one) for one in plain]


def open_ready(folder: Path, about: Mapping[str, Any]) -> Panel:
    """The whole panel, mapped from the disk: nothing is read before it is used."""
    import pyarrow as pa

    with pa.memory_map(str(folder / READY)) as file:
        frame = pl.DataFrame(pl.from_arrow(pa.ipc.open_file(file).read_all(), rechunk=False))
    if not isinstance(frame.schema["asset"], pl.Enum):  # written as text until the file held the numbers of the assets
        frame = frame.with_columns(pl.col("asset").cast(pl.Enum([one["symbol"] for one in about["assets"]])))
    panel = Panel(
        assets=assets_of(about),
        frame=with_adjusted(frame, about["adj_digits"], about["columns"]),
        warnings=tuple(about["warnings"]),
        quarantine=set_aside(folder, about),
        trusted=tuple(about["trusted"]),
        adj_digits=about["adj_digits"],
        calendar=about["calendar"],
        attached=tuple(about.get("attached", ())),
        **_arrays(folder),
    )
    panel.__dict__["snapshot"] = about["id"]  # the identity is of the content, checked when it was published
    return panel


def set_aside(folder: Path, about: Mapping[str, Any]) -> pl.DataFrame:
    """The rows that were set aside; a file is not read to learn that there are none."""
    return pl.DataFrame() if about.get("aside") == 0 else pl.read_parquet(folder / about.get("quarantine", QUARANTINE))


def _arrays(folder: Path) -> dict[str, Any]:
    """Grid and index. Copy on write: the kernel is compiled for arrays that may be written, and the file stays as it is."""
    if (folder / ARRAYS).is_file():
        return dict(map_arrays(folder / ARRAYS))
    grid = np.asarray(np.load(folder / GRID, mmap_mode="c"))
    with np.load(folder / INDEX) as index:
        return {name: index[name] for name in index.files} | dict(zip(PRICES, grid, strict=True))


def without_adjusted(frame: pl.DataFrame, adj_digits: int) -> pl.DataFrame:
    """A panel's frame without its adjusted columns, where they are the raw ones."""
    return frame if adj_digits else frame.drop(*(f"{kind}_{name}" for kind in ("adj", "ticks_adj") for name in FIELDS))


def with_adjusted(frame: pl.DataFrame, adj_digits: int, columns: Sequence[str]) -> pl.DataFrame:
    """The frame as it was before `without_adjusted`."""
    if adj_digits:
        return frame
    have = {column.name: column for column in frame.get_columns()}
    for kind, raw in (("adj_", ""), ("ticks_adj_", "ticks_")):
        have |= {f"{kind}{name}": have[f"{raw}{name}"].alias(f"{kind}{name}") for name in FIELDS}
    return pl.DataFrame([have[name] for name in columns])


def rebuild(folder: Path, about: Mapping[str, Any], options: Options | None = None) -> Panel:
    """The panel from the Parquet file alone, whole or the part that is asked for.

    Raises:
        DataError: an asset is not there, or no bar lies in the span.
    """
    part = options or Options()
    rows, chosen = pl.scan_parquet(folder / BARS, glob=False), part.selection
    if chosen is not None:
        check_known(chosen, [one["symbol"] for one in about["assets"]], f"dataset {about['id'][:12]}")
        rows = rows.filter(pl.col("asset").is_in(list(chosen)))
    found = rows.filter(_between(part)).collect()
    if not found.height:
        first, last = rows.select(pl.col("session").min(), pl.col("session").max().alias("last")).collect().row(0)
        raise DataError(f"no bar lies between start {part.start} and end {part.end}", do=f"the dataset covers {first} to {last}")
    timed = _timed(found, about["calendar"])
    timed, joined, notes = attach_to(timed, part.attach or {}, about["calendar"], about["trusted"])
    known = {asset.symbol: asset for asset in assets_of(about)}
    assets = tuple(known[symbol] for symbol in timed.keyed.symbols)
    scaled = scale_rows(timed, [Listed(asset) for asset in assets])
    panel = assemble(Ready(timed, scaled, assets, (*about["trusted"], *joined)), events_of(about), None)
    attached = (*about.get("attached", ()), *(part.attach or ()))
    return replace(panel, warnings=(*about["warnings"], *notes), quarantine=set_aside(folder, about), attached=attached)


def _between(part: Options) -> pl.Expr:
    """Rows between start and end, as the door keeps them; row groups that hold none are not read."""
    keep = pl.lit(True)
    for name, sign in (("start", 1), ("end", -1)):
        bound = getattr(part, name)
        if bound is None:
            continue
        instant = instant_of(bound, name)
        column, edge = (
            (pl.col("session"), pl.lit(days_of(bound, name), dtype=pl.Int32).cast(pl.Date))
            if instant is None
            else (pl.col("ts"), pl.lit(instant, dtype=pl.Int64).cast(pl.Datetime("us", "UTC")))
        )
        keep = keep & (column >= edge if sign > 0 else column <= edge)
    return keep


def _timed(frame: pl.DataFrame, calendar: str | None) -> Timed:
    symbols = tuple(sorted(frame["asset"].unique().to_list()))
    frame = frame.with_columns(pl.col("asset").cast(pl.Enum(symbols)))
    codes = frame["asset"].to_physical().to_numpy().astype(np.uint32)
    ts, days = frame["ts"].to_physical().to_numpy(), frame["session"].to_physical().to_numpy()
    spans = None if calendar is None else sessions(calendar, int(ts.min() // DAY), int(ts.max() // DAY))
    return Timed(Keyed(frame.drop("session"), symbols, codes, ts, ()), ts, days, spans, ())
