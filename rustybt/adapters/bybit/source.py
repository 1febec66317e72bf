"""Candles of Bybit, spot or of its derivatives, as the exchange writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

from rustybt._extras import require
from rustybt.adapters import failures
from rustybt.adapters.windows import window_page
from rustybt.errors import ConfigError, RustyBTError
from rustybt.model.source import History, Page, Rate, Terms

MOST = 1000
CATEGORIES = ("spot", "linear", "inverse")
INTERVALS = {
    **{f"{minutes}m": str(minutes) for minutes in (1, 3, 5, 15, 30)},
    **{f"{hours}h": str(hours * 60) for hours in (1, 2, 4, 6, 12)},
    "1d": "D",
    "1w": "W",
}
TOO_OFTEN, BAD_KEY, BAD_REQUEST = (10006, 10018, 403, 429), (10003, 10004, 33004), 10001


def open_source(address: str, *, base_url: str | None = None, timeout: float | str = 30.0) -> tuple[BybitSource, tuple[str, ...]]:
    """The source of ``bybit:<symbols>`` (spot), ``bybit:linear:<symbols>`` or ``bybit:inverse:<symbols>``; candles are public.

    Args:
        address: what follows ``bybit:``.
        base_url: another server that speaks its wire.
        timeout: seconds for one answer.

    Raises:
        ConfigError: there is no such category.
        MissingExtraError: pybit is not installed.
    """
    category, colon, symbols = address.rpartition(":")
    if colon and category not in CATEGORIES:
        raise ConfigError(f"bybit has no category {category!r}", where="bybit", do=f"use one of {', '.join(CATEGORIES)}")
    return BybitSource(category or "spot", base_url, float(timeout)), failures.symbols_of(symbols)


class BybitSource:
    """One category of its markets."""

    stamp: Literal["open"] = "open"
    options: Mapping[str, str] = {}
    frequencies: Sequence[str] = tuple(INTERVALS)
    rates: Sequence[Rate] = (Rate(300, 5.0),)  # the exchange closes its door at 600

    def __init__(self, category: str, base_url: str | None, timeout: float) -> None:
        trading = require("pybit.unified_trading", extra="bybit")
        self._exceptions = require("pybit.exceptions", extra="bybit")
        self.name, self._category, self._timeout = f"bybit:{category}", category, timeout
        # -1 is no code: the client is to sleep for none of them, past the budget that all share.
        self._client = trading.HTTP(timeout=timeout, retry_codes={-1}, max_retries=1)
        self.address = failures.checked_url(base_url, "https://api.bybit.com")
        self._client.endpoint = self.address
        self.version = f"pybit {version('pybit')}"

    def another(self) -> BybitSource:
        """One with a client of its own."""
        return BybitSource(self._category, self.address, self._timeout)

    def terms(self, symbol: str) -> Terms:
        """Increments of a market, as the exchange publishes them."""
        found = self._ask(symbol, lambda: self._client.get_instruments_info(category=self._category, symbol=symbol))
        if not found:
            raise failures.unknown_symbol(self.name, symbol)
        lots, prices = found[0]["lotSizeFilter"], found[0]["priceFilter"]
        lot = lots.get("qtyStep") or lots["basePrecision"]
        settings = {"currency": found[0]["quoteCoin"], "tick_size": prices["tickSize"], "lot_size": lot, "volume_step": lot}
        least = lots.get("minNotionalValue") or lots.get("minOrderAmt")
        return Terms("crypto", {**settings, **({"min_notional": least} if least else {})})

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        """One window of candles."""

        def candles(start: int, end: int) -> list[Sequence[Any]]:
            ask = {"category": self._category, "symbol": symbol, "interval": INTERVALS[history.frequency], "limit": MOST}
            rows = self._ask(symbol, lambda: self._client.get_kline(start=start, end=end - 1, **ask))
            return [(int(row[0]), *row[1:6]) for row in rows]

        return window_page(history, cursor, MOST, candles)

    def _ask(self, symbol: str, call: Callable[[], Any]) -> list[Any]:
        """The list of an answer, or one of our errors."""
        import requests

        try:
            answer = call()
            if not isinstance(answer, Mapping):
                raise failures.partial(self.name, "it is no object")
            found: list[Any] = answer["result"]["list"]
        except (self._exceptions.FailedRequestError, self._exceptions.InvalidRequestError) as error:
            raise self._explained(symbol, error) from error
        except requests.exceptions.JSONDecodeError as error:
            raise failures.partial(self.name, str(error)) from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise failures.down(self.name, str(error)) from error
        except (ValueError, TypeError, KeyError) as error:
            raise failures.partial(self.name, f"{type(error).__name__}: {error}") from error
        return found

    def _explained(self, symbol: str, error: Any) -> RustyBTError:
        code, said = error.status_code, str(error.message)
        if code in TOO_OFTEN:
            return failures.too_often(self.name)
        if code in BAD_KEY:
            return failures.wrong_key(self.name, said)
        if code == BAD_REQUEST and "symbol" in said.lower():
            return failures.unknown_symbol(self.name, symbol)
        if isinstance(error, self._exceptions.FailedRequestError):
            return (
                failures.partial(self.name, said) if "json" in said.lower() or "decode" in said.lower() else failures.down(self.name, said)
            )
        return failures.no_bars_like_these(self.name, symbol, said)
