"""Slippage: how much worse than the reference price a market order or stop is filled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt.errors import ConfigError
from rustybt.execution.costs.term import CostTerm
from rustybt.model.decimals import RATE, to_decimal
from rustybt.model.tables import MOST_RATE

if TYPE_CHECKING:
    from rustybt.execution.costs.commission import Commission

ZERO = Decimal(0)
COEFFICIENTS = ("volume_share", "square_root", "volatility_share")
TERMS = ("volatility", "rate_term", "ticks_term")


@dataclass(frozen=True)
class Slippage:
    """Always against the trader, cut to the bar's low..high; take-profits, being limits, have none.

    Args:
        rate: fraction of the price; 0.0005 = 5 basis points. Whole multiples of 1e-8.
        ticks: whole ticks on top.
        volume_share: fraction of the price times the squared share of the bar's volume; see `volume_share`.
        square_root: fraction of the price times the square root of the share; see `square_root`.
        volatility_share: the same times the volatility; see `volatility_share`.
        volatility: of a bar, where ``volatility_share`` is set.
        spread: half of what lies between the columns ``bid`` and ``ask`` of the data.
        rate_term, ticks_term: of the user; see `slippage_term`.
        sell: what holds for sales instead, None = the same.

    Raises:
        ConfigError: negative, at least 1, or finer than 1e-8.
    """

    rate: Decimal = ZERO
    ticks: int = 0
    volume_share: Decimal = ZERO
    square_root: Decimal = ZERO
    volatility_share: Decimal = ZERO
    volatility: CostTerm | None = None
    spread: bool = False
    rate_term: CostTerm | None = None
    ticks_term: CostTerm | None = None
    sell: Slippage | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ConfigError(
                f"slippage rate {self.rate} is outside 0..1", where="slippage", do="give a fraction of the price such as 0.0005"
            )
        for name in COEFFICIENTS:
            value = getattr(self, name)
            if not 0 <= value * RATE <= MOST_RATE:
                raise ConfigError(f"{name} {value} is outside 0..1000", where=f"slippage, {name}", do="give a coefficient such as 0.1")
        for name in ("rate", *COEFFICIENTS):
            value = getattr(self, name)
            if value * RATE != (value * RATE).to_integral_value():
                words = f"slippage rate {value}" if name == "rate" else f"{name} {value}"
                raise ConfigError(f"{words} is finer than 1e-8", where="slippage", do="round it to 8 decimals")
        if not isinstance(self.ticks, int) or isinstance(self.ticks, bool) or not 0 <= self.ticks < 2**31:
            raise ConfigError(
                f"slippage of {self.ticks!r} ticks is not a whole number >= 0", where="slippage", do="give a whole number of ticks"
            )
        if self.sell is not None and self.sell.sell is not None:
            raise ConfigError("slippage for sales has its own for sales", where="asymmetric, sell", do="give one slippage for each side")

    def __add__(self, other: Slippage | Commission) -> Slippage:
        """Both on every fill, ``bps(5)`` too; each term of the data may be set on one side only."""
        from rustybt.execution.costs.commission import Commission

        if isinstance(other, Commission):
            other = slippage_of(other)
        if not isinstance(other, Slippage):
            raise ConfigError(f"slippage and {other!r}", where="slippage, +", do="add another one, such as rbt.bps(2)")
        if self.sell is not None or other.sell is not None:
            raise ConfigError(
                "a sum with slippage that differs by side", where="slippage, +", do="add inside asymmetric(buy=..., sell=...)"
            )
        both: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in ("rate", "ticks", *COEFFICIENTS)}
        for name in TERMS:
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine is not None and theirs is not None and mine != theirs:
                raise ConfigError(f"both slippages set {name}", where="slippage, +", do="set it on one of them")
            both[name] = mine if theirs is None else theirs
        return Slippage(**both, spread=self.spread or other.spread)

    __radd__ = __add__

    @property
    def plain(self) -> bool:
        """Whether it is a rate and ticks, the same for both sides."""
        return self == Slippage(self.rate, self.ticks)

    @property
    def by_volume(self) -> bool:
        """Whether it depends on the volume."""
        return any(getattr(self, name) for name in COEFFICIENTS)

    def sides(self) -> tuple[Slippage, Slippage]:
        """What holds for purchases and for sales."""
        return replace(self, sell=None), replace(self, sell=None) if self.sell is None else self.sell

    def rows(self) -> dict[str, int]:
        """The kernel's plain settings; see `rustybt.model.tables.Tables`."""
        return {"slip_rate": int(self.rate * RATE), "slip_ticks": self.ticks} if self.plain else {"slip_rate": 0, "slip_ticks": 0}

    def coefficients(self) -> tuple[int, ...]:
        """Rate, ticks and coefficients in the order of `rustybt.model.tables.IMPACT_FIELDS`."""
        return int(self.rate * RATE), self.ticks, *(int(getattr(self, name) * RATE) for name in COEFFICIENTS)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the same for equal slippage."""
        found: dict[str, Any] = {"rate": format(self.rate.normalize(), "f"), "ticks": self.ticks}
        found |= {name: format(getattr(self, name).normalize(), "f") for name in COEFFICIENTS if getattr(self, name)}
        found |= {name: str(getattr(self, name)) for name in TERMS if getattr(self, name) is not None}
        if self.spread:
            found["spread"] = True
        if self.sell is not None:
            found["sell"] = self.sell.to_dict()
        return found


def ticks(count: int) -> Slippage:
    """A fixed number of ticks per market fill.

    Example:
        >>> ticks(2).ticks
        2
    """
    return Slippage(ticks=count)


def half_spread(spread: object | None = None) -> Slippage:
    """Half of the spread between bid and ask.

    Args:
        spread: as a fraction of the price; None = the columns ``bid`` and ``ask`` of the data, in the bar of the fill, in whole ticks,
            upward; crossed or missing quotes count as no spread.

    Example:
        >>> half_spread("0.0004").rate
        Decimal('0.0002')
    """
    return Slippage(spread=True) if spread is None else Slippage(rate=to_decimal(spread, "half_spread, spread") / 2)


def volume_share(impact: object = "0.1") -> Slippage:
    """The price moves by ``impact x share^2`` of itself, where the share is what the order takes of the volume of its bar.

    Args:
        impact: of an order as large as the volume; 0.1 = 10 % of the price.

    Example:
        >>> volume_share("0.1").volume_share
        Decimal('0.1')
    """
    return Slippage(volume_share=to_decimal(impact, "volume_share, impact"))


def square_root(impact: object) -> Slippage:
    """The price moves by ``impact x sqrt(share)`` of itself, where the share is what the order takes of the volume of its bar.

    Args:
        impact: of an order as large as the volume; 0.02 = 2 % of the price.

    Example:
        >>> square_root("0.02").square_root
        Decimal('0.02')
    """
    return Slippage(square_root=to_decimal(impact, "square_root, impact"))


def volatility_share(impact: object = 1, *, volatility: pl.Expr | None = None) -> Slippage:
    """The price moves by ``impact x volatility x sqrt(share)`` of itself.

    Args:
        impact: of an order as large as the volume, in volatilities.
        volatility: of a bar as a fraction, an expression over the data; None = the standard deviation of 20 returns of ``adj_close``.
            A null counts as 0.

    Example:
        >>> volatility_share("0.7").volatility_share
        Decimal('0.7')
    """
    expr = pl.col("adj_close").pct_change().rolling_std(20) if volatility is None else volatility
    return Slippage(volatility_share=to_decimal(impact, "volatility_share, impact"), volatility=CostTerm(expr))


def slippage_term(rate: pl.Expr | None = None, *, ticks: pl.Expr | None = None) -> Slippage:
    """Slippage of your own: an expression over the columns of the data, its value in the bar of the fill. A null counts as 0.

    Args:
        rate: a fraction of the price, rounded to 1e-8.
        ticks: whole ticks; what is between two is raised to the next one.

    Raises:
        ConfigError: neither or not an expression.

    Example:
        >>> slippage_term(pl.col("high") / pl.col("low") - 1).plain
        False
    """
    if rate is None and ticks is None:
        raise ConfigError("neither a rate nor ticks", where="slippage_term", do='write slippage_term(pl.col("spread") / 2)')
    return Slippage(rate_term=None if rate is None else CostTerm(rate), ticks_term=None if ticks is None else CostTerm(ticks))


def asymmetric(*, buy: object, sell: object) -> Slippage:
    """One slippage for purchases, another one for sales.

    Args:
        buy: a slippage, ``bps(5)``, or a fraction of the price.
        sell: likewise.

    Example:
        >>> asymmetric(buy="0.0001", sell=ticks(3)).sides()[1].ticks
        3
    """
    bought = slippage_of(buy)
    if bought.sell is not None:
        raise ConfigError("slippage for purchases has its own for sales", where="asymmetric, buy", do="give one slippage for each side")
    return replace(bought, sell=slippage_of(sell))


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
