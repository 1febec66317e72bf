"""What changed between two snapshots: which bars, which field, by how much."""

from __future__ import annotations

from itertools import groupby

import polars as pl

from rustybt.data.catalog.damage import damaged
from rustybt.data.catalog.reading import BARS, DAMAGED
from rustybt.data.catalog.store import Catalog, Version
from rustybt.data.columns import FIELDS

KEYS = ["ts", "asset"]


def diff(catalog: Catalog, before: str, after: str | None = None) -> pl.DataFrame:
    """Bars that were added, removed or changed.

    Args:
        catalog: where to look.
        before: ``name`` or ``name@snapshot``.
        after: the same; None compares the newest snapshot of ``before``'s dataset with the one before it (or with ``before``, when that
            names a snapshot).

    Returns:
        Sorted by asset, ts and field: ``asset, ts, change`` (added, removed, changed), ``field``, exact decimals ``before, after,
        difference``.

    Raises:
        DataError: there is no such dataset or snapshot, or one is damaged.
    """
    first, last = _pair(catalog, before, after)
    old, new = _rows(catalog, first), _rows(catalog, last)
    both = old.join(new, on=KEYS, how="full", suffix="_new", coalesce=False)
    gone, come = pl.col("asset_new").is_null(), pl.col("asset").is_null()
    change = pl.when(come).then(pl.lit("added")).when(gone).then(pl.lit("removed")).otherwise(pl.lit("changed")).alias("change")
    keys = [pl.coalesce("asset", "asset_new").alias("asset"), pl.coalesce("ts", "ts_new").alias("ts"), change]
    wide = pl.Decimal(38, 18)
    parts = [
        both.select(
            *keys,
            pl.lit(name).alias("field"),
            pl.col(name).cast(wide).alias("before"),
            pl.col(f"{name}_new").cast(wide).alias("after"),
        ).filter(pl.col("before").ne_missing(pl.col("after")))
        for name in FIELDS
    ]
    found = pl.concat(parts).with_columns((pl.col("after") - pl.col("before")).alias("difference")).sort("asset", "ts", "field")
    try:
        return found.collect()
    except DAMAGED:
        for version in (first, last):
            _check(catalog, version)
        raise


def _rows(catalog: Catalog, version: Version) -> pl.LazyFrame:
    return pl.scan_parquet(catalog.folder(version.snapshot) / BARS, glob=False).select(*KEYS, *FIELDS)


def _check(catalog: Catalog, version: Version) -> None:
    """Name a snapshot that cannot be read."""
    try:
        _rows(catalog, version).collect()
    except DAMAGED as error:
        raise damaged(catalog, version, error) from error


def _pair(catalog: Catalog, before: str, after: str | None) -> tuple[Version, Version]:
    first = catalog.find(before)
    if after is not None:
        return first, catalog.find(after)
    line = [next(versions) for _, versions in groupby(catalog.versions(first.dataset), key=lambda version: version.snapshot)]
    return (first if "@" in before else line[-2] if len(line) > 1 else line[-1]), line[-1]
