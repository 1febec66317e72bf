"""Candles of Binance spot, as the exchange writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

from rustybt._extras import require
from rustybt.adapters import failures
from rustybt.adapters.windows import window_page
from rustybt.errors import RustyBTError
from rustybt.model.source import History, Page, Rate, Terms

MOST = 1000
INVALID_SYMBOL = -1121
BAD_CHARACTERS = -1100


def open_source(address: str, *, base_url: str | None = None, timeout: float | str = 30.0) -> tuple[BinanceSource, tuple[str, ...]]:
    """The source of ``binance:<symbols>``; candles are public, so no key is asked for.

    Args:
        address: what follows ``binance:``.
        base_url: another server that speaks its wire.
        timeout: seconds for one answer.

    Raises:
        MissingExtraError: binance-sdk-spot is not installed.
    """
    return BinanceSource(base_url, float(timeout)), failures.symbols_of(address)


class BinanceSource:
    """The spot market."""

    name = "binance"
    options: Mapping[str, str] = {}
    stamp: Literal["open"] = "open"
    frequencies: Sequence[str] = (*("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w"),)
    rates: Sequence[Rate] = (Rate(2000, 60.0),)  # a candle request weighs 2 of 6000; the rest is left to others

    def __init__(self, base_url: str | None, timeout: float) -> None:
        spot = require("binance_sdk_spot.spot", extra="binance")
        self._errors = require("binance_common.errors", extra="binance")
        self.address = failures.checked_url(base_url, "https://api.binance.com")
        settings = spot.ConfigurationRestAPI(base_path=self.address, timeout=int(timeout * 1000), retries=0)
        self._timeout = timeout
        self._client = spot.Spot(config_rest_api=settings).rest_api
        self.version = f"binance-sdk-spot {version('binance-sdk-spot')}"

    def another(self) -> BinanceSource:
        """One with a client of its own."""
        return BinanceSource(self.address, self._timeout)

    def terms(self, symbol: str) -> Terms:
        """Increments of a pair, as the exchange publishes them."""
        found = self._ask(symbol, lambda: list(self._client.exchange_info(symbol=symbol).data().symbols))
        about = next((item for item in found if item.symbol == symbol), None)
        if about is None:
            raise failures.unknown_symbol(self.name, symbol)
        filters = {item.actual_instance.filter_type: item.actual_instance for item in about.filters}
        lot = filters["LOT_SIZE"].step_size
        settings = {"currency": about.quote_asset, "tick_size": filters["PRICE_FILTER"].tick_size, "lot_size": lot, "volume_step": lot}
        if "NOTIONAL" in filters:
            settings["min_notional"] = filters["NOTIONAL"].min_notional
        return Terms("crypto", settings)

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        """One window of candles."""

        def candles(start: int, end: int) -> list[Sequence[Any]]:
            ask = {"interval": history.frequency, "start_time": start, "end_time": end - 1, "limit": MOST}
            rows = self._ask(symbol, lambda: self._client.klines(symbol=symbol, **ask).data())
            return [(int(_plain(row[0])), *(str(_plain(value)) for value in row[1:6])) for row in rows]

        return window_page(history, cursor, MOST, candles)

    def _ask(self, symbol: str, call: Callable[[], Any]) -> Any:
        import requests

        errors = self._errors
        try:
            return call()
        except (errors.TooManyRequestsError, errors.RateLimitBanError) as error:
            raise failures.too_often(self.name, error.retry_after) from error
        except errors.BadRequestError as error:
            raise self._refused(symbol, error) from error
        except (errors.UnauthorizedError, errors.ForbiddenError) as error:
            raise failures.down(self.name, f"it refuses: {error}") from error
        except requests.exceptions.JSONDecodeError as error:
            raise failures.partial(self.name, str(error)) from error
        except (errors.ServerError, errors.NetworkError, requests.exceptions.RequestException) as error:
            raise failures.down(self.name, str(error)) from error
        except errors.Error as error:
            raise failures.no_bars_like_these(self.name, symbol, str(error)) from error
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:  # the library takes an answer apart unchecked
            raise failures.partial(self.name, f"{type(error).__name__}: {error}") from error

    def _refused(self, symbol: str, error: Any) -> RustyBTError:
        if error.status_code in (INVALID_SYMBOL, BAD_CHARACTERS):
            return failures.unknown_symbol(self.name, symbol)
        return failures.no_bars_like_these(self.name, symbol, str(error.error_message))


def _plain(value: Any) -> Any:
    """A number or text out of the library's union of both."""
    return getattr(value, "actual_instance", value)
