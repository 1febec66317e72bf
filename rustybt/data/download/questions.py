"""One question to a source: what it does wrong, whoever wrote it, becomes an error of ours that names the source and the symbol."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import polars as pl

from rustybt.data.columns import FIELDS, PRICES
from rustybt.errors import RustyBTError, SourceError
from rustybt.model.source import History, Page, Source, Terms

DAY = r"^\d{4}-\d{2}-\d{2}$"


def terms_of(source: Source, symbol: str) -> Terms:
    """What a source knows of a symbol.

    Raises:
        SourceError: it fails, or gives something else.
    """
    try:
        terms = source.terms(symbol)
    except Exception as error:  # noqa: BLE001 -- it may be of anybody
        _failed(source, symbol, "terms", error)
    return terms if isinstance(terms, Terms) else _wrong(source, symbol, f"terms gave a {type(terms).__name__}", "give a Terms")


def page_of(source: Source, symbol: str, history: History, cursor: str | None) -> Page:
    """One page, whose times are dates or instants and whose prices are there. Dates in text are read.

    Raises:
        SourceError: the source fails, or gives what are no bars.
    """
    try:
        page = source.fetch(symbol, history, cursor)
    except Exception as error:  # noqa: BLE001 -- it may be of anybody
        _failed(source, symbol, "fetch", error)
    return checked(source, symbol, page)


def checked(source: Source, symbol: str, page: Page) -> Page:
    """A page whose times are dates or instants and whose prices are there.

    Raises:
        SourceError: it is no page, or holds what are no bars.
    """
    if not isinstance(page, Page) or not isinstance(page.bars, pl.DataFrame):
        given = page.bars if isinstance(page, Page) else page
        _wrong(source, symbol, f"fetch gave a {type(given).__name__}", "give a Page with a Polars DataFrame of bars")
    bars = page.bars
    if not bars.height:
        return page
    missing = [name for name in ("ts", *PRICES) if name not in bars.columns]
    if missing:
        _wrong(source, symbol, f"its bars lack the column {missing[0]!r}", f"give ts, {', '.join(FIELDS)}")
    for name in (name for name in FIELDS if name in bars.columns):
        dtype = bars.schema[name]
        if not (dtype.is_numeric() or dtype in (pl.String, pl.Null)):
            _wrong(source, symbol, f"{name} holds {dtype} ({bars[name][0]!r}), not numbers", "give numbers, or texts of numbers")
    times = _times(source, symbol, bars["ts"])
    return page if times is bars["ts"] else replace(page, bars=bars.with_columns(times))


def _times(source: Source, symbol: str, ts: pl.Series) -> pl.Series:
    """Dates or instants: a text of a date is one."""
    do = "give ts as a Date (text like 2024-01-31 is read) or as a Datetime in UTC"
    if ts.dtype == pl.String:
        days = ts.str.to_date("%Y-%m-%d", strict=False)
        wrong = ts.filter(ts.is_not_null() & (days.is_null() | ~ts.str.contains(DAY)))
        if wrong.len():
            _wrong(source, symbol, f"ts holds the text {wrong[0]!r}, which is no date", do)
        return days
    if not isinstance(ts.dtype, (pl.Date, pl.Datetime, pl.Null)):
        _wrong(source, symbol, f"ts holds {ts.dtype} ({ts[0]!r}), which names no instant", do)
    return ts


def _failed(source: Source, symbol: str, what: str, error: Exception) -> NoReturn:
    """Errors of ours go on; others are told with their source."""
    if isinstance(error, RustyBTError):
        raise error
    said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    raise SourceError(
        f"{what} of source {source.name!r} failed with {said}",
        where=_place(source, symbol),
        do="check the symbol; if it is right, report it to whoever wrote the source",
    ) from error


def _wrong(source: Source, symbol: str, what: str, do: str) -> NoReturn:
    raise SourceError(what, where=_place(source, symbol), do=f"the source has to {do}")


def _place(source: Source, symbol: str) -> str:
    return f"{source.name}, {symbol!r}"
