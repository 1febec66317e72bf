"""Orders of strategies as rows for the kernel: the same for all bars at once and for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.engine.batches import LATE, Prices, Sent, Stand, in_order
from rustybt.engine.offers import quantise
from rustybt.engine.tables import Sleeves
from rustybt.errors import ConfigError, SpecError
from rustybt.model import Asset, Clock, Measure, OrderFlag, Reason, Requests, TargetKind, TimeInForce
from rustybt.model.decimals import LIMIT, RATE, to_units
from rustybt.model.panel import Ints
from rustybt.spec import Moment, Order, Strategy
from rustybt.spec.orders import KINDS

PRICES = {"limit": "limit", "stop": "stop", "trail": "trail", "limit_offset": "offset"}
"""Parts that are prices, and their columns."""
NO_ROWS = np.zeros(0, dtype=np.int64)
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.integer]
type UnitsOf = Callable[[pl.Series, npt.NDArray[np.int32], Callable[[int], int]], Ints]
"""Units of values and their asset columns; also given what turns the place of a value into a row, for messages."""


@dataclass(frozen=True)
class Evaluated:
    """Evaluated rows of one sleeve.

    Attributes:
        terms: values by term name, as long as the rows.
        stand: bar, asset and sleeve of the rows.
        ts: (bars,) instants, for messages.
        first_bar: index of the first of ``ts``.
    """

    terms: Mapping[str, pl.Series]
    stand: Stand
    ts: Ints
    first_bar: int = 0


@dataclass(frozen=True)
class Money:
    """What sizes and prices are told in."""

    assets: tuple[Asset, ...]
    money_scale: int


def rows_of(strategy: Strategy, given: Evaluated, keep: Flags | None, money: Money) -> list[Sent]:
    """The requests of one sleeve, order by order of the strategy.

    Args:
        strategy: whose orders.
        given: its evaluated rows.
        keep: which rows decide; None = all.
        money: increments.

    Raises:
        SpecError: a value that cannot be a size, a price or an end; the message names the term, the asset and the instant.
    """
    parts = []
    for place, asked in enumerate(strategy.orders):
        first = Reader(f"orders[{place}]", place + 1, asked, given, money)
        inside = first.truth("universe", given.terms.get("universe"))
        due = inside if keep is None else inside & keep
        parts.append(first.cancellations(due))
        others = [Reader(f"{first.path}.{where}", place + 1, one, given, money) for where, one in asked.followers()]
        due = due & first.truth("when", first.part("when"))
        for reader in (first, *others):
            due = reader.known(due)
        sent = first.orders(np.flatnonzero(due), OrderFlag.OCO if asked.oco else OrderFlag(0))
        sent = sent if asked.measure is Measure.POSITION else sent.with_a_size()
        parts.append(sent)
        for position, reader in enumerate(others if len(sent.at) else [], 1):
            kind = OrderFlag.JOIN | OrderFlag.OCO | (OrderFlag.DORMANT if asked.then else OrderFlag(0))
            parts.append(reader.orders(sent.at, kind, position))
    return parts


@dataclass(frozen=True)
class Reader:
    """One order of a strategy over evaluated rows."""

    path: str
    entry: int
    asked: Order
    given: Evaluated
    money: Money

    def part(self, name: str) -> pl.Series | None:
        """The values of a part that is an expression."""
        return self.given.terms.get(f"{self.path}.{name}") if getattr(self.asked, name) is not None else None

    def truth(self, name: str, values: pl.Series | None) -> Flags:
        """Where a condition holds; a null does not."""
        if values is None:
            return np.ones(len(self.given.stand.bar), dtype=np.bool_)
        if values.dtype not in (pl.Boolean, pl.Null):
            raise self.refusal(name, f"{name} is {values.dtype}, not true or false", 'compare: pl.col("close") > 0')
        known = values.fill_null(value=False).cast(pl.Boolean) if values.null_count() else values
        return np.asarray(known.to_numpy())

    def cancellations(self, due: Flags) -> Sent:
        """Rows that cancel what this order has sent."""
        cancel = self.part("cancel")
        if cancel is None:
            return Sent({}, self.given.stand, NO_ROWS)
        return self.laid_out(np.flatnonzero(due & self.truth("cancel", cancel)), {"flags": int(OrderFlag.CANCEL)})

    def known(self, due: Flags) -> Flags:
        """Where no part is null."""
        for name in ("size", "side", *PRICES, "trail_fraction", "until", "display"):
            values = self.part(name)
            if values is not None and values.null_count():
                due = due & values.is_not_null().to_numpy()
        return due

    def orders(self, rows: Places, kind: OrderFlag, place: int = 0) -> Sent:
        """Rows that send an order, with its place in its batch."""
        if not len(rows):
            return Sent({}, self.given.stand, NO_ROWS)
        asked = self.asked
        flags = OrderFlag.REPLACE * asked.replace | OrderFlag.POST_ONLY * asked.post_only | OrderFlag.REDUCE_ONLY * asked.reduce_only | kind
        tif, until = self.ends(rows)
        facts: dict[str, Any] = {
            "kind": int(KINDS[asked.kind]),
            "measure": int(asked.measure),
            "flags": int(flags),
            "tif": tif,
            "until": until,
        }
        facts |= {"size": self.sizes(rows), "trail_rate": self.rates(rows)}
        facts["display"] = self.shown(rows, facts["size"])
        facts |= {field: self.prices(name, rows) for name, field in PRICES.items() if self.part(name) is not None}
        return self.laid_out(rows, facts, place)

    def laid_out(self, rows: Places, values: Mapping[str, Any], place: int = 0) -> Sent:
        """Requests at some rows."""
        return Sent({"entry": self.entry, "reason": int(Reason.ORDER)} | dict(values), self.given.stand, rows, place)

    def sizes(self, rows: Places) -> Ints | int:
        """Signed sizes in units of the measure."""
        if self.part("size") is None:
            return 0
        kind, money = TargetKind(int(self.asked.measure)), self.money

        def units_of(values: pl.Series, columns: npt.NDArray[np.int32], row_of: Callable[[int], int]) -> Ints:
            try:
                return quantise(values, columns, kind, money.assets, money.money_scale)
            except SpecError as error:
                raise self.refusal("size", error.what.replace("a target", "a size"), error.do, row_of(error.facts["row"])) from None

        units, side = self.each("size", rows, units_of), self.part("side")
        if side is None:
            return units
        negative = np.flatnonzero(np.less(units, 0))
        if len(negative):
            raise self.refusal("size", "a size is negative where a side is given", "give sizes from 0", int(rows[negative[0]]))
        if "side" in self.asked.fixed:
            return units * int(np.sign(self.asked.fixed["side"][0]))
        signs = side.cast(pl.Int8) if side.dtype == pl.Boolean else None
        if signs is not None:
            return np.asarray(units * (2 * signs.to_numpy()[rows].astype(np.int64) - 1))
        return np.asarray(units * np.sign(self.numbers("side", side, rows).cast(pl.Float64).to_numpy()).astype(np.int64))

    def each(self, name: str, rows: Places, units_of: UnitsOf) -> Ints | int:
        """The units of a part at some rows; one number where they are the same at all.

        Args:
            name: of the part.
            rows: which.
            units_of: makes them.
        """
        stand = self.given.stand
        if name not in self.asked.fixed:
            values, columns = self.part(name), stand.column if len(rows) == len(stand.column) else stand.column[rows]
            assert values is not None
            return units_of(self.numbers(name, values, rows), columns.astype(np.int32), lambda place: int(rows[place]))
        # What one number comes to may depend on the asset. Rows lie asset by asset, one after the other.
        begins = np.searchsorted(rows, stand.edges)
        used = np.flatnonzero(begins[1:] > begins[:-1])
        columns = stand.column[stand.edges[used]]
        units = units_of(
            self.asked.fixed[name].new_from_index(0, len(used)), columns.astype(np.int32), lambda place: int(rows[begins[used[place]]])
        )
        return int(units[0]) if (units == units[0]).all() else units.repeat(np.diff(begins)[used])

    def shown(self, rows: Places, sizes: Ints | int) -> Ints | int:
        """How many lots of an order are shown."""
        values = self.part("display")
        if values is None or not len(rows):
            return 0
        values = self.numbers("display", values, rows)
        try:
            kind, columns = TargetKind.QUANTITY, self.given.stand.column[rows].astype(np.int32)
            lots = quantise(values, columns, kind, self.money.assets, self.money.money_scale)
        except SpecError as error:
            raise self.refusal("display", error.what.replace("a target", "a display"), error.do, int(rows[error.facts["row"]])) from None
        bad = np.flatnonzero(lots < 1)
        if len(bad):
            what = f"display is {values[int(bad[0])]}, less than a lot"
            raise self.refusal("display", what, "show a lot or more, or guard it with when=", int(rows[bad[0]]))
        # an order of no lots is not sent at all
        most = np.abs(sizes) if self.asked.measure is Measure.QUANTITY else LIMIT
        bad = np.flatnonzero((lots > most) & (most != 0))
        if len(bad):
            what = f"display is {values[int(bad[0])]}, more than the quantity"
            raise self.refusal("display", what, "show at most the quantity", int(rows[bad[0]]))
        return np.asarray(lots)

    def numbers(self, name: str, values: pl.Series, rows: Places) -> pl.Series:
        """The chosen values of a part, which must be numbers."""
        if not (values.dtype.is_numeric() or values.dtype.is_decimal()):
            raise self.refusal(name, f"{name} is {values.dtype}, not a number", "give numbers")
        if len(rows) == len(values):
            return values
        plain = values.dtype.is_float() and not values.null_count()
        return pl.Series(values.to_numpy()[rows]) if plain else values.gather(rows)

    def prices(self, name: str, rows: Places) -> Ints | int | Prices:
        """Prices in ticks, rounded half-even; floats that differ become ticks when they are laid out."""
        per_price = [float(str(1 / asset.tick_size)) for asset in self.money.assets]
        values = self.part(name)
        assert values is not None
        if PRICES[name] in LATE and name not in self.asked.fixed and values.dtype.is_float():
            floats = values.cast(pl.Float64).to_numpy()
            return Prices(floats, np.array(per_price), lambda row: self.no_price(name, values[row], row))

        def ticks_of(values: pl.Series, columns: npt.NDArray[np.int32], row_of: Callable[[int], int]) -> Ints:
            ticks: Any = in_ticks(values, columns, [asset.tick_size for asset in self.money.assets], name)
            if not (ticks.min() >= 1 and ticks.max() < LIMIT):  # a NaN is neither
                with np.errstate(invalid="ignore"):
                    bad = int(np.flatnonzero(~((ticks >= 1) & (ticks < LIMIT)))[0])
                raise self.no_price(name, values[bad], row_of(bad))
            return np.asarray(ticks.astype(np.int64))

        return self.each(name, rows, ticks_of)

    def no_price(self, name: str, value: Any, row: int) -> SpecError:
        """What is said of something that is no price."""
        return self.refusal(name, f"{name} is {value}, not a price of a tick or more", "guard it with when=", row)

    def rates(self, rows: Places) -> Ints | int:
        """The fraction at which a stop trails, in 1e-8."""
        values = self.part("trail_fraction")
        if values is None:
            return 0
        exact = self.numbers("trail_fraction", values, rows).cast(pl.Float64).to_numpy()
        with np.errstate(invalid="ignore"):
            bad = np.flatnonzero(~((exact >= 1 / RATE) & (exact < 1)))
        if len(bad):
            raise self.refusal(
                "trail_fraction", f"trail_fraction is {exact[bad[0]]}, not between 0 and 1", "guard it with when=", int(rows[bad[0]])
            )
        return np.asarray(np.rint(exact * RATE).astype(np.int64))

    def ends(self, rows: Places) -> tuple[int, Any]:
        """Time in force, and what it is measured by."""
        values = self.part("until")
        if values is None:
            return int(TimeInForce[self.asked.tif.upper()]), 0
        if values.dtype == pl.Date:
            return int(TimeInForce.UNTIL_SESSION), values.to_physical().cast(pl.Int64).to_numpy()[rows]
        if isinstance(values.dtype, pl.Datetime):
            return int(TimeInForce.UNTIL_TS), values.dt.cast_time_unit("us").to_physical().to_numpy()[rows]
        if not values.dtype.is_integer():
            raise self.refusal("until", f"until is {values.dtype}", "give a date, an instant in UTC, or a whole number of bars")
        return int(TimeInForce.UNTIL_BAR), self.given.stand.bar[rows] + values.cast(pl.Int64).to_numpy()[rows]

    def refusal(self, name: str, what: str, do: str, row: int | None = None) -> SpecError:
        """What is wrong with a value, and where."""
        term = name if name == "universe" else f"{self.path}.{name}"
        where = f"term {term!r}"
        if row is not None:
            when = np.datetime64(int(self.given.ts[int(self.given.stand.bar[row]) - self.given.first_bar]), "us")
            where += f", asset {self.money.assets[int(self.given.stand.column[row])].symbol!r}, {when}Z"
        return SpecError(what, where=where, do=do)


def in_ticks(values: pl.Series, columns: npt.NDArray[np.int32], sizes: Sequence[Decimal], name: str) -> Any:
    """Prices in ticks, rounded half-even: whole numbers where they are Decimals, else floats."""
    if values.dtype.is_decimal():
        return np.array([to_units(n, sizes[c], name) for n, c in zip(values.to_list(), columns.tolist(), strict=True)])
    per_price = [float(str(1 / size)) for size in sizes]
    scale: Any = per_price[0] if len(set(per_price)) == 1 else np.array(per_price)[columns]
    with np.errstate(over="ignore", invalid="ignore"):
        ticks = values.cast(pl.Float64).to_numpy() * scale
        return np.rint(ticks, out=ticks)


def requests_of(parts: Sequence[Sent], clock: Clock) -> Requests:
    """All requests of a run."""
    bar, told, patterns, most = in_order(parts, len(clock.ts))
    return Requests(bar, told, patterns, clock, checked=True, most=most)


def is_end(previous: Moment | None, moment: Moment) -> int:
    """The same for one bar: the first at or after the close of its session."""
    if moment.session_close is None or moment.ts < moment.session_close:
        return 0
    again = previous is not None and previous.session == moment.session and previous.ts >= moment.session_close
    return int(not again)


def check_auctions(sleeves: Sleeves, calendar: bool) -> None:
    """Refuse a closing auction that nobody can know of.

    Raises:
        ConfigError: an order is for the close and there is no calendar.
    """
    for name, strategy in sleeves.items():
        for place, asked in enumerate(strategy.orders):
            if asked.tif == "at_close" and not calendar:
                raise ConfigError(
                    "an at_close order needs to know when sessions close, and the data have no calendar",
                    where=f"strategy {name!r}, orders[{place}], tif",
                    do="give calendar= (such as 'XNYS') with the data, or use another time in force",
                )
