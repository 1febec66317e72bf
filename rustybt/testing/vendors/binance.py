"""Binance spot: ``exchangeInfo`` and ``klines`` as documented for its REST interface, version 3."""

from __future__ import annotations

import re
import time
from typing import Any

from rustybt.data.stamps import microseconds
from rustybt.testing.vendors.server import Call, Reply, Vendor
from rustybt.testing.vendors.tape import Bar, Tape

MOST, USUAL = 1000, 500
PAIR = re.compile(r"(.+?)(USDT|USDC|BTC|EUR)")


class SimulatedBinance(Vendor):
    """Public market data; tapes are named like ``BTCUSDT``.

    A window without an end gives the oldest candles from its start; the candle that is not complete is the last of an open window.

    Args:
        most: candles of one answer at most.
    """

    most = MOST

    def answer(self, call: Call) -> Reply:
        """What the exchange says."""
        head = {"X-MBX-USED-WEIGHT-1M": str(len(self.calls))}
        match call.path:
            case "/api/v3/exchangeInfo":
                return self._info(call.query.get("symbol"), head)
            case "/api/v3/klines" | "/api/v3/uiKlines":
                return self._klines(call.query, head)
            case "/api/v3/ping":
                return Reply({}, headers=head)
            case "/api/v3/time":
                return Reply({"serverTime": int(time.time() * 1000)}, headers=head)
        return Reply(b"<html>404</html>", 404, {"Content-Type": "text/html"})

    def limited(self) -> Reply:
        """Binance's words, with the seconds to wait."""
        said = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
        return Reply({"code": -1003, "msg": said}, 429, {"Retry-After": "0"})

    def _klines(self, query: dict[str, str], head: dict[str, str]) -> Reply:
        tape = self.tapes.get(query.get("symbol", ""))
        if tape is None:
            return Reply({"code": -1121, "msg": "Invalid symbol."}, 400, head)
        if query.get("interval") != tape.frequency:
            return Reply({"code": -1120, "msg": "Invalid interval."}, 400, head)
        limit = min(int(query.get("limit", USUAL)), MOST, self.most)
        start, end = int(query.get("startTime", 0)), int(query.get("endTime", 2**53))
        inside = [bar for bar in tape.bars if start <= bar.millis <= end]
        chosen = inside[:limit] if "startTime" in query else inside[-limit:]
        length = microseconds(tape.frequency) // 1000
        return Reply(self.bend([_kline(bar, length) for bar in chosen]), headers=head)

    def _info(self, symbol: str | None, head: dict[str, str]) -> Reply:
        if symbol is not None and symbol not in self.tapes:
            return Reply({"code": -1121, "msg": "Invalid symbol."}, 400, head)
        limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}]
        symbols = [_symbol(tape) for tape in self.tapes.values() if symbol in (None, tape.symbol)]
        about = {"timezone": "UTC", "serverTime": int(time.time() * 1000), "rateLimits": limits, "exchangeFilters": []}
        return Reply({**about, "symbols": symbols}, headers=head)


def _kline(bar: Bar, length: int) -> list[Any]:
    prices = [f"{number:.8f}" for number in bar.numbers]
    quote = f"{bar.close * bar.volume:.8f}"
    return [bar.millis, *prices, bar.millis + length - 1, quote, 308, prices[4], quote, "0"]


def _symbol(tape: Tape) -> dict[str, Any]:
    found = PAIR.fullmatch(tape.symbol)
    base, quote = found.groups() if found else (tape.symbol, "USDT")
    lot = {"minQty": f"{tape.step:.8f}", "maxQty": "9000.00000000", "stepSize": f"{tape.step:.8f}"}
    return {
        "symbol": tape.symbol,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": f"{tape.tick:.8f}", "maxPrice": "1000000.00000000", "tickSize": f"{tape.tick:.8f}"},
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "maxNotional": "9000000.00000000"},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }
