"""Overnight moves that look like splits nobody told us of (raw prices without their events), and splits that no move shows (adjusted ones).

A split by n leaves the company worth what it was: from one session to the next the price is divided by about n, stays there, and as much
money changes hands as before. A crash by as much moves far more money. This finds candidates for a warning, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from rustybt.data.blocks import blocks
from rustybt.data.columns import FIELDS
from rustybt.data.ticks import Scaled
from rustybt.model import Asset, EventKind
from rustybt.model.panel import Ints

Floats = npt.NDArray[np.float64]
RATIOS = {f"{new}:{old}": new / old for new, old in [(3, 2), *((n, 1) for n in range(2, 11)), *((1, n) for n in range(2, 11))]}
"""New units for old ones: what a split may be."""
NEAR_OPEN, NEAR_CLOSE = 0.06, 0.10
"""How far the first open and the first close may be from the split's price, relatively: an ordinary night, and a day."""
UNUSUAL = 8.0
"""How many of the asset's ordinary moves (medians of the absolute value) such a move has to be."""
BEFORE, FEWEST = 20, 5
"""Bars that say what trading is usual, and how many it takes."""
MONEY = (0.05, 4.0)
"""The value traded, in usual ones: less or more is no split. A crash has more; where only volumes are adjusted, 10:1 shows a tenth."""
PAUSE = 10
"""Days between the two sessions at most."""
SMALL = 1.2
"""The least split that is looked for in the prices: an ordinary night may hide half of a smaller one."""
ENOUGH = 50
"""Moves after which the search ends."""


@dataclass(frozen=True)
class Jump:
    """One such move, or a split without it.

    Attributes:
        row: first row after it.
        asset: column.
        ratio: the split that it looks like, new for old.
    """

    row: int
    asset: int
    ratio: str


def find_jumps(
    scaled: dict[str, Scaled], days: npt.NDArray[np.int32], offsets: Ints, assets: Sequence[Asset], event_rows: Ints
) -> list[Jump]:
    """Moves that look like splits, `ENOUGH` at most.

    Args:
        scaled: prices and volume of rows sorted by asset and time.
        days: (rows,) session of each row.
        offsets: (assets + 1,) rows of each asset.
        assets: in column order; only equities are looked at.
        event_rows: rows at which an event takes effect.
    """
    opens, _, _, closes, volume = (scaled[name].floats for name in FIELDS)
    found: list[Jump] = []
    for row in candidates(opens, closes, days, event_rows):
        asset = int(np.searchsorted(offsets, row, side="right")) - 1
        first, last = int(offsets[asset]), int(offsets[asset + 1])
        if row == first or assets[asset].asset_class != "equity":
            continue
        ratio = _nearest(closes[row - 1] / opens[row])
        if (
            abs(opens[row] * RATIOS[ratio] / closes[row - 1] - 1) <= NEAR_OPEN
            and abs(closes[row] * RATIOS[ratio] / closes[row - 1] - 1) <= NEAR_CLOSE
            and _is_unusual(abs(np.log(RATIOS[ratio])), closes[first:last])
            and _trades_as_usual(closes, volume, days, slice(max(first, row - BEFORE), row))
        ):
            found.append(Jump(row, asset, ratio))
            if len(found) == ENOUGH:
                break
    return found


def find_unseen(scaled: dict[str, Scaled], offsets: Ints, events: npt.NDArray[np.int64], event_rows: Ints) -> list[Jump]:
    """Splits that the prices do not show: they move by less than half of what the split makes of them, or far elsewhere.

    A split has to be large beside the asset's ordinary moves to be looked for.

    Args:
        scaled: prices of rows sorted by asset and time.
        offsets: (assets + 1,) rows of each asset.
        events: (n, 5) bar, column, kind, numerator and denominator of what takes effect; only splits are looked at.
        event_rows: (n,) row of each.
    """
    opens, closes = scaled["open"].floats, scaled["close"].floats
    splits: dict[int, tuple[int, Fraction]] = {}
    for (_, asset, kind, new, old), row in zip(events.tolist(), event_rows.tolist(), strict=True):
        if kind == EventKind.SPLIT and row > offsets[asset]:
            splits[row] = asset, splits.get(row, (asset, Fraction(1)))[1] * Fraction(new, old)
    found: list[Jump] = []
    for row, (asset, ratio) in splits.items():
        size, first, last = float(np.log(float(ratio))), int(offsets[asset]), int(offsets[asset + 1])
        if abs(size) < np.log(SMALL) or not (opens[row] > 0 and (closes[first:last] > 0).all()):
            continue
        if abs(np.log(opens[row] / closes[row - 1]) + size) > abs(size) / 2 and _is_unusual(abs(size), closes[first:last]):
            found.append(Jump(row, asset, f"{ratio.numerator}:{ratio.denominator}"))
    return found


