"""Daily bars of Alpha Vantage as they were traded, with its splits and dividends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from typing import Any, Literal

import polars as pl

from rustybt._extras import require
from rustybt.adapters import failures
from rustybt.adapters.rows import NUMBERS, bars_of
from rustybt.errors import RustyBTError
from rustybt.model.source import History, Page, Rate, Terms

KEYS = ("ALPHAVANTAGE_API_KEY",)
SPLITS, DIVIDENDS = "splits", "dividends"
THEIRS = ("1. open", "2. high", "3. low", "4. close", "5. volume")
CALENDARS = {"LON": "XLON", "TRT": "XTSE", "TRV": "XTSX", "DEX": "XETR", "DEU": "XETR", "PAR": "XPAR", "AMS": "XAMS", "BSE": "XBOM"}
"""Exchange calendars by what follows the point of a symbol; without one it is listed in the United States."""
MINUTE, DAY = 60.0, 86_400.0


def open_source(
    address: str, *, key: str | None = None, base_url: str | None = None, requests_per_minute: int | str = 5, timeout: float | str = 60.0
) -> tuple[AlphaVantageSource, tuple[str, ...]]:
    """The source of ``alphavantage:<symbols>``.

    Args:
        address: what follows ``alphavantage:``.
        key: of the account; else ``ALPHAVANTAGE_API_KEY``.
        base_url: another server that speaks its wire.
        requests_per_minute: that the account allows; a free one five, and 25 a day.
        timeout: seconds for one answer.

    Raises:
        ConfigError: there is no key.
        MissingExtraError: alpha_vantage is not installed.
    """
    found = failures.key_of(key, KEYS, "alphavantage")
    return AlphaVantageSource(found, base_url, int(requests_per_minute), float(timeout)), failures.symbols_of(address)


class AlphaVantageSource:
    """Daily bars. The cursor names what is asked next: bars, splits, dividends."""

    name = "alphavantage"
    options: Mapping[str, str] = {}
    stamp: Literal["session"] = "session"
    frequencies: Sequence[str] = ("1d",)

    def __init__(self, key: str, base_url: str | None, requests_per_minute: int, timeout: float) -> None:
        self.address = failures.checked_url(base_url, "https://www.alphavantage.co")
        self._key, self._timeout = key, timeout
        self._opened = (key, base_url, requests_per_minute, timeout)
        self._series = self._own(require("alpha_vantage.timeseries", extra="alphavantage").TimeSeries)
        self._actions = self._own(require("alpha_vantage.fundamentaldata", extra="alphavantage").FundamentalData)
        self.version = f"alpha-vantage {version('alpha-vantage')}"
        self.rates: Sequence[Rate] = (Rate(requests_per_minute, MINUTE),)

    def _own(self, kind: Any) -> Any:
        """The library's client with a transport of ours: it has no timeout, and its address is one for the whole process."""
        source = self

        class Client(kind):  # type: ignore[misc] # loaded when it is used
            def _handle_api_call(self, url: str) -> Mapping[str, Any]:
                return source._asked(url)

        return Client(self._key)

    def another(self) -> AlphaVantageSource:
        """One with clients of its own."""
        return AlphaVantageSource(*self._opened)

    def terms(self, symbol: str) -> Terms:
        """The exchange, by the end of the symbol; a request less of the few that an account has."""
        suffix = symbol.partition(".")[2]
        return Terms("equity", {}, CALENDARS.get(suffix) if suffix else "XNYS")

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        """All bars, then all splits, then all dividends, cut to what is wanted."""
        first, last = history.start.date(), history.end.date()
        self._symbol = symbol
        if cursor is None:
            return self._bars(symbol, first, last)
        ask, day, kind, value = (
            (self._actions.get_splits, "effective_date", "split", "split_factor")
            if cursor == SPLITS
            else (self._actions.get_dividends, "ex_dividend_date", "dividend", "amount")
        )
        self._answer: Mapping[str, Any] = {}
        ask(symbol)
        events = []
        for item in self._answer.get("data") or ():
            if first.isoformat() <= item[day] <= last.isoformat():
                pay = item.get("payment_date")
                events.append({"ts": item[day], "kind": kind, "value": item[value], **({"pay": pay} if pay not in (None, "None") else {})})
        return Page(bars_of(()), events, DIVIDENDS if cursor == SPLITS else None)

    def _bars(self, symbol: str, first: date, last: date) -> Page:
        found, _ = self._series.get_daily(symbol, outputsize="full")
        try:
            rows = [(date.fromisoformat(day), *(row[name] for name in THEIRS)) for day, row in found.items()]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise failures.partial(self.name, f"a bar without {error}") from error
        columns: dict[str, list[Any]] = {name: [row[i] for row in rows] for i, name in enumerate(("ts", *NUMBERS))}
        bars = pl.DataFrame(columns, schema={"ts": pl.Date, **dict.fromkeys(NUMBERS, pl.String)})
        return Page(bars.filter(pl.col("ts").is_between(first, last)), cursor=SPLITS)

    def _asked(self, url: str) -> Mapping[str, Any]:
        """One answer, which is an error in JSON as often as not; the key is in the address, so no address is shown."""
        import requests

        try:
            reply = requests.get(f"{self.address}/{url.split('/', 3)[3]}", timeout=self._timeout)
        except requests.exceptions.ChunkedEncodingError:
            raise failures.partial(self.name, "it breaks off") from None
        except requests.exceptions.RequestException as error:
            raise failures.down(self.name, type(error).__name__) from None
        if reply.status_code == 429:
            raise failures.too_often(self.name, failures.seconds(reply.headers.get("Retry-After")))
        if reply.status_code >= 400:
            raise failures.down(self.name, f"status {reply.status_code}")
        try:
            answer = reply.json()
        except ValueError as error:
            raise failures.partial(self.name, "it is not JSON") from error
        if not isinstance(answer, Mapping) or not answer:
            raise failures.partial(self.name, "it is empty")
        said = next((str(answer[name]) for name in ("Error Message", "Information", "Note") if name in answer), None)
        if said is not None:
            raise self._explained(said.replace(self._key, "***"))
        self._answer = answer
        return answer

    def _explained(self, said: str) -> RustyBTError:
        lower = said.lower()
        if "apikey" in lower and "invalid" in lower:
            return failures.wrong_key(self.name, said, KEYS)
        if "invalid api call" in lower:
            return failures.unknown_symbol(self.name, self._symbol)
        if "premium" in lower and "rate limit" not in lower:
            return failures.no_bars_like_these(self.name, self._symbol, said)
        return failures.too_often(self.name, DAY if "per day" in lower else None)
