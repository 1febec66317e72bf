"""Bybit, version 5: ``market/kline`` and ``market/instruments-info``."""

from __future__ import annotations

import time
from typing import Any

from rustybt.testing.vendors.binance import PAIR
from rustybt.testing.vendors.server import Call, Reply, Vendor
from rustybt.testing.vendors.tape import Tape

MOST = 1000
CATEGORIES = ("spot", "linear", "inverse")
INTERVALS = {"1": "1m", "5": "5m", "15": "15m", "60": "1h", "240": "4h", "D": "1d"}


class SimulatedBybit(Vendor):
    """Spot, linear and inverse markets of the same symbols; the newest candles of a window come first.

    The oldest are left out where it holds too many.
    """

    def answer(self, call: Call) -> Reply:
        """What the exchange says: errors come with status 200 and a code."""
        match call.path:
            case "/v5/market/kline":
                return self._klines(call.query)
            case "/v5/market/instruments-info":
                return self._instruments(call.query)
            case "/v5/market/time":
                return _reply({"timeSecond": str(int(time.time())), "timeNano": str(time.time_ns())})
        return _reply({}, 10001, f"no such path {call.path}")

    def limited(self) -> Reply:
        """Bybit's words."""
        return _reply({}, 10006, "Too many visits. Exceeded the API Rate Limit.")

    def _klines(self, query: dict[str, str]) -> Reply:
        tape = self.tapes.get(query.get("symbol", ""))
        if tape is None or query.get("category", "linear") not in CATEGORIES:
            return _reply({}, 10001, "Not supported symbols")
        if INTERVALS.get(query.get("interval", "")) != tape.frequency:
            return _reply({}, 10001, "Invalid period!")
        first, last = int(query.get("start", 0)), int(query.get("end", 2**53))
        inside = [bar for bar in tape.bars if first <= bar.millis <= last]
        chosen = self.bend(inside[-min(int(query.get("limit", 200)), MOST) :][::-1])
        rows = [[str(bar.millis), *(f"{number.normalize():f}" for number in bar.numbers), f"{bar.close * bar.volume:f}"] for bar in chosen]
        return _reply({"category": query.get("category", "linear"), "symbol": tape.symbol, "list": rows})

    def _instruments(self, query: dict[str, str]) -> Reply:
        category = query.get("category", "")
        tapes = self.tapes.values() if category in CATEGORIES else ()
        found = [(_instrument if category == "spot" else _contract)(tape) for tape in tapes if query.get("symbol") in (None, tape.symbol)]
        return _reply({"category": category, "nextPageCursor": "", "list": found})


def _reply(result: dict[str, Any], code: int = 0, said: str = "OK") -> Reply:
    return Reply({"retCode": code, "retMsg": said, "result": result, "retExtInfo": {}, "time": int(time.time() * 1000)})


def _contract(tape: Tape) -> dict[str, Any]:
    """A perpetual contract: its step of quantity and its least notional have other names than those of spot."""
    found = _instrument(tape)
    names = ("symbol", "baseCoin", "quoteCoin", "status", "priceFilter")
    return {
        **{name: found[name] for name in names},
        "contractType": "LinearPerpetual" if found["quoteCoin"] == "USDT" else "InversePerpetual",
        "settleCoin": found["quoteCoin"] if found["quoteCoin"] == "USDT" else found["baseCoin"],
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "priceScale": "2",
        "fundingInterval": 480,
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "lotSizeFilter": {
            "qtyStep": f"{tape.step}",
            "minOrderQty": f"{tape.step}",
            "maxOrderQty": "1190.000",
            "postOnlyMaxOrderQty": "1190.000",
            "maxMktOrderQty": "500.000",
            "minNotionalValue": "5",
        },
    }


def _instrument(tape: Tape) -> dict[str, Any]:
    found = PAIR.fullmatch(tape.symbol)
    base, quote = found.groups() if found else (tape.symbol, "USDT")
    return {
        "symbol": tape.symbol,
        "baseCoin": base,
        "quoteCoin": quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": f"{tape.step}",
            "quotePrecision": "0.0000001",
            "minOrderQty": f"{tape.step}",
            "maxOrderQty": "71.73956243",
            "minOrderAmt": "5",
            "maxOrderAmt": "4000000",
        },
        "priceFilter": {"tickSize": f"{tape.tick}"},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
    }
