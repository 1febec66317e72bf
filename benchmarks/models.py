"""What is measured, as plain data."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

type Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """Work that a process has prepared.

    Attributes:
        run: what the clock measures; gives the facts that are checked and printed.
        notes: facts of the preparation, such as the seconds of the door.
        before: what is done before each run, such as removing what the last one wrote, and not measured.
    """

    run: Callable[[], dict[str, Any]]
    notes: dict[str, Any] = field(default_factory=dict)
    before: Callable[[], None] | None = None


@dataclass(frozen=True)
class Task:
    """One process to be measured.

    Attributes:
        column: name in the table.
        module: Python module with ``prepare(case) -> Job``.
        case: what to prepare, plain values.
        python: interpreter; None = the one that runs the benchmark.
        root: checkout that it runs in; None = this one.
    """

    column: str
    module: str
    case: dict[str, Any]
    python: str | None = None
    root: str | None = None


@dataclass
class Measured:
    """One process after it was measured. Seconds, and MiB.

    Attributes:
        column: name in the table.
        case: what was prepared.
        seconds: of every run; the first is the first call.
        facts: of the last run.
        notes: of the preparation: ``import_s``, ``prepare_s`` and what the column adds.
        busy: of the processor, on all threads, in the last run.
        peak: resident memory at most; before: just before the first run.
        cold: wall seconds of whole processes that ran once.
        error: why there are no numbers.
    """

    column: str
    case: dict[str, Any]
    seconds: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    busy: float = 0.0
    peak: float = 0.0
    before: float = 0.0
    cold: list[float] = field(default_factory=list)
    error: str | None = None

    @property
    def first(self) -> float:
        """Seconds of the first call."""
        return self.seconds[0]

    @property
    def warm(self) -> list[float]:
        """Seconds of the calls after the first; the first where it was the only one."""
        return self.seconds[1:] or self.seconds

    @property
    def median(self) -> float:
        """Median seconds of a warm call."""
        return statistics.median(self.warm)

    @property
    def cold_median(self) -> float | None:
        """Median wall seconds of a whole process."""
        return statistics.median(self.cold) if self.cold else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for results.json."""
        return asdict(self) | ({} if self.error else {"median_s": self.median, "first_s": self.first, "cold_s": self.cold_median})


def ratio(slow: Measured, fast: Measured) -> float:
    """How many times longer ``slow`` takes: the median over the rounds in which both took their turn.

    Example:
        >>> ratio(Measured("a", {}, [9, 4, 6]), Measured("b", {}, [9, 2, 2]))
        2.5
    """
    return statistics.median(a / b for a, b in zip(slow.warm, fast.warm, strict=False))


@dataclass(frozen=True)
class Goal:
    """A promise about a number and whether it was kept.

    Attributes:
        name: what is promised.
        measured: the number.
        wanted: the limit.
        least: whether the number should be at least the limit; else at most.
        unit: after the numbers.
    """

    name: str
    measured: float
    wanted: float
    least: bool = True
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether it was kept."""
        return self.measured >= self.wanted if self.least else self.measured <= self.wanted

    def to_dict(self) -> dict[str, Any]:
        """Plain values for results.json."""
        return asdict(self) | {"met": self.met}


@dataclass(frozen=True)
class Table:
    """A table ready to be shown.

    Attributes:
        title: its heading.
        head: names of the columns; every column but the first two is numeric.
        rows: cells as text.
        notes: sentences below it.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What a suite gives back.

    Attributes:
        suite: its name.
        measured: every process.
        tables: to be shown.
        goals: promises, met or not.
        wrong: results that differ where they must not; empty is good.
    """

    suite: str
    measured: tuple[Measured, ...]
    tables: tuple[Table, ...]
    goals: tuple[Goal, ...] = ()
    wrong: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for results.json."""
        return {
            "suite": self.suite,
            "measured": [one.to_dict() for one in self.measured],
            "goals": [goal.to_dict() for goal in self.goals],
            "wrong": list(self.wrong),
        }
