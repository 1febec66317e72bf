"""What can be traded: an asset and the increments in which it trades."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from rustybt.errors import ConfigError
from rustybt.model.decimals import decimals_of, to_decimal

PRESETS: dict[str, tuple[str, str, str]] = {
    # asset class: tick size, lot size, volume increment
    "equity": ("0.0001", "1", "1"),
    "crypto": ("0.00000001", "0.00000001", "0.00000001"),
    "fx": ("0.00001", "0.01", "0.01"),
    "future": ("0.00001", "1", "1"),
    "index": ("0.01", "0.01", "1"),
}
"""Increments per asset class. They are fixed beforehand: reading them off the prices would be look-ahead."""


SMALLEST, LARGEST = Decimal("1E-18"), Decimal("1E+18")
"""Limits of every increment: what is outside cannot be counted in 64 bits anyway."""


@dataclass(frozen=True)
class Asset:
    """A tradable contract with its increments.

    Args:
        symbol: the id used in frames.
        asset_class: one of ``equity``, ``crypto``, ``fx``, ``future``, ``index``.
        currency: quote currency, ISO code or a crypto symbol.
        tick_size: smallest price step, quote currency.
        lot_size: smallest quantity step.
        volume_step: smallest step of reported volume.
        multiplier: quantity of the underlying per unit of quantity.
        min_notional: least value of an order that does not close a position, quote currency; 0 = any.

    Raises:
        ConfigError: a size is not positive, or the class is unknown.

    Example:
        >>> Asset.of("BTCUSD", "crypto", lot_size="0.001").lot_size
        Decimal('0.001')
    """

    symbol: str
    asset_class: str = "equity"
    currency: str = "USD"
    tick_size: Decimal = Decimal("0.0001")
    lot_size: Decimal = Decimal(1)
    volume_step: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)
    min_notional: Decimal = field(default=Decimal(0), repr=False)

    def __post_init__(self) -> None:
        for name, text in (("symbol", self.symbol), ("currency", self.currency)):
            if not isinstance(text, str) or not text.strip():
                raise ConfigError(f"{name} {text!r} is no name", where=f"asset {self.symbol!r}, {name}", do="give a text")
        if not isinstance(self.asset_class, str) or self.asset_class not in PRESETS:
            known = ", ".join(PRESETS)
            raise ConfigError(f"unknown asset class {self.asset_class!r}", where=f"asset {self.symbol!r}", do=f"use one of {known}")
        for name in ("tick_size", "lot_size", "volume_step", "multiplier"):
            size = getattr(self, name)
            if not (size.is_finite() and size > 0):
                raise ConfigError(f"{name} {size} is not positive", where=f"asset {self.symbol!r}", do="give a positive number")
            if not SMALLEST <= size <= LARGEST:
                raise ConfigError(
                    f"{name} {size} is not in {SMALLEST}..{LARGEST}", where=f"asset {self.symbol!r}", do="correct its exponent"
                )

        if not 0 <= self.min_notional <= LARGEST:
            raise ConfigError(
                f"min_notional {self.min_notional} is not in 0..{LARGEST}", where=f"asset {self.symbol!r}", do="give 0 for none"
            )

    @classmethod
    def of(cls, symbol: str, asset_class: str = "equity", **sizes: Any) -> Asset:
        """An asset from its class preset, with single increments replaced (``tick_size="0.01"``)."""
        if not isinstance(asset_class, str) or asset_class not in PRESETS:
            return cls(symbol, asset_class)  # raises with the list of classes
        tick, lot, volume = PRESETS[asset_class]
        base = cls(symbol, asset_class, "USD", Decimal(tick), Decimal(lot), Decimal(volume))
        given: dict[str, Any] = {k: v if k == "currency" else to_decimal(v, k) for k, v in sizes.items() if v is not None}
        return replace(base, **given) if given else base

    @cached_property
    def price_scale(self) -> int:
        """Decimals needed to write a price."""
        return decimals_of(self.tick_size)

    @cached_property
    def lot_scale(self) -> int:
        """Decimals needed to write a quantity."""
        return decimals_of(self.lot_size)

    @cached_property
    def volume_scale(self) -> int:
        """Decimals needed to write a volume."""
        return decimals_of(self.volume_step)
