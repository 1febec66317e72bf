"""Commissions: flat, per quantity and by rate, with a minimum and caps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from rustybt.errors import ConfigError
from rustybt.model.asset import Asset
from rustybt.model.decimals import RATE, to_decimal, to_units

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

    Raises:
        ConfigError: a negative or non-finite number, or a maximum below the minimum.
    """

    flat: Decimal = ZERO
    per_unit: Decimal = ZERO
    rate: Decimal = ZERO
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    cap: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("flat", "per_unit", "rate", "minimum", "maximum", "cap"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ConfigError(f"{name} {value} is negative", where=f"commission, {name}", do="give zero or more")
        if self.maximum is not None and self.maximum < self.minimum:
            raise ConfigError(f"maximum {self.maximum} is below minimum {self.minimum}", where="commission", do="raise the maximum")
        for name in ("rate", "cap"):
            value = getattr(self, name)
            if value is not None and value * RATE != (value * RATE).to_integral_value():
                raise ConfigError(f"{name} {value} is finer than 1e-8", where=f"commission, {name}", do="round it to 8 decimals")

    def __add__(self, other: Commission) -> Commission:
        """Both commissions on every fill; minimum, maximum and cap may be set on one side only."""
        if not isinstance(other, Commission):
            return NotImplemented
        both = {"flat": self.flat + other.flat, "per_unit": self.per_unit + other.per_unit, "rate": self.rate + other.rate}
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

    def rows(self, asset: Asset, money_scale: int) -> dict[str, int]:
        """The kernel's settings for one asset; see `rustybt.model.tables.Tables`."""
        unit = Decimal(1).scaleb(-money_scale)
        per_lot = Fraction(self.per_unit) * Fraction(asset.lot_size) * 10**money_scale
        return {
            "fee_flat": to_units(self.flat, unit, "flat"),
            "fee_lot_num": per_lot.numerator,
            "fee_lot_den": per_lot.denominator,
            "fee_rate": int(self.rate * RATE),
            "fee_min": to_units(self.minimum, unit, "minimum"),
            "fee_max": -1 if self.maximum is None else to_units(self.maximum, unit, "maximum"),
            "fee_cap": -1 if self.cap is None else int(self.cap * RATE),
        }


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


def per_trade(amount: object) -> Commission:
    """The same money for every fill.

    Example:
        >>> (per_trade("1.50") + bps(5)).flat
        Decimal('1.50')
    """
    return Commission(flat=_money(amount, "per_trade"))
