"""The life of an order: what the kernel's log says follows the table of `rustybt.model.life`, whatever is asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rustybt import kernel
from rustybt.errors import DataError
from rustybt.kernel import Book
from rustybt.kernel.example import row_of, table
from rustybt.model import Detail, Life, Log, OrderFlag, OrderKind, Reason, Status, Tape, TimeInForce
from rustybt.model.life import ENDS, STEPS, WORKING, follow
from rustybt.testing.generators import session
from rustybt.testing.outcomes import run_or_error

SIMPLE = (OrderKind.MARKET, OrderKind.LIMIT)
LIMITED = (OrderKind.LIMIT, OrderKind.STOP_LIMIT, OrderKind.LIMIT_IF_TOUCHED)
RESTING = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.UNTIL_BAR)
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
PRICES = st.integers(90, 110)
SIZES = st.integers(-40, 40).filter(bool)
BARS_A_SESSION = 3


class OrderLife(RuleBasedStateMachine):
    """One asset, three bars a session; a model keeps the state of every order and what is left of it."""

    def __init__(self) -> None:
        super().__init__()
        self.bar, self.read = -1, 0
        self.asked: list[list[int]] = []
        self.target: int | None = None
        self.lives: dict[int, Life] = defaultdict(lambda: Life.SUBMITTED)
        self.left: dict[int, int] = {}

    @initialize(cash=st.sampled_from([3_000, 100_000]), cap=st.sampled_from([0, 10**7]), carry=st.booleans(), ends=st.booleans())
    def start(self, cash: int, cap: int, carry: bool, ends: bool) -> None:
        tables = table(cash=cash * 100, cap_share=cap, cap_carry=int(carry), kind=0, day_ends=int(ends))
        self.book = Book(tables, orders=True)
        self.step((100, 100, 100), 1000)

    @rule(
        kind=st.sampled_from(OrderKind),
        tif=st.sampled_from((*RESTING, *AT_ONCE)),
        size=SIZES,
        prices=st.tuples(PRICES, PRICES),
        flags=st.sampled_from((0, 0, OrderFlag.REPLACE, OrderFlag.REDUCE_ONLY, OrderFlag.POST_ONLY)),
        entry=st.integers(1, 2),
        display=st.sampled_from((0, 0, 1, 30)),
    )
    def ask(self, kind: OrderKind, tif: TimeInForce, size: int, prices: tuple[int, int], flags: int, entry: int, display: int) -> None:
        """Ask for one order at the end of the bar to come."""
        tif = tif if kind in SIMPLE else RESTING[tif % len(RESTING)]
        if flags == OrderFlag.POST_ONLY and (kind is not OrderKind.LIMIT or tif not in RESTING):
            flags = 0
        self.asked.append(
            row_of(
                entry=entry,
                reason=Reason.ORDER,
                kind=kind,
                size=size,
                limit=100 * prices[0] if kind in LIMITED else 0,
                stop=0 if kind in SIMPLE else 100 * prices[1],
                tif=tif,
                until=self.bar + 2 if tif is TimeInForce.UNTIL_BAR else 0,
                flags=flags,
                display=display if kind in LIMITED else 0,
            )
        )

    @rule(size=SIZES, limit=PRICES, stop=PRICES)
    def ask_for_bracket(self, size: int, limit: int, stop: int) -> None:
        """Ask for a limit order whose fill sends a stop and a target."""
        common = {"entry": 3, "reason": Reason.ORDER}
        exits = {"measure": 4, "flags": OrderFlag.JOIN | OrderFlag.OCO | OrderFlag.DORMANT}
        self.asked += [
            row_of(**common, kind=OrderKind.LIMIT, size=size, limit=100 * limit),
            row_of(**common, **exits, kind=OrderKind.STOP, stop=100 * stop),
            row_of(**common, **exits, kind=OrderKind.LIMIT, limit=100 * (2 * limit - stop) or 1),
        ]

    @rule(entry=st.integers(1, 3), size=st.integers(1, 60), limit=PRICES, amend=st.booleans(), now=st.booleans())
    def change(self, entry: int, size: int, limit: int, amend: bool, now: bool) -> None:
        """Amend or cancel the orders of an entry, at the end of the bar to come or between two bars."""
        flags = OrderFlag.AMEND if amend else OrderFlag.CANCEL
        row = row_of(entry=entry, reason=Reason.ORDER, flags=flags, size=size, limit=100 * limit)
        if now:
            self.book.request(row)
            self.catch_up()
        else:
            self.asked.append(row)

    @rule(wanted=st.integers(-30, 30))
    def aim(self, wanted: int) -> None:
        """A target's decision takes the requested orders of its asset away."""
        self.target = wanted

    @rule(prices=st.tuples(PRICES, PRICES, PRICES), volume=st.sampled_from([0, 50, 200, 10_000]))
    def meet(self, prices: tuple[int, int, int], volume: int) -> None:
        """The next bar."""
        self.step(prices, volume)

    def step(self, prices: tuple[int, int, int], volume: int) -> None:
        self.bar += 1
        first, last, middle = (100 * price for price in prices)
        high, low = max(first, last, middle), min(first, last, middle)
        session = self.bar // BARS_A_SESSION
        self.book.tell(Tape(volume=np.array([[volume]], dtype=np.int64)))
        self.book.ask(self.asked, session, self.bar, int(self.bar % BARS_A_SESSION == BARS_A_SESSION - 1))
        offers: tuple[list[int], list[int]] = ([], []) if self.target is None else ([0], [self.target])
        self.book.step(self.bar, [first], [high], [low], [last], np.zeros((0, 5), dtype=np.int64), *offers)
        self.asked, self.target = [], None
        self.catch_up()

    def catch_up(self) -> None:
        """Every row is a step that the table knows, and the lots add up: each is filled, refused, taken back, or still left."""
        log, working = self.book.log(self.read), self.working()
        self.read = self.book.rows
        rows = requested(log)
        for place, (number, row) in enumerate(rows):
            works = number in working or any(number == other for other, _ in rows[place + 1 :])
            status = Status(row["status"])
            self.lives[number] = follow(self.lives[number], status, Detail(row["detail"]), works=works)
            if row["detail"] == Detail.DISPLAYED:
                assert 1 <= abs(row["requested"]) <= abs(self.left[number])
            elif status is Status.ACCEPTED:
                self.left[number] = row["requested"]
            elif status in (Status.FILLED, Status.REJECTED) and number in self.left:
                assert 0 <= row["filled"] * np.sign(row["requested"]) <= abs(row["requested"])
                self.left[number] -= row["requested"]
            elif number in self.left:
                assert row["requested"] == self.left[number]

    @invariant()
    def the_book_holds_what_works(self) -> None:
        """An order is in the book exactly as long as its state is one of an order that works, and one that is filled has nothing left."""
        if self.bar >= 0:
            working = self.working()
            assert set(working) == {number for number, life in self.lives.items() if life in WORKING}
            assert all(self.left[number] == lots for number, lots in working.items())
            assert all(self.left[number] == 0 for number, life in self.lives.items() if life is Life.FILLED)

    @invariant()
    def nothing_outlives_its_session(self) -> None:
        """With the policy of the end of the day only what was sent after the last bar of a session works then, and what waits for that."""
        if self.bar >= 0 and self.book.tables.row("day_ends").any() and self.bar % BARS_A_SESSION == BARS_A_SESSION - 1:
            first = {number: row["bar"] for number, row in reversed(requested(self.book.log()))}
            assert all(lots == 0 or first[number] == self.bar for number, lots in self.working().items())

    def working(self) -> dict[int, int]:
        """Lots of the requested orders in the book, by number."""
        reasons = dict(zip(self.book.working.number.tolist(), self.book.working.reason.tolist(), strict=True))
        return {row["number"]: row["lots"] for row in self.book.tickets() if reasons[row["number"]] == Reason.ORDER}


