"""``python -m benchmarks against TREE``: is a change worth keeping? The tree without it and this one run the same workloads in turns.

An optimisation is kept where it saves `LEAST` of the processor's time or more and every fact of the results is the same. What is tried
next is compared with a tree that has what was kept so far: one change after the other.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import report
from benchmarks.cases import CASES
from benchmarks.columns import COLUMNS
from benchmarks.models import Findings, Measured, Table, Task
from benchmarks.processes import TURN, Process
from benchmarks.report import seconds, times

LEAST = 0.05
"""Share of the time that a change has to save."""
ROUNDS = 5


def verdict(saved: float, *, same: bool) -> str:
    """What becomes of a change.

    Example:
        >>> verdict(0.07, same=True), verdict(0.04, same=True), verdict(0.5, same=False)
        ('keep', 'take back', 'wrong')
    """
    return "wrong" if not same else "keep" if saved >= LEAST else "take back"


def compared(name: str, before: Measured, after: Measured, busy: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """The row of one workload."""
    then, now = statistics.median(busy["before"]), statistics.median(busy["after"])
    saved = 1 - statistics.median(mine / other for mine, other in zip(busy["after"], busy["before"], strict=True))
    said = verdict(saved, same=before.facts == after.facts)
    return (name, said, seconds(then), seconds(now), times(now / then if then else 1.0), f"{saved:.1%}")


def measure(tasks: Mapping[str, tuple[Task, Task]], rounds: int) -> Findings:
    """Run the tasks of each workload, without a change and with it, in turns."""
    rows, wrong, found = list[tuple[str, ...]](), list[str](), list[Measured]()
    for name, pair in tasks.items():
        running = [Process(task) for task in pair]
        busy: dict[str, list[float]] = {"before": [], "after": []}
        for number in range(rounds + 1):
            for process, taken in zip(running, busy.values(), strict=True):
                if process.alive:
                    process.run(TURN)
                    if number:  # the first is the first call
                        taken.append(process.measured.busy)
        before, after = (process.stop() for process in running)
        found += [before, after]
        failed = [f"{name}, {one.column}: {one.error}" for one in (before, after) if one.error]
        wrong += failed
        if not failed:
            rows.append(compared(name, before, after, busy))
            wrong += [f"{name}: {before.facts} before, {after.facts} after"] if rows[-1][1] == "wrong" else []
    words = f"Processor time in turns; a change is kept where it saves {LEAST:.0%} or more and all results are the same."
    table = Table("Before and after", ("workload", "verdict", "before", "after", "ratio", "saved"), tuple(rows), (words,))
    return Findings("against", tuple(found), (table,), (), tuple(wrong))


def main(given: Sequence[str]) -> int:
    """Compare; 1 when a result differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks against", description="Is a change worth keeping?")
    parser.add_argument("tree", type=Path, help="a checkout without the change, made ready with make setup")
    parser.add_argument("--only", nargs="+", default=["W1", "W3"], choices=tuple(CASES), metavar="W", help="workloads")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each")
    typed = parser.parse_args(given)
    python = typed.tree / ".venv" / "bin" / "python"
    if not python.exists():
        parser.error(f"there is no {python}: run make setup there")
    findings = measure({name: pair(name, typed.tree, python) for name in typed.only}, max(1, typed.rounds))
    report.show(findings, Console(width=None if sys.stdout.isatty() else 160))
    return int(bool(findings.wrong))


def pair(name: str, tree: Path, python: Path) -> tuple[Task, Task]:
    """The processes of a workload: of the other tree, and of this one."""
    column = COLUMNS["rustybt"] if COLUMNS["rustybt"].runs(name) else COLUMNS["rustybt sweep"]
    module, case = f"benchmarks.columns.{column.module}", dict[str, Any](workload=name, **column.options)
    return Task("before", module, case, str(python.absolute()), str(tree.absolute())), Task("after", module, case)
