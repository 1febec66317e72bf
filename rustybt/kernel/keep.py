"""Saving, loading and growing a `Book`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rustybt.errors import ConfigError, DataError
from rustybt.model import NOWHERE, Tables
from rustybt.model.panel import Ints

from .flags import HAS_CLAIMS
from .room import admit_claims, lengthen, widen
from .simulate import plain
from .state import CLAIMS, KEPT, LOG, LOGGED, ORDERS, PER_CLAIM, PER_ORDER, PER_SLOT

if TYPE_CHECKING:
    from .book import Book

VERSION = 4


def saved(book: Book) -> dict[str, np.ndarray[Any, Any]]:
    """The state of a book as arrays of its own."""
    desk = book._desk  # noqa: SLF001 - one room
    orders, rows = int(desk.count[ORDERS]), int(desk.count[LOGGED])
    ends = dict.fromkeys(PER_ORDER, orders) | dict.fromkeys(LOG, rows) | dict.fromkeys(PER_CLAIM, int(desk.count[CLAIMS]))
    state = {name: np.array(getattr(desk, name)[: ends.get(name)]) for name in (*KEPT, *LOG)}
    state = {name: array if array.dtype.kind == "i" else plain(array) for name, array in state.items()}
    return state | {"layout": np.array([VERSION, desk.assets, desk.slots // desk.assets, book.bar, int(book.orders)], dtype=np.int64)}


def restore(book: Book, state: Mapping[str, Any]) -> Book:
    """Fill a fresh book with what was saved."""
    desk = book._desk  # noqa: SLF001 - one room
    wanted = [VERSION, desk.assets, desk.slots // desk.assets]
    missing = [name for name in (*KEPT, *LOG, "layout") if name not in state]
    if missing or list(state["layout"][:3]) != wanted:
        found = f"without {missing[0]}" if missing else f"version, assets, sleeves {list(map(int, state['layout'][:3]))}"
        raise DataError(
            f"a saved book {found}", where=f"book of version, assets, sleeves {wanted}", do="load it with the tables it was saved with"
        )
    if len(state["moves"]) != len(desk.moves):
        what, where = f"{len(state['moves'])} moves of prices", f"book of {desk.assets} assets that looks {desk.window} bars back"
        raise DataError(f"a saved book with {what}", where=where, do="keep the controls and how far they look back")
    orders, rows = int(state["count"][ORDERS]), int(state["count"][LOGGED])
    widen(desk, max(len(desk.order_slot), 2 * orders))
    lengthen(desk, max(desk.log_size, 2 * rows))
    claims = int(state["count"][CLAIMS])
    admit_claims(desk, claims + 1)
    desk.set(flags=desk.flags | (HAS_CLAIMS if claims else 0))
    for name in (*KEPT, *LOG):
        getattr(desk, name)[: len(state[name])] = state[name]
    book.bar = int(state["layout"][3])
    return book


def regrown(book: Book, new: Book) -> Book:
    """A fresh book of larger tables, filled with everything of a smaller one."""
    from .errands import ARM

    old, tables = book.tables, new.tables
    slots = moved_slots(old, tables)
    columns = slots[: len(old.assets)]
    desk, state = new._desk, saved(book)  # noqa: SLF001 - one room
    for name in PER_SLOT:
        wide = np.zeros(desk.slots, dtype=np.int64)
        wide[slots] = state[name]
        state[name] = wide
    for name in ("last", "seen", "moved"):
        wide = np.zeros(desk.assets, dtype=np.int64)
        wide[columns] = state[name]
        state[name] = wide
    wide = np.zeros((desk.assets, book._desk.window), dtype=np.int64)  # noqa: SLF001 - one room
    wide[columns] = state["moves"].reshape(len(columns), -1)
    state["moves"] = wide.reshape(-1)
    log_slot = np.where(state["log_slot"] < 0, NOWHERE, slots[state["log_slot"]]).astype(np.int32)
    state["claim_slot"] = slots[state["claim_slot"]]
    state |= {"order_slot": slots[state["order_slot"]], "log_slot": log_slot}
    state["layout"] = np.array([VERSION, desk.assets, tables.sleeves, book.bar, int(book.orders)], dtype=np.int64)
    restore(new, state)
    new._send(ARM, 0)  # noqa: SLF001 - one room
    return new


def moved_slots(old: Tables, new: Tables) -> Ints:
    """Where each old slot is in the new tables."""
    places = {asset.symbol: place for place, asset in enumerate(new.assets)}
    for asset in old.assets:
        if asset.symbol not in places or new.assets[places[asset.symbol]] != asset:
            raise ConfigError(
                "the asset is missing or has other increments", where=f"asset {asset.symbol!r}", do="grow by adding assets only"
            )
    if new.sleeves < old.sleeves or new.money_scale != old.money_scale:
        raise ConfigError(
            f"{new.sleeves} sleeves at money scale {new.money_scale}",
            where=f"book of {old.sleeves} sleeves at money scale {old.money_scale}",
            do="keep the sleeves and the scale",
        )
    columns = np.array([places[asset.symbol] for asset in old.assets], dtype=np.int64)
    moved: Ints = (np.arange(old.sleeves)[:, None] * len(new.assets) + columns[None, :]).reshape(-1)
    return moved
