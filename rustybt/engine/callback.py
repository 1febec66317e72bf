"""The `on_bar` escape hatch: what a callback sees, and how its orders reach the kernel."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.engine.config import RunConfig
from rustybt.engine.recent import Recent
from rustybt.engine.tables import Sleeves
from rustybt.engine.tickets import Place, amended, batch_of, cancelled, lots_of, working_of
from rustybt.errors import OrderError, RustyBTError, SpecError
from rustybt.model import REQUEST_FIELDS, Asset
from rustybt.model.decimals import from_units, to_decimal, to_units
from rustybt.spec import Moment, OnBar, Order
from rustybt.spec.hooks import Amount, WorkingOrder, json_copy

if TYPE_CHECKING:
    from rustybt.kernel import Book


class BarContext:
    """What a callback is given; it implements `rustybt.spec.hooks.Context`."""

    def __init__(self, sleeve: int, assets: tuple[Asset, ...], hook: OnBar, config: RunConfig) -> None:
        self._first = sleeve * len(assets)
        self._assets = {asset.symbol: (column, asset) for column, asset in enumerate(assets)}
        self._unit = Decimal(1).scaleb(-config.money_scale)
        self._hook = hook
        self._state = hook.fresh_state()
        self._recent = Recent(len(assets), hook.lookback)
        self._ts = 0
        self._index = 0
        self._history = 0
        self._closes = False
        self._book: Book | None = None

    def learn(self, rows: pl.DataFrame, columns: npt.NDArray[np.int32]) -> None:
        """Take in one bar of history."""
        self._recent.push(rows, columns)
        self._history += 1

    def show(self, moment: Moment, rows: pl.DataFrame, columns: npt.NDArray[np.int32], book: Book) -> None:
        """Take in one bar and call the callback.

        Raises:
            SpecError: the callback raised something that is not ours, or left a state that is not JSON.
        """
        self._recent.push(rows, columns)
        self._ts, self._index, self._book = moment.ts, moment.index - self._history, book
        self._closes = moment.session_close is not None
        try:
            self._hook.callback(self)
        except RustyBTError:
            raise
        except Exception as error:
            raise SpecError(
                f"the callback raised {type(error).__name__}: {error}", where=f"on_bar at {self.ts.isoformat()}", do="mend the callback"
            ) from error
        self._state = json_copy(self._state, f"on_bar, state at {self.ts.isoformat()}")

    @property
    def ts(self) -> datetime:
        """The instant at which this bar is complete, UTC."""
        return datetime.fromtimestamp(self._ts // 1_000_000, UTC).replace(microsecond=self._ts % 1_000_000)

    @property
    def bars(self) -> pl.DataFrame:
        """The last ``lookback`` rows of every asset up to ``ts``, sorted by asset and ts."""
        return self._recent.frame

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Quantity held per asset, negative for a short; an asset that is not held is absent."""
        held = {}
        for symbol, (column, asset) in self._assets.items():
            lots = int(self._live.lots[self._first + column])
            if lots:
                held[symbol] = from_units(lots, asset.lot_size)
        return MappingProxyType(held)

    @property
    def cash(self) -> Decimal:
        """Cash after this bar."""
        return from_units(self._live.cash, self._unit)

    @property
    def equity(self) -> Decimal:
        """Cash plus the value of all positions at their last price."""
        return from_units(self._live.equity, self._unit)

    @property
    def state(self) -> MutableMapping[str, Any]:
        """What the callback remembers between bars."""
        return self._state

    @property
    def working(self) -> tuple[WorkingOrder, ...]:
        """The orders of this strategy that are not yet filled, in the order of submission."""
        return tuple(working_of(row, self._asset_of(row["slot"])) for row in self._own())

    def order(
        self,
        asset: str,
        quantity: Amount,
        kind: str = "market",
        *,
        limit: Amount | None = None,
        stop: Amount | None = None,
        trail: Amount | None = None,
        trail_fraction: Amount | None = None,
        limit_offset: Amount | None = None,
        tif: str | None = None,
        until: date | datetime | int | None = None,
        post_only: bool = False,
        reduce_only: bool = False,
        display: Amount | None = None,
        then: Sequence[Order] = (),
        oco: Sequence[Order] = (),
    ) -> int:
        """Buy (or sell, when negative) a quantity; it can fill from the next bar on. Gives the order's number, 0 if nothing was asked for.

        Raises:
            OrderError: an unknown asset, a quantity that is not a number, or settings that cannot be.
        """
        column, known = self._known(asset)
        settings: dict[str, Any] = {"kind": kind, "limit": limit, "stop": stop, "tif": tif, "until": until}
        settings |= {"trail": trail, "trail_fraction": trail_fraction, "limit_offset": limit_offset}
        settings |= {"post_only": post_only, "reduce_only": reduce_only, "display": display, "then": then, "oco": oco}
        if kind == "market" and quantity != "filled" and not any(value for name, value in settings.items() if name != "kind"):
            lots = lots_of(known, quantity) if quantity != "position" else -self._lots(column)
            return self._live.submit(self._first + column, lots, self._index) if lots else 0
        first, *others = batch_of(Place(known, self._first + column, self._index, self._closes), quantity, settings)
        if quantity != "position" and first[REQUEST_FIELDS.index("size")] == 0:
            return 0
        number = self._live.request(first, self._index)
        for row in others:
            self._live.request(row, self._index)
        return number

    def cancel(self, number: int) -> bool:
        """Cancel a working order; whether there was one.

        Raises:
            OrderError: the number is none.
        """
        slot = self._slot_of(number, "cancel")
        if slot is None:
            return False
        self._live.request(cancelled(slot, number), self._index)
        return True

    def amend(self, number: int, *, quantity: Amount | None = None, limit: Amount | None = None, stop: Amount | None = None) -> bool:
        """Change a working order, which keeps its number, its side and its place; whether there was one.

        Raises:
            OrderError: nothing to change, a number that is none, or a quantity or a price that cannot be.
        """
        slot = self._slot_of(number, "amend")
        if slot is None:
            return False
        changes = {"quantity": quantity, "limit": limit, "stop": stop}
        self._live.request(amended(Place(self._asset_of(slot), slot, self._index, self._closes), number, changes), self._index)
        return True

    def _own(self) -> list[dict[str, int]]:
        """The working orders of this sleeve."""
        last = self._first + len(self._assets)
        return [row for row in self._live.tickets() if self._first <= row["slot"] < last]

    def _slot_of(self, number: int, what: str) -> int | None:
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            where, do = f"on_bar, {what}, number", "give the number that context.order gave"
            raise OrderError(f"{number!r} is no number of an order", where=where, do=do)
        return next((row["slot"] for row in self._own() if row["number"] == number), None)

    def _asset_of(self, slot: int) -> Asset:
        return list(self._assets.values())[slot - self._first][1]

    def _lots(self, column: int) -> int:
        return int(self._live.lots[self._first + column])

    def order_target(
        self, asset: str, quantity: Amount | None = None, *, weight: Amount | None = None, notional: Amount | None = None
    ) -> None:
        """Order the difference to a wanted position, given by exactly one of quantity, weight or notional.

        A notional is money of the account. An asset that has no price (before its first bar, after it was delisted, while no rate of its
        currency is known) leaves a row ``no_price``.
        """
        given = {"quantity": quantity, "weight": weight, "notional": notional}
        named = {name: value for name, value in given.items() if value is not None}
        if len(named) != 1:
            raise OrderError(
                f"{len(named)} targets given", where=f"on_bar, order_target({asset!r})", do="give one of quantity, weight, notional"
            )
        column, known = self._known(asset)
        if quantity is not None:
            wanted = to_units(quantity, known.lot_size, "quantity", "down")
        elif money := to_decimal(notional, "notional") if weight is None else to_decimal(weight, "weight") * self.equity:
            price, (num, den) = from_units(int(self._live.last[column]), known.tick_size), self._live.worth_of(column)
            if price == 0 or num == 0:
                self._live.submit(self._first + column, 1, self._index)  # the kernel's own row, `no_price`
                return
            wanted = int(Fraction(money) * den / num / (Fraction(price) * Fraction(known.multiplier) * Fraction(known.lot_size)))
        else:
            wanted = 0
        difference = wanted - self._lots(column)
        if difference:
            self._live.submit(self._first + column, difference, self._index)

    @property
    def _live(self) -> Book:
        assert self._book is not None
        return self._book

    def _known(self, asset: str) -> tuple[int, Asset]:
        if asset not in self._assets:
            raise OrderError(f"unknown asset {asset!r}", where="on_bar", do=f"use one of {', '.join(list(self._assets)[:10])}")
        return self._assets[asset]


class Callbacks:
    """The callbacks of all sleeves, in sleeve order."""

    def __init__(self, sleeves: Sleeves, assets: tuple[Asset, ...], config: RunConfig) -> None:
        self.contexts = [
            BarContext(number, assets, strategy.on_bar, config)
            for number, strategy in enumerate(sleeves.values())
            if strategy.on_bar is not None
        ]

    def learn(self, rows: pl.DataFrame, columns: npt.NDArray[np.int32]) -> None:
        """Keep the rows of a bar of history for later."""
        for context in self.contexts:
            context.learn(rows, columns)

    def on_bar(self, moment: Moment, rows: pl.DataFrame, columns: npt.NDArray[np.int32], book: Book) -> None:
        """Show every callback the bar: its rows, and the asset column of each."""
        for context in self.contexts:
            context.show(moment, rows, columns, book)
