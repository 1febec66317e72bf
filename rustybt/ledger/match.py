"""Fills matched first in, first out.

Within a slot, number every unit that is opened and every unit that is closed, in order. The k-th unit closed is the k-th unit opened,
so cutting both number lines at all their fill boundaries gives the round trips, for all slots at once and without a loop. A slot whose
asset was split or spun something off walks its tranches one by one instead, since that restates the units that are open. Both give
the same money.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rustybt.ledger.tranches import Matches, joined, walk
from rustybt.model import Log, Reason
from rustybt.model.panel import Ints


def match_fifo(log: Log) -> Matches:
    """Match every fill of a log; money is shared by quantity so that the parts of a fill add up to it exactly."""
    detached = log.having(Reason.SPINOFF) & (log.filled == 0)
    moved = np.flatnonzero((log.filled != 0) | detached)
    split_slots = np.unique(log.slot[log.having(Reason.SPLIT) | detached])
    apart = np.isin(log.slot[moved], split_slots)
    plain = moved[~apart]
    plain = plain[np.argsort(log.slot[plain], kind="stable")]
    parts = [_vectorised(log, plain)]
    parts += [walk(log, moved[apart][log.slot[moved[apart]] == slot]) for slot in split_slots]
    return joined(parts)


def _vectorised(log: Log, rows: Ints) -> Matches:
    none = np.zeros(0, dtype=np.int64)
    if len(rows) == 0:
        return Matches(*[none] * 8)
    slot, filled = log.slot[rows].astype(np.int64), log.filled[rows]
    first = np.flatnonzero(np.r_[True, slot[1:] != slot[:-1]])
    last = np.r_[first[1:], len(rows)]
    running = np.cumsum(filled)
    after = running - np.repeat(np.r_[0, running[last[:-1] - 1]], last - first)
    before = after - filled
    closing = np.where(np.sign(before) == -np.sign(filled), np.minimum(np.abs(before), np.abs(filled)), 0)
    opening = np.abs(filled) - closing
    still = np.abs(after[last - 1])
    open_row, close_row = np.flatnonzero(opening), np.flatnonzero(closing)
    at = np.searchsorted(close_row, last[still > 0])
    close_lots = np.insert(closing[close_row], at, still[still > 0])
    close_row = np.insert(close_row, at, -1)
    open_edge, close_edge = np.cumsum(opening[open_row]), np.cumsum(close_lots)
    edge = open_edge if np.array_equal(open_edge, close_edge) else np.union1d(open_edge, close_edge)
    lots = np.diff(edge, prepend=0)
    opened = open_row[np.searchsorted(open_edge, edge)]
    closed = close_row[np.searchsorted(close_edge, edge)]
    entry, leave = rows[opened], np.where(closed < 0, -1, rows[closed])
    done = closed >= 0
    # A fill that goes through zero closes first, so its opening units come after its closing ones.
    in_edge = closing[opened] + edge - (open_edge - opening[open_row])[np.searchsorted(open_edge, edge)]
    out_edge = edge - (close_edge - close_lots)[np.searchsorted(close_edge, edge)]
    size_in, size_out = np.abs(filled[opened]), np.where(done, np.abs(filled[closed]), lots)  # of what is still open nothing is shared
    return Matches(
        slot[opened],
        lots,
        entry,
        leave,
        _share(log.notional[entry], in_edge, lots, size_in),
        np.where(done, _share(log.notional[leave], out_edge, lots, size_out), 0),
        _share(log.fee[entry], in_edge, lots, size_in),
        np.where(done, _share(log.fee[leave], out_edge, lots, size_out), 0),
    )


def _share(money: Ints, edge: Ints, lots: Ints, size: Ints) -> Ints:
    """The money of units ``edge - lots .. edge`` out of ``size``: shares of one fill add up to it."""
    out = money.copy()
    for k in np.flatnonzero(lots != size):
        m, e, q, w = int(money[k]), int(edge[k]), int(lots[k]), int(size[k])
        out[k] = m * e // w - m * (e - q) // w
    return out


def is_short(log: Log, matches: Matches) -> npt.NDArray[np.bool_]:
    """Whether each match was opened by a sale."""
    return np.asarray(log.filled[matches.opened] < 0)
