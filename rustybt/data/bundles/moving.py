"""Put a bundle into the catalog, read it back, compare every number, and take it out again where one differs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.data.bundles.bundle import Bundle, Kind, find_bundle, name_assets, read_actions
from rustybt.data.bundles.csvdir import read_csvdir
from rustybt.data.bundles.stored import Stored, exact, read_bcolz_daily, read_bcolz_minute, read_hdf5, tick_sizes
from rustybt.data.catalog import Catalog, Version, remove, verify
from rustybt.data.catalog.reading import BARS, QUARANTINE
from rustybt.data.columns import FIELDS
from rustybt.data.download.merging import EVENT_COLUMNS
from rustybt.data.intake import ingest
from rustybt.errors import DataError

type Progress = Callable[[int, int], None]
KEYS = ("asset", "key")


@dataclass(frozen=True)
class Migrated:
    """A bundle that was moved.

    Attributes:
        version: of the dataset.
        report: one row an asset: ``asset, rows, set_aside, first, last``, then ``sum_open .. sum_volume`` (exact, as text) and ``sha256``
            of all numbers: those of the bundle, each found again in the snapshot.
        events: corporate actions that came along.
        empty: rows of zeros of the source, which stand for bars that there were not.
        notes: sentences about what was assumed and left out, and what the door warned of: splits that the prices do not show.
    """

    version: Version
    report: pl.DataFrame
    events: int
    empty: int
    notes: tuple[str, ...]


def migrate(
    folder: str | Path,
    name: str,
    *,
    kind: Kind = "daily",
    catalog: Catalog | str | Path | None = None,
    calendar: str | None = None,
    with_events: bool = True,
    progress: Progress | None = None,
) -> Migrated:
    """Bring a Zipline bundle into the catalog.

    Args:
        folder: of the bundle (its newest ingestion is taken) or of one ingestion, with bcolz tables and SQLite
            databases; an HDF5 file of daily bars; or the folder of a csvdir bundle.
        name: of the dataset.
        kind: ``daily`` or ``minute``.
        catalog: a `Catalog` or its folder; default: the user's.
        calendar: code of the calendar; default: what the bundle says.
        with_events: whether splits and dividends come along. Leave them out where prices are adjusted already.
        progress: called with assets done and all assets.

    Returns:
        The version and a report, every number of which was compared with what the snapshot holds.

    Raises:
        DataError: the bundle cannot be read, or the snapshot does not hold the same; then it was removed again.
        ConfigError: the name is wrong.
        MissingExtraError: ``rustybt[zipline]`` is not installed.
    """
    bundle = find_bundle(Path(folder).expanduser(), kind)
    stored, symbols, events, notes = _read(bundle, progress or (lambda *_: None))
    if not stored.rows.height:
        raise DataError("the bundle has no bar", where=str(bundle.bars), do="ingest it again with Zipline")
    shelf = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    code = calendar or stored.calendar
    source = exact(stored.rows, stored.digits, symbols)
    told: dict[str, Any] = {"stamp": "session" if kind == "daily" else "close", "assets": tick_sizes(stored.digits, symbols)}
    if code is not None:
        told["calendar"] = code
    if with_events and events:
        known = set(source["asset"].unique().to_list())
        told["events"] = pl.DataFrame([event for event in events if event["asset"] in known], schema=EVENT_COLUMNS)
    before = {version.snapshot for version in shelf.versions(name)}
    made = ingest(source, name, catalog=shelf, origin=str(Path(folder).expanduser().absolute()), **told)
    try:
        report = compare(shelf, made, source, kind)
    except BaseException:
        if made.snapshot not in before:
            remove(shelf, made.name)
        raise
    return Migrated(made, report, len(told.get("events", ())), stored.empty, (*notes, *shelf.open(made.name).warnings))


def _read(bundle: Bundle, say: Progress) -> tuple[Stored, dict[int, str], list[dict[str, Any]], Sequence[str]]:
    if bundle.stored == "csvdir":
        found = read_csvdir(bundle)
        return found.stored, found.symbols, found.events, ()
    if bundle.stored == "hdf5":
        stored = read_hdf5(bundle)
    else:
        stored = read_bcolz_daily(bundle) if bundle.kind == "daily" else read_bcolz_minute(bundle, say)
    named = name_assets(bundle.assets, stored.rows["sid"].unique().sort().to_list())
    events, left = read_actions(bundle.adjustments, named.symbols)
    return stored, named.symbols, events, (*named.notes, *left)


def compare(shelf: Catalog, made: Version, source: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """The report of a snapshot that holds what the source holds.

    Args:
        shelf: with the snapshot.
        made: its version.
        source: ``ts, asset, open .. volume``, exact.
        kind: of the bars: days are compared by session.

    Raises:
        DataError: files of the snapshot are damaged, or a row, a sum or a checksum is another.
    """
    damaged = [f"{finding.where[:12]}: {finding.what}" for finding in verify(shelf, made.name)]
    if damaged:
        raise _different(made, damaged)
    folder = shelf.folder(made.snapshot)
    key = pl.col("session" if kind == "daily" else "ts").alias("key")
    kept = pl.read_parquet(folder / BARS, glob=False).select("asset", key, *FIELDS)
    aside = pl.read_parquet(folder / QUARANTINE)
    if aside.height:
        days = pl.col("ts").dt.date() if kind == "daily" else pl.col("ts")
        aside = aside.select("asset", days.alias("key"), *FIELDS)
    wide = {name: pl.Decimal(38, 9) for name in FIELDS}
    parts = [kept.cast(wide), *([aside.cast(wide)] if aside.height else [])]  # type: ignore[arg-type]
    there = pl.concat([part.with_columns(pl.col("asset").cast(pl.String)) for part in parts], how="vertical_relaxed").sort(*KEYS)
    wanted = source.select("asset", pl.col("ts").alias("key"), *FIELDS).cast(wide).sort(*KEYS)  # type: ignore[arg-type]
    left, right = summary(wanted), summary(there)
    wrong = [
        f"{row['asset']}: {name} {row[name]} in the bundle, {other.get(name)} in the snapshot"
        for row, other in ((row, right.get(asset, {})) for asset, row in left.items())
        for name in row
        if row[name] != other.get(name)
    ]
    wrong += [f"{asset} is not in the bundle" for asset in right if asset not in left]
    if wrong:
        raise _different(made, wrong)
    counts = dict(aside.group_by(pl.col("asset").cast(pl.String)).len().iter_rows()) if aside.height else {}
    rows = [{**row, "set_aside": counts.get(asset, 0)} for asset, row in left.items()]
    return pl.DataFrame(rows).select("asset", "rows", "set_aside", pl.exclude("asset", "rows", "set_aside"))


def summary(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """By asset: rows, first and last, the exact sum of every column, and a checksum of all numbers in order."""
    found = {}
    for (asset,), part in rows.group_by(["asset"], maintain_order=True):
        digest = hashlib.sha256(part["key"].to_physical().to_numpy().tobytes())
        for name in FIELDS:
            digest.update(part[name].to_physical().cast(pl.Int64).to_numpy().tobytes())
        sums = {f"sum_{name}": f"{part[name].sum():f}" for name in FIELDS}
        about = {"asset": asset, "rows": part.height, "first": str(part["key"][0]), "last": str(part["key"][-1])}
        found[str(asset)] = {**about, **sums, "sha256": digest.hexdigest()}
    return found


def _different(made: Version, wrong: Sequence[str]) -> DataError:
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return DataError(
        f"the snapshot does not hold what the bundle holds: {'; '.join(wrong[:5])}{more}",
        where=made.name,
        do="it was removed again; please report this with the bundle",
        differences=list(wrong),
    )
