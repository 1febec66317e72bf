"""History from a source of bars, page by page: asked politely, kept as long as it is fresh, and made exact.

In: a `rustybt.model.source.Source` and what is wanted of it. Out: rows for the door, with their corporate actions and what the source knows
of its assets. The registry of sources is `registry`; to add one, write the protocol and name it under the entry points ``rustybt.sources``.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.download.asking import Patience
    from rustybt.data.download.fetching import Downloaded, Wanted, download
    from rustybt.data.download.registry import is_address, known_sources, open_address
else:
    lazily(
        __name__,
        {
            "asking": ("Patience",),
            "fetching": ("Downloaded", "Wanted", "download"),
            "registry": ("is_address", "known_sources", "open_address"),
        },
    )

__all__ = ["Downloaded", "Patience", "Wanted", "download", "is_address", "known_sources", "open_address"]
