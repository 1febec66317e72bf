"""How many sessions a year has, read from the sessions themselves."""

from __future__ import annotations

import numpy as np

from rustybt.analysis.metrics.curve import Days

TRADING_DAYS, SIX_DAY_WEEKS, CALENDAR_DAYS = 252.0, 312.0, 365.0
_SATURDAY, _SUNDAY = 5, 6
_SLOWER = ((5, 10, 52.0), (11, 20, 26.0), (21, 45, 12.0), (70, 110, 4.0), (150, 210, 2.0), (330, 400, 1.0))


def periods_per_year(days: Days) -> float:
    """Sessions per year, by which means and deviations are annualised.

    Rules, first match wins; a weekday *trades* when it has at least half the sessions of the most common weekday,
    so a special Saturday session changes nothing.

    * median gap of 5 to 10 days: 52 (weekly bars); 11 to 20: 26; 21 to 45: 12 (monthly); 70 to 110: 4; 150 to 210: 2; 330 to 400: 1;
    * Saturdays and Sundays trade: 365 (a market that never closes);
    * six weekdays trade: 312 (currencies dated in UTC open on Sunday);
    * else 252.

    Args:
        days: sessions as days since 1970-01-01, ascending; repeats are ignored.

    Returns:
        Sessions per year.

    Example:
        >>> periods_per_year(np.arange(19723, 19823, dtype=np.int32))
        365.0
    """
    unique = days[np.append(True, days[1:] != days[:-1])]
    if len(unique) >= 2:
        gaps = np.sort(np.diff(unique))
        gap = (int(gaps[(len(gaps) - 1) // 2]) + int(gaps[len(gaps) // 2])) / 2  # the median; NumPy's own takes many times longer
        for low, high, answer in _SLOWER:
            if low <= gap <= high:
                return answer
    counts = np.bincount((unique + 3) % 7, minlength=7)
    trades = counts * 2 >= counts.max()
    if trades[_SATURDAY] and trades[_SUNDAY]:
        return CALENDAR_DAYS
    return SIX_DAY_WEEKS if trades.sum() == 6 else TRADING_DAYS
