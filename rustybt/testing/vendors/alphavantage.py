"""Alpha Vantage: ``/query`` with the functions of daily bars, splits and dividends."""

from __future__ import annotations

from typing import Any

from rustybt.testing.vendors.server import Call, Reply, Vendor
from rustybt.testing.vendors.tape import Bar, Tape

NAMES = ("1. open", "2. high", "3. low", "4. close", "5. volume")


class SimulatedAlphaVantage(Vendor):
    """Everything comes with status 200; bars are texts, the newest first."""

    def answer(self, call: Call) -> Reply:
        """What it says."""
        query = call.query
        if call.path != "/query":
            return Reply(b"<html>404</html>", 404, {"Content-Type": "text/html"})
        if query.get("apikey") != self.key:
            return Reply({"Error Message": "the parameter apikey is invalid or missing. Please claim your free API key."})
        tape = self.tapes.get(query.get("symbol", ""))
        if tape is None:
            said = f"Invalid API call. Please retry or visit the documentation for {query.get('function')}."
            return Reply({"Error Message": said})
        match query.get("function"):
            case "TIME_SERIES_DAILY":
                return Reply(self._daily(tape, query))
            case "SPLITS":
                found = [
                    {"effective_date": a.day.isoformat(), "split_factor": f"{a.up / a.down:.10f}"}
                    for a in tape.actions
                    if a.kind == "split"
                ]
                return Reply({"symbol": tape.symbol, "data": found[::-1]})
            case "DIVIDENDS":
                return Reply({"symbol": tape.symbol, "data": [_dividend(a) for a in tape.actions if a.kind == "dividend"][::-1]})
        return Reply({"Error Message": "This API function does not exist."})

    def limited(self) -> Reply:
        """Its words; no status and no header tell."""
        said = "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute. Please spread out your requests."
        return Reply({"Note": said})

    def _daily(self, tape: Tape, query: dict[str, str]) -> dict[str, Any]:
        bars = tape.bars if query.get("outputsize") == "full" else tape.bars[-100:]
        about = {
            "1. Information": "Daily Prices (open, high, low, close) and Volumes",
            "2. Symbol": tape.symbol,
            "3. Last Refreshed": bars[-1].day.isoformat(),
            "4. Output Size": "Full size",
            "5. Time Zone": "US/Eastern",
        }
        return {"Meta Data": about, "Time Series (Daily)": {bar.day.isoformat(): _row(bar) for bar in self.bend(bars[::-1])}}


def _row(bar: Bar) -> dict[str, str]:
    prices = [f"{number:.4f}" for number in bar.numbers[:4]]
    return dict(zip(NAMES, [*prices, f"{bar.volume:f}"], strict=True))


def _dividend(action: Any) -> dict[str, str]:
    day = action.day.isoformat()
    return {"ex_dividend_date": day, "declaration_date": "None", "record_date": day, "payment_date": "None", "amount": str(action.amount)}
