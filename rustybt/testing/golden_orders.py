"""The sections ``[orders]`` and ``[sessions]`` of a golden case."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model import (
    REQUEST_FIELDS,
    Asset,
    Clock,
    Measure,
    OrderFlag,
    OrderKind,
    Reason,
    Requests,
    Tables,
    TimeInForce,
)
from rustybt.model.decimals import RATE, WEIGHT, from_units, to_units

FLAGS = {flag.name.lower(): flag for flag in OrderFlag if flag.name}
PRICES = ("limit", "stop", "trail", "offset")
INSTANT = 10
"""Microseconds from one bar to the next where a case has no clock."""


def read_requests(orders: Iterable[list[str]], clock: Iterable[list[str]], tables: Tables, names: list[str], bars: int) -> Requests | None:
    """``0 A 5 limit limit=95 tif=day``: bar, slot, size, kind, and what belongs to it; None without such lines.

    Args:
        orders: words of the lines of ``[orders]``.
        clock: words of the lines of ``[sessions]``.
        tables: of the case.
        names: of the slots.
        bars: number of bars.
    """
    rows = [read_request(words, tables, names) for words in orders]
    if not rows:
        return None
    rows.sort(key=lambda row: (row["bar"], row["slot"]))
    start = np.searchsorted([row["bar"] for row in rows], np.arange(bars + 1)).astype(np.int64)
    table = np.array([[row[name] for name in REQUEST_FIELDS] for row in rows], dtype=np.int64)
    return Requests.of_rows(start, table, read_clock(clock, bars))


def read_clock(lines: Iterable[list[str]], bars: int) -> Clock:
    """``0 1 10 ends``: bar, session, instant, and whether a calendar knows that it ends the session. Else every bar is a session."""
    rows = {bar: (bar, INSTANT * bar, 1) for bar in range(bars)}
    for words in lines:
        rows[int(words[0])] = int(words[1]), int(words[2]), int(words[3:] == ["ends"])
    return Clock(*(np.array([rows[bar][k] for bar in range(bars)], dtype=np.int64) for k in range(3)))


def read_request(words: list[str], tables: Tables, names: list[str]) -> dict[str, int]:
    """One order."""
    bar, slot = int(words[0]), names.index(words[1])
    asset = tables.assets[slot % len(tables.assets)]
    row = dict.fromkeys(REQUEST_FIELDS, 0) | {"bar": bar, "slot": slot, "entry": 1, "reason": int(Reason.ORDER)}
    measure, size = read_size(words[2], asset, tables.money_scale)
    row |= {"measure": measure, "size": size, "kind": OrderKind[words[3].upper()]}
    for word in words[4:]:
        name, _, value = word.partition("=")
        if name in PRICES:
            row[name] = to_units(value, asset.tick_size)
        elif name == "display":
            row[name] = to_units(value, asset.lot_size)
        elif name == "trail_rate":
            row[name] = to_units(value, 1 / Decimal(RATE))
        elif name == "tif":
            row["tif"] = TimeInForce[value.upper()]
        elif name in ("entry", "until"):
            row[name] = int(value)
        elif name in FLAGS:
            row["flags"] |= FLAGS[name]
        elif name == "callback":
            row["reason"] = int(Reason.CALLBACK)
        else:
            raise ConfigError(f"unknown word {word!r}", where="[orders]", do="see tests/golden/README.md")
    return row


def read_size(word: str, asset: Asset, money_scale: int) -> tuple[Measure, int]:
    """``5``, ``notional:1000``, ``weight:0.5``, ``position`` or ``filled``."""
    name, _, value = word.rpartition(":")
    if value in ("position", "filled"):
        return Measure[value.upper()], 0
    measure = Measure[name.upper()] if name else Measure.QUANTITY
    return measure, to_units(value, step_of(measure, asset, money_scale))


def step_of(measure: Measure, asset: Asset, money_scale: int) -> Decimal:
    """The unit of a size."""
    if measure is Measure.NOTIONAL:
        return Decimal(1).scaleb(-money_scale)
    return 1 / Decimal(WEIGHT) if measure is Measure.WEIGHT else asset.lot_size


def write_requests(requests: Requests | None, tables: Tables, names: list[str]) -> list[str]:
    """Both sections as lines."""
    if requests is None:
        return []
    lines = ["[sessions]"]
    clock = requests.clock
    for bar, (session, ts, ends) in enumerate(zip(clock.session.tolist(), clock.ts.tolist(), clock.ends.tolist(), strict=True)):
        lines.append(f"{bar} {session} {ts}" + (" ends" if ends else ""))
    lines.append("[orders]")
    for bar in range(len(clock.ts)):
        rows = (
            dict(zip(REQUEST_FIELDS, row, strict=True)) for row in requests.rows[requests.start[bar] : requests.start[bar + 1]].tolist()
        )
        lines += [f"{bar} {write_request(row, tables, names)}" for row in rows]
    return lines


def write_request(row: dict[str, int], tables: Tables, names: list[str]) -> str:
    """One order."""
    asset, measure = tables.assets[row["slot"] % len(tables.assets)], Measure(row["measure"])
    if measure in (Measure.POSITION, Measure.FILLED):
        size = measure.name.lower()
    else:
        size = format(from_units(row["size"], step_of(measure, asset, tables.money_scale)), "f")
        size = size if measure is Measure.QUANTITY else f"{measure.name.lower()}:{size}"
    words = [names[row["slot"]], size, OrderKind(row["kind"]).name.lower()]
    words += [f"{name}={from_units(row[name], asset.tick_size):f}" for name in PRICES if row[name]]
    words += [f"trail_rate={from_units(row['trail_rate'], 1 / Decimal(RATE)):f}"] if row["trail_rate"] else []
    words += [f"display={from_units(row['display'], asset.lot_size):f}"] if row["display"] else []
    words += [f"tif={TimeInForce(row['tif']).name.lower()}", f"until={row['until']}", f"entry={row['entry']}"]
    words += ["callback"] if row["reason"] == Reason.CALLBACK else []
    return " ".join([*words, *(name for name, flag in FLAGS.items() if row["flags"] & flag)])
