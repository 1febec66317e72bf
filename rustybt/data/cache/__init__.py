"""Downloads that were made once: kept by what was asked for, and used again as long as they are fresh.

In: what a source said about one symbol. Out: the same, from memory or from the disk, with what it lacks. One folder beside the catalog::

    index.db        SQLite: requests, how far their bars reach, when the source was asked; counts of what was answered from where
    bars/*.parquet  bars of one request each, as the source wrote them; a file is never changed, only replaced

`freshness` knows when an answer still counts, `index` the tables, `memory` what this process read last, `store` puts them together.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.cache.freshness import Freshness, Lack, Request
    from rustybt.data.cache.index import Entry
    from rustybt.data.cache.store import Answer, Asked, Cache
else:
    lazily(
        __name__,
        {
            "freshness": ("Freshness", "Lack", "Request"),
            "index": ("Entry",),
            "store": ("Answer", "Asked", "Cache"),
        },
    )

__all__ = ["Answer", "Asked", "Cache", "Entry", "Freshness", "Lack", "Request"]
