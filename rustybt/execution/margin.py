"""Margin: what a position asks of the account when it is opened, and while it is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rustybt.errors import ConfigError
from rustybt.execution.fields import fields_of, symbols_of
from rustybt.model.asset import Asset
from rustybt.model.decimals import LIMIT, RATE, to_decimal

FIELDS = ("initial", "maintenance", "per_contract", "isolated", "top_up", "liquidation_fee", "by_asset")
"""Arguments of `margin`."""


@dataclass(frozen=True)
class Margin:
    """Initial and maintenance margin, with other ones for single assets where they differ. Make one with `margin`.

    Attributes:
        initial: fraction of the value, or money per contract; above 0.
        maintenance: likewise, at most ``initial``.
        per_contract: whether the two are money per unit of quantity.
        isolated: whether the margin of each position is set aside for it alone.
        top_up: whether free money of the account is added to it before the position is liquidated.
        liquidation_fee: fraction of a liquidated value that the venue takes, beside the commission.
        by_asset: other margin for single assets, by symbol.

    Raises:
        ConfigError: naming the field.
    """

    initial: Decimal
    maintenance: Decimal
    per_contract: bool = False
    isolated: bool = False
    top_up: bool = False
    liquidation_fee: Decimal = Decimal(0)
    by_asset: Mapping[str, Margin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.top_up and not self.isolated:
            what = "top_up without isolated: all positions share the margin of the account already"
            raise ConfigError(what, where="margin, top_up", do="add isolated=True, or leave top_up out")
        if not 0 <= self.liquidation_fee <= 1 or self.liquidation_fee * RATE != (self.liquidation_fee * RATE).to_integral_value():
            what = f"liquidation_fee {self.liquidation_fee} is not in 0..1, or finer than 1e-8"
            raise ConfigError(what, where="margin, liquidation_fee", do="write 50 basis points as 0.005")
        for name in ("initial", "maintenance"):
            amount = getattr(self, name)
            if amount < 0:
                raise ConfigError(f"{name} {amount} is negative", where=f"margin, {name}", do="give zero or more")
            if not self.per_contract and amount > 1:
                raise ConfigError(
                    f"{name} {amount} is above 1", where=f"margin, {name}", do="write 50 % as 0.5, or money with per_contract=True"
                )
            if not self.per_contract and amount * RATE != (amount * RATE).to_integral_value():
                raise ConfigError(f"{name} {amount} is finer than 1e-8", where=f"margin, {name}", do="round it to 8 decimals")
        if self.initial == 0:
            raise ConfigError("initial is 0", where="margin, initial", do="give a fraction of the value, or money with per_contract=True")
        if self.maintenance > self.initial:
            raise ConfigError(
                f"maintenance {self.maintenance} is above initial {self.initial}",
                where="margin, maintenance",
                do="a position just opened would be called at once: lower maintenance",
            )
        for symbol, other in self.by_asset.items():
            if not isinstance(other, Margin) or other.by_asset:
                raise ConfigError(
                    f"{other!r} is not the margin of one asset", where=f"margin, by_asset, {symbol!r}", do="write rbt.margin(0.5, 0.25)"
                )

    def rows(self, asset: Asset, money_scale: int) -> dict[str, int]:
        """The kernel's settings for one asset; see `rustybt.model.tables.Tables`."""
        own = self.by_asset.get(asset.symbol, self)
        rows = dict.fromkeys(("margin_initial", "margin_maintenance", "margin_lot_initial", "margin_lot_maintenance"), 0)
        rows |= {"isolated": int(own.isolated), "top_up": int(own.top_up), "fee_liquidation": int(own.liquidation_fee * RATE)}
        for name in ("initial", "maintenance"):
            amount = getattr(own, name)
            if not own.per_contract:
                rows[f"margin_{name}"] = int(amount * RATE)
                continue
            each = Fraction(amount) * Fraction(asset.lot_size) * 10**money_scale
            if each.denominator != 1 or each >= LIMIT:
                raise ConfigError(
                    f"{name} {amount} per contract is no whole number of money units for a lot of {asset.lot_size}",
                    where=f"margin, {name}, asset {asset.symbol!r}",
                    do="give an amount with fewer digits",
                )
            rows[f"margin_lot_{name}"] = int(each)
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest; the same for equal margin."""
        plain: dict[str, Any] = {name: format(getattr(self, name).normalize(), "f") for name in ("initial", "maintenance")}
        plain["per_contract"] = self.per_contract
        plain |= {name: True for name in ("isolated", "top_up") if getattr(self, name)}
        plain |= {"liquidation_fee": format(self.liquidation_fee.normalize(), "f")} if self.liquidation_fee else {}
        return plain | ({"by_asset": {k: v.to_dict() for k, v in sorted(self.by_asset.items())}} if self.by_asset else {})

    @staticmethod
    def from_dict(plain: Mapping[str, Any], where: str = "margin") -> Margin:
        """Margin from plain values: those of `to_dict`, or the arguments of `margin` as JSON or TOML write them.

        Args:
            plain: by argument of `margin`.
            where: how errors call it.

        Raises:
            ConfigError: naming the field.

        Example:
            >>> Margin.from_dict({"initial": "0.5", "maintenance": "0.25"}) == margin("0.5", "0.25")
            True
        """
        given = fields_of(plain, FIELDS, where)
        missing = [name for name in FIELDS[:2] if name not in given]
        if missing:
            raise ConfigError(f"{missing[0]} is not given", where=f"{where}, {missing[0]}", do="give initial and maintenance")
        for name in ("per_contract", "isolated", "top_up"):
            if not isinstance(given.get(name, False), bool):
                raise ConfigError(f"{name} {given[name]!r} is not true or false", where=f"{where}, {name}", do=f"write {name} = true")
        own = symbols_of(given.pop("by_asset", {}), f"{where}, by_asset")
        others = {symbol: Margin.from_dict(value, f"{where}, by_asset, {symbol!r}") for symbol, value in own.items()}
        return margin(**given, by_asset=others)


def margin(
    initial: object,
    maintenance: object,
    *,
    per_contract: bool = False,
    isolated: bool = False,
    top_up: bool = False,
    liquidation_fee: object = 0,
    by_asset: Mapping[str, Margin] | None = None,
) -> Margin:
    """What positions ask of the account: all of them share its equity (cross margin), or each has its own (isolated margin).

    Args:
        initial: fraction of the value that must be free to open or add; ``"0.5"`` = 50 %.
        maintenance: fraction of the value that the equity must not fall below; at most ``initial``.
        per_contract: the two are money per contract (per unit of quantity), as exchanges state them for futures.
        isolated: the initial margin of a position, at its entry price, is set aside for it alone: its gains and losses are not those of
            others, and it is liquidated by itself, on the path of a bar, at the first price at which what it has is below its maintenance.
        top_up: before an isolated position is liquidated, free money of the account is set aside for it, each time as much as its initial
            margin (all there is where that is less), until it has what it is worth at its entry price.
        liquidation_fee: fraction of the value that the venue takes where it liquidates, of cross and of isolated positions, beside the
            commission; ``"0.005"`` = 50 basis points.
        by_asset: other margin for single assets, by symbol, isolated or not by their own.

    Raises:
        ConfigError: negative, above 1, maintenance above initial, or ``top_up`` without ``isolated``.

    Example:
        >>> margin("0.5", "0.25", by_asset={"ES": margin(13_200, 12_000, per_contract=True)}).maintenance
        Decimal('0.25')
    """
    first, later = to_decimal(initial, "margin, initial"), to_decimal(maintenance, "margin, maintenance")
    fee = to_decimal(liquidation_fee, "margin, liquidation_fee")
    for name, flag in (("per_contract", per_contract), ("isolated", isolated), ("top_up", top_up)):
        if not isinstance(flag, bool):
            raise ConfigError(f"{name} {flag!r} is not True or False", where=f"margin, {name}", do=f"write {name}=True")
    return Margin(first, later, per_contract, isolated, top_up, fee, symbols_of(by_asset or {}, "margin, by_asset"))