def requested(log: Log) -> list[tuple[int, dict[str, Any]]]:
    """Rows of requested orders with their numbers."""
    names = ("seq", "bar", "status", "detail", "requested", "filled", "reason")
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(getattr(log, name).tolist() for name in names), strict=True)]
    chosen = (Status.VIOLATED, Status.WORKING)
    return [(row["seq"], row) for row in rows if row["reason"] == Reason.ORDER and row["seq"] and row["status"] not in chosen]


TestOrderLife = OrderLife.TestCase
TestOrderLife.settings = settings(max_examples=150, stateful_step_count=40)


def steps_of(seed: int) -> Counter[tuple[Life, Life, Status]]:
    """The steps that the orders of a random session take."""
    outcome = run_or_error(kernel.simulate, session(seed))
    found: Counter[tuple[Life, Life, Status]] = Counter()
    if outcome is None:
        return found
    works = {int(number) for number in outcome.log.seq[outcome.log.status == Status.WORKING]}
    rows, lives = requested(outcome.log), dict[int, Life]()
    last = {number: place for place, (number, _) in enumerate(rows)}
    for place, (number, row) in enumerate(rows):
        before, status = lives.get(number, Life.SUBMITTED), Status(row["status"])
        lives[number] = follow(before, status, Detail(row["detail"]), works=number in works or place < last[number])
        found[before, lives[number], status] += 1
    return found


def test_random_sessions_follow_the_table_and_take_every_step_of_it() -> None:
    found: Counter[tuple[Life, Life, Status]] = Counter()
    for seed in range(1_500):
        found += steps_of(seed)
    known = {(step.before, step.after, step.status) for step in STEPS}
    assert set(found) <= known
    rest = Life.PARTIALLY_FILLED  # one session in thousands amends a rest, or refuses a part of it
    assert known - set(found) <= {(rest, rest, Status.ACCEPTED), (rest, rest, Status.REJECTED)}


@pytest.mark.parametrize("end", ENDS)
def test_nothing_follows_an_end(end: Life) -> None:
    for status in (Status.FILLED, Status.REJECTED, Status.CANCELLED, Status.ACCEPTED, Status.TRIGGERED, Status.EXPIRED):
        with pytest.raises(DataError, match=f"after {end}"):
            follow(end, status, Detail.NONE, works=False)
