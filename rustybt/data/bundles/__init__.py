"""What Zipline ingested, as a dataset of the catalog: the same bars to the last digit, verified, or not there at all.

In: the folder of a bundle. Out: a version of a dataset and a report. The files are read as they are, without Zipline and without bcolz:
`carrays` opens the columns of bcolz, `bundle` finds what is in a folder and names its assets, `stored` reads the bars, `csvdir` the CSV
files that bundles are made of, `moving` puts them into the catalog and compares.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.bundles.moving import Migrated, migrate
else:
    lazily(
        __name__,
        {
            "moving": ("Migrated", "migrate"),
        },
    )

__all__ = ["Migrated", "migrate"]
