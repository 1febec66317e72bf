"""Random sessions for the rule book: the corners first, money second, realism last.

`sessions` is a Hypothesis strategy that shrinks; `session` draws from the same generator with a seed, about a hundred times faster.
Both give the arguments of ``rustybt.kernel.simulate`` and ``rustybt.reference.simulate``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rustybt.model import MARGIN_FIELDS, Plan, Sizing, Tables, Tape, Timing
from rustybt.model.panel import Ints
from rustybt.testing.carried import draw_carry
from rustybt.testing.currencies import draw_currencies, on_foreign_cash, within_currencies
from rustybt.testing.dated import draw_dated
from rustybt.testing.funds import draw_flows, draw_isolated, draw_margin, draw_pending, draw_policies, draw_settlements
from rustybt.testing.happenings import draw_events
from rustybt.testing.increments import draw_increments
from rustybt.testing.limits import draw_controls
from rustybt.testing.requests import draw_requests, sent_otherwise
from rustybt.testing.rules import FEEDS, LARGE, World, draw_tables, draw_world
from rustybt.testing.timings import draw_intrabar, draw_timing

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

WEIGHTS = (0, 10**12, 5 * 10**11, -5 * 10**11, 333_333_333_333, -(10**12), 2 * 10**12, 10**11, -(3 * 10**12), 999_999_999_999)


@dataclass(frozen=True)
class Grid:
    """The least that a simulation needs of a market: four (bars, assets) Int64 arrays of ticks, 0 = no bar; and its timing, if any."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints
    timing: Timing | None = field(default=None, kw_only=True)

    def timing_at(self, bar: int) -> Timing | None:
        """The timing of one bar, as a book is told it."""
        return None if self.timing is None else self.timing.at(bar, self.close.shape[1])


class Session(NamedTuple):
    """The arguments of ``simulate``."""

    tables: Tables
    market: Grid
    plan: Plan
    events: Ints
    tape: Tape | None = None

    def day_at(self, bar: int) -> int | None:
        """The session of a bar for the controls, as a `Book` is told it; None = every bar is a day."""
        controls = self.tables.controls
        return None if controls is None or not len(controls.days) else int(controls.days[bar])

    def rates_at(self, bar: int) -> tuple[Ints, Ints]:
        """The rates of a bar, as a `Book` is told them; none in a run of one currency."""
        given, none = self.tables.currencies, np.zeros(0, dtype=np.int64)
        return (none, none) if given is None else (given.num[bar], given.den[bar])

    def tape_at(self, bar: int) -> Tape:
        """What the market tells of one bar beside its prices."""
        return Tape() if self.tape is None else self.tape.part(bar, bar + 1)


