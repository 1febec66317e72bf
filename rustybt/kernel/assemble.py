"""From the nouns of `rustybt.model` to the arrays of the kernel."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from rustybt.errors import DataError, LedgerError
from rustybt.model import (
    REQUEST_FIELDS,
    SLOT_FIELDS,
    TOLD_FIELDS,
    Asset,
    Control,
    ControlTable,
    Plan,
    Requests,
    Sizing,
    Tables,
)
from rustybt.model.controls import FAR_DAY
from rustybt.model.decimals import LIMIT, up_down

from .account import account_of
from .flags import (
    HAS_CAPS,
    HAS_CONTROLS,
    HAS_DAY_ENDS,
    HAS_FEES,
    HAS_GUARDS,
    HAS_IMPACT,
    HAS_ISOLATED,
    HAS_LATENCY,
    HAS_LEVELS,
    HAS_LIQUIDATION_FEES,
    HAS_MAX_BARS,
    HAS_MOVES,
    HAS_SLIPPAGE,
    HAS_TIERS,
    HAS_TOP_UPS,
    HAS_WATCH,
)
from .given import dated_of, inverse
from .market import admit
from .state import KINDS, TYPES
from .tape import cost_tables

LIMITED = [SLOT_FIELDS.index(name) for name in ("fee_max", "fee_cap", "fee_maker")]
"""Settings of which -1 says that there is none."""


def typed(name: str, array: Any) -> Any:
    """An array as field ``name`` takes it."""
    return admit(array, TYPES[KINDS[name]])


def rules_of(tables: Tables) -> dict[str, Any]:
    """The settings of a run, by field of `Desk`.

    Raises:
        ConfigError: an asset's increments do not fit.
        DataError: a commission is negative.
    """
    if tables.row("fee_rate").min(initial=0) < 0:  # it is rounded without a look at its sign
        raise DataError("a rate of commission is negative", where="kernel, fee_rate", do="give rates from 0")
    worth = [worth_of(asset, tables.money_scale) for asset in tables.assets]
    inverses = [inverse(max(2, down)) for _, down in worth]  # that of 1 is not asked for
    slots = admit(tables.slots) if not len(tables.dated) else np.array(tables.slots, dtype=np.int64)
    settings = {name: typed(name, slots[row]) for row, name in enumerate(SLOT_FIELDS)}
    account, dated = account_of(tables), dated_of(tables)
    flags = flags_of(slots) | account["flags"] | dated["flags"] | watched(tables.controls) | flags_of_run(tables)
    return (
        settings
        | controls_of(tables)
        | account
        | dated
        | cost_tables(tables)
        | {
            "assets": len(tables.assets),
            "sleeves": tables.sleeves,
            "slots": slots.shape[1],
            "up": typed("up", np.array([up for up, _ in worth], dtype=np.int64)),
            "down": typed("down", np.array([down for _, down in worth], dtype=np.int64)),
            "inverse": typed("inverse", np.array([m for m, _ in inverses], dtype=np.int64)),
            "shift": typed("shift", np.array([shift for _, shift in inverses], dtype=np.int64)),
            "gross": int(tables.gross),
            "fill_at": int(tables.fill_at),
            "at_fill": int(tables.sizing == Sizing.AT_FILL),
            "flags": flags,
            "intrabar": int(tables.intrabar),
        }
        | delays_of(tables)
    )


def delays_of(tables: Tables) -> dict[str, Any]:
    """How long orders are under way, by field of `Desk`."""
    if not any(tables.delays):
        return {}
    return {"delays": typed("delays", np.array(tables.delays, dtype=np.int64)), "delay_count": len(tables.delays)}


def flags_of_run(tables: Tables) -> int:
    """What the run says about its orders."""
    return (HAS_LATENCY if any(tables.delays) else 0) | (HAS_DAY_ENDS if tables.row("day_ends").any() else 0)


def controls_of(tables: Tables) -> dict[str, Any]:
    """The controls, by field of `Desk`."""
    given = tables.controls
    if given is None:
        return {}
    limits = (given.notional, given.concentration, given.orders, given.drawdown, given.daily_loss, int(given.flatten))
    multiples = (given.gross_exposure, given.net_exposure, given.max_leverage, given.min_leverage)
    first, last = np.full(len(tables.assets), -FAR_DAY, dtype=np.int64), np.full(len(tables.assets), FAR_DAY, dtype=np.int64)
    first[given.dates[:, 0]], last[given.dates[:, 0]] = given.dates[:, 1], given.dates[:, 2]
    risk = (given.value_at_risk, given.max_value_at_risk, given.risk_bars, given.risk_tail)
    group = (given.correlated_exposure, given.correlated_above, given.correlated_bars)
    days = given.days if len(given.days) else np.zeros(1, dtype=np.int64)
    arrays = {
        "control_action": given.actions,
        "control_quantity": given.quantity,
        "control_position": given.position,
        "control_limits": np.array(
            (*limits, given.collar, given.duplicate, *multiples, given.deadline, given.move, *risk, *group), dtype=np.int64
        ),
        "control_days": days,
        "date_first": first,
        "date_last": last,
    }
    bans = {f"ban_{name}": given.restricted[:, place] for place, name in enumerate(("asset", "first", "last"))}
    found = {name: typed(name, array) for name, array in (arrays | bans).items()}
    return found | {"window": given.window, "bans": len(given.restricted), "has_days": int(len(given.days) > 0)}


def watched(given: ControlTable | None) -> int:
    """What the controls need of the rules."""
    if given is None:
        return 0
    every_bar = any(given.action(control) >= 0 for control in Control if control.watches_account)
    moves = any(given.action(control) >= 0 for control in Control if control.watches_moves)
    return HAS_CONTROLS | (HAS_WATCH if every_bar else 0) | (HAS_MOVES if moves else 0)


@cache
def worth_of(asset: Asset, money_scale: int) -> tuple[int, int]:
    """``up / down`` of an asset."""
    return up_down(asset.tick_size, asset.lot_size, asset.multiplier, money_scale)


def flags_of(slots: Any) -> int:
    """What the settings use at all."""
    used = dict(zip(SLOT_FIELDS, slots.any(axis=1).tolist(), strict=True))
    limited = bool((slots[LIMITED] >= 0).any())
    fees, tiers = used["fee_flat"] or used["fee_lot_num"] or used["fee_min"] or limited, used["tier_count"]
    levels, max_bars = used["stop"] or used["take"] or used["trail"] or used["isolated"], used["max_bars"]
    impact = used["slip_buy"] or used["slip_sell"]
    slippage = impact or used["slip_rate"] or used["slip_ticks"]
    bits = (
        (fees or tiers, HAS_FEES),
        (tiers, HAS_TIERS),
        (impact, HAS_IMPACT),
        (used["cap_share"], HAS_CAPS),
        (slippage, HAS_SLIPPAGE),
        (levels, HAS_LEVELS),
        (max_bars, HAS_MAX_BARS),
        (levels or max_bars, HAS_GUARDS),
        (used["isolated"], HAS_ISOLATED),
        (used["isolated"] and used["top_up"], HAS_TOP_UPS),
        (used["fee_liquidation"], HAS_LIQUIDATION_FEES),
    )
    return sum(bit for used, bit in bits if used)


def offers_of(plan: Plan, bars: int, slots: int) -> dict[str, Any]:
    """The plan, by field of `Desk`.

    Raises:
        DataError: it is not a plan for so many bars and slots.
    """
    bar, slot, value = np.asarray(plan.bar), np.asarray(plan.slot), np.asarray(plan.value)
    ordered = plan.sound or not len(bar) or (bar[0] >= 0 and bar[-1] < bars and bool((bar[1:] >= bar[:-1]).all()))
    fits_bars = plan.bars == bars and ordered
    if not fits_bars or not len(bar) == len(slot) == len(value):
        raise DataError(
            f"the plan does not hold the offers of {bars} bars",
            where="kernel, plan",
            do="give each offer a bar, in order, with a slot and a value",
        )
    spots = slot[:1] if slot.strides == (0,) else slot  # the same in all of them
    if not plan.sound and len(spots) and not (spots.min() >= 0 and spots.max() < slots):
        raise DataError(f"the plan names a slot outside 0..{slots - 1}", where="kernel, plan", do="check its slots")
    if not plan.sound and len(value) and (value.min() <= -LIMIT or value.max() >= LIMIT):
        raise LedgerError("a target is 2^61 units or more", where="kernel, plan", do="use smaller targets or a coarser lot_size")
    columns = {"offer_bar": bar, "offer_slot": slot if slots > 1 else slot[:0], "offer_value": value}  # a single slot is not asked for
    return {"offers": len(bar)} | {name: typed(name, column) for name, column in columns.items()}


def requests_of(requests: Requests | None, bars: int, slots: int) -> dict[str, Any]:
    """The orders asked for and the clock, by field of `Desk`.

    Raises:
        DataError: they are not for so many bars and slots, or an order lacks a price that its kind needs.
        LedgerError: a size or a price does not fit.
    """
    if requests is None:
        return {}
    if not requests.checked:
        check_requests(requests, bars, slots)
    clock = requests.clock
    fields = {"request_bar": requests.bar, "request": requests.told.reshape(-1), "pattern": requests.patterns.reshape(-1)}
    fields |= {"clock_session": clock.session, "clock_ts": clock.ts, "clock_ends": clock.ends}
    sizes = {"requests": len(requests.told), "busiest": requests.busiest}
    return sizes | {name: typed(name, array) for name, array in fields.items()}


def check_requests(requests: Requests, bars: int, slots: int) -> None:
    """Refuse requests that the kernel could not serve."""
    bar, told, patterns, clock = requests.bar, requests.told, requests.patterns, requests.clock
    do = "give what rustybt.model.Requests says"
    fits_bars = told.shape[1:] == (len(TOLD_FIELDS),) and patterns.shape[1:] == (len(REQUEST_FIELDS),)
    fits_bars = fits_bars and len(bar) == len(told) and bool((bar[1:] >= bar[:-1]).all())
    fits_bars = fits_bars and (not len(bar) or (bar[0] >= 0 and bar[-1] < bars))
    if not fits_bars or any(len(part) != bars for part in (clock.session, clock.ts, clock.ends)):
        raise DataError(f"the requests or their clock are not those of {bars} bars", where="kernel, requests", do=do)
    from .asked import HIDDEN, NO_FILL, NO_PATTERN, NO_PRICE, NO_SLOT, NO_STOP, TOO_MUCH, faults_of

    told, patterns = (admit(rows) if rows.flags.writeable else admit(rows).copy() for rows in (told, patterns))
    found = faults_of(told, patterns, np.empty(len(patterns), dtype=np.int64), slots)
    if found & NO_PATTERN:
        raise DataError(f"a request names a pattern outside 0..{len(patterns) - 1}", where="kernel, requests", do=do)
    if found & NO_SLOT:
        raise DataError(f"a request names a slot outside 0..{slots - 1}", where="kernel, requests", do="check its slots")
    if found & NO_FILL:
        raise DataError("a request is sized by a fill that it does not wait for", where="kernel, requests", do=do)
    if found & NO_STOP:
        raise DataError("a request trails and is not a stop", where="kernel, requests", do=do)
    if found & NO_PRICE:
        raise DataError("a request lacks a price that its kind needs, or has one that it does not", where="kernel, requests", do=do)
    if found & HIDDEN:
        raise DataError("a request shows fewer than no lots", where="kernel, requests", do=do)
    if found & TOO_MUCH:
        raise LedgerError("an order of 2^61 units or more", where="kernel, requests", do="use smaller orders or a coarser lot_size")
