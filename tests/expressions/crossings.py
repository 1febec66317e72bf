"""What the entries over the assets of a bar should give, in plain Python; rows are the assets of one ts, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.expressions.oracles import Numbers, Series, Value, average_rank, mean, quantile, std

type Rows = Mapping[str, Sequence[float | None]]


def known(x: Numbers) -> list[float]:
    return [v for v in x if v is not None]


def ranks(x: Numbers, *, descending: bool = False) -> Numbers:
    sign = -1 if descending else 1
    values = [sign * v for v in known(x)]
    return [None if v is None else average_rank(values, sign * v) for v in x]


def percentiles(rows: Rows) -> Numbers:
    n = len(known(rows["x"]))
    return [None if r is None or n < 2 else (r - 1) / (n - 1) for r in ranks(rows["x"])]


def zscores(rows: Rows) -> Numbers:
    values = known(rows["x"])
    if len(values) < 2 or len(set(values)) == 1:
        return [None] * len(rows["x"])
    return [None if v is None else (v - mean(values)) / std(values) for v in rows["x"]]


def demeaned(x: Numbers) -> Numbers:
    return [None if v is None else v - mean(known(x)) for v in x]


def means(rows: Rows) -> Numbers:
    values = known(rows["x"])
    return [mean(values) if values else None] * len(rows["x"])


def winsorised(x: Numbers, lower: float, upper: float) -> Numbers:
    values = known(x)
    return [None if v is None else min(max(v, quantile(values, lower)), quantile(values, upper)) for v in x]


def places(x: Numbers, *, highest: bool) -> list[int | None]:
    """Place of each value from 0, equal ones in the order of the assets."""
    order = sorted((i for i, v in enumerate(x) if v is not None), key=lambda i: (-x[i] if highest else x[i], i))  # type: ignore[operator]
    return [order.index(i) if i in order else None for i in range(len(x))]


def chosen(x: Numbers, n: int, *, highest: bool) -> Series:
    return [place is not None and place < n for place in places(x, highest=highest)]


def buckets(x: Numbers, count: int) -> Series:
    return [None if place is None else place * count // len(known(x)) for place in places(x, highest=False)]


def by_group(f: Callable[[Numbers], Numbers], rows: Rows) -> Numbers:
    found: list[float | None] = [None] * len(rows["x"])
    for group in set(rows["sector"]):
        at = [i for i, sector in enumerate(rows["sector"]) if sector == group]
        for i, value in zip(at, f([rows["x"][i] for i in at]), strict=True):
            found[i] = value
    return found


def sizes(rows: Rows) -> Series:
    found: list[Value] = []
    for v, p in zip(rows["x"], percentiles(rows), strict=True):
        found.append(None if v is None else "mid" if p is None or 0.3 <= p <= 0.7 else "small" if p < 0.3 else "large")
    return found


def equal(x: Numbers, invested: float, slots: int) -> Numbers:
    held = [v is not None and v > 0 for v in x]
    return [invested / max(sum(held), slots) if h else 0.0 for h in held]


def limited(x: Numbers, most: float) -> Numbers:
    gross = sum(abs(v) for v in known(x))
    return [None if v is None else v * most / gross if gross > most else v for v in x]


def proportional(x: Numbers, gross: float) -> Numbers:
    centred = demeaned(x)
    total = sum(abs(v) for v in known(centred))
    return [0.0 if v is None or not total else gross * v / total for v in centred]


def most_traded(rows: Rows) -> Series:
    return chosen([c * v for c, v in zip(rows["close"], rows["volume"], strict=True)], 2, highest=True)  # type: ignore[operator]


def inverse(sigma: Numbers, invested: float) -> Numbers:
    parts = [1 / s if s else 0.0 for s in sigma]
    return [invested * p / sum(parts) if p else 0.0 for p in parts]


def month_of(day: date) -> list[date]:
    first = day.replace(day=1)
    return [d for d in (first + timedelta(days=i) for i in range(31)) if d.month == day.month and d.isoweekday() <= 5]


def weekdays_after(day: date) -> list[date]:
    return [d for d in month_of(day) if d > day]


def weekdays_until(day: date) -> list[date]:
    return [d for d in month_of(day) if d <= day]


def local_hour(day: date, ts: datetime) -> int:
    return ts.astimezone(ZoneInfo("Asia/Kolkata")).hour
