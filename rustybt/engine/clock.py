"""The instants at which the bars of a panel open, and by which orders have arrived or not."""

from __future__ import annotations

import numpy as np

from rustybt.model import Panel
from rustybt.model.panel import Ints

DAY = 86_400_000_000


def clock_of(panel: Panel, length: int | None) -> Ints:
    """When decisions are made, when bars open and when they close, in UTC microseconds.

    Args:
        panel: the bars.
        length: microseconds from open to ``ts`` of every bar, or None: with a calendar a day's only bar opens with the session, other bars
            open one spacing before their ``ts`` but not before their session; without a calendar all open one spacing before their ``ts``.

    Returns:
        (3, bars) Int64.
    """
    if length is None:
        opens = panel.ts - spacing(panel.ts)
        if panel.calendar is not None:
            starts = session_opens(panel)
            opens = starts if is_daily(panel) else np.maximum(opens, starts)
        opens = np.minimum(opens, panel.ts)
    else:
        opens = panel.ts - length
    return np.ascontiguousarray(np.stack([panel.ts, opens, panel.ts]))


def spacing(ts: Ints) -> int:
    """The smallest spacing of instants; a day where there is but one."""
    return int(np.diff(ts).min()) if len(ts) > 1 else DAY


def is_daily(panel: Panel) -> bool:
    """Whether every bar is the only one of its session, and sessions follow each other as they do in the calendar."""
    if panel.bars == 1:
        return True
    steps = np.diff(panel.sessions)
    return bool((steps > 0).all()) and (panel.next_session is None or np.median(panel.next_session[:-1] - panel.sessions[1:]) >= 0)


def session_opens(panel: Panel) -> Ints:
    """When the session of each bar opens; bars outside the calendar open one spacing before their ts."""
    from rustybt.data.calendars import sessions

    assert panel.calendar is not None
    found = sessions(panel.calendar, int(panel.sessions.min()), int(panel.sessions.max()))
    at = np.minimum(np.searchsorted(found.days, panel.sessions), len(found.days) - 1)
    starts: Ints = np.where(found.days[at] == panel.sessions, found.opens[at], panel.ts - spacing(panel.ts)).astype(np.int64)
    return starts
