"""Bars of Alpaca's market data, raw, with its corporate actions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal

from rustybt._extras import require
from rustybt.adapters import failures
from rustybt.adapters.rows import NEW_YORK, bars_of, ratio_text
from rustybt.errors import RustyBTError
from rustybt.model.source import History, Page, Rate, Terms

KEYS, SECRETS = ("APCA_API_KEY_ID", "ALPACA_API_KEY"), ("APCA_API_SECRET_KEY", "ALPACA_SECRET_KEY")
FRAMES = {"1m": "1Min", "5m": "5Min", "15m": "15Min", "30m": "30Min", "1h": "1Hour", "1d": "1Day"}
MOST_BARS, MOST_ACTIONS = 10_000, 1000
ACTIONS = "actions"
FIRST = "2016-01-01"
"""Nothing is older."""
NUMBERS = ("o", "h", "l", "c", "v")


def open_source(
    address: str,
    *,
    key: str | None = None,
    secret: str | None = None,
    feed: str | None = None,
    base_url: str | None = None,
    requests_per_minute: int | str = 200,
    timeout: float | str = 30.0,
) -> tuple[AlpacaSource, tuple[str, ...]]:
    """The source of ``alpaca:<symbols>``.

    Args:
        address: what follows ``alpaca:``.
        key: of the account; else ``APCA_API_KEY_ID``.
        secret: beside it; else ``APCA_API_SECRET_KEY``.
        feed: ``sip``, ``iex``, ...; Alpaca's best for the account unless given.
        base_url: another server that speaks its wire.
        requests_per_minute: that the account allows.
        timeout: seconds for one answer.

    Raises:
        ConfigError: there is no key.
        MissingExtraError: alpaca-py is not installed.
    """
    pair = (failures.key_of(key, KEYS, "alpaca"), failures.key_of(secret, SECRETS, "alpaca"))
    source = AlpacaSource(pair, feed, base_url, int(requests_per_minute))
    source.set_timeout(float(timeout))
    return source, failures.symbols_of(address)


class AlpacaSource:
    """Stocks and funds of the United States. The cursor is the page token of the bars, then that of the actions."""

    name = "alpaca"
    stamp: Literal["open"] = "open"  # intraday; daily bars carry dates
    frequencies: Sequence[str] = tuple(FRAMES)

    def __init__(self, keys: tuple[str, str], feed: str | None, base_url: str | None, requests_per_minute: int) -> None:
        with warnings.catch_warnings():  # it still imports a websocket client that is deprecated
            warnings.simplefilter("ignore", DeprecationWarning)
            require("alpaca.data.historical", extra="alpaca")
        from alpaca import __version__
        from alpaca.common.exceptions import APIError
        from alpaca.data.historical.corporate_actions import CorporateActionsClient
        from alpaca.data.historical.stock import StockHistoricalDataClient

        self._failure: type[Any] = APIError
        self.address = failures.checked_url(base_url, "https://data.alpaca.markets")
        self._bars = StockHistoricalDataClient(*keys, url_override=self.address, raw_data=True)
        self._actions = CorporateActionsClient(*keys, url_override=self.address, raw_data=True)
        for client in (self._bars, self._actions):
            client._retry = 0  # noqa: SLF001 -- it would sleep inside a call, past the budget that all share
        self.options: Mapping[str, str] = {} if feed is None else {"feed": feed}
        self._opened = (keys, feed, base_url, requests_per_minute)
        self._feed = {} if feed is None else {"feed": feed}
        self.version = f"alpaca-py {__version__}"
        self.rates: Sequence[Rate] = (Rate(requests_per_minute, 60.0),)

    def another(self) -> AlpacaSource:
        """One with clients of its own."""
        made = AlpacaSource(*self._opened)
        made.set_timeout(self._timeout)
        return made

    def set_timeout(self, seconds: float) -> None:
        """Seconds for one answer; the client itself would wait for ever."""
        self._timeout = seconds
        for client in (self._bars, self._actions):
            session: Any = client._session  # noqa: SLF001 -- it is given no other way
            session.request = partial(session.request, timeout=seconds)

    def terms(self, symbol: str) -> Terms:
        """That there is such a symbol: it has a bar."""
        answer = self._get(self._bars, "/stocks/bars", symbol, {"timeframe": "1Month", "start": FIRST, "limit": 1, **self._feed})
        if not (answer.get("bars") or {}).get(symbol):
            raise failures.unknown_symbol(self.name, symbol)
        return Terms("equity", {"currency": "USD"}, "XNYS")

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        """Up to ten thousand bars, or a thousand actions."""
        kind, _, token = (cursor or "").partition(":")
        if kind == ACTIONS:
            return self._page_of_actions(symbol, history, token)
        span = {"timeframe": FRAMES[history.frequency], "start": history.start.isoformat(), "end": history.end.isoformat()}
        more = {"page_token": token} if token else {}
        answer = self._get(
            self._bars, "/stocks/bars", symbol, {**span, "adjustment": "raw", "sort": "asc", "limit": MOST_BARS, **self._feed, **more}
        )
        rows = (answer.get("bars") or {}).get(symbol) or []
        try:
            listed = [(_millis(row["t"]), *(repr(row[name]) for name in NUMBERS)) for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise failures.partial(self.name, f"a bar without {error}") from error
        following = answer.get("next_page_token")
        daily = NEW_YORK if history.frequency == "1d" else None
        return Page(bars_of(listed, daily), cursor=f"bars:{following}" if following else f"{ACTIONS}:")

    def _page_of_actions(self, symbol: str, history: History, token: str) -> Page:
        span = {"start": history.start.date().isoformat(), "end": history.end.date().isoformat()}
        kinds = "forward_split,reverse_split,cash_dividend,stock_dividend"
        more = {"page_token": token} if token else {}
        answer = self._get(self._actions, "/corporate-actions", symbol, {**span, "types": kinds, "limit": MOST_ACTIONS, **more})
        found = answer.get("corporate_actions") or {}
        following = answer.get("next_page_token")
        events = [_event(kind, item) for kind, items in found.items() for item in items]
        return Page(bars_of(()), [event for event in events if event], f"{ACTIONS}:{following}" if following else None)

    def _get(self, client: Any, path: str, symbol: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer, or one of our errors."""
        answer = self._ask(symbol, lambda: client.get(path, {"symbols": symbol, **params}))
        if not isinstance(answer, Mapping):
            raise failures.partial(self.name, "it is no object")
        return answer

    def _ask(self, symbol: str, call: Callable[[], Any]) -> Any:
        import requests

        try:
            return call()
        except self._failure as error:
            raise self._explained(symbol, error) from error
        except (requests.exceptions.JSONDecodeError, requests.exceptions.ChunkedEncodingError) as error:
            raise failures.partial(self.name, str(error)) from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise failures.down(self.name, str(error)) from error

    def _explained(self, symbol: str, error: Any) -> RustyBTError:
        status = int(error.status_code or 0)
        said = str(error)
        if status == 429:
            return failures.too_often(self.name, failures.seconds(error.response.headers.get("Retry-After")))
        if status == 403 and "subscription" in said:
            return failures.no_bars_like_these(self.name, symbol, f"{said} (another feed, or an earlier end, may be allowed)")
        if status in (401, 403):
            return failures.wrong_key(self.name, f"status {status}", (KEYS[0], SECRETS[0]))
        if status in (400, 422) and "invalid symbol" in said:
            return failures.unknown_symbol(self.name, symbol)
        if status >= 500 or status == 0:
            return failures.down(self.name, f"status {status}")
        return failures.no_bars_like_these(self.name, symbol, said)


def _millis(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _event(kind: str, item: Mapping[str, Any]) -> dict[str, Any] | None:
    """An action as the door reads it; None for kinds that it does not."""
    match kind:
        case "forward_splits" | "reverse_splits":
            return {"ts": item["ex_date"], "kind": "split", "value": ratio_text(item["new_rate"], item["old_rate"])}
        case "cash_dividends":
            return {"ts": item["ex_date"], "kind": "dividend", "value": repr(item["rate"]), "pay": item.get("payable_date")}
        case "stock_dividends":
            return {"ts": item["ex_date"], "kind": "stock_dividend", "value": repr(item["rate"])}
    return None