def candidates(opens: Floats, closes: Floats, days: npt.NDArray[np.int32], event_rows: Ints) -> list[int]:
    """Rows that open a session a third away from the close before, or farther, with no event."""
    least = min(max(ratio, 1 / ratio) for ratio in RATIOS.values()) * (1 - NEAR_OPEN)
    kept: list[int] = []
    for part in blocks(len(opens), overlap=1):
        before, after = closes[part][:-1], opens[part][1:]
        rows = np.flatnonzero((after * least <= before) | (before * least <= after)) + part.start + 1
        nights = days[rows] - days[rows - 1]
        rows = rows[(nights > 0) & (nights <= PAUSE)]
        kept += rows[~np.isin(rows, event_rows)].tolist()
    return kept


def _nearest(ratio: float) -> str:
    return min(RATIOS, key=lambda name: abs(np.log(RATIOS[name] / ratio)))


def _is_unusual(move: float, closes: Floats) -> bool:
    ordinary = float(np.median(np.abs(np.diff(np.log(closes))))) if len(closes) > 1 else 0.0
    return bool(move >= UNUSUAL * ordinary)


def _trades_as_usual(closes: Floats, volume: Floats, days: npt.NDArray[np.int32], earlier: slice) -> bool:
    """Whether as much money changed hands as before; yes where that cannot be said: few bars, several a day, no volume."""
    row = earlier.stop
    usual = closes[earlier] * volume[earlier]
    daily = (np.diff(days[earlier]) > 0).all() and (row + 1 == len(days) or days[row + 1] != days[row])
    median = float(np.median(usual)) if len(usual) >= FEWEST else 0.0
    if not daily or not median > 0 or not volume[row] > 0:
        return True
    return bool(MONEY[0] <= closes[row] * volume[row] / median <= MONEY[1])


def warn_of(jumps: Sequence[Jump], days: npt.NDArray[np.int32], assets: Sequence[Asset]) -> list[str]:
    """One sentence on what was found; none on nothing.

    Example:
        >>> warn_of([Jump(0, 0, "7:1")], np.array([16230], dtype=np.int32), [Asset.of("AAPL")])
        ["1 overnight move looks like a split without an event (first: 'AAPL', 7:1 on 2014-06-09): pass events=, or adjusted prices."]
    """
    if not jumps:
        return []
    first, owners = jumps[0], len({jump.asset for jump in jumps})
    count = f"{'At least ' if len(jumps) == ENOUGH else ''}{len(jumps)} overnight moves of {owners} assets look like splits"
    if len(jumps) == 1:
        count = "1 overnight move looks like a split"
    day = np.datetime64(int(days[first.row]), "D")
    which = f"first: {assets[first.asset].symbol!r}, {first.ratio} on {day}"
    return [f"{count} without an event ({which}): pass events=, or adjusted prices."]


def warn_unseen(unseen: Sequence[Jump], days: npt.NDArray[np.int32], assets: Sequence[Asset]) -> list[str]:
    """One sentence on splits without a move; none on nothing.

    Example:
        >>> warn_unseen([Jump(0, 0, "7:1")], np.array([16230], dtype=np.int32), [Asset.of("AAPL")])[0].partition(":")[0]
        '1 split is not seen in the prices (first'
    """
    if not unseen:
        return []
    first = unseen[0]
    count = "1 split is" if len(unseen) == 1 else f"{len(unseen)} splits are"
    which = f"first: {assets[first.asset].symbol!r}, {first.ratio} on {np.datetime64(int(days[first.row]), 'D')}"
    return [f"{count} not seen in the prices ({which}): where they are adjusted already, leave splits out (events=, migrate --no-events)."]
