"""Returns by calendar month and year."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rustybt.analysis.metrics.curve import Closes, Floats, Ints, simple_returns


@dataclass(frozen=True)
class MonthRow:
    """One year of the monthly table.

    Attributes:
        year: calendar year.
        months: twelve returns, January first; None where the run has no session, or the equity before was not positive.
        total: return of the year, or of the part of it that was run.
    """

    year: int
    months: tuple[float | None, ...]
    total: float | None


def monthly_returns(closes: Closes) -> list[MonthRow]:
    """Returns of each month and year: last equity of the period / last equity of the period before - 1.

    The first period is measured from the opening cash, or from the first session's equity when that is not known.

    Example:
        >>> days = np.array([19722, 19723, 19754], dtype=np.int32)  # 2023-12-31, 2024-01-01, 2024-02-01
        >>> values = np.array([100.0, 110.0, 99.0])
        >>> row = monthly_returns(Closes(days, values, values[1:] / values[:-1] - 1, False))[1]
        >>> row.year, [round(value, 6) for value in row.months[:2]], round(row.total, 6)
        (2024, [0.1, -0.1], -0.01)
    """
    months, returns = _grouped(closes, "M")
    totals = yearly_returns(closes)
    cells: dict[int, list[float | None]] = {year: [None] * 12 for year in totals}
    for month, value in zip(months.tolist(), returns.tolist(), strict=True):
        cells[1970 + month // 12][month % 12] = _known(value)
    return [MonthRow(year, tuple(cells[year]), totals[year]) for year in cells]


def yearly_returns(closes: Closes) -> dict[int, float | None]:
    """Return of each calendar year that has a session; the first and last may be parts of a year.

    Example:
        >>> days = np.array([19722, 19723], dtype=np.int32)
        >>> yearly_returns(Closes(days, np.array([100.0, 125.0]), np.array([0.25]), False))
        {2023: 0.0, 2024: 0.25}
    """
    years, returns = _grouped(closes, "Y")
    return {1970 + year: _known(value) for year, value in zip(years.tolist(), returns.tolist(), strict=True)}


def period_extremes(closes: Closes) -> dict[str, float]:
    """``best_month``, ``worst_month`` and ``positive_months`` (share of months above zero)."""
    returns = _grouped(closes, "M")[1]
    if not len(closes.returns) or np.isnan(returns).any():
        return dict.fromkeys(("best_month", "worst_month", "positive_months"), math.nan)
    return {
        "best_month": float(returns.max()),
        "worst_month": float(returns.min()),
        "positive_months": float(np.count_nonzero(returns > 0)) / len(returns),
    }


def _grouped(closes: Closes, unit: str) -> tuple[Ints, Floats]:
    """Period numbers since 1970 and the return of each."""
    labels = closes.days.astype("datetime64[D]").astype(f"datetime64[{unit}]").astype(np.int64)
    last = np.append(np.flatnonzero(np.diff(labels)), len(labels) - 1)
    values = np.concatenate((closes.values[:1], closes.values[last]))
    return labels[last], simple_returns(values)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
