"""Alpaca's market data: ``/v2/stocks/bars`` and ``/v1/corporate-actions``."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from rustybt.testing.vendors.server import Call, Reply, Vendor
from rustybt.testing.vendors.tape import Action, Bar, Tape

FRAMES = {"1Min": "1m", "5Min": "5m", "15Min": "15m", "1Hour": "1h", "1Day": "1d"}
NEW_YORK = ZoneInfo("America/New_York")


class SimulatedAlpaca(Vendor):
    """Stocks; the secret is the key again.

    Args:
        most: bars of one page at most, however many are asked for.
    """

    most = 100

    def answer(self, call: Call) -> Reply:
        """What Alpaca says; an unknown symbol is not an error, it has no bars."""
        if (call.headers.get("apca-api-key-id"), call.headers.get("apca-api-secret-key")) != (self.key, self.key):
            return Reply({"message": "forbidden."}, 401 if "apca-api-key-id" not in call.headers else 403)
        match call.path:
            case "/v2/stocks/bars":
                return self._bars(call.query)
            case "/v1/corporate-actions":
                return self._actions(call.query)
        return Reply({"message": "endpoint not found."}, 404)

    def limited(self) -> Reply:
        """Alpaca's words."""
        return Reply({"message": "too many requests."}, 429, {"X-Ratelimit-Limit": "200", "X-Ratelimit-Remaining": "0"})

    def _bars(self, query: dict[str, str]) -> Reply:
        symbol = query["symbols"]
        tape = self.tapes.get(symbol)
        if tape is None:
            return Reply({"bars": {}, "next_page_token": None})
        if query["timeframe"] == "1Month":
            return Reply({"bars": {symbol: [_bar(tape.bars[0], tape)]}, "next_page_token": None})
        if FRAMES.get(query["timeframe"]) != tape.frequency:
            return Reply({"message": f"invalid timeframe: {query['timeframe']}"}, 400)
        if query.get("adjustment", "raw") != "raw":
            return Reply({"message": "this simulation has raw prices only"}, 400)
        first, last = _moment(query["start"]), _moment(query.get("end", "9999-01-01"))
        inside = [bar for bar in tape.bars if first <= _stamp(bar, tape) <= last]
        start = int(base64.b64decode(query["page_token"])) if "page_token" in query else 0
        stop = start + min(int(query.get("limit", 1000)), self.most)
        token = base64.b64encode(str(stop).encode()).decode() if stop < len(inside) else None
        return Reply({"bars": {symbol: [_bar(bar, tape) for bar in self.bend(inside[start:stop])]}, "next_page_token": token})

    def _actions(self, query: dict[str, str]) -> Reply:
        tape, found = self.tapes.get(query["symbols"]), dict[str, list[Any]]()
        for action in tape.actions if tape is not None else ():
            if date.fromisoformat(query["start"]) <= action.day <= date.fromisoformat(query["end"]):
                name, item = _action(action, query["symbols"])
                found.setdefault(name, []).append(item)
        return Reply({"corporate_actions": found, "next_page_token": None})


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _stamp(bar: Bar, tape: Tape) -> datetime:
    """Daily bars are stamped at midnight in New York."""
    return datetime.combine(bar.day, time(), NEW_YORK) if tape.frequency == "1d" else bar.start


def _bar(bar: Bar, tape: Tape) -> dict[str, Any]:
    stamp = _stamp(bar, tape).astimezone(UTC)
    prices = {name: float(number) for name, number in zip("ohlc", bar.numbers, strict=False)}
    return {"t": f"{stamp:%Y-%m-%dT%H:%M:%SZ}", **prices, "v": int(bar.volume), "n": 308, "vw": float(bar.close)}


def _action(action: Action, symbol: str) -> tuple[str, dict[str, Any]]:
    about = {"symbol": symbol, "cusip": "037833100", "ex_date": action.day.isoformat(), "process_date": action.day.isoformat()}
    if action.kind == "split":
        name = "forward_splits" if action.up >= action.down else "reverse_splits"
        return name, {**about, "new_rate": action.up, "old_rate": action.down, "payable_date": action.day.isoformat()}
    more = {"special": False, "foreign": False, "record_date": action.day.isoformat(), "payable_date": action.day.isoformat()}
    return "cash_dividends", {**about, "rate": float(action.amount), **more}
