"""Write the bars of a snapshot to one file of the user's."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from rustybt._output import written
from rustybt.data.catalog.damage import damaged
from rustybt.data.catalog.reading import BARS, DAMAGED
from rustybt.data.catalog.store import Catalog
from rustybt.errors import ConfigError


def export(catalog: Catalog, name: str, path: Path) -> Path:
    """The bars, exact: ``ts, asset, session, open .. volume`` and the extra columns, as Parquet or CSV.

    Raises:
        ConfigError: the suffix is unknown, or the file exists or cannot be written.
        DataError: there is no such dataset, or it is damaged.
    """
    if path.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"unknown file type {path.suffix!r}", where=str(path), do="use .parquet or .csv")
    if path.exists():
        raise ConfigError("the file exists", where=str(path), do="choose another name")
    found = catalog.find(name)
    try:
        frame = pl.read_parquet(catalog.folder(found.snapshot) / BARS)
    except DAMAGED as error:
        raise damaged(catalog, found, error) from error
    with written(path) as part:
        frame.write_parquet(part) if path.suffix == ".parquet" else frame.write_csv(part)
    return path
