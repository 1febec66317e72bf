"""Commission, slippage and costs from plain values: what files of profiles and of settings hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rustybt.errors import ConfigError
from rustybt.execution.costs.caps import VolumeCap
from rustybt.execution.costs.commission import Commission
from rustybt.execution.costs.slippage import (
    TERMS,
    Slippage,
    asymmetric,
    half_spread,
    slippage_of,
    square_root,
    ticks,
    volatility_share,
    volume_share,
)
from rustybt.execution.costs.tiers import tiered
from rustybt.execution.fields import fields_of, symbols_of
from rustybt.model.decimals import to_decimal

if TYPE_CHECKING:
    from rustybt.execution.costs import Costs

CHARGES = tuple(field.name for field in fields(Commission))
"""Fields of a commission."""
RATES = ("floor", "rate", "maker", "per_unit")
"""Fields of a tier."""
KINDS = ("rate", "ticks", "spread", "volume_share", "square_root", "volatility_share", "sell")
"""Fields of slippage."""
PARTS = ("commission", "slippage", "volume_cap", "by_asset", "profile")
"""Fields of costs."""


def commission_from(plain: Any, where: str = "costs, commission") -> Commission:
    """A commission from the fields of `Commission`.

    Args:
        plain: the fields by name; ``tiers`` are tables of ``floor`` and any of ``rate``, ``maker``, ``per_unit``.
        where: how errors call it.

    Raises:
        ConfigError: naming the field.

    Example:
        >>> commission_from({"per_unit": "0.005", "minimum": "1"}).minimum
        Decimal('1')
    """
    given = fields_of(plain, CHARGES, where)
    rows, by = given.pop("tiers", ()), given.pop("by", "value")
    charge: dict[str, Any] = {name: to_decimal(value, f"{where}, {name}") for name, value in given.items()}
    if not rows:
        return Commission(**charge)
    if isinstance(rows, str | Mapping) or not isinstance(rows, Iterable):
        raise ConfigError(f"tiers {rows!r} are not a list", where=f"{where}, tiers", do='give tables such as {"floor": 0, "rate": "0.001"}')
    bounds = {name: charge.pop(name) for name in ("minimum", "maximum", "cap") if name in charge}
    steps: dict[object, Commission] = {}
    for number, row in enumerate(rows):
        place = f"{where}, tier {number}"
        tier: dict[str, Any] = {name: to_decimal(value, f"{place}, {name}") for name, value in fields_of(row, RATES, place).items()}
        floor = tier.pop("floor", Decimal(0))
        if floor in steps:
            raise ConfigError(f"a second tier from {floor}", where=place, do="give the floors in increasing order")
        steps[floor] = Commission(**tier)
    return tiered(steps, by=by, **bounds) + Commission(**charge)


def slippage_from(plain: Any, where: str = "costs, slippage") -> Slippage:
    """Slippage from a fraction of the price, or from fields whose sum it is.

    Args:
        plain: a number, or ``rate``, ``ticks``, ``spread`` (true: half of what lies between the columns bid and ask), ``volume_share``,
            ``square_root``, ``volatility_share``; ``sell``: what holds for sales instead.
        where: how errors call it.

    Raises:
        ConfigError: naming the field.

    Example:
        >>> slippage_from({"ticks": 1, "square_root": "0.02"}).ticks
        1
    """
    if not isinstance(plain, Mapping):
        return slippage_of(plain)
    given = fields_of(without_terms(plain, where), KINDS, where)
    if "sell" in given:
        sell = slippage_from(given.pop("sell"), f"{where}, sell")
        return asymmetric(buy=slippage_from(given, where), sell=sell)
    if not isinstance(given.get("spread", False), bool):
        raise ConfigError(f"spread {given['spread']!r} is not true or false", where=f"{where}, spread", do="write spread = true")
    made = Slippage(rate=to_decimal(given.get("rate", 0), f"{where}, rate")) + ticks(given.get("ticks", 0))
    for name, kind in (("volume_share", volume_share), ("square_root", square_root), ("volatility_share", volatility_share)):
        made = made + kind(given[name]) if name in given else made
    return made + half_spread() if given.get("spread") else made


def without_terms(plain: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Slippage without what `Slippage.to_dict` says of its expressions: the usual volatility goes without saying.

    Raises:
        ConfigError: another expression, which a file cannot hold.
    """
    said = {name: plain[name] for name in TERMS if plain.get(name) is not None}
    usual = str(volatility_share().volatility)
    strange = [name for name, text in said.items() if name != "volatility" or text != usual or plain.get("volatility_share") is None]
    if strange:
        what = f"{strange[0]} {said[strange[0]]!r} is an expression, which has no form in plain values"
        raise ConfigError(what, where=f"{where}, {strange[0]}", do="leave it out, or pass the slippage from Python")
    return {name: value for name, value in plain.items() if name not in TERMS}


def cap_from(plain: Mapping[str, Any], where: str) -> VolumeCap:
    """A volume cap from the fields of `VolumeCap`.

    Raises:
        ConfigError: naming the field.
    """
    given = fields_of(plain, ("share", "carry"), where)
    if "share" not in given:
        raise ConfigError("share is not given", where=f"{where}, share", do="give 0.1 for 10 %")
    if not isinstance(given.get("carry", True), bool):
        raise ConfigError(f"carry {given['carry']!r} is not true or false", where=f"{where}, carry", do="write carry = false to cancel")
    return VolumeCap(to_decimal(given["share"], f"{where}, share"), given.get("carry", True))


def costs_from(plain: Any, where: str = "costs") -> Costs:
    """Costs from plain values.

    Args:
        plain: ``commission`` (see `commission_from`) or ``profile``, ``slippage`` (see `slippage_from`), ``volume_cap``, and
            ``by_asset``, a table of symbols with other costs.
        where: how errors call it.

    Raises:
        ConfigError: naming the field.

    Example:
        >>> costs_from({"profile": "ib_us_equity_fixed", "slippage": "0.0002"}).commission.minimum
        Decimal('1.00')
    """
    from rustybt.execution.costs import costs

    given = fields_of(plain, PARTS, where)
    made: dict[str, Any] = {name: given[name] for name in ("profile", "volume_cap") if name in given}
    if "commission" in given:
        made["commission"] = commission_from(given["commission"], f"{where}, commission")
    if "slippage" in given:
        made["slippage"] = slippage_from(given["slippage"], f"{where}, slippage")
    if isinstance(made.get("volume_cap"), Mapping):
        made["volume_cap"] = cap_from(made["volume_cap"], f"{where}, volume_cap")
    if "by_asset" in given:
        own = symbols_of(given["by_asset"], f"{where}, by_asset")
        made["by_asset"] = {symbol: costs_from(value, f"{where}, by_asset, {symbol!r}") for symbol, value in own.items()}
    return costs(**made)
