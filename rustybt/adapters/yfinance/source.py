"""Bars of Yahoo Finance as they were traded, with splits and dividends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, Literal

import polars as pl

from rustybt._extras import require
from rustybt.adapters import failures
from rustybt.adapters.yfinance.exchanges import CALENDARS, KINDS
from rustybt.adapters.yfinance.session import loud, recording_session
from rustybt.adapters.yfinance.traded import as_traded, ratios_after, said
from rustybt.errors import RustyBTError
from rustybt.model.source import History, Page, Rate, Terms

PRICES = ("open", "high", "low", "close")
WINDOWS = {"1m": 7, "2m": 50, "5m": 50, "15m": 50, "1h": 700}
"""Days that Yahoo answers at once, by frequency; daily bars come all together."""
NOTHING = "Data doesn't exist"


def open_source(address: str, *, base_url: str | None = None, timeout: float | str = 30.0) -> tuple[YahooSource, tuple[str, ...]]:
    """The source of ``yfinance:<symbols>``, as Yahoo writes them.

    Args:
        address: what follows ``yfinance:``.
        base_url: another server that speaks Yahoo's wire.
        timeout: seconds for one answer.

    Raises:
        MissingExtraError: yfinance is not installed.
    """
    return YahooSource(base_url, float(timeout)), failures.symbols_of(address)


class YahooSource:
    """Yahoo Finance.

    Its prices and dividends are divided by all later splits, up to today; that is undone, so a page always asks for the splits until now.
    Its library keeps one session for the whole process, so it is asked for one symbol after another.
    """

    name = "yfinance"
    options: Mapping[str, str] = {}
    stamp: Literal["open"] = "open"  # intraday; daily bars carry dates
    frequencies: Sequence[str] = (*WINDOWS, "1d")
    rates: Sequence[Rate] = (Rate(10, 10.0),)

    def __init__(self, base_url: str | None = None, timeout: float = 30.0) -> None:
        self._yf = require("yfinance", extra="yfinance")
        self.version = f"yfinance {self._yf.__version__}"
        self.address = failures.checked_url(base_url, "https://query2.finance.yahoo.com")
        self._session = recording_session(None if base_url is None else self.address)
        self._timeout = timeout
        self._splits: dict[str, tuple[date, list[tuple[date, Fraction]]]] = {}

    def terms(self, symbol: str) -> Terms:
        """Class, currency and exchange of a symbol."""
        ticker = self._yf.Ticker(symbol, session=self._session)
        self._ask(symbol, lambda: ticker.history(period="5d", interval="1d", auto_adjust=False, timeout=self._timeout))
        about = ticker.history_metadata
        settings = {"currency": about["currency"]} if about.get("currency") else {}
        return Terms(KINDS.get(about.get("instrumentType", ""), "equity"), settings, CALENDARS.get(about.get("exchangeName", "")))

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        """All daily bars, or a window of shorter ones. The cursor is the first instant of the window."""
        if history.frequency == "1d":
            return self._daily(symbol, history)
        start = datetime.fromisoformat(cursor) if cursor else history.start
        end = min(start + timedelta(days=WINDOWS[history.frequency]), history.end)
        splits = self._splits_since(symbol, history.start.date())
        frame = self._history(symbol, history.frequency, start, end)
        stamps = [moment.to_pydatetime().astimezone(UTC) for moment in frame.index]
        bars = _bars(frame, [moment.date() for moment in frame.index], splits)
        bars = bars.with_columns(pl.Series("ts", stamps, dtype=pl.Datetime("us", "UTC")))
        events = self._events(frame, splits) if cursor is None else ()
        return Page(bars, events, None if end >= history.end else end.isoformat())

    def _daily(self, symbol: str, history: History) -> Page:
        frame = self._history(symbol, "1d", history.start, datetime.now(UTC) + timedelta(days=1))
        days = [moment.date() for moment in frame.index]
        splits = _splits(frame)
        bars = _bars(frame, days, splits).with_columns(pl.Series("ts", days, dtype=pl.Date))
        last = history.end.date()
        events = [event for event in self._events(frame, splits) if event["ts"] <= last.isoformat()]
        return Page(bars.filter(pl.col("ts") <= last), events)

    def _splits_since(self, symbol: str, first: date) -> list[tuple[date, Fraction]]:
        known = self._splits.get(symbol)
        if known is None or known[0] > first:
            moment = datetime(first.year, first.month, first.day, tzinfo=UTC)
            frame = self._history(symbol, "1d", moment, datetime.now(UTC) + timedelta(days=1))
            known = self._splits[symbol] = (first, _splits(frame))
        return known[1]

    def _events(self, frame: Any, splits: list[tuple[date, Fraction]]) -> list[dict[str, str]]:
        events = [{"ts": day.isoformat(), "kind": "split", "value": f"{float(ratio)!r}"} for day, ratio in splits]
        days = [moment.date() for moment in frame.index]
        for day, amount, ratio in zip(days, frame["Dividends"].tolist(), ratios_after(days, splits), strict=True):
            value = as_traded(said(amount), ratio) if amount else None
            if value is not None:
                events.append({"ts": day.isoformat(), "kind": "dividend", "value": value})
        return events

    def _history(self, symbol: str, interval: str, start: datetime, end: datetime) -> Any:
        ticker = self._yf.Ticker(symbol, session=self._session)
        options = {"auto_adjust": False, "actions": True, "keepna": True, "timeout": self._timeout}
        return self._ask(symbol, lambda: ticker.history(interval=interval, start=start, end=end, **options))

    def _ask(self, symbol: str, call: Callable[[], Any]) -> Any:
        """A call of the library, its errors turned into ours by what the server said."""
        exceptions = self._yf.exceptions
        try:
            with loud(self._yf):
                return call()
        except exceptions.YFRateLimitError as error:
            raise failures.too_often(self.name) from error
        except Exception as error:
            raise self._explained(symbol, error) from error
        finally:
            self._yf.data.YfData.cache_get.cache_clear()  # it keeps broken answers too

    def _explained(self, symbol: str, error: Exception) -> RustyBTError:
        status, text = self._session.last
        if NOTHING in str(error) or NOTHING in text:
            return failures.no_bars_like_these(self.name, symbol, str(error))
        if status == 404:
            return failures.unknown_symbol(self.name, symbol)
        if status == 429:
            return failures.too_often(self.name)
        if status in (401, 403):
            return failures.down(self.name, f"it refuses with status {status}")
        if status >= 500 or status == 0:
            return failures.down(self.name, str(error) if status == 0 else f"status {status}")
        if status >= 400:
            return failures.no_bars_like_these(self.name, symbol, str(error))
        return failures.partial(self.name, f"{type(error).__name__}: {error}")


def _splits(frame: Any) -> list[tuple[date, Fraction]]:
    """Ex-dates and new shares for old ones."""
    pairs = zip(frame.index, frame["Stock Splits"].tolist(), strict=True)
    return [(moment.date(), Fraction(ratio).limit_denominator(10**6)) for moment, ratio in pairs if ratio]


def _bars(frame: Any, days: list[date], splits: list[tuple[date, Fraction]]) -> pl.DataFrame:
    """Prices and volume as they were traded, as texts."""
    ratios = ratios_after(days, splits)
    columns = {}
    for name in PRICES:
        columns[name] = [as_traded(said(value), ratio) for value, ratio in zip(frame[name.capitalize()].tolist(), ratios, strict=True)]
    columns["volume"] = [as_traded(str(value), 1 / ratio) for value, ratio in zip(frame["Volume"].tolist(), ratios, strict=True)]
    return pl.DataFrame(columns, schema=dict.fromkeys((*PRICES, "volume"), pl.String))
