"""One bar at a time, or parts of one: what the incremental engine and live trading stand on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from rustybt.errors import DataError, OrderError
from rustybt.model import REQUEST_FIELDS, Clock, Log, Outcome, Reason, Requests, Tables, Tape, Timing, widened
from rustybt.model.decimals import LIMIT
from rustybt.model.panel import Ints

from .queued import Working, tickets_of, working_of
from .simulate import aside_of, log_of, plain, rows_of_a_bar, with_working

if TYPE_CHECKING:
    from .state import Desk

PRICES = ("open", "high", "low", "close")


class Book:
    """The state of a run that is fed one bar at a time.

    `step` does a whole bar. `accrue`, `meet`, `mark` and `decide` do one part of it each; in this order they are `step`
    (but with ``same_bar_close`` the orders of `decide` meet nothing). `book` books a fill that a broker reports, `submit` enters an
    order, `cancel` takes a slot's orders out. Every call runs the functions that `simulate` runs.

    ``day`` is the session of the bar for the controls that count by it, set before the bar; None = every bar is a day.

    Args:
        tables: the rules of the run.
        orders: whether orders may be asked for one by one; it has to be known from the first bar on.

    Example:
        >>> import numpy as np
        >>> from rustybt.kernel.example import table
        >>> book, none = Book(table()), np.zeros((0, 5), dtype=np.int64)
        >>> for bar, price in enumerate((100, 102)):
        ...     book.step(bar, [price], [price], [price], [price], none, [0], [10])
        >>> book.lots, book.cash, book.equity
        (array([10]), 998980, 1000000)
    """

    def __init__(self, tables: Tables, *, orders: bool = False) -> None:
        from .assemble import rules_of
        from .flags import HAS_ORDERS
        from .given import currencies_of_bars
        from .room import unwritten, unwritten_log
        from .state import CASH, CURVES, DEPOSITS, EQUITY, KINDS, TYPES, Desk
        from .tape import reads_tape

        self.tables, self.orders = tables, orders
        self.bar = -1
        self.day: int | None = None
        rules = rules_of(tables)
        rules["flags"] |= HAS_ORDERS if orders else 0
        self._room = 2 * rules["slots"] + 4
        self._desk: Desk = Desk(parts=0, **rules, **unwritten(CURVES, 1), **unwritten_log(64))
        self._desk.lay_out(rules["assets"], rules["slots"], 2 * self._room)
        self._lay_out({})
        self._desk.set(**currencies_of_bars(tables, self._desk.flags))
        self._desk.set(has_days=1, control_days=np.zeros(1, TYPES[KINDS["control_days"]]))
        self._desk.money[[CASH, DEPOSITS, EQUITY]] = tables.cash
        self._told, self._reads_tape = False, reads_tape(tables)

    def _lay_out(self, fields: Mapping[str, Any]) -> None:
        """Put state in place, and the buffers in which prices, offers and events are handed over."""
        from .actions import events_of
        from .state import KINDS, TYPES

        desk = self._desk
        offers = dict.fromkeys(("offer_bar", "offer_slot", "offer_value"), desk.slots)
        clock = dict.fromkeys(("clock_session", "clock_ts", "clock_ends"), 1)
        buffers = dict.fromkeys(PRICES, desk.assets) | offers | clock
        desk.set(requests=0, **fields, **{name: np.zeros(length, TYPES[KINDS[name]]) for name, length in buffers.items()})
        desk.set(**events_of(self.tables, ()))

    # --- a bar and its parts

    def tell(self, tape: Tape) -> None:
        """Hand over what the rules need of the bar to come beside its prices. Costs by month do not work without it.

        Args:
            tape: of one bar.

        Raises:
            DataError: a column that the rules read is missing.
        """
        from .tape import tape_of

        self._desk.set(**tape_of(self.tables, tape, 1))
        self._told = True

    def ask(self, rows: Any, session: int, ts: int, ends: int) -> None:
        """Say what the clock shows at the coming bar, and what is asked for at its end; before `step`, or before `meet` and `decide`.

        Args:
            rows: (requests, len(REQUEST_FIELDS)) as in `rustybt.model.Requests`, in the order in which they are served.
            session: days since 1970-01-01.
            ts: UTC microseconds.
            ends: 1 where the bar is known to be the last of its session.

        Raises:
            DataError: the book is not one for orders, or the rows are not requests.
            LedgerError: a size or a price does not fit.
        """
        from .assemble import requests_of
        from .room import widen
        from .state import ASKED, ORDERS

        if not self.orders:
            raise DataError("this book takes no orders one by one", where="kernel, book", do="make it with Book(tables, orders=True)")
        asked = np.asarray(rows, dtype=np.int64).reshape(-1, len(REQUEST_FIELDS))
        clock = Clock(*(np.array([value], dtype=np.int64) for value in (session, ts, ends)))
        desk = self._desk
        desk.set(**requests_of(Requests.of_rows(np.array([0, len(asked)], dtype=np.int64), asked, clock), 1, desk.slots))
        desk.cursor[ASKED] = 0
        while desk.count[ORDERS] + self._room + len(asked) > len(desk.order_slot):
            widen(desk, 2 * len(desk.order_slot))

    def step(self, bar: int, open: Any, high: Any, low: Any, close: Any, events: Any, slot: Any, value: Any) -> None:  # noqa: A002
        """One whole bar.

        Args:
            bar: its index; only ever grows.
            open: (assets,) ticks, 0 = no bar.
            high: likewise.
            low: likewise.
            close: likewise.
            events: rows of corporate actions effective at this bar; their bar column is ignored.
            slot: slots with an offered target, increasing.
            value: the targets.

        Raises:
            DataError: a bar out of order, or arrays of the wrong length.
            LedgerError: an amount does not fit, or the books do not balance. The book is then of no further use.
        """
        self._price(open, high, low, close)
        self._offer(bar, slot, value)
        self._do(inside().state.ALL, bar, events)

    def timed(self, timing: Timing | None) -> None:
        """Say what is known about the next bar beside its prices; holds until it is said anew.

        Args:
            timing: of one bar, as `rustybt.model.Timing.at` cuts it out. Needed before every bar when orders have latency.

        Raises:
            DataError: it is not the timing of one bar of these assets.
        """
        from .surroundings import timing_of

        self._desk.set(**timing_of(timing, self._desk.flags, 1, self._desk.assets))

    def rate(self, num: Any, den: Any) -> None:
        """Say what each currency of the run is worth at the close of the coming bar; until then, and where 0, the last rate holds.

        Args:
            num: (currencies,) as in `rustybt.model.CurrencyTable`.
            den: likewise.

        Raises:
            DataError: a book without currencies, or so many others.
        """
        desk = self._desk
        if len(num) != desk.currencies or len(den) != desk.currencies:
            raise DataError(
                f"{len(num)} rates for {desk.currencies} currencies", where="kernel, book", do="give one per currency of its tables"
            )
        desk.quote_num[:], desk.quote_den[:] = num, den

    def accrue(self, bar: int, events: Any) -> None:
        """Part 1 of a bar: corporate actions."""
        from .state import ACCRUE

        self._do(ACCRUE, bar, events)

    def meet(self, bar: int, open: Any, high: Any, low: Any, close: Any) -> None:  # noqa: A002
        """Parts 2 to 4 of a bar: working orders and exits meet its prices."""
        from .state import MEET

        self._price(open, high, low, close)
        self._do(MEET, bar)

    def mark(self, bar: int, open: Any, high: Any, low: Any, close: Any) -> None:  # noqa: A002
        """Part 5 of a bar: last prices, equity, what time does to positions."""
        from .state import MARK

        self._price(open, high, low, close)
        self._do(MARK, bar)

    def decide(self, bar: int, slot: Any, value: Any) -> None:
        """Part 6 of a bar: offered targets become working orders."""
        from .state import DECIDE

        self._offer(bar, slot, value)
        self._do(DECIDE, bar)

    def _price(self, *prices: Any) -> None:
        desk = self._desk
        for name, given in zip(PRICES, prices, strict=True):
            if len(given) != desk.assets:
                raise DataError(
                    f"{len(given)} prices for {desk.assets} assets", where=f"bar after {self.bar}, {name}", do="give one per asset"
                )
            getattr(desk, name)[:] = given

    def _offer(self, bar: int, slot: Any, value: Any) -> None:
        desk, count, slot = self._desk, len(slot), np.asarray(slot)
        if count != len(value) or count > desk.slots or (count and not 0 <= slot.min() <= slot.max() < desk.slots):
            raise DataError(
                f"{count} slots for {len(value)} targets of {desk.slots} slots", where="kernel, offers", do="offer each slot once"
            )
        desk.set(offers=count)
        desk.cursor[inside().state.OFFER] = 0
        desk.offer_bar[:count] = bar
        desk.offer_slot[:count] = slot
        desk.offer_value[:count] = value

    def _do(self, parts: int, bar: int, events: Any = ()) -> None:
        desk, state, room, run = self._on_time(), inside().state, inside().room, inside().run
        if bar < self.bar:
            raise DataError(f"bar {bar} after bar {self.bar}", where="kernel, book", do="feed bars in order")
        if bar > self.bar:
            self._expect_tape(bar)
        if len(events) or desk.events:
            self._act(bar, events)
        while desk.count[state.ORDERS] + self._room > len(desk.order_slot):
            room.widen(desk, 2 * len(desk.order_slot))
        desk.set(parts=parts)
        if desk.has_days:
            desk.control_days[0] = bar if self.day is None else self.day
        desk.cursor[state.ROW], desk.cursor[state.EVENT] = bar, 0
        margin = rows_of_a_bar(desk, len(desk.order_slot))
        while int(run(desk, bar, bar + 1, margin)) == bar:
            inside().failure.check(self.tables, desk, bar)
            room.lengthen(desk, 2 * desk.log_size + margin)
        self.bar = bar

    def _expect_tape(self, bar: int) -> None:
        if self._reads_tape and not self._told:
            raise DataError("a bar without its tape", where=f"kernel, book, bar {bar}", do="call tell() before each bar")
        self._told = False

    def _act(self, bar: int, events: Any) -> None:
        """Lay out the corporate actions of a bar."""
        from .actions import claims_of, events_of, flags_of_events
        from .room import admit_claims
        from .state import CLAIMS

        rows, desk = widened(events), self._desk
        rows[:, 0] = bar
        acts = events_of(self.tables, rows)
        desk.set(**acts, flags=desk.flags | flags_of_events(acts))
        admit_claims(desk, int(desk.count[CLAIMS]) + claims_of(desk))

    # --- orders and fills from outside

    def submit(self, slot: int, lots: int, bar: int | None = None, reason: Reason = Reason.CALLBACK) -> int:
        """Enter a market order beside whatever the slot has at work, and give its number. It can fill from the next bar on.

        A slot whose asset never had a bar, or whose cool-down is not over, answers with a row of the log, not with an error.

        Raises:
            OrderError: no such slot, no lots, or 2^61 lots and more.
        """
        from .errands import ASK
        from .state import NUMBER

        self._expect(slot, lots)
        self._on_time()
        self._ready()
        self._send(ASK, self._at(bar), slot, lots, reason)
        return int(self._desk.count[NUMBER])

    def request(self, row: Any, bar: int | None = None) -> int:
        """Ask for one order between bars, or cancel or amend one, as `ask` does for the end of a bar.

        Returns:
            The number that a new order got, 0 where there is none.

        Raises:
            DataError, LedgerError: as `ask` does.
        """
        from .errands import REQUEST
        from .failure import check
        from .state import NUMBER

        desk, before = self._ready(), int(self._desk.count[NUMBER])
        self.ask(row, int(desk.clock_session[0]), int(desk.clock_ts[0]), int(desk.clock_ends[0]))
        self._send(REQUEST, self._at(bar))
        check(self.tables, desk, self._at(bar))
        return int(desk.count[NUMBER]) if int(desk.count[NUMBER]) > before else 0

    def cancel(self, slot: int, bar: int | None = None) -> None:
        """Take the working orders of a slot out; each leaves a row ``replaced``."""
        from .errands import RECALL

        self._expect(slot, 1)
        self._ready()
        self._send(RECALL, self._at(bar), slot)

    def book(
        self, slot: int, lots: int, price: int, fee: int, *, number: int = 0, bar: int | None = None, reason: Reason = Reason.EXTERNAL
    ) -> None:
        """Book a fill that happened elsewhere. Values are as of the next `mark`.

        Args:
            slot: which sleeve and asset.
            lots: signed.
            price: ticks.
            fee: money units.
            number: of the working order that it fills, wholly or in part; 0 = of none.
            bar: at which it is booked; the last one unless given.
            reason: of a fill that belongs to no order.

        Raises:
            OrderError: no such slot, no lots, or no price.
            LedgerError: an amount does not fit.
        """
        from .errands import BOOK
        from .failure import check

        self._expect(slot, lots)
        if not (0 < price < LIMIT and abs(fee) < LIMIT):
            raise OrderError(f"a fill at {price} ticks with a fee of {fee}", where=f"slot {slot}", do="give a price of at least 1 tick")
        self._ready()
        self._send(BOOK, self._at(bar), slot, lots, reason, price, fee, number)
        check(self.tables, self._desk, self._at(bar))

    def _send(self, errand: int, at: int, *words: int) -> None:
        """Have one thing done between bars; the words are those of `rustybt.kernel.errands`."""
        desk = self._desk
        desk.errand_words[: len(words)] = words
        desk.set(errand=errand)
        inside().run(desk, at, at, 0)
        desk.set(errand=0)

    def _expect(self, slot: int, lots: int) -> None:
        if not 0 <= slot < self._desk.slots:
            raise OrderError(f"slot {slot} is none of {self._desk.slots}", where="kernel, book", do="use sleeve x assets + column")
        if lots == 0 or abs(lots) >= LIMIT:
            raise OrderError(f"an order of {lots} lots", where=f"slot {slot}", do="give lots other than 0, below 2^61")

    def _at(self, bar: int | None) -> int:
        return max(self.bar, 0) if bar is None else bar

    def _on_time(self) -> Desk:
        """The desk, which knows the time if orders need it."""
        from .flags import HAS_LATENCY

        if self._desk.flags & HAS_LATENCY and self._desk.clock_rows == 0:
            raise DataError("orders with latency and no clock", where="kernel, book", do="call timed before each bar")
        return self._desk

    def _ready(self) -> Desk:
        """The desk with room for one more order and for the rows that this may write."""
        from .room import lengthen, widen
        from .state import LOGGED, ORDERS

        desk = self._desk
        if desk.count[ORDERS] + 1 >= len(desk.order_slot):
            widen(desk, 2 * len(desk.order_slot))
        if desk.count[LOGGED] + len(desk.order_slot) + 16 > desk.log_size:
            lengthen(desk, 2 * desk.log_size + len(desk.order_slot) + 16)
        return desk

    # --- reading

    @property
    def cash(self) -> int:
        """Money units."""
        return int(self._desk.money[inside().state.CASH])

    @property
    def equity(self) -> int:
        """Money units, as of the last mark."""
        return int(self._desk.money[inside().state.EQUITY])

    @property
    def gross(self) -> int:
        """Sum of the absolute values of all positions, money units, as of the last mark."""
        return int(self._desk.money[inside().state.GROSS])

    @property
    def lots(self) -> Ints:
        """(slots,) positions, a copy."""
        return plain(self._desk.lots.copy())

    @property
    def entry(self) -> Ints:
        """(slots,) average entry price in ticks, 0 where nothing is held; a copy."""
        return plain(self._desk.entry.copy())

    @property
    def last(self) -> Ints:
        """(assets,) last price in ticks, 0 where there was none yet; a copy."""
        return plain(self._desk.last.copy())

    def worth_of(self, asset: int) -> tuple[int, int]:
        """What a unit of the asset's currency is worth in the account's, as a fraction; 0 / 1 while no rate is known."""
        given = self.tables.currencies
        place = 0 if given is None else int(given.of_asset[asset])
        if place == 0:
            return 1, 1
        num, den = int(self._desk.rate_num[place]), int(self._desk.rate_den[place])
        return (num, den) if num else (0, 1)

    @property
    def rows(self) -> int:
        """Number of log rows so far."""
        from .state import LOGGED

        return int(self._desk.count[LOGGED])

    @property
    def working(self) -> Working:
        """Working orders."""
        return working_of(self._desk)

    def tickets(self) -> list[dict[str, int]]:
        """Working orders with what they wait for; see `tickets_of`."""
        return tickets_of(self._desk)

    def log(self, since: int = 0) -> Log:
        """The log rows from number ``since`` on, a copy."""
        return copied(log_of(self._desk, self.rows, since))

    @property
    def balances(self) -> tuple[int, int, int, int]:
        """A point of each curve: equity, cash, gross and what is set aside for isolated positions, after the last bar."""
        return self.equity, self.cash, self.gross, int(self._desk.money[inside().state.ASIDE])

    def outcome(self, curves: Any) -> Outcome:
        """What `simulate` would have given back for the bars so far, with the `balances` after each that the caller has kept."""
        log = copied(log_of(self._desk, with_working(self._desk, self.bar)))
        equity, cash, gross, aside = np.array(curves, dtype=np.int64).reshape(-1, 4).T.copy()
        return Outcome(log, equity, cash, gross, self.lots, self.last, aside_of(self._desk, aside))

    # --- keeping

    def save(self) -> dict[str, np.ndarray[Any, Any]]:
        """Everything that a resumed book needs, the log included. `Book.load` goes on with the same bytes."""
        from .keep import saved

        return saved(self)

    @classmethod
    def load(cls, tables: Tables, state: Mapping[str, Any]) -> Book:
        """A book as it was saved.

        Raises:
            DataError: it was saved for other assets or sleeves, or by another version.
        """
        from .keep import restore

        return restore(cls(tables, orders=bool(np.any(state.get("layout", ())[4:5]))), state)

    def grow(self, tables: Tables) -> None:
        """Go on with more assets or sleeves. Nothing held changes; slots are numbered anew, in the log and in working orders too.

        Args:
            tables: the new rules, with all assets of the old ones, and at least as many sleeves, the old ones first.

        Raises:
            ConfigError: an asset or a sleeve is missing, or an asset has other increments.
        """
        from .keep import regrown

        fresh = regrown(self, Book(tables, orders=self.orders))
        self.__dict__.update(fresh.__dict__)


@cache
def inside() -> Any:
    """What a bar needs, looked up once, and not before there is a bar."""
    from . import failure, room, state
    from .entrance import run

    return SimpleNamespace(failure=failure, room=room, state=state, run=run)


def copied(log: Log) -> Log:
    """A log that shares no memory with the kernel."""
    return Log(*(np.array(getattr(log, name)) for name in Log.__dataclass_fields__))
