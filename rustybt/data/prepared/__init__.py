"""Prepared panels and features, kept by content: in memory, then on the disk; see docs/how-to/caching.md.

`panels` and `features` say by what an entry is known, `tiers` and `store` keep it, `settings` says how much. To keep another kind of
thing: a module like `features`, whose keys begin with a word of their own.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.prepared.built import versions
    from rustybt.data.prepared.features import KeptFeature, KeptFeatures
    from rustybt.data.prepared.panels import find_panel, keep_panel, panel_key
    from rustybt.data.prepared.settings import Caching, caching
else:
    lazily(
        __name__,
        {
            "built": ("versions",),
            "features": ("KeptFeature", "KeptFeatures"),
            "panels": ("find_panel", "keep_panel", "panel_key"),
            "settings": ("Caching", "caching"),
        },
    )

__all__ = ["Caching", "KeptFeature", "KeptFeatures", "caching", "find_panel", "keep_panel", "panel_key", "versions"]
