"""Bars at the door: from a file or a frame to a validated panel.

In: Parquet, CSV and Arrow files, Polars, pandas and pyarrow frames, the embedded set. Out: `rustybt.model.Panel`, the only form of bars
behind the door. The steps are in `build`. To add a file type: one line in `sources.READERS`; a check of rows: `rows.REASONS` and
`rows.find_dirty`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.aggregate import Resampler, resample
    from rustybt.data.bundles import Migrated, migrate
    from rustybt.data.cache import Cache, Freshness
    from rustybt.data.calendars import Calendar, calendar
    from rustybt.data.catalog import Catalog, Version
    from rustybt.data.chains import Continuous, continuous
    from rustybt.data.demo import demo_events
    from rustybt.data.door import demo_data, load
    from rustybt.data.download import Patience
    from rustybt.data.intake import ingest
    from rustybt.data.prepared import caching
    from rustybt.data.preset import Preset, presets
    from rustybt.data.reference import Listing, Reference
    from rustybt.data.restate import Adjusted, adjusted
    from rustybt.data.walk import blocks, replay
    from rustybt.data.warming import warm
else:
    lazily(
        __name__,
        {
            "aggregate": ("Resampler", "resample"),
            "bundles": ("Migrated", "migrate"),
            "cache": ("Cache", "Freshness"),
            "calendars": ("Calendar", "calendar"),
            "catalog": ("Catalog", "Version"),
            "chains": ("Continuous", "continuous"),
            "demo": ("demo_events",),
            "door": ("demo_data", "load"),
            "download": ("Patience",),
            "intake": ("ingest",),
            "prepared": ("caching",),
            "preset": ("Preset", "presets"),
            "reference": ("Listing", "Reference"),
            "restate": ("Adjusted", "adjusted"),
            "walk": ("blocks", "replay"),
            "warming": ("warm",),
        },
    )

__all__ = [
    "Adjusted",
    "Cache",
    "Calendar",
    "Catalog",
    "Continuous",
    "Freshness",
    "Listing",
    "Migrated",
    "Patience",
    "Preset",
    "Reference",
    "Resampler",
    "Version",
    "adjusted",
    "blocks",
    "caching",
    "calendar",
    "continuous",
    "demo_data",
    "demo_events",
    "ingest",
    "load",
    "migrate",
    "presets",
    "replay",
    "resample",
    "warm",
]
