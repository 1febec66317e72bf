"""Which fills were made at the open or the close that a run fills market orders at, so that what they paid beyond it is slippage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rustybt.ledger.frames import on_the_path
from rustybt.model import FillAt, Log, Reason, Status
from rustybt.spec.orders import Order

if TYPE_CHECKING:
    from rustybt.engine.result import Result

AT_MARKET = (Reason.TARGET, Reason.MAX_BARS, Reason.ROLL, Reason.LIQUIDATION, Reason.HALT)
"""Why market orders are sent, whatever the strategy asks for."""
type Mask = npt.NDArray[np.bool_]


def at_phase(result: Result) -> Mask:
    """Which rows of the log are fills of market orders at the moment that the run names.

    Orders asked for one by one are known by the price of their row ``accepted``, which a market order has not. Left out are those of a
    callback that name a time in force or bring others along, and those of a strategy some of which wait for the auction at the other end
    of the session: the log does not say at which end they were filled.
    """
    log = result.outcome.log
    sent = np.isin(log.reason, AT_MARKET) & ~on_the_path(result.books, log)
    if log.having(Reason.ORDER).any() or log.having(Reason.CALLBACK).any():
        sent |= _asked(result, log)
    found: Mask = sent & (log.filled != 0) & log.having(Status.FILLED)
    return found


def _asked(result: Result, log: Log) -> Mask:
    """Rows of market orders that were asked for one by one."""
    accepted, width = log.having(Status.ACCEPTED), len(result.tables.assets)
    priced = np.isin(log.seq, log.seq[accepted & (log.price != 0)])
    apart = [number for number, strategy in enumerate(result.sleeves.values()) if _waits(strategy.orders, result.config.fill)]
    requested = log.having(Reason.ORDER) & ~priced & ~np.isin(log.slot // width, apart)
    found: Mask = requested | (log.having(Reason.CALLBACK) & ~np.isin(log.seq, log.seq[accepted]))
    return found


def _waits(orders: Sequence[Order], fill: FillAt) -> bool:
    """Whether a market order among them is for the auction at the other end of the session than the run fills at."""
    other = "at_close" if fill is FillAt.NEXT_OPEN else "at_open"
    return any(order.kind == "market" and order.tif == other for order in _each(orders))


def _each(orders: Sequence[Order]) -> Iterator[Order]:
    """Orders and all that follow them."""
    for order in orders:
        yield order
        yield from _each((*order.then, *order.oco))
