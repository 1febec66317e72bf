"""The bar at which each corporate action takes effect, and the row of numbers that it becomes there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rustybt.data.actions import ENDINGS, REPAIR, place_of
from rustybt.data.grid import Grid
from rustybt.data.hours import DAY, Days
from rustybt.data.ticks import Scaled
from rustybt.errors import DataError
from rustybt.model import EVENT_FIELDS, Asset, Event, EventKind
from rustybt.model.decimals import LIMIT, RATE
from rustybt.model.events import PLAIN
from rustybt.model.panel import Ints

LINKED = ("spinoff", "merger", "roll")


@dataclass(frozen=True)
class Scene:
    """What events are placed in.

    Attributes:
        assets: in column order. days: (rows,) session of each row. grid: where the rows lie. scaled: prices by name.
        sessions: (bars,) latest session up to each bar.
    """

    assets: tuple[Asset, ...]
    days: Days
    grid: Grid
    scaled: Mapping[str, Scaled]
    sessions: Days

    def span(self, column: int) -> tuple[int, int]:
        """First row of an asset, and the row after its last."""
        return int(self.grid.offsets[column]), int(self.grid.offsets[column + 1])

    def bar_from(self, day: int) -> int:
        """The first bar of any asset whose session is on or after a day; the number of bars where there is none."""
        return int(np.searchsorted(self.sessions, day))

    def price_at(self, column: int, bar: int) -> int:
        """The open of an asset at a bar, else its close before, in ticks; 0 where it had no bar yet."""
        first, stop = self.span(column)
        row = first + int(np.searchsorted(self.grid.row_bar[first:stop], bar))
        if row < stop and self.grid.row_bar[row] == bar:
            return int(self.scaled["open"].ticks[row])
        return int(self.scaled["close"].ticks[row - 1]) if row > first else 0


@dataclass(frozen=True)
class Effects:
    """Events in their places.

    Attributes:
        table: (events, 11) rows as in `EVENT_FIELDS`, sorted by bar, column, kind, order given.
        adjusting: (n, 5) what moves adjusted prices: splits and dividends, a spin-off as the dividend that it amounts to.
        rows: (n,) the frame row of each of these.
        notes: sentences about the events that take no effect.
    """

    table: Ints
    adjusting: Ints
    rows: Ints
    notes: list[str]


def resolve_events(events: Sequence[Event], scene: Scene) -> Effects:
    """The bar, and where it matters the frame row, at which each event takes effect.

    An event of a position takes effect at its asset's first bar whose session is on or after its date; a roll at the first that both
    contracts have; a merger or delisting at the first bar of any asset on or after its date, an expiry at the first after it.

    Raises:
        DataError: an event cannot be: bars after the end of an asset, no price of what is received, a number that does not fit.
    """
    columns = {asset.symbol: column for column, asset in enumerate(scene.assets)}
    placed: list[tuple[list[int], int, int]] = []
    adjusting: list[tuple[list[int], int, int]] = []
    early: list[Event] = []
    late: list[Event] = []
    claims = 0
    for order, event in enumerate(events):
        column = columns[event.asset]
        if event.ts // DAY < scene.days[scene.span(column)[0]]:
            early.append(event)
            continue
        bar, row = _place(event, column, columns, scene)
        if bar == len(scene.grid.ts):
            late.append(event)
            continue
        made = _row(event, bar, columns, scene)
        if event.pay is not None and (paid := max(bar, scene.bar_from(event.pay // DAY))) > bar:
            claims += 1
            made[10] = claims
            if paid < len(scene.grid.ts):
                placed.append((_payment(paid, column, claims), order, -1))
        placed.append((made, order, row))
        if event.kind in ("split", "dividend", "spinoff"):
            adjusting.append((_adjustment(made, event, scene), order, row))
    placed.sort(key=_by_place)
    adjusting.sort(key=_by_place)
    notes = [_ignored(group, when) for group, when in ((early, "before the first"), (late, "after the last")) if group]
    return Effects(
        np.array([made for made, _, _ in placed], dtype=np.int64).reshape(-1, len(EVENT_FIELDS)),
        np.array([made for made, _, _ in adjusting], dtype=np.int64).reshape(-1, 5),
        np.array([row for _, _, row in adjusting], dtype=np.int64),
        notes,
    )


def _by_place(item: tuple[list[int], int, int]) -> tuple[int, int, int, int]:
    made, order, _ = item
    return made[0], made[1], made[2], order


def _place(event: Event, column: int, columns: Mapping[str, int], scene: Scene) -> tuple[int, int]:
    """Bar and frame row of an event; the number of bars where there is none."""
    (first, stop), day, none = scene.span(column), event.ts // DAY, len(scene.grid.ts)
    if event.kind in ENDINGS:
        day += event.kind == "expiry"
        if scene.days[stop - 1] >= day:
            last = np.datetime64(int(scene.days[stop - 1]), "D")
            raise DataError(f"{event.asset!r} has bars until {last}, after its {event.kind}", where=place_of(event), do="correct the date")
        return scene.bar_from(day), -1
    row = first + int(np.searchsorted(scene.days[first:stop], day))
    if event.kind == "roll":
        there, until = scene.span(columns[str(event.other)])
        both = np.intersect1d(scene.grid.row_bar[row:stop], scene.grid.row_bar[there:until])
        return (int(both[0]), -1) if len(both) else (none, -1)
    return (none, -1) if row == stop else (int(scene.grid.row_bar[row]), row)


def _payment(bar: int, column: int, claim: int) -> list[int]:
    row = list(PLAIN)
    row[:3] = bar, column, int(EventKind.PAYMENT)
    row[10] = claim
    return row


def _row(event: Event, bar: int, columns: Mapping[str, int], scene: Scene) -> list[int]:
    """The numbers of an event at its bar."""
    kind, row, column = EventKind[event.kind.upper()], list(PLAIN), columns[event.asset]
    row[:5] = bar, column, int(kind), event.numerator, event.denominator
    if event.kind in ("delisting", "expiry"):
        scale = Fraction(scene.assets[column].multiplier) if kind is EventKind.EXPIRY else Fraction(1)
        cash = Fraction(event.numerator, event.denominator) * scale if event.denominator else None
        row[3:5] = 0, 1
        row[6:8] = (0, 0) if cash is None else cash.as_integer_ratio()
    if event.cash is not None:
        row[6:8] = Fraction(event.cash).as_integer_ratio()
    if event.kind in LINKED and event.numerator:
        row[5] = columns[str(event.other)]
        if kind is not EventKind.ROLL:
            row[8] = _price(event, row[5], bar, scene)
    if kind is EventKind.SPINOFF:
        row[9] = _part(event, row, scene)
    if max(row) >= LIMIT:
        raise DataError(f"a number of the {event.kind} does not fit", where=place_of(event), do="write it with fewer digits")
    return row


def _price(event: Event, column: int, bar: int, scene: Scene) -> int:
    """The price of the asset received, in its ticks."""
    given = scene.price_at(column, bar)
    if event.price is not None:
        given = max(1, round(Fraction(event.price) / Fraction(scene.assets[column].tick_size)))
    if given == 0:
        what = f"{event.other!r} has no bar by then, so the {event.kind} has no price for it"
        raise DataError(what, where=place_of(event), do="give one in the column price")
    return given


def _part(event: Event, row: list[int], scene: Scene) -> int:
    """The part of the cost that a spin-off takes, in 1e-8: as given, or by value at the opens of its bar."""
    if event.part is not None:
        return round(Fraction(event.part) * RATE)
    taken = worth_of(row, scene.assets)
    asset = scene.assets[row[1]]
    kept = scene.price_at(row[1], row[0]) * Fraction(asset.tick_size) * Fraction(asset.multiplier)
    return round(taken / (taken + kept) * RATE)


def worth_of(row: Sequence[int], assets: Sequence[Asset]) -> Fraction:
    """What a spin-off, a row as in `EVENT_FIELDS`, is worth per unit of the asset that gives it."""
    heir = assets[row[5]]
    return Fraction(row[3], row[4]) * row[8] * Fraction(heir.tick_size) * Fraction(heir.multiplier)


def _adjustment(row: list[int], event: Event, scene: Scene) -> list[int]:
    """What an event does to adjusted prices, as a split or a dividend."""
    if event.kind != "spinoff":
        return row[:5]
    paid = worth_of(row, scene.assets) / Fraction(scene.assets[row[1]].multiplier)
    if max(paid.numerator, paid.denominator) >= LIMIT:
        raise DataError("the worth of the spin-off does not fit", where=place_of(event), do=REPAIR)
    return [row[0], row[1], int(EventKind.DIVIDEND), paid.numerator, paid.denominator]


def _ignored(group: Sequence[Event], when: str) -> str:
    first = f"{group[0].kind} of {group[0].asset!r}, {np.datetime64(group[0].ts // DAY, 'D')}"
    return f"{len(group)} events {when} bar of their asset take no effect (first: {first})."
