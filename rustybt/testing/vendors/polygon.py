"""Polygon, now Massive: aggregates, tickers, splits and dividends."""

from __future__ import annotations

import base64
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from rustybt.testing.vendors.server import Call, Reply, Vendor
from rustybt.testing.vendors.tape import Bar, Tape

SPANS = {"second": "s", "minute": "m", "hour": "h", "day": "d"}
NEW_YORK = ZoneInfo("America/New_York")


class SimulatedPolygon(Vendor):
    """Stocks, and pairs such as ``X:BTCUSD`` around the clock.

    Args:
        most: bars of one page at most, however many are asked for.
    """

    most = 100

    def answer(self, call: Call) -> Reply:
        """What Polygon says; pages point at this server by ``next_url``."""
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return Reply({"status": "ERROR", "request_id": "1", "error": "Unknown API Key"}, 401)
        if call.path.startswith("/v2/aggs/ticker/"):
            return self._aggregates(call)
        if call.path == "/v3/reference/tickers":
            return self._tickers(call.query)
        if call.path in ("/v3/reference/splits", "/v3/reference/dividends"):
            return self._actions(call.path.rpartition("/")[2], call.query)
        return Reply({"status": "NOT_FOUND", "request_id": "1", "message": "Not found"}, 404)

    def limited(self) -> Reply:
        """Polygon's words, without the seconds to wait."""
        said = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue."
        return Reply({"status": "ERROR", "request_id": "1", "error": said}, 429)

    def _aggregates(self, call: Call) -> Reply:
        symbol, _, number, span, first, last = call.path.removeprefix("/v2/aggs/ticker/").split("/")
        tape = self.tapes.get(symbol)
        about = {"ticker": symbol, "adjusted": False, "status": "OK", "request_id": "1"}
        if tape is None:
            return Reply({**about, "queryCount": 0, "resultsCount": 0})
        if f"{number}{SPANS[span]}" != tape.frequency or call.query.get("adjusted") != "false":
            return Reply({"status": "ERROR", "request_id": "1", "error": "this simulation has other bars"}, 400)
        inside = [bar for bar in tape.bars if int(first) <= _stamp(bar, tape) <= int(last)]
        start = int(base64.b64decode(call.query["cursor"])) if "cursor" in call.query else 0
        stop = start + min(int(call.query.get("limit", 5000)), self.most)
        rows = [_aggregate(bar, tape) for bar in self.bend(inside[start:stop])]
        answer = {**about, "queryCount": len(rows), "resultsCount": len(rows), "results": rows}
        if stop < len(inside):
            mark = base64.b64encode(str(stop).encode()).decode()
            answer["next_url"] = f"{self.url}{call.path}?cursor={mark}"
        return Reply(answer)

    def _tickers(self, query: dict[str, str]) -> Reply:
        symbol = query.get("ticker", "")
        if symbol not in self.tapes or query.get("active") == "false":
            return Reply({"results": [], "status": "OK", "request_id": "1", "count": 0})
        stocks = ":" not in symbol
        about = {"ticker": symbol, "name": symbol, "market": "stocks" if stocks else "crypto", "locale": "us" if stocks else "global"}
        about |= {"primary_exchange": "XNAS", "type": "CS", "currency_name": "usd"} if stocks else {"currency_symbol": "USD"}
        return Reply({"results": [{**about, "active": True}], "status": "OK", "request_id": "1", "count": 1})

    def _actions(self, kind: str, query: dict[str, str]) -> Reply:
        tape, day = self.tapes.get(query.get("ticker", "")), "execution_date" if kind == "splits" else "ex_dividend_date"
        rows: list[dict[str, Any]] = []
        for action in tape.actions if tape is not None else ():
            if f"{action.kind}s" != kind or not query[f"{day}.gte"] <= action.day.isoformat() <= query[f"{day}.lte"]:
                continue
            about: dict[str, Any] = {day: action.day.isoformat(), "ticker": query["ticker"], "id": "E1"}
            if kind == "splits":
                rows.append({**about, "split_from": action.down, "split_to": action.up})
            else:
                rows.append({**about, "cash_amount": float(action.amount), "currency": "USD", "dividend_type": "CD", "pay_date": None})
        return Reply({"results": rows, "status": "OK", "request_id": "1"})


def _stamp(bar: Bar, tape: Tape) -> int:
    """Daily bars of stocks are stamped at midnight in New York."""
    if tape.frequency == "1d" and tape.calendar is not None:
        return int(datetime.combine(bar.day, time(), NEW_YORK).timestamp() * 1000)
    return bar.millis


def _aggregate(bar: Bar, tape: Tape) -> dict[str, Any]:
    prices = {name: float(number) for name, number in zip("ohlc", bar.numbers, strict=False)}
    return {"v": float(bar.volume), "vw": prices["c"], **prices, "t": _stamp(bar, tape), "n": 308}
