"""Simulated vendors: servers on this machine that speak the real wire, with the faults that real ones have.

In: a `Tape` of bars and actions for each symbol. Out: a server at ``url``, to which the real libraries are pointed. To add one: a subclass
of `Vendor` with ``answer``, kept apart from the adapter that reads it, or one mistake would pass both.
"""

from rustybt.testing.vendors.alpaca import SimulatedAlpaca
from rustybt.testing.vendors.alphavantage import SimulatedAlphaVantage
from rustybt.testing.vendors.binance import SimulatedBinance
from rustybt.testing.vendors.bybit import SimulatedBybit
from rustybt.testing.vendors.polygon import SimulatedPolygon
from rustybt.testing.vendors.server import Call, Fault, Reply, Vendor
from rustybt.testing.vendors.tape import Action, Tape, around_the_clock, of_sessions
from rustybt.testing.vendors.yahoo import SimulatedYahoo

__all__ = [
    "Action",
    "Call",
    "Fault",
    "Reply",
    "SimulatedAlpaca",
    "SimulatedAlphaVantage",
    "SimulatedBinance",
    "SimulatedBybit",
    "SimulatedPolygon",
    "SimulatedYahoo",
    "Tape",
    "Vendor",
    "around_the_clock",
    "of_sessions",
]
