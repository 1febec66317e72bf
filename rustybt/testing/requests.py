"""Random orders for a session: every kind, every time in force, prices near the market."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from rustybt.model import REQUEST_FIELDS, Clock, Measure, OrderFlag, OrderKind, Reason, Requests, Tables, TimeInForce
from rustybt.model.panel import Ints
from rustybt.model.requests import TOLD_PLACES
from rustybt.testing.rules import LARGE, Chance, World

RESTING = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.UNTIL_BAR, TimeInForce.UNTIL_SESSION, TimeInForce.UNTIL_TS)
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
KINDS = tuple(OrderKind)
OFTEN = (0, 0, 8, 30, 70)
DAY = 86_400_000_000
WEIGHTS = (10**11, -(10**11), 5 * 10**11, -5 * 10**11, 10**12, -(10**12), 333_333_333_333)


class Closes(Protocol):
    """What a generator needs of a market."""

    @property
    def close(self) -> Ints:
        """(bars, assets) ticks, 0 = no bar."""


def draw_requests(dice: Chance, world: World, tables: Tables, market: Closes) -> Requests | None:
    """Orders at random bars; None for many sessions, and with few orders in others."""
    often = dice.pick(OFTEN)
    if not often:
        return None
    bars, slots = len(market.close), tables.slots.shape[1]
    clock = draw_clock(dice, bars)
    near = [np.array(world.prices)]
    start, rows = [0], list[dict[str, int]]()
    for bar in range(bars):
        near.append(np.where(market.close[bar] > 0, market.close[bar], near[-1]))
        for slot in range(slots):
            for entry in (1, 2):
                if dice.chance(often // entry):
                    column = slot % len(world.assets)
                    row = draw_request(dice, (bar, clock), int(near[-1][column]), (world, column))
                    if row["flags"] & (OrderFlag.CANCEL | OrderFlag.AMEND) and dice.chance(50):
                        row["by_number"] = -dice.integer(1, 3 * len(rows) + 3)
                    rows.append({"slot": slot, "entry": row.pop("by_number", entry)} | row)
                    if row["flags"] & (OrderFlag.CANCEL | OrderFlag.AMEND) == 0 and dice.chance(25):
                        rows += [
                            joined(dice, rows[-1], draw_request(dice, (bar, clock), int(near[-1][column]), (world, column)))
                            for _ in range(dice.integer(1, 2))
                        ]
        start.append(len(rows))
    table = np.array([[row[name] for name in REQUEST_FIELDS] for row in rows], dtype=np.int64).reshape(-1, len(REQUEST_FIELDS))
    return Requests.of_rows(np.array(start, dtype=np.int64), table, clock)


def sent_otherwise(dice: Chance, requests: Requests | None) -> Requests | None:
    """The orders, in half of the sessions some of them as a callback sends them, in half with equal ones kept once, as the engine does.

    Those of a batch stay what they are: a callback has none.
    """
    if requests is None:
        return None
    rows, often = requests.rows, dice.pick((0, 0, 30, 100))
    flags, reason = (REQUEST_FIELDS.index(name) for name in ("flags", "reason"))
    joins = rows[:, flags] & OrderFlag.JOIN != 0
    alone = ~(joins | np.append(joins[1:], np.zeros(min(1, len(joins)), dtype=np.bool_)) | (rows[:, flags] & OrderFlag.OCO != 0))
    for row in np.flatnonzero(alone).tolist():
        rows[row, reason] = int(Reason.CALLBACK if dice.chance(often) else Reason.ORDER)
    if dice.chance(50):
        return Requests.of_rows(requests.start, rows, requests.clock)
    told, common = requests.told.copy(), rows.copy()
    common[:, TOLD_PLACES] = 0
    patterns, told[:, -1] = np.unique(common, axis=0, return_inverse=True)
    return Requests(requests.bar, told, np.ascontiguousarray(patterns), requests.clock)


def joined(dice: Chance, first: dict[str, int], row: dict[str, int]) -> dict[str, int]:
    """An order of the batch that another began."""
    flags = OrderFlag(row["flags"]) & ~(OrderFlag.CANCEL | OrderFlag.AMEND) | OrderFlag.JOIN
    flags |= OrderFlag.OCO if dice.chance(60) else OrderFlag(0)
    flags |= OrderFlag.DORMANT if dice.chance(70) else OrderFlag(0)
    if not dice.chance(30):
        flags &= ~OrderFlag.REPLACE
    if flags & OrderFlag.OCO and dice.chance(50):
        first["flags"] |= OrderFlag.OCO
    if flags & OrderFlag.DORMANT and dice.chance(70):
        row |= {"measure": Measure.FILLED, "size": 0}
    return row | {"slot": first["slot"], "entry": first["entry"], "flags": flags}


def asked_at(requests: Requests, bar: int) -> tuple[Ints, int, int, int]:
    """What a book is to be asked at a bar: rows, session, instant, and whether the session ends."""
    clock, rows = requests.clock, requests.rows[requests.start[bar] : requests.start[bar + 1]]
    return rows, int(clock.session[bar]), int(clock.ts[bar]), int(clock.ends[bar])


def draw_clock(dice: Chance, bars: int) -> Clock:
    """Sessions of one bar or several; their ends known by a calendar, sometimes missed, or not known."""
    longest, known = dice.pick((1, 1, 3, 7)), dice.pick((100, 100, 80, 0))
    session, left, sessions, ts = dice.pick((19_000, -2)), 0, [], []
    for _ in range(bars):
        if left == 0:
            session, left = session + dice.pick((1, 1, 3)), dice.integer(1, longest)
        left -= 1
        sessions.append(session)
        ts.append(session * DAY + (longest - left) * 1_000_000)
    last = [one != other for one, other in zip(sessions, [*sessions[1:], session + 1], strict=True)]
    ends = [int(end and dice.chance(known)) for end in last]
    return Clock(*(np.array(column, dtype=np.int64) for column in (sessions, ts, ends)))


def draw_request(dice: Chance, now: tuple[int, Clock], price: int, about: tuple[World, int]) -> dict[str, int]:
    """One order about a price."""
    kind = dice.pick(KINDS)
    simple = kind in (OrderKind.MARKET, OrderKind.LIMIT)
    tif = dice.pick((*RESTING, *AT_ONCE)) if simple else dice.pick(RESTING)
    flags = OrderFlag.REPLACE if dice.chance(40) else OrderFlag(0)
    if kind is OrderKind.LIMIT and tif in RESTING and dice.chance(20):
        flags |= OrderFlag.POST_ONLY
    if dice.chance(20):
        flags |= OrderFlag.REDUCE_ONLY
    if dice.chance(8):
        flags |= dice.pick((OrderFlag.CANCEL, OrderFlag.AMEND))
    measure, size = draw_size(dice, about)
    limited = kind in (OrderKind.LIMIT, OrderKind.STOP_LIMIT, OrderKind.LIMIT_IF_TOUCHED)
    bar, clock = now
    ends = {
        TimeInForce.UNTIL_BAR: bar + dice.integer(0, 4),
        TimeInForce.UNTIL_SESSION: int(clock.session[bar]) + dice.integer(0, 3),
        TimeInForce.UNTIL_TS: int(clock.ts[bar]) + dice.pick((0, DAY, 2_000_000)),
    }
    prices = {
        "limit": draw_price(dice, price, about[0].step) if limited else 0,
        "stop": 0 if simple else draw_price(dice, price, about[0].step),
    }
    if kind in (OrderKind.STOP, OrderKind.STOP_LIMIT) and dice.chance(40):
        near = max(1, price * dice.integer(0, about[0].step) // 2000)
        distance = {"trail": near} if dice.chance(50) else {"trail_rate": dice.pick((10**6, 5 * 10**6, 1, 10**8, 2 * 10**8))}
        prices = distance | ({"offset": dice.pick((0, 1, near))} if limited else {})
    return {
        "reason": Reason.ORDER,
        "kind": kind,
        "measure": measure,
        "size": size,
        **{name: prices.get(name, 0) for name in ("limit", "stop", "trail", "trail_rate", "offset")},
        "tif": tif,
        "until": ends.get(tif, 0),
        "flags": flags,
        "display": draw_display(dice, about) if limited and tif in RESTING else 0,
    }


def draw_display(dice: Chance, about: tuple[World, int]) -> int:
    """How many lots are shown: of most orders all."""
    return dice.pick((1, 3, max(1, about[0].lots[about[1]] // 5), 2**40)) if dice.chance(15) else 0


def draw_size(dice: Chance, about: tuple[World, int]) -> tuple[Measure, int]:
    """A size in some measure, of either side."""
    world, column = about
    measure = dice.pick((Measure.QUANTITY, Measure.QUANTITY, Measure.WEIGHT, Measure.NOTIONAL, Measure.POSITION))
    if measure is Measure.POSITION:
        return measure, 0
    if measure is Measure.WEIGHT:
        return measure, dice.pick(WEIGHTS)
    most = world.lots[column] if measure is Measure.QUANTITY else max(1, min(LARGE, world.cash))
    size = dice.pick((most, max(1, most // 3), min(most, 5)))
    return measure, dice.integer(-size, size)


def draw_price(dice: Chance, price: int, step: int) -> int:
    """A price around another, at least 1 and now and then the same."""
    return min(2**44, max(1, price + price * dice.integer(-step, step) // dice.pick((1000, 4000)) + dice.integer(-1, 1)))
