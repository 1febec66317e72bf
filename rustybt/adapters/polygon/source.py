"""Aggregates of Polygon (Massive), unadjusted, with its splits and dividends, to the last digit of its JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from rustybt._extras import require
from rustybt.adapters import failures
from rustybt.adapters.rows import NEW_YORK, bars_of, exact_json, ratio_text
from rustybt.errors import RustyBTError
from rustybt.model.source import History, Page, Rate, Terms

KEYS = ("MASSIVE_API_KEY", "POLYGON_API_KEY")
SPANS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
MOST_BARS, MOST_ACTIONS = 50_000, 1000
SPLITS, DIVIDENDS = "splits", "dividends"
NUMBERS = ("o", "h", "l", "c", "v")
MARKETS = {"crypto": "crypto", "fx": "fx", "indices": "index"}
"""Asset classes by Polygon's markets; stocks are equities."""


def open_source(
    address: str, *, key: str | None = None, base_url: str | None = None, requests_per_minute: int | str = 5, timeout: float | str = 30.0
) -> tuple[PolygonSource, tuple[str, ...]]:
    """The source of ``polygon:<symbols>``, as Polygon writes them: ``AAPL``, ``X:BTCUSD``, ``C:EURUSD``, ``I:SPX``.

    Args:
        address: what follows ``polygon:``.
        key: of the account; else ``MASSIVE_API_KEY`` or ``POLYGON_API_KEY``.
        base_url: another server that speaks its wire.
        requests_per_minute: that the account allows; a free one five.
        timeout: seconds for one answer.

    Raises:
        ConfigError: there is no key.
        MissingExtraError: massive is not installed.
    """
    return PolygonSource(failures.key_of(key, KEYS, "polygon"), base_url, int(requests_per_minute), float(timeout)), failures.symbols_of(
        address
    )


