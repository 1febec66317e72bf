"""Reference data: what was listed under which symbol, when, and on which terms; corporate actions; rates of currencies.

In: frames or CSV files, one row for what is true of an asset from a date on. Out: `Listing`, an entry as of a date, whose `Asset` the door
takes, and frames for `rustybt.load` and `rustybt.run`. One SQLite file, ``reference.db`` in the catalog's folder::

    revisions      one row for each call that changed something; nothing is ever overwritten, a row says by which one it came and went
    assets         id, kind, root, expiry, listed, delisted
    spells         symbol, venue, currency, ticks, lots, multiplier from a date on
    events, rates  corporate actions; what one unit of a currency costs

To add a column: one step at the end of `schema.REFERENCE`, the field in `listing`, its name in `rows.FIELDS`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.reference.changes import Revision
    from rustybt.data.reference.listing import KINDS, Entry, Listing
    from rustybt.data.reference.store import Reference
else:
    lazily(
        __name__,
        {
            "changes": ("Revision",),
            "listing": ("KINDS", "Entry", "Listing"),
            "store": ("Reference",),
        },
    )

__all__ = ["KINDS", "Entry", "Listing", "Reference", "Revision"]
