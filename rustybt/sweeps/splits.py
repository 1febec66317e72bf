"""Which bars are for learning and which for testing: windows that walk forward, and groups that are combined.

Everything here is counted in bars, first included, last excluded, and is free of prices: a split is decided before anything runs.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.model.arguments import kind, whole, word

type Span = tuple[int, int]
"""Bars from the first to before the second."""
type Length = int | str
"""A number of bars, or a time such as ``"2y"``, ``"6mo"``, ``"3w"``, ``"10d"``."""

MODES = ("rolling", "expanding", "anchored")
FEWEST = 2
"""Bars below which a window can hold no decision and its fill."""
EPOCH = date(1970, 1, 1)
TIME = re.compile(r"(\d+)\s*(y|q|mo|w|d)")
MOST_SPLITS, MOST_BARS = 5000, 2**31


@dataclass(frozen=True)
class Walk:
    """How windows walk forward.

    Attributes:
        train: bars or time of learning; of the first window where it expands.
        test: bars or time of each test. Tests follow each other without a gap; the last may be shorter.
        validation: bars or time between the two in which the best of the training are compared; None = no such part.
        embargo: bars or time that are left out before each part that follows another.
        mode: ``rolling`` moves the training along, ``expanding`` (also called ``anchored``) lets it begin at the first bar for ever.
    """

    train: Length
    test: Length
    validation: Length | None = None
    embargo: Length = 0
    mode: str = "rolling"

    def __post_init__(self) -> None:
        word(self.mode, MODES, "walk_forward, mode")
        for name in ("train", "test", "validation"):
            if getattr(self, name) is not None:
                read_length(getattr(self, name), name, least=FEWEST)
        read_length(self.embargo, "embargo", least=0)


@dataclass(frozen=True)
class Window:
    """One step of a walk: spans of bars that do not overlap, in order of time.

    Attributes:
        number: of the step, from 0.
        train, test: spans.
        validation: span, or None.
    """

    number: int
    train: Span
    test: Span
    validation: Span | None = None


@dataclass(frozen=True)
class Split:
    """One way to choose the groups that test.

    Attributes:
        number: of the split, from 0, in the order of `itertools.combinations`.
        groups: numbers of the groups that test.
        train: spans that learn, what is purged and under embargo left out; in order of time.
    """

    number: int
    groups: tuple[int, ...]
    train: tuple[Span, ...]


def read_length(given: Length, name: str, *, least: int = 1) -> tuple[int, str]:
    """A length as a number and its unit: ``bars``, ``mo`` or ``d``.

    Raises:
        ConfigError: it cannot be read, or is shorter than ``least``.

    Example:
        >>> read_length("2y", "train"), read_length(250, "train"), read_length("3w", "test")
        ((24, 'mo'), (250, 'bars'), (21, 'd'))
    """
    where, do = f"splits, {name}", 'give bars such as 250, or a time such as "2y", "6mo", "3w", "10d"'
    if isinstance(given, int) and not isinstance(given, bool):
        if given < least:
            raise ConfigError(f"{name} of {given} bars is too short", where=where, do=f"give at least {least}")
        return given, "bars"
    found = TIME.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is None:
        raise ConfigError(f"{name} {given!r} is no length", where=where, do=do)
    count = int(found[1])
    if count < min(least, 1):
        raise ConfigError(f"{name} {given!r} is no time at all", where=where, do=do)
    return {"y": (12 * count, "mo"), "q": (3 * count, "mo"), "mo": (count, "mo"), "w": (7 * count, "d"), "d": (count, "d")}[found[2]]


def windows(panel: Panel, walk: Walk) -> list[Window]:
    """The windows of a walk over a panel.

    A length of time is counted on session dates: ``"6mo"`` from 31 August ends with 28 February. Where the training rolls, it is as long
    as asked for and ends ``embargo`` before what follows.

    Raises:
        ConfigError: the data are too short for one window.

    Example:
        >>> from rustybt.data import demo_data
        >>> found = windows(demo_data(), Walk(train=1000, test=500, embargo=5))
        >>> found[0].train, found[0].test, found[1].train
        ((0, 1000), (1005, 1505), (500, 1500))
    """
    kind(panel, Panel, "windows, panel", "give a Panel, such as rustybt.load gives", what=f"{panel!r} is no panel")
    kind(walk, Walk, "windows, walk", "give a Walk(train=..., test=...)", what=f"{walk!r} is no walk")
    found: list[Window] = []
    start = ahead(panel, ahead(panel, 0, walk.train), walk.embargo)
    if walk.validation is not None:
        start = ahead(panel, ahead(panel, start, walk.validation), walk.embargo)
    while panel.bars - start >= FEWEST:
        stop = min(ahead(panel, start, walk.test), panel.bars)
        validation, end = None, back(panel, start, walk.embargo)
        if walk.validation is not None:
            validation = back(panel, end, walk.validation), end
            end = back(panel, validation[0], walk.embargo)
        first = back(panel, end, walk.train) if walk.mode == "rolling" else 0
        found.append(Window(len(found), (first, end), (start, stop), validation))
        if stop - start < FEWEST or end - first < FEWEST or (validation and validation[1] - validation[0] < FEWEST):
            raise ConfigError(
                f"window {len(found) - 1} has a part of fewer than {FEWEST} bars", where="walk_forward", do="give longer parts, or bars"
            )
        start = stop
    if not found:
        raise ConfigError(
            f"{panel.bars} bars are too few for a training of {walk.train} and a test of {walk.test}",
            where="walk_forward, train and test",
            do="give shorter windows, or more data",
        )
    return found


def groups(bars: int, count: int) -> list[Span]:
    """Bars cut into groups of equal length; those of the rest are one longer.

    Raises:
        ConfigError: fewer than two groups, or fewer than two bars in one.

    Example:
        >>> groups(11, 3)
        [(0, 4), (4, 8), (8, 11)]
    """
    do = "give 2 or more, such as 6"
    count = whole(count, "cross_validate, groups", do, least=2, what=f"{count!r} groups cannot be combined")
    bars = whole(bars, "groups, bars", "give the bars of a panel", least=0, most=MOST_BARS, what=f"{bars!r} bars cannot be cut")
    if bars < FEWEST * count:
        raise ConfigError(f"{bars} bars make no {count} groups", where="cross_validate, groups", do=f"give at most {bars // FEWEST}")
    edges = np.cumsum([0, *(len(part) for part in np.array_split(np.arange(bars), count))]).tolist()
    return list(pairwise(edges))


def combinatorial(spans: Sequence[Span], tests: int, purge: int = 0, embargo: int = 0) -> list[Split]:
    """Every choice of test groups, with the training that each leaves.

    Bars of the training are left out where they lie fewer than ``purge`` bars before a test group or fewer than ``embargo`` bars after it.
    Source: Lopez de Prado, Advances in Financial Machine Learning, 2018, ch. 7 and 12.

    Args:
        spans: of the groups, in order and without gaps.
        tests: groups that test in each split.
        purge: bars before a test group.
        embargo: bars after a test group.

    Raises:
        ConfigError: ``tests`` leaves nothing to learn or to test, a negative number of bars, or too many splits.

    Example:
        >>> [split.train for split in combinatorial([(0, 10), (10, 20), (20, 30)], 1, purge=2, embargo=3)]
        [((13, 20), (20, 30)), ((0, 8), (23, 30)), ((0, 10), (10, 18))]
    """
    _check_spans(spans)
    most = len(spans) - 1
    tests = whole(tests, "cross_validate, tests", f"give 1 to {most}", most=most, what=f"{tests!r} of {len(spans)} groups cannot test")
    for name, count in (("purge", purge), ("embargo", embargo)):
        whole(count, f"cross_validate, {name}", "give 0 or more bars", least=0, what=f"{name} of {count!r} bars")
    count = math.comb(len(spans), tests)
    if count > MOST_SPLITS:
        raise ConfigError(f"{count:,} splits are too many", where="cross_validate, groups and tests", do="give fewer groups")
    return [
        Split(number, picked, _learning(spans, picked, purge, embargo))
        for number, picked in enumerate(combinations(range(len(spans)), tests))
    ]


def paths(splits: Sequence[Split], count: int) -> list[list[int]]:
    """Which split each group of a path takes its test from: (paths, groups) numbers of splits.

    The j-th split that tests a group gives it to path j, so every test of every split is in exactly one path.

    Raises:
        ConfigError: no splits, or not so many groups.

    Example:
        >>> paths(combinatorial([(0, 2), (2, 4), (4, 6)], 2), 3)
        [[0, 0, 1], [1, 2, 2]]
    """
    known = isinstance(splits, Sequence) and all(isinstance(split, Split) for split in splits)
    if not known or not splits:
        raise ConfigError(f"{splits!r} are no splits", where="paths, splits", do="give what combinatorial gives")
    most = 1 + max(max((*split.groups, 0)) for split in splits)
    what, do = f"{count!r} groups are not those of the splits", f"give the number of groups, {most}"
    whole(count, "paths, count", do, least=most, most=most, what=what)
    by_group = [[split.number for split in splits if group in split.groups] for group in range(count)]
    if len(set(map(len, by_group))) > 1:
        raise ConfigError("some splits are missing", where="paths, splits", do="give all that combinatorial gives")
    return [list(row) for row in zip(*by_group, strict=True)]


def _check_spans(spans: object) -> None:
    """Refuse what is no list of groups."""
    good = isinstance(spans, Sequence) and not isinstance(spans, str | bytes)
    if not good or any(not (isinstance(span, Sequence) and len(span) == 2 and all(type(at) is int for at in span)) for span in spans):  # type: ignore[attr-defined]
        raise ConfigError(f"{spans!r} are no groups of bars", where="combinatorial, spans", do="give what groups gives")


def ahead(panel: Panel, bar: int, length: Length) -> int:
    """The first bar that lies a length after a bar; it may be beyond the last."""
    count, unit = read_length(length, "length", least=0)
    if unit == "bars" or bar >= panel.bars:
        return bar + count if unit == "bars" else bar
    return _bar_on(panel, moved(_day(panel, bar), count, unit))


def back(panel: Panel, bar: int, length: Length) -> int:
    """The bar from which on a length before a bar begins; at least 0."""
    count, unit = read_length(length, "length", least=0)
    if unit == "bars" or count == 0:
        return max(0, bar - count)
    day = _day(panel, bar) if bar < panel.bars else _day(panel, panel.bars - 1) + timedelta(days=1)
    return _bar_on(panel, moved(day, -count, unit))


def moved(day: date, count: int, unit: str) -> date:
    """A date so many months (``mo``) or days (``d``) later; a day that a month does not have is its last.

    Example:
        >>> moved(date(2024, 1, 31), 1, "mo"), moved(date(2024, 3, 31), -13, "mo")
        (datetime.date(2024, 2, 29), datetime.date(2023, 2, 28))
    """
    if unit == "d":
        return date.fromordinal(min(max(1, day.toordinal() + count), date.max.toordinal()))
    months = min(max(12, day.year * 12 + day.month - 1 + count), 12 * date.max.year + 11)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def instant(panel: Panel, bar: int) -> datetime:
    """The ts of a bar."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(panel.ts[bar]))


def _learning(spans: Sequence[Span], picked: tuple[int, ...], purge: int, embargo: int) -> tuple[Span, ...]:
    found = []
    for group, (first, stop) in enumerate(spans):
        if group in picked:
            continue
        tested = [spans[other] for other in picked]
        low = max([first, *(end + embargo for _, end in tested if end <= first)])
        high = min([stop, *(begin - purge for begin, _ in tested if begin >= stop)])
        if low < high:
            found.append((low, high))
    return tuple(found)


def _day(panel: Panel, bar: int) -> date:
    return EPOCH + timedelta(days=int(panel.sessions[bar]))


def _bar_on(panel: Panel, day: date) -> int:
    return int(np.searchsorted(panel.sessions, (day - EPOCH).days))