class PolygonSource:
    """Stocks, coins, currencies and indices. The cursor names what is asked next, with the vendor's own cursor behind it.

    The client's generators swallow a page that is not JSON, and go through floats: it is asked for raw answers instead.
    """

    name = "polygon"
    options: Mapping[str, str] = {}
    stamp: Literal["open"] = "open"  # intraday and around the clock; daily bars of stocks carry dates
    frequencies: Sequence[str] = ("1s", "1m", "5m", "15m", "30m", "1h", "4h", "1d")

    def __init__(self, key: str, base_url: str | None, requests_per_minute: int, timeout: float) -> None:
        massive = require("massive", extra="polygon")
        from importlib.metadata import version

        self.address = failures.checked_url(base_url, "https://api.massive.com")
        self._opened = (key, base_url, requests_per_minute, timeout)
        waits = {"connect_timeout": timeout, "read_timeout": timeout}
        self._client = massive.RESTClient(key, base=self.address, connection_pool_kw={"retries": False}, **waits)
        self._massive = massive
        self._last: Any = None
        plain = self._client.client.request

        def remembered(*args: Any, **more: Any) -> Any:
            self._last = None
            self._last = plain(*args, **more)
            return self._last

        self._client.client.request = remembered
        self.version = f"massive {version('massive')}"
        self.rates: Sequence[Rate] = (Rate(requests_per_minute, 60.0),)

    def another(self) -> PolygonSource:
        """One with a client of its own."""
        return PolygonSource(*self._opened)

    def terms(self, symbol: str) -> Terms:
        """Market and currency of a symbol, listed or not any more."""
        found = self._get(symbol, lambda: self._client.list_tickers(ticker=symbol, raw=True)).get("results")
        if not found:
            found = self._get(symbol, lambda: self._client.list_tickers(ticker=symbol, active=False, raw=True)).get("results")
        if not found:
            raise failures.unknown_symbol(self.name, symbol)
        about = found[0]
        currency = str(about.get("currency_symbol") or about.get("currency_name") or "USD").upper()
        calendar = "XNYS" if about.get("market") == "stocks" and about.get("locale") == "us" else None
        return Terms(MARKETS.get(about.get("market", ""), "equity"), {"currency": currency}, calendar)

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        """Up to fifty thousand bars, or a thousand actions."""
        kind, _, token = (cursor or "").partition(":")
        if kind in (SPLITS, DIVIDENDS):
            return self._page_of_actions(symbol, history, kind, token)
        first, last, _, mark = ((*token.split(" "), "", "")[:4]) if token else (_millis(history.start), _millis(history.end), "", "")
        span = SPANS[history.frequency[-1]]
        more = {"cursor": mark} if mark else {}
        answer = self._get(
            symbol,
            lambda: self._client.list_aggs(
                symbol,
                int(history.frequency[:-1]),
                span,
                first,
                last,
                adjusted=False,
                sort="asc",
                limit=MOST_BARS,
                params=more,
                raw=True,
            ),
        )
        try:
            rows = [(int(row["t"]), *(row[name] for name in NUMBERS[:4]), row.get("v", "0")) for row in answer.get("results") or ()]
        except (KeyError, TypeError, ValueError) as error:
            raise failures.partial(self.name, f"a bar without {error}") from error
        stocks = ":" not in symbol
        daily = NEW_YORK if stocks and history.frequency == "1d" else None
        following = answer.get("next_url")
        ahead = f"bars:{_place(following)}" if following else f"{SPLITS}:" if stocks else None
        return Page(bars_of(rows, daily), cursor=ahead)

    def _page_of_actions(self, symbol: str, history: History, kind: str, token: str) -> Page:
        first, last = history.start.date().isoformat(), history.end.date().isoformat()
        more = {"cursor": token} if token else {}
        if kind == SPLITS:
            options = {"execution_date_gte": first, "execution_date_lte": last, "limit": MOST_ACTIONS, "params": more, "raw": True}
            answer = self._get(symbol, lambda: self._client.list_splits(ticker=symbol, **options))
            events = [
                {"ts": item["execution_date"], "kind": "split", "value": ratio_text(item["split_to"], item["split_from"])}
                for item in answer.get("results") or ()
            ]
        else:
            options = {"ex_dividend_date_gte": first, "ex_dividend_date_lte": last, "limit": MOST_ACTIONS, "params": more, "raw": True}
            answer = self._get(symbol, lambda: self._client.list_dividends(ticker=symbol, **options))
            events = [
                {"ts": item["ex_dividend_date"], "kind": "dividend", "value": item["cash_amount"], "pay": item.get("pay_date")}
                for item in answer.get("results") or ()
            ]
        following = answer.get("next_url")
        mark = parse_qs(urlsplit(following).query)["cursor"][0] if following else ""
        return Page(bars_of(()), events, f"{kind}:{mark}" if mark else f"{DIVIDENDS}:" if kind == SPLITS else None)

    def _get(self, symbol: str, call: Callable[[], Any]) -> Mapping[str, Any]:
        """An answer with its numbers as texts, or one of our errors."""
        import urllib3

        try:
            answer = exact_json(call().data)
        except self._massive.exceptions.BadResponse as error:
            raise self._explained(symbol, str(error)) from error
        except urllib3.exceptions.HTTPError as error:
            raise failures.down(self.name, str(error)) from error
        except ValueError as error:
            raise failures.partial(self.name, str(error)) from error
        if not isinstance(answer, Mapping):
            raise failures.partial(self.name, "it is no object")
        return answer

    def _explained(self, symbol: str, said: str) -> RustyBTError:
        status = 0 if self._last is None else int(self._last.status)
        if status == 429:
            return failures.too_often(self.name, failures.seconds(self._last.headers.get("Retry-After")))
        if status == 401 or (status == 403 and "key" in said.lower()):
            return failures.wrong_key(self.name, f"status {status}", KEYS[:1])
        if status == 404:
            return failures.unknown_symbol(self.name, symbol)
        if status >= 500 or status == 0:
            return failures.down(self.name, f"status {status}")
        return failures.no_bars_like_these(self.name, symbol, said)


def _millis(moment: Any) -> str:
    return str(int(moment.timestamp() * 1000))


def _place(url: str) -> str:
    """First and last instant and the cursor of the page that a next_url means."""
    parts = urlsplit(url)
    *_, first, last = parts.path.rstrip("/").split("/")
    return f"{first} {last} cursor {parse_qs(parts.query)['cursor'][0]}"
