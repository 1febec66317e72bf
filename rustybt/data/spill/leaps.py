"""Overnight moves that look like splits, among rows on the disk: an asset is looked at as a whole only where one may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rustybt.data.columns import FIELDS
from rustybt.data.exact import Floats, nearest_doubles
from rustybt.data.jumps import ENOUGH, Jump, candidates, find_jumps, warn_of
from rustybt.data.spill.rows import Rows
from rustybt.data.ticks import Scaled
from rustybt.model import Asset
from rustybt.model.panel import Ints

CHUNK = 2**16
NONE = np.zeros(0, np.int64)


def doubles(rows: Rows, name: str, asset: Asset, start: int, stop: int) -> Floats:
    """Prices or volumes of some rows of an asset."""
    return nearest_doubles(rows.column(f"ticks_{name}", start, stop), asset.volume_step if name == "volume" else asset.tick_size)


def warn_of_leaps(rows: Rows, offsets: Ints, assets: Sequence[Asset]) -> list[str]:
    """The sentence of `rustybt.data.jumps`, if there is one to say.

    Args:
        rows: in order of asset and time.
        offsets: (assets + 1,) rows of each asset.
        assets: in that order.
    """
    found: list[Jump] = []
    for column, asset in enumerate(assets):
        first, last = int(offsets[column]), int(offsets[column + 1])
        if asset.asset_class != "equity" or not _may_leap(rows, asset, first, last):
            continue
        # With the row after the last one, whose session tells whether the last one ends its own.
        stop = min(last + 1, rows.height)
        scaled = {name: Scaled(NONE, doubles(rows, name, asset, first, stop), 0, 0.0) for name in FIELDS}
        days, edges = rows.column("session", first, stop), np.unique([0, last - first, stop - first])
        found += [replace(jump, row=first + jump.row, asset=column) for jump in find_jumps(scaled, days, edges, [asset, asset], NONE)]
        if len(found) >= ENOUGH:
            break
    if not found:
        return []
    day = rows.column("session", found[0].row, found[0].row + 1)
    return warn_of([replace(found[0], row=0), *found[1:ENOUGH]], day, assets)


def _may_leap(rows: Rows, asset: Asset, first: int, last: int) -> bool:
    for start in range(first, last, CHUNK):
        begin, stop = max(start - 1, first), min(start + CHUNK, last)
        days = rows.column("session", begin, stop)
        turns = np.flatnonzero(days[1:] != days[:-1])
        near = np.unique(np.concatenate([turns, turns + 1]))  # the last row of a session and the first of the next
        ticks = (rows.column(f"ticks_{name}", begin, stop)[near] for name in ("open", "close"))
        opens, closes = (nearest_doubles(some, asset.tick_size) for some in ticks)
        if candidates(opens, closes, days[near], NONE):
            return True
    return False
