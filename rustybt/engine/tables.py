"""The strategies, the assets and the run's settings, reduced to the integers that the kernel and the reference take."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from decimal import Decimal

import numpy as np

from rustybt.engine.config import RunConfig
from rustybt.engine.dated import tariffs
from rustybt.engine.feeds import gather
from rustybt.engine.timing import delays_of
from rustybt.errors import ConfigError
from rustybt.model import IMPACT_FIELDS, MARGIN_FIELDS, SLOT_FIELDS, TIER_FIELDS, Asset, Tables, TargetKind
from rustybt.model.decimals import LIMIT, RATE, to_units
from rustybt.spec import Strategy

Sleeves = Mapping[str, Strategy]
"""The strategies of one run by the name of their sleeve."""


def build_tables(sleeves: Sleeves, assets: tuple[Asset, ...], config: RunConfig) -> Tables:
    """One column of settings per slot (sleeve x asset), in slot order."""
    if config.margin is not None:
        for symbol in sorted(set(config.margin.by_asset) - {asset.symbol for asset in assets}):
            raise ConfigError(f"no asset {symbol!r} in the data", where="margin, by_asset", do="correct the symbol, or leave it out")
    kinds: dict[Hashable, int] = {}
    alike = np.array([kinds.setdefault(_kind(asset, config), len(kinds)) for asset in assets])
    first = [assets[int(np.argmax(alike == kind))] for kind in range(len(kinds))]
    tiers = list(tariffs(config, assets).columns)
    slipping, impacts = gather(config.costs, tuple(first))
    ladders = [_ladder(asset, config, tiers) | slips for asset, slips in zip(first, slipping, strict=True)]
    columns = [
        [_slot(strategy, asset, config) | ladder for asset, ladder in zip(first, ladders, strict=True)] for strategy in sleeves.values()
    ]
    slots = np.hstack([np.array([[slot[name] for slot in row] for name in SLOT_FIELDS], dtype=np.int64)[:, alike] for row in columns])
    slots.flags.writeable = False
    unit = config.cash.__class__(1).scaleb(-config.money_scale)
    return Tables(
        assets=assets,
        sleeves=len(sleeves),
        cash=to_units(config.cash, unit, "cash"),
        money_scale=config.money_scale,
        gross=int(config.max_gross * RATE),
        fill_at=config.fill,
        sizing=config.sizing,
        slots=slots,
        tiers=np.array(tiers, dtype=np.int64).reshape(-1, len(TIER_FIELDS)).T,
        impacts=np.array(list(impacts.columns), dtype=np.int64).reshape(-1, len(IMPACT_FIELDS)).T,
        controls=None if config.controls is None else config.controls.table(assets, config.money_scale),
        intrabar=config.timing.intrabar,
        delays=delays_of(config.timing),
        pending_days=config.settlement,
    )


def _kind(asset: Asset, config: RunConfig) -> Hashable:
    """All that the settings of a slot depend on: assets of one kind share them, so they are worked out once."""
    named = asset.symbol in config.costs.by_asset or (config.margin is not None and asset.symbol in config.margin.by_asset)
    own = asset.symbol if named else None
    return own, asset.asset_class, asset.tick_size, asset.lot_size, asset.multiplier


def _ladder(asset: Asset, config: RunConfig, tiers: list[tuple[int, ...]]) -> dict[str, int]:
    """Where the tiers of an asset are in the table of all tiers, to which they are added."""
    ladder = config.costs.ladder(asset, config.money_scale)
    if ladder is None:
        return dict.fromkeys(("tier_first", "tier_count", "tier_group", "tier_lots"), 0)
    first = len(tiers)
    tiers.extend(ladder.columns)
    if any(not -1 <= number < LIMIT for column in ladder.columns for number in column):
        what = "a tier is too large or too finely divided to count exactly"
        raise ConfigError(what, where=f"run, asset {asset.symbol!r}", do="give tiers with fewer digits")
    return {"tier_first": first, "tier_count": len(ladder.columns), "tier_group": ladder.group, "tier_lots": ladder.lot}


def _slot(strategy: Strategy, asset: Asset, config: RunConfig) -> dict[str, int]:
    rules = dict.fromkeys(("stop", "take", "trail", "max_bars", "cool_down", "reentry_schedule"), 0)
    if strategy.exits is not None:
        rules.update(strategy.exits.units())
    kind = TargetKind.QUANTITY if strategy.target is None else strategy.target.kind
    margin = dict.fromkeys((*MARGIN_FIELDS, "isolated", "top_up", "fee_liquidation"), 0)
    margin |= {} if config.margin is None else config.margin.rows(asset, config.money_scale)
    found = {
        **config.costs.rows(asset, config.money_scale),
        **rules,
        **margin,
        "settles": int(asset.asset_class == "future"),
        "day_ends": int((config.timing.cancel_policy or strategy.cancel_policy) == "end_of_day"),
        "scheduled": int(strategy.schedule is not None),
        "kind": int(kind),
    }
    for name, value in found.items():
        if not -1 <= value < LIMIT:
            what = f"a cost or rule is too large or too finely divided to count exactly ({name} = {Decimal(value):.3g})"
            raise ConfigError(what, where=f"run, asset {asset.symbol!r}", do="give costs with fewer digits")
    return found
