"""What a fill costs: commissions and slippage, per asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rustybt.errors import ConfigError
from rustybt.execution.costs.caps import VolumeCap, cap_of, volume_cap
from rustybt.execution.costs.commission import Commission, bps, maker_taker, per_contract, per_share, per_trade
from rustybt.execution.costs.profile import Profile, profile_of, profiles
from rustybt.execution.costs.slippage import (
    Slippage,
    asymmetric,
    half_spread,
    slippage_of,
    slippage_term,
    square_root,
    ticks,
    volatility_share,
    volume_share,
)
from rustybt.execution.costs.tiers import lot_in_tiers, tiered
from rustybt.execution.fields import symbols_of
from rustybt.model.asset import Asset
from rustybt.model.tables import GROUPS

__all__ = [
    "Commission",
    "Costs",
    "Ladder",
    "Profile",
    "Slippage",
    "VolumeCap",
    "asymmetric",
    "bps",
    "costs",
    "half_spread",
    "maker_taker",
    "per_contract",
    "per_share",
    "per_trade",
    "profile_of",
    "profiles",
    "slippage_term",
    "square_root",
    "ticks",
    "tiered",
    "volatility_share",
    "volume_cap",
    "volume_share",
]


@dataclass(frozen=True)
class Ladder:
    """Tiers of one asset in integers.

    Attributes:
        group: which count of what was traded they go by. lot: what one lot adds to a quantity, 0 = value counts.
        columns: as in `rustybt.model.tables.TIER_FIELDS`, lowest first.
    """

    group: int
    lot: int
    columns: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, commission: Commission, group: int, asset: Asset, money_scale: int) -> Ladder:
        """The tiers of a commission for an asset."""
        lot = lot_in_tiers(asset) if commission.by == "quantity" else 0
        return cls(group, lot, commission.tier_columns(asset, money_scale))


@dataclass(frozen=True)
class Costs:
    """Commission and slippage of a run, with other ones for single assets where they differ."""

    commission: Commission = field(default_factory=Commission)
    slippage: Slippage = field(default_factory=Slippage)
    by_asset: Mapping[str, Costs] = field(default_factory=dict)
    volume_cap: VolumeCap | None = None

    def rows(self, asset: Asset, money_scale: int) -> dict[str, int]:
        """The kernel's settings for one asset; see `rustybt.model.tables.Tables`."""
        own = self.of(asset.symbol)
        cap = {"cap_share": 0, "cap_carry": 0} if own.volume_cap is None else own.volume_cap.rows()
        return {**own.commission.rows(asset, money_scale), **own.slippage.rows(), **cap}

    def of(self, symbol: str) -> Costs:
        """What holds for one asset."""
        return self.by_asset.get(symbol, self)

    @cached_property
    def by_volume(self) -> bool:
        """Whether what a fill costs depends on the volume of its bar, but for other assets."""
        return self.volume_cap is not None or any(side.by_volume for side in self.slippage.sides())

    def ladder(self, asset: Asset, money_scale: int) -> Ladder | None:
        """The tiers of one asset's commission."""
        own = self.of(asset.symbol).commission
        if not own.tiers:
            return None
        return Ladder.of(own, self.groups.index(own), asset, money_scale)

    @cached_property
    def groups(self) -> tuple[Commission, ...]:
        """The commissions with tiers; what is traded counts for each by itself."""
        every = [self.commission, *(own.commission for _, own in sorted(self.by_asset.items()))]
        found = tuple(dict.fromkeys(one for one in every if one.tiers))
        if len(found) > GROUPS:
            raise ConfigError(f"{len(found)} commissions have tiers", where="costs, by_asset", do=f"use at most {GROUPS} different ones")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest; the same for equal costs."""
        plain = {
            "commission": self.commission.to_dict(),
            "slippage": self.slippage.to_dict(),
        }
        if self.volume_cap is not None:
            plain["volume_cap"] = self.volume_cap.to_dict()
        if self.by_asset:
            plain["by_asset"] = {k: v.to_dict() for k, v in sorted(self.by_asset.items())}
        return plain


def costs(
    commission: object = None,
    slippage: object = None,
    by_asset: Mapping[str, Costs] | None = None,
    *,
    profile: str | None = None,
    volume_cap: object = None,
) -> Costs:
    """What every fill of a run costs.

    Args:
        commission: `bps`, `per_share`, `per_contract`, `maker_taker`, `per_trade`, `tiered` or a sum of them; None = free.
        slippage: ``bps(5)``, `ticks`, `half_spread`, `volume_share`, `square_root`, `volatility_share`, `slippage_term`, a sum of them,
            `asymmetric`, or a fraction of the price; None = none.
        by_asset: other costs for single assets, by symbol.
        profile: the commission of a broker or venue by name instead; `profiles` lists them.
        volume_cap: the most of a bar's volume for one order: a share, `volume_cap`, ``conservative`` (2.5 %), ``balanced`` (10 %) or
            ``aggressive`` (25 %); None = no cap.

    Raises:
        ConfigError: a commission that is not one, or slippage with a minimum.

    Example:
        >>> costs(commission=bps(10), slippage=ticks(1)).slippage.ticks
        1
        >>> costs(profile="ib_us_equity_fixed").commission.minimum
        Decimal('1.00')
    """
    if profile is not None:
        if commission is not None:
            raise ConfigError("both a commission and a profile", where="costs, profile", do="give one of the two")
        commission = profile_of(profile).commission
    if commission is None:
        commission = Commission()
    if not isinstance(commission, Commission):
        raise ConfigError(
            f"commission {commission!r} is not a commission",
            where="costs",
            do="write commission=rbt.bps(10), per_share(...) or per_trade(...)",
        )
    others = symbols_of(by_asset or {}, "costs, by_asset")
    for symbol, own in others.items():
        if not isinstance(own, Costs):
            raise ConfigError(f"{own!r} is not a Costs", where=f"costs, by_asset, {symbol!r}", do="write rbt.costs(...)")
        if own.by_asset:
            what = f"the costs of {symbol!r} name other assets: {', '.join(own.by_asset)}"
            raise ConfigError(what, where=f"costs, by_asset, {symbol!r}", do="give by_asset once, on the outside")
    return Costs(commission, Slippage() if slippage is None else slippage_of(slippage), others, cap_of(volume_cap))
