"""What a simulated vendor knows: the bars of a symbol and its corporate actions, exact and the same for a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from rustybt.data.calendars import sessions
from rustybt.data.stamps import microseconds

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Action:
    """A split or a dividend.

    Args:
        day: the ex-date.
        kind: ``"split"`` or ``"dividend"``.
        up, down: of a split, new shares for old ones.
        amount: of a dividend, per share as it was then.
    """

    day: date
    kind: str
    up: int = 1
    down: int = 1
    amount: Decimal = Decimal(0)

    @property
    def value(self) -> str:
        """As `rustybt.load` reads it: new shares for one old, or the amount."""
        if self.kind == "dividend":
            return str(self.amount)
        ratio = Decimal(self.up) / Decimal(self.down)
        return f"{ratio.normalize():f}"


@dataclass(frozen=True)
class Bar:
    """A bar as it was traded.

    Args:
        start: its first instant, UTC.
        day: its session.
        open, high, low, close, volume: exact.
    """

    start: datetime
    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    @property
    def millis(self) -> int:
        """Its first instant in milliseconds since 1970."""
        return int(self.start.timestamp() * 1000)

    @property
    def numbers(self) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
        """Open, high, low, close and volume."""
        return self.open, self.high, self.low, self.close, self.volume


@dataclass(frozen=True)
class Tape:
    """The history of one symbol.

    Args:
        symbol: as the vendor writes it.
        frequency: length of its bars.
        bars: in order.
        actions: in order.
        tick, step: increments of price and volume.
        calendar: of its exchange, or None around the clock.
    """

    symbol: str
    frequency: str
    bars: tuple[Bar, ...]
    actions: tuple[Action, ...] = field(default=())
    tick: Decimal = Decimal("0.01")
    step: Decimal = Decimal(1)
    calendar: str | None = None

    @property
    def daily(self) -> Tape:
        """The same in one bar a session."""
        if self.frequency == "1d":
            return self
        bars = []
        for day, group in groupby(self.bars, key=lambda bar: bar.day):
            parts = list(group)
            high, low = max(bar.high for bar in parts), min(bar.low for bar in parts)
            volume = sum((bar.volume for bar in parts), Decimal(0))
            bars.append(Bar(parts[0].start, day, parts[0].open, high, low, parts[-1].close, volume))
        return replace(self, frequency="1d", bars=tuple(bars))

    def splits_after(self, day: date) -> Fraction:
        """New shares for one share of that day, by all splits with a later ex-date."""
        ratio = Fraction(1)
        for action in self.actions:
            if action.kind == "split" and action.day > day:
                ratio *= Fraction(action.up, action.down)
        return ratio


def around_the_clock(
    symbol: str, start: datetime, frequency: str, count: int, *, seed: int = 1, tick: str = "0.01", step: str = "0.00001"
) -> Tape:
    """Bars without a pause, as of a coin.

    Example:
        >>> tape = around_the_clock("BTCUSDT", datetime(2024, 1, 1, tzinfo=UTC), "1h", 24)
        >>> len(tape.bars), tape.bars[-1].start.hour
        (24, 23)
    """
    length = timedelta(microseconds=microseconds(frequency))
    starts = [start + i * length for i in range(count)]
    bars = _walk([(at, at.date()) for at in starts], seed, tick=Decimal(tick), step=Decimal(step), price=Decimal(40000))
    return Tape(symbol, frequency, bars, (), Decimal(tick), Decimal(step))


def of_sessions(
    symbol: str,
    first: date,
    last: date,
    *,
    frequency: str = "1d",
    calendar: str = "XNYS",
    actions: tuple[Action, ...] = (),
    seed: int = 1,
    tick: str = "0.01",
) -> Tape:
    """Bars of an exchange, one a session or all that its hours hold; a split divides the price.

    Example:
        >>> tape = of_sessions("AAPL", date(2024, 1, 2), date(2024, 1, 5))
        >>> [bar.day.day for bar in tape.bars]
        [2, 3, 4, 5]
    """
    found = sessions(calendar, (first - EPOCH).days, (last - EPOCH).days)
    length = microseconds(frequency)
    times = []
    for number, opened, closed in zip(found.days.tolist(), found.opens.tolist(), found.closes.tolist(), strict=True):
        day = EPOCH + timedelta(days=number)
        if first <= day <= last:
            starts = [opened] if frequency == "1d" else range(opened, closed, length)
            times += [(datetime.fromtimestamp(at / 1e6, UTC), day) for at in starts]
    ordered = tuple(sorted(actions, key=lambda action: action.day))
    return Tape(
        symbol,
        frequency,
        _walk(times, seed, tick=Decimal(tick), step=Decimal(1), price=Decimal(150), actions=ordered),
        ordered,
        Decimal(tick),
        Decimal(1),
        calendar,
    )


def _walk(
    times: list[tuple[datetime, date]], seed: int, *, tick: Decimal, step: Decimal, price: Decimal, actions: tuple[Action, ...] = ()
) -> tuple[Bar, ...]:
    """A random walk on the grid of ticks."""
    draw = random.Random(seed)
    whole, bars, due = int(price / tick), [], list(actions)
    for start, day in times:
        while due and due[0].day <= day:
            action = due.pop(0)
            if action.kind == "split":
                whole = max(whole * action.down // action.up, 50)
        first = max(whole + draw.randint(-whole // 200 - 1, whole // 200 + 1), 50)
        last = max(first + draw.randint(-first // 100 - 1, first // 100 + 1), 50)
        high, low = max(first, last) + draw.randint(0, first // 300 + 1), max(min(first, last) - draw.randint(0, first // 300 + 1), 1)
        volume = Decimal(draw.randint(1, 5_000_000)) * step
        prices = [Decimal(number) * tick for number in (first, high, low, last)]
        bars.append(Bar(start, day, prices[0], prices[1], prices[2], prices[3], volume))
        whole = last
    return tuple(bars)