class Dice:
    """Whole numbers from some source of chance."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer

    def pick[T](self, options: Sequence[T]) -> T:
        """One of the options; put the plainest first, Hypothesis shrinks toward it."""
        return options[self.integer(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        """True so many times in a hundred."""
        return self.integer(0, 99) >= 100 - percent


def seeded(seed: int) -> Dice:
    """Dice that fall the same way for the same seed, on every machine.

    Example:
        >>> seeded(3).integer(1, 6) == seeded(3).integer(1, 6)
        True
    """
    bits = np.random.Generator(np.random.PCG64(seed))
    pool: list[int] = []

    def integer(low: int, high: int) -> int:
        if not pool:
            pool.extend(bits.integers(0, 2**62, 2048, dtype=np.int64).tolist())
        return low + pool.pop() % (high - low + 1)

    return Dice(integer)


def session(seed: int, bars: int = 40) -> Session:
    """The random session of a seed.

    Args:
        seed: any whole number from 0.
        bars: the most bars that it may have.

    Example:
        >>> session(1).tables.cash == session(1).tables.cash
        True
    """
    return draw_session(seeded(seed), bars)


def sessions(bars: int = 10, assets: int = 3) -> SearchStrategy[Session]:
    """A Hypothesis strategy of random sessions.

    Args:
        bars: the most bars of a session.
        assets: the most assets.

    Example:
        >>> from hypothesis import strategies
        >>> isinstance(sessions(bars=5), strategies.SearchStrategy)
        True
    """
    from hypothesis import strategies

    @strategies.composite
    def strategy(draw: DrawFn) -> Session:
        return draw_session(Dice(lambda low, high: draw(strategies.integers(low, high))), bars, assets)

    return strategy()


def draw_session(dice: Dice, bars: int, assets: int = 5) -> Session:
    """Draw everything, the world first: what the prices and sizes are about."""
    world = draw_world(dice, assets)
    count = dice.integer(1, bars)
    market = draw_market(dice, world, count)
    tables = draw_tables(dice, world)
    plan = replace(draw_plan(dice, world, tables, count), requests=draw_requests(dice, world, tables, market))
    events = draw_events(dice, market.open)
    tables = replace(tables, flows=draw_flows(dice, world, count))
    tables = draw_settlements(dice, replace(tables, slots=draw_margin(dice, world, tables)), count)
    if tables.sizing is Sizing.AT_DECISION:
        tables = replace(tables, controls=draw_controls(dice, world, count))
    tape, intrabar = draw_tape(dice, world, count), draw_intrabar(dice)
    delays, timing = draw_timing(dice, tables.fill_at, (market.open, market.high, market.low, market.close))
    tables = replace(tables, intrabar=intrabar, delays=delays, increments=draw_increments(dice, world, count))
    tables = replace(tables, carry=draw_carry(dice, world, count))
    tables = draw_policies(dice, tables) if plan.requests is not None else tables
    tables = draw_pending(dice, tables, count)
    margin = any(bool(tables.row(name).any()) for name in MARGIN_FIELDS)
    tables = draw_dated(dice, world, count, tables, margin=margin)
    tables = replace(tables, currencies=None if tables.pending_days else draw_currencies(dice, world, count))
    tables = replace(tables, carry=on_foreign_cash(dice, tables.carry, tables.currencies))
    tables = draw_isolated(dice, tables)
    plan = replace(plan, requests=sent_otherwise(dice, plan.requests))
    return Session(tables, replace(market, timing=timing), plan, within_currencies(events, tables.currencies), tape)


def draw_market(dice: Dice, world: World, bars: int) -> Grid:
    """Random walks with gaps, ties, single missing bars, halts, listings and delistings."""
    grid = np.zeros((4, bars, len(world.assets)), dtype=np.int64)
    for column, start in enumerate(world.prices):
        first, last = (dice.integer(0, bars - 1), dice.integer(0, bars - 1)) if dice.chance(25) else (0, bars - 1)
        halt = dice.integer(0, bars) if dice.chance(20) else bars + 9
        missing = dice.pick((0, 0, 10, 40))
        price = start
        for bar in range(bars):
            if bar < first or bar > max(first, last) or halt <= bar < halt + 4 or (missing and dice.chance(missing)):
                continue
            prices = draw_bar(dice, price, world.step)
            grid[:, bar, column] = prices
            price = prices[3]
    return Grid(*(np.ascontiguousarray(field) for field in grid))


def draw_tape(dice: Dice, world: World, bars: int) -> Tape:
    """Days that go by slowly or fast, so that months turn; volumes around what orders ask for; feeds that are often 0."""
    step = dice.pick((1, 0, 9, 40))
    first = dice.integer(0, 40_000)
    day = np.array([first + bar * step for bar in range(bars)], dtype=np.int64)
    shape = bars, len(world.assets)
    volume, feeds = np.zeros(shape, dtype=np.int64), np.zeros((bars, FEEDS, shape[1]), dtype=np.int64)
    scale, terms = dice.pick((4, 1, 100)), dice.pick((0, 60))
    for bar in range(bars):
        for column, lots in enumerate(world.lots):
            volume[bar, column] = dice.integer(0, min(LARGE, scale * lots))
            feeds[bar, :, column] = [dice.pick((10**6, 1, 3, 10**8)) if terms and dice.chance(terms) else 0 for _ in range(FEEDS)]
    return Tape(day, volume, feeds)


def draw_bar(dice: Dice, price: int, step: int) -> tuple[int, int, int, int]:
    """A bar after a price: sometimes flat, sometimes with a gap, its range now and then far beyond its body."""
    if dice.chance(10):
        return price, price, price, price
    start = moved(dice, price, step) if dice.chance(60) else price
    end = moved(dice, start, step)
    top, bottom = max(start, end), min(start, end)
    reach = dice.pick((0, step, 3 * step))
    high = top + top * dice.integer(0, reach) // 1000 + dice.integer(0, 1)
    low = max(1, bottom - bottom * dice.integer(0, min(reach, 900)) // 1000 - dice.integer(0, 1))
    return start, high, low, end


def moved(dice: Dice, price: int, step: int) -> int:
    """A price moved by up to ``step`` per mille and a tick, at least 1 and below 2^44."""
    return min(2**44, max(1, price + price * dice.integer(-step, step) // 1000 + dice.integer(-1, 1)))


def draw_plan(dice: Dice, world: World, tables: Tables, bars: int) -> Plan:
    """Offers at random bars, with repeats and zeros among them."""
    kinds = tables.row("kind").tolist()
    often = dice.pick((30, 60, 100, 8))
    start, slots, values = [0], [], []
    before = [0] * len(kinds)
    for _ in range(bars):
        for slot, kind in enumerate(kinds):
            if dice.chance(often):
                if not dice.chance(25):
                    before[slot] = draw_target(dice, world, kind, slot % len(world.assets))
                slots.append(slot)
                values.append(before[slot])
        start.append(len(slots))
    return Plan.from_starts(*(np.array(column, dtype=np.int64) for column in (start, slots, values)))


def draw_target(dice: Dice, world: World, kind: int, column: int) -> int:
    """A target in the unit of its kind."""
    if dice.chance(15):
        return 0
    if kind == 2:
        return dice.pick(WEIGHTS) if dice.chance(70) else dice.integer(-(2 * 10**12), 2 * 10**12)
    most = world.lots[column] if kind == 0 else max(1, min(LARGE, world.cash * 2))
    size = dice.pick((most, max(1, most // 3), min(most, 5)))
    return dice.integer(-size, size)
