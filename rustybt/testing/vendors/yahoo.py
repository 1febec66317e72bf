"""Yahoo Finance: the chart interface, version 8, with its cookie and crumb."""

from __future__ import annotations

import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rustybt.testing.vendors.server import Call, Reply, Vendor
from rustybt.testing.vendors.tape import Action, Bar, Tape

CHART = "/v8/finance/chart/"


class SimulatedYahoo(Vendor):
    """Prices and volume divided by all later splits, in single precision, as Yahoo stores them."""

    def answer(self, call: Call) -> Reply:
        """What Yahoo says."""
        if call.path == "/":
            return Reply(b"", 404, {"Set-Cookie": "A3=d=x; Domain=.yahoo.com; Path=/", "Content-Type": "text/html"})
        if call.path == "/v1/test/getcrumb":
            return Reply(b"crumb123", headers={"Content-Type": "text/plain"})
        tape = self.tapes.get(call.path.removeprefix(CHART)) if call.path.startswith(CHART) else None
        if tape is None:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return Reply({"chart": {"result": None, "error": error}}, 404)
        if call.query.get("interval") == "1d":
            tape = tape.daily
        if call.query.get("interval") != tape.frequency:
            error = {"code": "Unprocessable Entity", "description": f"{call.query.get('interval')} data not available"}
            return Reply({"chart": {"result": None, "error": error}}, 422)
        return Reply({"chart": {"result": [self._chart(tape, call.query)], "error": None}})

    def limited(self) -> Reply:
        """A page of text, without the seconds to wait."""
        return Reply(b"Too Many Requests\r\n", 429, {"Content-Type": "text/html"})

    def _chart(self, tape: Tape, query: dict[str, str]) -> dict[str, Any]:
        first, last = int(query.get("period1", 0)), int(query.get("period2", 2**40))
        inside = [bar for bar in tape.bars if first <= bar.millis // 1000 < last]
        if "range" in query:
            inside = inside[-5:]
        rows = self.bend(inside)
        quote = {name: [_single(getattr(bar, name), tape, bar) for bar in rows] for name in ("open", "high", "low", "close")}
        quote["volume"] = [int(Fraction(bar.volume) * tape.splits_after(bar.day)) for bar in rows]
        chart = {
            "meta": _about(tape, query),
            "timestamp": [bar.millis // 1000 for bar in rows],
            "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
        }
        starts = {bar.day: bar.millis // 1000 for bar in reversed(tape.bars)}
        events: dict[str, Any] = {}
        for action in tape.actions:
            at = starts.get(action.day)
            if at is not None and first <= at < last:
                events.setdefault("splits" if action.kind == "split" else "dividends", {})[str(at)] = _event(action, at, tape)
        return {**chart, "events": events} if events else chart


def _single(price: Decimal, tape: Tape, bar: Bar) -> float:
    adjusted = float(Fraction(price) / tape.splits_after(bar.day))
    return float(struct.unpack("f", struct.pack("f", adjusted))[0])


def _event(action: Action, at: int, tape: Tape) -> dict[str, Any]:
    if action.kind == "split":
        return {"date": at, "numerator": float(action.up), "denominator": float(action.down), "splitRatio": f"{action.up}:{action.down}"}
    return {"amount": float(Fraction(action.amount) / tape.splits_after(action.day)), "date": at}


def _about(tape: Tape, query: dict[str, str]) -> dict[str, Any]:
    first, last = tape.bars[0].millis // 1000, tape.bars[-1].millis // 1000
    period = {"timezone": "EST", "start": last, "end": last + 23400, "gmtoffset": -18000}
    days = sorted({bar.day: bar.millis // 1000 for bar in reversed(tape.bars)}.items())
    hours = [[{"timezone": "EST", "start": start, "end": start + 23400, "gmtoffset": -18000}] for _, start in days]
    return {
        "currency": "USD",
        "symbol": tape.symbol,
        "exchangeName": "NMS",
        "fullExchangeName": "NasdaqGS",
        "instrumentType": "EQUITY",
        "firstTradeDate": first,
        "regularMarketTime": last,
        "hasPrePostMarketData": True,
        "gmtoffset": -18000,
        "timezone": "EST",
        "exchangeTimezoneName": "America/New_York",
        "regularMarketPrice": float(tape.bars[-1].close),
        "chartPreviousClose": float(tape.bars[0].open),
        "priceHint": 2,
        "currentTradingPeriod": dict.fromkeys(("pre", "regular", "post"), period),
        "tradingPeriods": hours,
        "dataGranularity": query.get("interval", "1d"),
        "range": query.get("range", ""),
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }
