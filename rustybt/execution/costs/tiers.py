"""Commissions that fall with what was traded in the calendar month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from rustybt.errors import ConfigError
from rustybt.execution.costs.commission import ZERO, Commission, per_lot_of
from rustybt.model.asset import Asset
from rustybt.model.decimals import RATE, to_decimal, to_units

FINEST = Decimal("1E-8")


@dataclass(frozen=True)
class Tier:
    """Rates in force from so much on.

    Attributes:
        floor: traded in the month before the fill: money, or quantity.
        rate, maker, per_unit: as in `Commission`.
    """

    floor: Decimal
    rate: Decimal = ZERO
    maker: Decimal | None = None
    per_unit: Decimal = ZERO

    def plus(self, other: Commission) -> Tier:
        """The same with another commission on top."""
        maker = None
        if self.maker is not None or other.maker is not None:
            maker = (self.rate if self.maker is None else self.maker) + other.resting_rate
        return replace(self, rate=self.rate + other.rate, maker=maker, per_unit=self.per_unit + other.per_unit)

    def column(self, asset: Asset, money_scale: int, by: str) -> tuple[int, ...]:
        """The tier in integers; see `rustybt.model.tables.TIER_FIELDS`."""
        per_lot = per_lot_of(self.per_unit, asset, money_scale)
        step = Decimal(1).scaleb(-money_scale) if by == "value" else FINEST
        maker = -1 if self.maker is None else int(self.maker * RATE)
        return to_units(self.floor, step, "tier"), int(self.rate * RATE), maker, per_lot.numerator, per_lot.denominator


def lot_in_tiers(asset: Asset) -> int:
    """What one lot adds to the quantity of a month, in 1e-8.

    Raises:
        ConfigError: the lot is finer than that.
    """
    lots = asset.lot_size / FINEST
    if lots != lots.to_integral_value():
        raise ConfigError(
            f"lot_size {asset.lot_size} is finer than 1e-8",
            where=f"asset {asset.symbol!r}, tiers by quantity",
            do='use tiers by="value", or a coarser lot_size',
        )
    return int(lots)


def tiered(
    tiers: Mapping[object, Commission],
    *,
    by: str = "value",
    minimum: object = 0,
    maximum: object | None = None,
    cap: object | None = None,
) -> Commission:
    """A commission whose rates depend on what was traded in the calendar month, all assets with this commission together.

    A fill is charged as a whole by the tier of what was traded before it; from exactly a floor on, that floor's tier holds.

    Args:
        tiers: what is charged from how much on: ``{0: bps(10), 1_000_000: bps(8)}``. Floors in increasing order, the first one 0. Each
            may have a rate, a maker rate and money per unit.
        by: ``value`` (money) or ``quantity`` (shares, contracts).
        minimum: least money per fill.
        maximum: most money per fill.
        cap: most as a fraction of the traded value.

    Raises:
        ConfigError: no tiers, a gap below the first, floors out of order, or a tier with a minimum of its own.

    Example:
        >>> from rustybt.execution import bps
        >>> tiered({0: bps(10), "50000": bps(8)}).tiers[1].rate
        Decimal('0.0008')
    """
    if by not in ("value", "quantity"):
        raise ConfigError(f"by {by!r} is unknown", where="tiered, by", do="use 'value' or 'quantity'")
    if not isinstance(tiers, Mapping):
        raise ConfigError(f"{tiers!r} is not a table of tiers", where="tiered", do="write {0: bps(10), 1_000_000: bps(8)}")
    made: list[Tier] = []
    for given, charge in tiers.items():
        floor = to_decimal(given, "tiered, floor")
        where = f"tiered, tier from {floor}"
        if not isinstance(charge, Commission) or charge != Commission(rate=charge.rate, maker=charge.maker, per_unit=charge.per_unit):
            raise ConfigError(f"{charge!r} is not a plain rate", where=where, do="write bps(8), maker_taker(4, 6) or per_share('0.002')")
        if not made and floor != 0:
            raise ConfigError(f"the first tier begins at {floor}: nothing holds below it", where="tiered", do="begin with 0")
        if made and floor <= made[-1].floor:
            raise ConfigError(f"tier {floor} comes after {made[-1].floor}", where="tiered", do="give the floors in increasing order")
        made.append(Tier(floor, charge.rate, charge.maker, charge.per_unit))
    if not made:
        raise ConfigError("there are no tiers", where="tiered", do="write {0: bps(10), 1_000_000: bps(8)}")
    least, most = to_decimal(minimum, "minimum"), None if maximum is None else to_decimal(maximum, "maximum")
    return Commission(minimum=least, maximum=most, cap=None if cap is None else to_decimal(cap, "cap"), tiers=tuple(made), by=by)
