"""Part of the bars of a panel: up to a bar, or from a bar on with the ones before as history."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rustybt.model import Panel


def until(panel: Panel, stop: int) -> Panel:
    """The bars before ``stop``: nothing later is in it, in any form.

    Args:
        panel: the bars.
        stop: number of bars that are kept, 0 to all.

    Example:
        >>> from rustybt.data import demo_data
        >>> until(demo_data(), 100).bars
        100
    """
    if stop >= panel.bars:
        return panel
    if panel.whole is not None:
        return onward(until(panel.whole, panel.history + stop), panel.history)
    return _between(panel, 0, stop)


def onward(panel: Panel, first: int) -> Panel:
    """The bars from ``first`` on. Where they come from stays known as `Panel.whole`: windows read its earlier bars, nothing trades on them.

    Args:
        panel: the bars.
        first: how many bars become history.

    Example:
        >>> from rustybt.data import demo_data
        >>> late = onward(demo_data(), 100)
        >>> late.bars + 100 == late.whole.bars, late.history
        (True, 100)
    """
    if panel.whole is not None:
        return panel if first <= 0 else onward(panel.whole, panel.history + first)
    return panel if first <= 0 else replace(_between(panel, first, panel.bars), whole=panel)


def _between(panel: Panel, first: int, stop: int) -> Panel:
    kept = (panel.row_bar >= first) & (panel.row_bar < stop)
    events = panel.events[(panel.events[:, 0] >= first) & (panel.events[:, 0] < stop)].copy()
    events[:, 0] -= first
    rows = np.concatenate([[0], np.cumsum(kept)])
    bars = slice(first, stop)
    return replace(
        panel,
        ts=panel.ts[bars],
        open=np.ascontiguousarray(panel.open[bars]),
        high=np.ascontiguousarray(panel.high[bars]),
        low=np.ascontiguousarray(panel.low[bars]),
        close=np.ascontiguousarray(panel.close[bars]),
        frame=panel.frame.filter(kept),
        row_bar=(panel.row_bar[kept] - first).astype(np.int32),
        offsets=rows[panel.offsets].astype(np.int64),
        sessions=panel.sessions[bars],
        events=events,
        next_session=None if panel.next_session is None else panel.next_session[bars],
        session_close=None if panel.session_close is None else panel.session_close[bars],
        whole=None,
    )
