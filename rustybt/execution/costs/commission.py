"""Commissions: flat, per quantity and by rate, with a minimum and caps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rustybt.errors import ConfigError
from rustybt.model.asset import Asset
from rustybt.model.decimals import RATE, decimals_of, to_decimal, to_units

if TYPE_CHECKING:
    from rustybt.execution.costs.tiers import Tier

ZERO = Decimal(0)


@dataclass(frozen=True)
class Commission:
    """What a broker charges for one fill.

    ``fee = flat + quantity x per_unit + notional x rate``, then at least ``minimum``, then at most ``maximum`` and at most
    ``cap x notional``. A cap wins over the minimum. Add two to charge both: ``per_trade("1") + bps(5)``.

    Args:
        flat: money per fill.
        per_unit: money per unit of quantity (a share, a contract).
        rate: fraction of the notional; 0.001 = 10 basis points. Whole multiples of 1e-8.
        minimum: least money per fill.
        maximum: most money per fill, None = no limit.
        cap: most as a fraction of the notional, None = no limit.
        maker: the rate of orders that rest at their price (take-profits do), None = ``rate``.
        tiers: rates by what was traded in the calendar month, instead of ``per_unit``, ``rate`` and ``maker``; see `tiered`.
        by: what the tiers go by: ``value`` or ``quantity``.

    Raises:
        ConfigError: a negative or non-finite number, a rate above 1, or a maximum below the minimum.
    """

    flat: Decimal = ZERO
    per_unit: Decimal = ZERO
    rate: Decimal = ZERO
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    cap: Decimal | None = None
    maker: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    by: str = "value"

    def __post_init__(self) -> None:
        for name in ("flat", "per_unit", "rate", "minimum", "maximum", "cap", "maker"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ConfigError(f"{name} {value} is negative", where=f"commission, {name}", do="give zero or more")
        if self.maximum is not None and self.maximum < self.minimum:
            raise ConfigError(f"maximum {self.maximum} is below minimum {self.minimum}", where="commission", do="raise the maximum")
        for name in ("rate", "cap", "maker"):
            value = getattr(self, name)
            if value is not None and value > 1:
                raise ConfigError(f"{name} {value} is more than all of the value", where=f"commission, {name}", do="give 0.001 for 0.1 %")
            if value is not None and value * RATE != (value * RATE).to_integral_value():
                raise ConfigError(f"{name} {value} is finer than 1e-8", where=f"commission, {name}", do="round it to 8 decimals")

    def __add__(self, other: Commission) -> Commission:
        """Both commissions on every fill; minimum, maximum and cap may be set on one side only."""
        if not isinstance(other, Commission):
            if other is None or isinstance(other, str | int | float | Decimal):
                raise ConfigError(f"a commission and {other!r}", where="commission, +", do="add another one, such as rbt.per_trade(1)")
            return NotImplemented  # slippage knows how to add a rate
        both: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in ("flat", "per_unit", "rate")}
        if self.maker is not None or other.maker is not None:
            both["maker"] = self.resting_rate + other.resting_rate
        if self.tiers and other.tiers:
            raise ConfigError("both commissions set tiers", where="commission, +", do="set tiers on one of them")
        if self.tiers or other.tiers:
            one, rest = (self, other) if self.tiers else (other, self)
            both |= {"tiers": tuple(tier.plus(rest) for tier in one.tiers), "by": one.by}
        for name, unset in (("minimum", ZERO), ("maximum", None), ("cap", None)):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != unset and theirs != unset:
                raise ConfigError(f"both commissions set {name}", where="commission, +", do=f"set {name} on one of them")
        return replace(
            self,
            **both,
            minimum=max(self.minimum, other.minimum),
            maximum=self.maximum if self.maximum is not None else other.maximum,
            cap=self.cap if self.cap is not None else other.cap,
        )

    @property
    def resting_rate(self) -> Decimal:
        """The rate of orders that rest at their price."""
        return self.rate if self.maker is None else self.maker

    def rows(self, asset: Asset, money_scale: int) -> dict[str, int]:
        """The kernel's settings for one asset; see `rustybt.model.tables.Tables`. Tiers are in `tier_columns`."""
        for name in ("flat", "minimum", "maximum"):
            check_money(getattr(self, name), name, money_scale)
        unit = Decimal(1).scaleb(-money_scale)
        per_lot = per_lot_of(self.per_unit, asset, money_scale)
        return {
            "fee_flat": to_units(self.flat, unit, "flat"),
            "fee_lot_num": per_lot.numerator,
            "fee_lot_den": per_lot.denominator,
            "fee_rate": int(self.rate * RATE),
            "fee_min": to_units(self.minimum, unit, "minimum"),
            "fee_max": -1 if self.maximum is None else to_units(self.maximum, unit, "maximum"),
            "fee_cap": -1 if self.cap is None else int(self.cap * RATE),
            "fee_maker": -1 if self.maker is None else int(self.maker * RATE),
        }

    def tier_columns(self, asset: Asset, money_scale: int) -> tuple[tuple[int, ...], ...]:
        """The kernel's tiers for one asset; see `rustybt.model.tables.TIER_FIELDS`."""
        return tuple(tier.column(asset, money_scale, self.by) for tier in self.tiers)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the same for equal commissions."""
        plain = {name: text_of(getattr(self, name)) for name in ("flat", "per_unit", "rate", "minimum", "maximum", "cap")}
        if self.maker is not None:
            plain["maker"] = text_of(self.maker)
        if not self.tiers:
            return plain
        return {**plain, "by": self.by, "tiers": [{k: text_of(v) for k, v in vars(tier).items()} for tier in self.tiers]}


def text_of(number: Decimal | None) -> str | None:
    """A number without an exponent."""
    return None if number is None else format(number.normalize(), "f")


def check_money(amount: Decimal | None, name: str, money_scale: int) -> None:
    """Refuse an amount that is no whole number of money units.

    Raises:
        ConfigError: it has more decimals than money has.
    """
    if amount is not None and decimals_of(amount) > money_scale:
        what = f"{name} {amount} has more than {money_scale} decimals"
        raise ConfigError(what, where=f"commission, {name}", do="round it, or raise money_scale")


def per_lot_of(per_unit: Decimal, asset: Asset, money_scale: int) -> Fraction:
    """Money units per lot, exact."""
    return Fraction(per_unit) * Fraction(asset.lot_size) * Fraction(10**money_scale)


def _money(value: object, name: str) -> Decimal:
    return to_decimal(value, name)


def _maybe(value: object | None, name: str) -> Decimal | None:
    return None if value is None else to_decimal(value, name)


def bps(rate: object, *, minimum: object = 0, maximum: object | None = None) -> Commission:
    """Basis points of the traded value: 1 bp = 0.0001. Also taken as slippage by `costs`.

    Args:
        rate: basis points per side.
        minimum: least money per fill.
        maximum: most money per fill.

    Example:
        >>> bps(10).rate
        Decimal('0.001')
    """
    return Commission(rate=_money(rate, "bps") / 10_000, minimum=_money(minimum, "minimum"), maximum=_maybe(maximum, "maximum"))


def per_share(amount: object, *, minimum: object = 0, maximum: object | None = None, cap: object | None = None) -> Commission:
    """Money per unit of quantity, as US brokers charge.

    Args:
        amount: money per share or contract.
        minimum: least money per fill.
        maximum: most money per fill.
        cap: most as a fraction of the traded value (0.01 = 1 %).

    Example:
        >>> per_share("0.005", minimum="1.00", cap="0.01").minimum
        Decimal('1.00')
    """
    return Commission(
        per_unit=_money(amount, "per_share"), minimum=_money(minimum, "minimum"), maximum=_maybe(maximum, "maximum"), cap=_maybe(cap, "cap")
    )


def per_contract(amount: object, *, minimum: object = 0, maximum: object | None = None, cap: object | None = None) -> Commission:
    """Money per contract, as brokers of futures and options charge.

    Args:
        amount: money per contract (the quantity, not the multiplier).
        minimum: least money per fill.
        maximum: most money per fill.
        cap: most as a fraction of the traded value (0.01 = 1 %).

    Example:
        >>> per_contract("0.85").per_unit
        Decimal('0.85')
    """
    return per_share(amount, minimum=minimum, maximum=maximum, cap=cap)


def maker_taker(maker: object, taker: object, *, minimum: object = 0, maximum: object | None = None) -> Commission:
    """Basis points of the traded value, as crypto venues charge.

    Args:
        maker: basis points for orders that rest at their price: take-profits.
        taker: basis points for all others: market orders, stops.
        minimum: least money per fill.
        maximum: most money per fill.

    Example:
        >>> maker_taker(maker=2, taker="5.5").rate
        Decimal('0.00055')
    """
    return replace(bps(taker, minimum=minimum, maximum=maximum), maker=_money(maker, "maker") / 10_000)


def per_trade(amount: object) -> Commission:
    """The same money for every fill.

    Example:
        >>> (per_trade("1.50") + bps(5)).flat
        Decimal('1.50')
    """
    return Commission(flat=_money(amount, "per_trade"))
