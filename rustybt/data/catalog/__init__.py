"""The catalog of datasets.

In: panels, or bars on the disk (`spilled`). Out: panels, by name, in milliseconds, each an immutable snapshot named by the SHA-256 of its
content. One folder::

    catalog.db                 SQLite: versions, snapshots, symbols, files with checksums, runs
    reference.db               SQLite: assets by symbol and date, see `rustybt.data.reference`
    snapshots/<id>/            bars.parquet (exact decimals), quarantine.parquet, snapshot.json, ready* (derived, mapped into memory)
    staging/, damaged/         being written; set aside by repair

To add a column to the metadata: one step at the end of `schema.MIGRATIONS`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.catalog.compare import diff
    from rustybt.data.catalog.export import export
    from rustybt.data.catalog.query import sql, table
    from rustybt.data.catalog.store import Catalog, Version
    from rustybt.data.catalog.upkeep import Finding, remove, repair, verify
else:
    lazily(
        __name__,
        {
            "compare": ("diff",),
            "export": ("export",),
            "query": ("sql", "table"),
            "store": ("Catalog", "Version"),
            "upkeep": ("Finding", "remove", "repair", "verify"),
        },
    )

__all__ = ["Catalog", "Finding", "Version", "diff", "export", "remove", "repair", "sql", "table", "verify"]
