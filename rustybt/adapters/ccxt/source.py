"""Public candles of an exchange, exact, window by window."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal

from rustybt._extras import require
from rustybt.adapters import failures
from rustybt.adapters.ccxt.settings import at_address, decimal_step
from rustybt.adapters.rows import LENGTHS, milliseconds
from rustybt.adapters.windows import window_page
from rustybt.errors import ConfigError
from rustybt.model.source import History, Page, Rate, Terms

UNSAID_LIMIT = 500
"""Candles of one answer where an exchange does not say its most."""


def open_source(address: str, *, base_url: str | None = None, timeout: float | str = 30.0) -> tuple[CcxtSource, tuple[str, ...]]:
    """The source of ``ccxt:<exchange>:<symbols>``; candles are public, so no key is asked for.

    Args:
        address: what follows ``ccxt:``.
        base_url: another server that speaks the exchange's wire.
        timeout: seconds for one answer.

    Raises:
        ConfigError: there is no such exchange, or it has no candles.
        MissingExtraError: ccxt is not installed.
    """
    exchange, _, symbols = address.partition(":")
    return CcxtSource(exchange, base_url, timeout), failures.symbols_of(symbols)


class CcxtSource:
    """One exchange: candles in windows of time."""

    stamp: Literal["open"] = "open"
    options: Mapping[str, str] = {}

    def __init__(self, exchange: str, base_url: str | None = None, timeout: float | str = 30.0) -> None:
        self._ccxt = require("ccxt", extra="ccxt")
        if exchange not in self._ccxt.exchanges:
            like = get_close_matches(exchange, self._ccxt.exchanges, n=3)
            do = f"did you mean {', '.join(like)}?" if like else "write it like ccxt:binance:BTC/USDT"
            raise ConfigError(f"ccxt knows no exchange {exchange!r}", where="ccxt", do=do)
        self.name, self.version = f"ccxt:{exchange}", f"ccxt {self._ccxt.__version__}"
        self._client = getattr(self._ccxt, exchange)({"timeout": int(float(timeout) * 1000), "enableRateLimit": False, "options": {}})
        if self._client.has.get("fetchOHLCV") is not True:  # "emulated" ones are made of the few trades that it remembers
            raise ConfigError(f"{exchange} gives no candles", where=self.name, do="use another exchange")
        self._client.number = str  # never through float
        self._client.enableLastJsonResponse = True
        self._client.has["fetchCurrencies"] = False  # asks for a key, and gives nothing that is needed here
        self.address = f"https://{exchange}"
        if base_url is not None:
            self.address = failures.checked_url(base_url, "")
            at_address(self._client, self.address)
        self.frequencies = tuple(name for name in self._client.timeframes or {} if name[-1] in LENGTHS)
        self.rates = (Rate(max(round(1000 / self._client.rateLimit), 1), max(self._client.rateLimit / 1000, 1.0)),)
        self._kinds: tuple[str, ...] = ()
        self._opened = (exchange, base_url, timeout)

    def another(self) -> CcxtSource:
        """One with a client of its own; the markets that this one has loaded are not asked for again."""
        made = CcxtSource(*self._opened)
        if self._client.markets:
            made._client.set_markets_from_exchange(self._client)
            made._kinds = self._kinds
        return made

    def terms(self, symbol: str) -> Terms:
        """Increments of a market, as the exchange publishes them."""
        market = self._market(symbol)
        settings: dict[str, Any] = {"currency": market["quote"]}
        precision = market.get("precision") or {}
        for ours, theirs in (("tick_size", "price"), ("lot_size", "amount"), ("volume_step", "amount")):
            step = decimal_step(precision.get(theirs), self._client.precisionMode == self._ccxt.TICK_SIZE)
            if step is not None:
                settings[ours] = step
        least = ((market.get("limits") or {}).get("cost") or {}).get("min")
        if least is not None:
            settings["min_notional"] = str(least)
        return Terms("crypto", settings)

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        """One window of candles."""
        return window_page(history, cursor, self._limit(symbol), lambda start, end: self._candles(symbol, history.frequency, start, end))

    def _candles(self, symbol: str, frequency: str, start: int, end: int) -> list[list[Any]]:
        market = self._market(symbol)["symbol"]
        params, limit = {"until": end - 1}, max((end - start) // milliseconds(frequency), 1)
        rows: list[list[Any]] = self._ask(symbol, lambda: self._client.fetch_ohlcv(market, frequency, start, limit, params))
        if any(row[0] is None or None in row[1:5] for row in rows):
            raise failures.partial(self.name, f"a candle without its numbers: {next(row for row in rows if None in row)}")
        return rows

    def _market(self, symbol: str) -> Mapping[str, Any]:
        kinds = ("spot", "linear", "inverse") if ":" in symbol else ("spot",)
        if not set(kinds) <= set(self._kinds):
            self._client.options["fetchMarkets"] = {**(self._client.options.get("fetchMarkets") or {}), "types": list(kinds)}
            self._client.options["fetchMargins"] = False
            self._ask(symbol, lambda: self._client.load_markets(reload=True))
            self._kinds = kinds
        markets = self._client.markets
        if symbol not in markets:
            raise failures.unknown_symbol(self.name, symbol, markets)
        found: Mapping[str, Any] = markets[symbol]
        return found

    def _limit(self, symbol: str) -> int:
        kind = "spot" if self._market(symbol).get("spot") else "swap"
        features = (self._client.features or {}).get(kind) or {}
        while features and "fetchOHLCV" not in features:  # derivatives keep theirs under linear and inverse
            features = next((item for item in features.values() if isinstance(item, Mapping) and "fetchOHLCV" in item), {})
        return int((features.get("fetchOHLCV") or {}).get("limit") or UNSAID_LIMIT)

    def _ask(self, symbol: str, call: Any) -> Any:
        """A call of the library, its errors turned into ours."""
        ccxt, client = self._ccxt, self._client
        client.last_json_response = None
        try:
            answer = call()
        except ccxt.BadSymbol as error:
            raise failures.unknown_symbol(self.name, symbol) from error
        except (ccxt.DDoSProtection, ccxt.RateLimitExceeded) as error:
            headers = client.last_response_headers or {}
            raise failures.too_often(self.name, failures.seconds(headers.get("Retry-After"))) from error
        except ccxt.AuthenticationError as error:
            raise failures.wrong_key(self.name, str(error)) from error
        except ccxt.OperationFailed as error:
            raise failures.down(self.name, str(error)) from error
        except ccxt.BaseError as error:
            raise failures.no_bars_like_these(self.name, symbol, str(error)) from error
        except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:  # the library takes an answer apart unchecked
            raise failures.partial(self.name, f"{type(error).__name__}: {error}") from error
        if client.last_json_response is None:
            raise failures.partial(self.name, "it is not JSON")
        return answer
