"""Candles of an exchange, window by window: what every exchange that answers a span with so many candles has in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from rustybt.adapters.rows import bars_of, milliseconds
from rustybt.model.source import History, Page

type Candles = Callable[[int, int], Sequence[Sequence[Any]]]


def window_page(history: History, cursor: str | None, most: int, candles: Candles) -> Page:
    """The page of one window.

    A window is as long as the exchange answers at once. What it lacks at its beginning or end is asked for once more by itself, so an
    answer that was cut short is not taken for a pause in trading.

    Args:
        history: what is wanted.
        cursor: the windows that are still to be asked for, in milliseconds, or None for the first.
        most: candles of one answer.
        candles: asks for those that start in a window, its end excluded: milliseconds, then texts.
    """
    length = milliseconds(history.frequency)
    first, stop = (int(moment.timestamp() * 1000) for moment in (history.start, history.end))
    todo = json.loads(cursor) if cursor else [[-(-first // length) * length, stop // length * length]]
    if not todo or todo[0][0] >= todo[0][1]:
        return Page(bars_of(()))
    (start, end), *rest = todo
    cut = min(end, start + most * length)
    rows = [row for row in candles(start, cut) if start <= row[0] < cut]
    inside = sorted({row[0] for row in rows})
    lacking = [[start, inside[0]], [inside[-1] + length, cut], [cut, end]] if inside else [[cut, end]]
    ahead = [*([a, b] for a, b in lacking if a < b), *rest]
    return Page(bars_of(rows), cursor=json.dumps(ahead) if ahead else None)
