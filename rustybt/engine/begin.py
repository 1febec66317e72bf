"""Where in the data a run begins: what is before it is history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model import Panel

if TYPE_CHECKING:
    from rustybt.engine.config import RunConfig

type Moment = date | datetime
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_moment(given: object, where: str = "run, trade_from") -> Moment | None:
    """A date, or an instant in UTC, from what users type.

    Raises:
        ConfigError: it is neither.

    Example:
        >>> read_moment("2015-01-02"), read_moment("2015-01-02 14:30")
        (datetime.date(2015, 1, 2), datetime.datetime(2015, 1, 2, 14, 30, tzinfo=datetime.timezone.utc))
    """
    if isinstance(given, str):
        try:
            given = date.fromisoformat(given) if len(given) <= len("2015-01-02") else datetime.fromisoformat(given)
        except ValueError:
            raise ConfigError(f"{given!r} is no date", where=where, do='write "2015-01-02" or "2015-01-02 14:30"') from None
    if isinstance(given, datetime):
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    if given is None or isinstance(given, date):
        return given
    raise ConfigError(f"{given!r} is no date", where=where, do='write "2015-01-02" or "2015-01-02 14:30"')


def bar_at(panel: Panel, moment: Moment) -> int:
    """The first bar of a session on or after a date, or at or after an instant; the number of bars where there is none."""
    if isinstance(moment, datetime):
        return int(np.searchsorted(panel.ts, (moment - EPOCH) // timedelta(microseconds=1)))
    return int(np.searchsorted(panel.sessions, (moment - EPOCH.date()).days))


def begun(panel: Panel, config: RunConfig) -> Panel:
    """The part of a panel that a run is about.

    Raises:
        ConfigError: the run would begin after the last bar.
    """
    if config.trade_from is None:
        return panel
    first = bar_at(panel, config.trade_from)
    if first == 0:
        return panel
    if first >= panel.bars:
        raise ConfigError(f"there is no bar from {config.trade_from} on", where="run, trade_from", do="give a date inside of the data")
    from rustybt.data.cut import onward

    known = panel.parts.get(first)
    if known is None:
        known = panel.parts[first] = onward(panel, first)
    return known
