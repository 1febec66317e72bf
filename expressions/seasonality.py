"""Seasonality: where a bar stands in the day, the week, the month and the year.

Days are session dates, so a bar that ends after midnight UTC belongs to the day that its venue says.
"""

from __future__ import annotations

import math

import polars as pl


def _weekdays_before(day: pl.Expr) -> pl.Expr:
    # Day 0 was a Thursday, so three days more count from a Monday.
    since_monday = day.cast(pl.Int32) + 3
    return since_monday // 7 * 5 + (since_monday % 7).clip(upper_bound=5)


def day_of_week() -> pl.Expr:
    """Day of the week of the session.

    Formula: 1 = Monday to 7 = Sunday.
    Unit: whole number.
    Lookback: ``0`` bars.
    Nulls: never null.
    Source: French (1980), Stock Returns and the Weekend Effect.

    Example:
        >>> from datetime import date
        >>> pl.DataFrame({"session": [date(2024, 1, 5)]}).select(day_of_week()).to_series().to_list()
        [5]
    """
    return pl.col("session").dt.weekday()


def day_of_month() -> pl.Expr:
    """Day of the month of the session.

    Formula: 1 to 31.
    Unit: whole number.
    Lookback: ``0`` bars.
    Nulls: never null.
    Source: Ariel (1987), A Monthly Effect in Stock Returns.

    Example:
        >>> from datetime import date
        >>> pl.DataFrame({"session": [date(2024, 1, 5)]}).select(day_of_month()).to_series().to_list()
        [5]
    """
    return pl.col("session").dt.day()


def month_of_year() -> pl.Expr:
    """Month of the session.

    Formula: 1 = January to 12 = December.
    Unit: whole number.
    Lookback: ``0`` bars.
    Nulls: never null.
    Source: Rozeff and Kinney (1976), Capital Market Seasonality: the January effect.

    Example:
        >>> from datetime import date
        >>> pl.DataFrame({"session": [date(2024, 1, 5)]}).select(month_of_year()).to_series().to_list()
        [1]
    """
    return pl.col("session").dt.month()


def hour_of_day(*, zone: str = "UTC") -> pl.Expr:
    """Hour at which the bar is complete.

    Args:
        zone: time zone, such as ``America/New_York``.

    Formula: 0 to 23, local time of ``ts``.
    Unit: whole number.
    Lookback: ``0`` bars.
    Nulls: never null.
    Source: Heston, Korajczyk and Sadka (2010), Intraday Patterns in the Cross-Section of Stock Returns.

    Example:
        >>> from datetime import UTC, datetime
        >>> frame = pl.DataFrame({"ts": [datetime(2024, 1, 5, 21, tzinfo=UTC)]})
        >>> frame.select(hour_of_day(zone="America/New_York")).to_series().to_list()
        [16]
    """
    return pl.col("ts").dt.convert_time_zone(zone).dt.hour()


def weekdays_left_in_month() -> pl.Expr:
    """Weekdays of the month after this session. It counts Mondays to Fridays, holidays too: their list would have to be known ahead.

    Formula: weekdays from the day after the session to the last day of its month.
    Unit: whole number, 0 = the last weekday.
    Lookback: ``0`` bars.
    Nulls: never null.
    Source: Lakonishok and Smidt (1988), Are Seasonal Anomalies Real?

    Example:
        >>> from datetime import date
        >>> pl.DataFrame({"session": [date(2024, 1, 30)]}).select(weekdays_left_in_month()).to_series().to_list()
        [1]
    """
    day = pl.col("session")
    return _weekdays_before(day.dt.month_end().dt.offset_by("1d")) - _weekdays_before(day.dt.offset_by("1d"))


def turn_of_month(*, before: int = 1, after: int = 3) -> pl.Expr:
    """Whether the session lies around the turn of the month, counted in weekdays, holidays too.

    Args:
        before: last weekdays of the month that count.
        after: first weekdays of the month that count.

    Formula: ``weekdays left in the month < before`` or ``weekday of the month <= after``.
    Unit: true or false.
    Lookback: ``0`` bars.
    Nulls: never null.
    Source: Lakonishok and Smidt (1988), Are Seasonal Anomalies Real?

    Example:
        >>> from datetime import date
        >>> days = pl.DataFrame({"session": [date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 31)]})
        >>> days.select(turn_of_month()).to_series().to_list()
        [True, False, True]
    """
    day = pl.col("session")
    number = _weekdays_before(day.dt.offset_by("1d")) - _weekdays_before(day.dt.month_start())
    return (weekdays_left_in_month() < before) | (number <= after)


def winter_half() -> pl.Expr:
    """Whether the session lies in November to April, the half-year of the Halloween effect.

    Formula: ``month >= 11`` or ``month <= 4``.
    Unit: true or false.
    Lookback: ``0`` bars.
    Nulls: never null.
    Source: Bouman and Jacobsen (2002), The Halloween Indicator, "Sell in May and Go Away".

    Example:
        >>> from datetime import date
        >>> pl.DataFrame({"session": [date(2024, 4, 30), date(2024, 5, 1)]}).select(winter_half()).to_series().to_list()
        [True, False]
    """
    month = pl.col("session").dt.month()
    return (month >= 11) | (month <= 4)


def year_sine(*, harmonic: int = 1) -> pl.Expr:
    """Place in the year as a smooth wave: one of the terms of a seasonal regression.

    Args:
        harmonic: waves per year.

    Formula: ``sin(2 * pi * harmonic * day of the year / 365.25)``.
    Unit: -1 to 1.
    Lookback: ``0`` bars.
    Nulls: never null.
    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. (2021), 7.4.

    Example:
        >>> from datetime import date
        >>> pl.DataFrame({"session": [date(2024, 4, 1)]}).select(year_sine().round(3)).to_series().to_list()
        [1.0]
    """
    return (pl.col("session").dt.ordinal_day() * (2 * math.pi * harmonic / 365.25)).sin()
