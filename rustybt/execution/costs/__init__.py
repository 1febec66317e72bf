"""What a fill costs: commissions and slippage, per asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rustybt.errors import ConfigError
from rustybt.execution.costs.commission import Commission, bps, per_share, per_trade
from rustybt.execution.costs.slippage import Slippage, slippage_of, ticks
from rustybt.model.asset import Asset

__all__ = ["Commission", "Costs", "Slippage", "bps", "costs", "per_share", "per_trade", "ticks"]


@dataclass(frozen=True)
class Costs:
    """Commission and slippage of a run, with other ones for single assets where they differ."""

    commission: Commission = field(default_factory=Commission)
    slippage: Slippage = field(default_factory=Slippage)
    by_asset: Mapping[str, Costs] = field(default_factory=dict)

    def rows(self, asset: Asset, money_scale: int) -> dict[str, int]:
        """The kernel's settings for one asset; see `rustybt.model.tables.Tables`."""
        own = self.by_asset.get(asset.symbol, self)
        return {**own.commission.rows(asset, money_scale), **own.slippage.rows()}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest; the same for equal costs."""
        plain = {
            "commission": {k: None if v is None else format(v.normalize(), "f") for k, v in vars(self.commission).items()},
            "slippage": {"rate": format(self.slippage.rate.normalize(), "f"), "ticks": self.slippage.ticks},
        }
        if self.by_asset:
            plain["by_asset"] = {k: v.to_dict() for k, v in sorted(self.by_asset.items())}
        return plain


def costs(commission: object = None, slippage: object = None, by_asset: Mapping[str, Costs] | None = None) -> Costs:
    """What every fill of a run costs.

    Args:
        commission: `bps`, `per_share`, `per_trade` or a sum of them; None = free.
        slippage: ``bps(5)``, ``ticks(1)`` or a fraction of the price; None = none.
        by_asset: other costs for single assets, by symbol.

    Raises:
        ConfigError: a commission that is not one, or slippage with a minimum.

    Example:
        >>> costs(commission=bps(10), slippage=ticks(1)).slippage.ticks
        1
    """
    if commission is None:
        commission = Commission()
    if not isinstance(commission, Commission):
        raise ConfigError(
            f"commission {commission!r} is not a commission",
            where="costs",
            do="write commission=rbt.bps(10), per_share(...) or per_trade(...)",
        )
    return Costs(commission, Slippage() if slippage is None else slippage_of(slippage), dict(by_asset or {}))
