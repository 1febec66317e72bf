"""Controls of golden cases: ``order_quantity reduce A=5``, ``drawdown halt 0.1``, ``restricted reject A:2-4``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from rustybt.model import Asset, Control, ControlTable, Response
from rustybt.model.decimals import RATE, from_units, to_units

RATES = (
    "concentration",
    "drawdown",
    "daily_loss",
    "price_collar",
    "price_move",
    "value_at_risk",
    "max_value_at_risk",
    "correlated_exposure",
    "gross_exposure",
    "net_exposure",
    "max_leverage",
    "min_leverage",
)
NAMES = {
    "order_quantity": "quantity",
    "position": "position",
    "order_notional": "notional",
    "orders_per_day": "orders",
    "price_collar": "collar",
    "price_move": "move",
}

TERMS = {
    "after": {"": "deadline"},
    "bars": {"": "risk_bars", "correlated_exposure": "correlated_bars"},
    "tail": {"": "risk_tail"},
    "above": {"": "correlated_above"},
}
"""Words behind a limit, ``tail:1``, and the field of the table that each sets; "" = whatever the control."""


def read_controls(lines: list[list[str]], assets: tuple[Asset, ...], unit: Decimal) -> ControlTable | None:
    """The table of the lines of a section; None where there are none."""
    if not lines:
        return None
    columns = {asset.symbol: column for column, asset in enumerate(assets)}
    actions = np.full(len(Control), -1, dtype=np.int64)
    actions[Control.HALTED] = int(Response.REJECT)
    found: dict[str, Any] = {name: np.full(len(assets), -1, dtype=np.int64) for name in ("quantity", "position")}
    spans: dict[str, list[tuple[int, ...]]] = {"restricted": [], "asset_dates": []}
    for name, *words in lines:
        if name == "days":
            found["days"] = np.array(words, dtype=np.int64)
            continue
        if name == "flatten":
            found["flatten"] = True
            continue
        actions[Control[name.upper()]] = int(Response[words[0].upper()])
        for word in words[1:]:
            symbol, given, number = word.rpartition("=")
            if given:
                found[NAMES[name]][columns[symbol]] = to_units(number, assets[columns[symbol]].lot_size)
            elif name in spans:
                banned, _, days = word.partition(":")
                spans[name].append((columns[banned], *map(int, days.split("-"))))
            elif word.partition(":")[0] in TERMS:
                term, _, number = word.partition(":")
                field = TERMS[term].get(name, TERMS[term][""])
                found[field] = to_units(number, 1 / Decimal(RATE)) if term == "above" else int(number)
            else:
                steps = {"order_notional": unit, "orders_per_day": Decimal(1), "duplicate": Decimal(1)}
                found[NAMES.get(name, name)] = to_units(number, steps.get(name, 1 / Decimal(RATE)))
    rows = {name: np.array(span, dtype=np.int64).reshape(-1, 3) for name, span in spans.items()}
    return ControlTable(actions, restricted=rows["restricted"], dates=rows["asset_dates"], **found)


def write_controls(table: ControlTable | None, assets: tuple[Asset, ...], unit: Decimal) -> list[str]:
    """The lines of a table."""
    if table is None:
        return []
    lines = ["[controls]"]
    if len(table.days):
        lines.append("days " + " ".join(map(str, table.days.tolist())))
    if table.flatten:
        lines.append("flatten")
    for control in list(Control)[1:]:
        name, action = control.name.lower(), table.action(control)
        if action >= 0:
            lines.append(" ".join([name, Response(action).name.lower(), *_limits(table, name, assets, unit)]))
    return lines


def _limits(table: ControlTable, name: str, assets: tuple[Asset, ...], unit: Decimal) -> list[str]:
    if name in ("order_quantity", "position"):
        lots = getattr(table, NAMES[name])
        steps = ((asset, int(lots[column])) for column, asset in enumerate(assets) if lots[column] >= 0)
        return [f"{asset.symbol}={from_units(count, asset.lot_size):f}" for asset, count in steps]
    if name in ("restricted", "asset_dates"):
        rows = table.restricted if name == "restricted" else table.dates
        return [f"{assets[column].symbol}:{first}-{last}" for column, first, last in rows.tolist()]
    if name in ("orders_per_day", "duplicate"):
        return [str(table.orders if name == "orders_per_day" else table.duplicate)]
    if name == "order_notional":
        return [f"{from_units(table.notional, unit):f}"]
    words = [f"{Decimal(getattr(table, NAMES.get(name, name))) / RATE:f}"] if name in RATES else []
    if name == "correlated_exposure":
        words += [f"bars:{table.correlated_bars}", f"above:{Decimal(table.correlated_above) / RATE:f}"]
    if name.endswith("value_at_risk"):
        words += [f"bars:{table.risk_bars}", f"tail:{table.risk_tail}"]
    return [*words, f"after:{table.deadline}"] if name == "min_leverage" else words
