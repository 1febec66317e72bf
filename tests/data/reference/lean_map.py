"""The real symbol changes in the form that reference data take."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl

MAP = Path(__file__).parent / "lean/map.csv"
OPEN = date(2050, 12, 31)


def lean_rows() -> list[dict[str, object]]:
    """One row for each name of each asset."""
    table = pl.read_csv(MAP, try_parse_dates=True)
    made: list[dict[str, object]] = []
    for (asset,), rows in table.group_by("asset", maintain_order=True):
        listed, last = rows["until"][0], rows["until"][-1]
        starts = [listed, *(day + timedelta(days=1) for day in rows["until"][1:-1])]
        names = rows["ticker"].to_list()[1:] or rows["ticker"].to_list()
        for number, (start, name) in enumerate(zip(starts, names, strict=False)):
            row: dict[str, object] = {"asset": asset, "symbol": name, "from_ts": None if number == 0 else start}
            made.append(row | ({"listed": listed, "delisted": None if last == OPEN else last} if number == 0 else {}))
    return made


@cache
def _files() -> list[tuple[str, list[date], list[str]]]:
    table = pl.read_csv(MAP, try_parse_dates=True)
    return [
        (str(name), rows["until"].to_list(), rows["ticker"].to_list()) for (name,), rows in table.group_by("asset", maintain_order=True)
    ]


def lean_answer(ticker: str, day: date) -> set[str]:
    """The assets whose file says that they had the ticker on a day: what the finder has to give, from the file alone."""
    found = set()
    for asset, untils, names in _files():
        if len(untils) == 1:
            found |= {asset} if names[0] == ticker and day == untils[0] else set()
        for (before, _), (until, name) in pairwise(zip(untils, names, strict=True)):
            begins = before if before == untils[0] else before + timedelta(days=1)
            if name == ticker and begins <= day <= until:
                found.add(asset)
    return found
