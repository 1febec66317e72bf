"""From the nouns of `rustybt.model` to the arrays of the kernel."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from rustybt.errors import DataError, LedgerError
from rustybt.model import SLOT_FIELDS, Asset, Control, ControlTable, Plan, Sizing, Tables
from rustybt.model.decimals import LIMIT, up_down

from .account import account_of
from .market import admit
from .state import (
    HAS_CAPS,
    HAS_CONTROLS,
    HAS_FEES,
    HAS_GUARDS,
    HAS_IMPACT,
    HAS_LATENCY,
    HAS_LEVELS,
    HAS_MAX_BARS,
    HAS_SLIPPAGE,
    HAS_TIERS,
    HAS_WATCH,
    KINDS,
    TYPES,
)
from .tape import cost_tables


def typed(name: str, array: Any) -> Any:
    """An array as field ``name`` takes it."""
    return admit(array, TYPES[KINDS[name]])


def rules_of(tables: Tables) -> dict[str, Any]:
    """The settings of a run, by field of `Desk`.

    Raises:
        ConfigError: an asset's increments do not fit.
    """
    worth = [worth_of(asset, tables.money_scale) for asset in tables.assets]
    slots = admit(tables.slots)
    settings = {name: typed(name, slots[row]) for row, name in enumerate(SLOT_FIELDS)}
    account = account_of(tables)
    return (
        settings
        | controls_of(tables)
        | account
        | cost_tables(tables)
        | {
            "assets": len(tables.assets),
            "sleeves": tables.sleeves,
            "slots": slots.shape[1],
            "up": typed("up", np.array([up for up, _ in worth], dtype=np.int64)),
            "down": typed("down", np.array([down for _, down in worth], dtype=np.int64)),
            "gross": int(tables.gross),
            "fill_at": int(tables.fill_at),
            "at_fill": int(tables.sizing == Sizing.AT_FILL),
            "flags": flags_of(settings) | account["flags"] | watched(tables.controls) | (HAS_LATENCY if any(tables.delays) else 0),
            "intrabar": int(tables.intrabar),
            "delays": typed("delays", np.array(tables.delays or (0,), dtype=np.int64)),
            "delay_count": max(1, len(tables.delays)),
            "clock_rows": 0,
        }
    )


def controls_of(tables: Tables) -> dict[str, Any]:
    """The controls, by field of `Desk`; places without a meaning where there are none."""
    given = tables.controls
    if given is None:
        none = np.full(len(tables.assets), -1, dtype=np.int64)
        given = ControlTable(np.full(len(Control), -1, dtype=np.int64), none, none)
    limits = (given.notional, given.concentration, given.orders, given.drawdown, given.daily_loss, int(given.flatten))
    days = given.days if len(given.days) else np.zeros(1, dtype=np.int64)
    arrays = {
        "control_action": given.actions,
        "control_quantity": given.quantity,
        "control_position": given.position,
        "control_limits": np.array(limits, dtype=np.int64),
        "control_days": days,
    }
    bans = {f"ban_{name}": given.restricted[:, place] for place, name in enumerate(("asset", "first", "last"))}
    found = {name: typed(name, array) for name, array in (arrays | bans).items()}
    return found | {"bans": len(given.restricted), "has_days": int(len(given.days) > 0)}


def watched(given: ControlTable | None) -> int:
    """What the controls need of the rules."""
    if given is None:
        return 0
    every_bar = given.action(Control.DRAWDOWN) >= 0 or given.action(Control.DAILY_LOSS) >= 0
    return HAS_CONTROLS | (HAS_WATCH if every_bar else 0)


@cache
def worth_of(asset: Asset, money_scale: int) -> tuple[int, int]:
    """``up / down`` of an asset."""
    return up_down(asset.tick_size, asset.lot_size, asset.multiplier, money_scale)


def flags_of(settings: dict[str, Any]) -> int:
    """What the settings use at all."""
    fees = any((settings[name] != 0).any() for name in ("fee_flat", "fee_lot_num", "fee_min"))
    fees = fees or any((settings[name] >= 0).any() for name in ("fee_max", "fee_cap", "fee_maker"))
    tiers = (settings["tier_count"] != 0).any()
    levels = any((settings[name] != 0).any() for name in ("stop", "take", "trail"))
    max_bars = (settings["max_bars"] != 0).any()
    impact = (settings["slip_buy"] != 0).any() or (settings["slip_sell"] != 0).any()
    slippage = impact or (settings["slip_rate"] != 0).any() or (settings["slip_ticks"] != 0).any()
    bits = (
        (fees or tiers, HAS_FEES),
        (tiers, HAS_TIERS),
        (impact, HAS_IMPACT),
        ((settings["cap_share"] != 0).any(), HAS_CAPS),
        (slippage, HAS_SLIPPAGE),
        (levels, HAS_LEVELS),
        (max_bars, HAS_MAX_BARS),
        (levels or max_bars, HAS_GUARDS),
    )
    return sum(bit for used, bit in bits if used)


def offers_of(plan: Plan, bars: int, slots: int) -> dict[str, Any]:
    """The plan, by field of `Desk`.

    Raises:
        DataError: it is not a plan for so many bars and slots.
    """
    bar, slot, value = np.asarray(plan.bar), np.asarray(plan.slot), np.asarray(plan.value)
    fits_bars = plan.bars == bars and (not len(bar) or (bar[0] >= 0 and bar[-1] < bars and bool((bar[1:] >= bar[:-1]).all())))
    if not fits_bars or not len(bar) == len(slot) == len(value):
        raise DataError(
            f"the plan does not hold the offers of {bars} bars",
            where="kernel, plan",
            do="give each offer a bar, in order, with a slot and a value",
        )
    if len(slot) and (slot.min() < 0 or slot.max() >= slots):
        raise DataError(f"the plan names a slot outside 0..{slots - 1}", where="kernel, plan", do="check its slots")
    if len(value) and (value.min() <= -LIMIT or value.max() >= LIMIT):
        raise LedgerError("a target is 2^61 units or more", where="kernel, plan", do="use smaller targets or a coarser lot_size")
    columns = {"offer_bar": bar, "offer_slot": slot, "offer_value": value}
    return {"offers": len(bar)} | {name: typed(name, column) for name, column in columns.items()}
