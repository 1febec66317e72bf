"""Slippage: how much worse than the reference price a market order or stop is filled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rustybt.errors import ConfigError
from rustybt.model.decimals import RATE, to_decimal


@dataclass(frozen=True)
class Slippage:
    """Always against the trader, cut to the bar's low..high; take-profits, being limits, have none.

    Args:
        rate: fraction of the price; 0.0005 = 5 basis points. Whole multiples of 1e-8.
        ticks: whole ticks on top.

    Raises:
        ConfigError: negative, at least 1, or finer than 1e-8.
    """

    rate: Decimal = Decimal(0)
    ticks: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ConfigError(
                f"slippage rate {self.rate} is outside 0..1", where="slippage", do="give a fraction of the price such as 0.0005"
            )
        if self.rate * RATE != (self.rate * RATE).to_integral_value():
            raise ConfigError(f"slippage rate {self.rate} is finer than 1e-8", where="slippage", do="round it to 8 decimals")
        if not isinstance(self.ticks, int) or isinstance(self.ticks, bool) or not 0 <= self.ticks < 2**31:
            raise ConfigError(
                f"slippage of {self.ticks!r} ticks is not a whole number >= 0", where="slippage", do="give a whole number of ticks"
            )

    def rows(self) -> dict[str, int]:
        """The kernel's settings; see `rustybt.model.tables.Tables`."""
        return {"slip_rate": int(self.rate * RATE), "slip_ticks": self.ticks}


def ticks(count: int) -> Slippage:
    """A fixed number of ticks per market fill.

    Example:
        >>> ticks(2).ticks
        2
    """
    return Slippage(ticks=count)


def slippage_of(value: object) -> Slippage:
    """A Slippage from what users write: a Slippage, ``bps(5)``, or a fraction."""
    from rustybt.execution.costs.commission import Commission

    if isinstance(value, Slippage):
        return value
    if isinstance(value, Commission):
        if value != Commission(rate=value.rate):
            raise ConfigError("slippage takes a plain rate", where="costs, slippage", do="write slippage=bps(5) or slippage=ticks(1)")
        return Slippage(rate=value.rate)
    return Slippage(rate=to_decimal(value, "slippage"))
