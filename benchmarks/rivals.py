"""Sweeps of other strategies beside vectorbt with both of its engines, which has to come to the same final equity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.environments import environment
from benchmarks.models import Findings, Goal, Measured, Table, Task, ratio
from benchmarks.processes import side_by_side
from benchmarks.report import seconds, times
from benchmarks.studies import STUDIES

OURS, THEIRS = "benchmarks.columns.studied", "benchmarks.columns.studied_vectorized"
ENGINES = {"vectorbt": "numba", "vectorbt-rust": "rust"}
BARS, FEWER = 2_520, 330
ONE, MORE, MANY = 10.0, 17.5, 30.0
"""How many times faster than the faster engine it has to be: half of W2 x1000, of W2 x5000 and, with many assets, of W3 x100."""
LARGE = 5_000
"""Variants from which on the second of these is meant."""
CLOSE = 1e-6
"""By which share final equities may differ: doubles against exact money."""
TIES = ("bollinger", "momentum")
"""Where averages that run along in doubles decide at a price that is just as high (vectorbt's engines differ from each other there), and
where which of two assets comes first that rose as much."""
LOOSE = 1e-4


def measure(small: bool, rounds: int | None, say: Callable[[str], None]) -> Findings:
    """Every study, all columns of it in turns."""
    python, said = environment("vectorbt")
    found, rows, goals, wrong = list[Measured](), list[tuple[str, ...]](), list[Goal](), list[str]()
    for name, study in STUDIES.items():
        say(f"sweeps: {name} beside vectorbt")
        case: dict[str, Any] = {"study": name, "bars": FEWER if small else BARS, "small": small}
        tasks = [Task(f"{name}, rustybt", OURS, case)]
        if python is not None:
            tasks += [Task(f"{name}, {column}", THEIRS, case | {"engine": engine}, str(python)) for column, engine in ENGINES.items()]
        measured = side_by_side(tasks, rounds=rounds or (1 if study.assets > 1 else 3))
        found += measured
        wrong += [f"{one.column}: {one.error}" for one in measured if one.error is not None]
        if python is None or any(one.error is not None for one in measured):
            continue
        mine, *others = measured
        wrong += [
            f"{one.column}: final equity {one.facts['final_equity']}, not {mine.facts['final_equity']}" for one in others if far(mine, one)
        ]
        wanted = MANY if study.assets > 1 else MORE if len(study.variants(False)) >= LARGE else ONE
        goals.append(Goal(f"{name} against the faster vectorbt", _faster(mine, others)[0], wanted))
        shown = (seconds(one.median) for one in measured)
        rows.append((name, f"{mine.facts['rows']:,}", *shown, *map(times, _faster(mine, others)), times(goals[-1].wanted)))
    notes = (
        "In turns, with as many workers as cores; vectorbt in the fastest way that was found, on one. All come to the same final equity.",
        "Faster: than the faster of its engines, by the clock, and by the processor time of the last run on all cores together.",
        *([said] if said else []),
    )
    head = ("strategy", "variants", "rustybt", *ENGINES, "faster", "processor", "goal")
    table = Table("Other strategies beside vectorbt", head, tuple(rows), notes)
    return Findings("rivals", tuple(found), (table,), tuple(goals), tuple(wrong))


def _faster(mine: Measured, others: list[Measured]) -> tuple[float, float]:
    """How many times longer the faster of the others takes, by the clock and by the processor."""
    clock = ratio(min(others, key=lambda one: one.median), mine)
    return clock, min(one.busy for one in others) / mine.busy


def far(mine: Measured, other: Measured) -> bool:
    """Whether final equities differ by more than they may."""
    own, theirs = float(mine.facts["final_equity"]), float(other.facts["final_equity"])
    return abs(own - theirs) > (LOOSE if mine.case["study"] in TIES else CLOSE) * own
