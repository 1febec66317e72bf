"""The ten workloads, side by side: is RustyBT right, and how much faster is it than the fastest product beside it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.cases import CASES, EXPECTED
from benchmarks.columns import COLUMNS, Column
from benchmarks.environments import environment
from benchmarks.models import Findings, Goal, Measured, Table, Task, ratio
from benchmarks.processes import side_by_side, whole_processes
from benchmarks.report import mebibytes, seconds, times

OURS, FILLS, FRAMES, SWEPT, FLOOR = "rustybt", "rustybt fills", "rustybt frames", "rustybt sweep", "floor"
SWEEPS = {("W2 x1000", SWEPT): 20.0, ("W2 x5000", SWEPT): 35.0, ("W3 x100", SWEPT): 60.0}
ADDED = {("W2 x5000", SWEPT): 150.0, ("W3 x100", SWEPT): 800.0}
"""MiB: the most that a sweep adds to what was there, and (W3) that the process takes in all."""
WANTED = SWEEPS | {("W1", OURS): 5.0, ("W3", OURS): 20.0, ("W4", OURS): 10.0, ("W6", OURS): 5.0, ("W6", FILLS): 2.5, ("W7", OURS): 4.0}
WANTED |= {("W7 orders", OURS): 4.0, ("W9", OURS): 5.0}
"""How many times faster than the fastest product beside us."""
COLD = "W1"
EXACT = {OURS, FILLS, FRAMES, SWEPT, FLOOR}
"""Columns that must agree to the printed digit in every workload. Others round their averages."""


@dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
        only: names of workloads; all when empty.
        columns: names of columns.
        rounds: warm runs of each; None = what the budget holds.
        budget: seconds of warm runs of the slowest column, per workload.
        cold: rounds of whole processes.
        apart: whether columns are measured one after the other, not in turns.
    """

    only: tuple[str, ...] = ()
    columns: tuple[str, ...] = tuple(COLUMNS)
    rounds: int | None = None
    budget: float = 8.0
    cold: int = 5
    apart: bool = False


def measure(options: Options, say: Callable[[str], None]) -> Findings:
    """Run the workloads.

    Args:
        options: what to run.
        say: takes one line of progress.
    """
    pythons, notes = _interpreters(options.columns, say)
    columns = [COLUMNS[name] for name in options.columns if COLUMNS[name].environment in pythons]
    found: dict[str, list[Measured]] = {}
    for name in options.only or tuple(CASES):
        tasks = [_task(column, name, pythons[column.environment]) for column in columns if column.runs(name)]
        say(f"{name}: {CASES[name].does}")
        groups = [[task] for task in tasks] if options.apart else [tasks]
        found[name] = [one for group in groups for one in side_by_side(group, budget=options.budget, rounds=options.rounds)]
        if name == COLD and options.cold:
            say(f"{name}: whole processes")
            plain = [task for task in tasks if task.column != FRAMES]
            walls = whole_processes(plain, options.cold)
            for one in found[name]:
                one.cold = walls.get(one.column, [])
    return Findings(
        "workloads",
        tuple(one for row in found.values() for one in row),
        (_table(found, notes),),
        tuple(_goals(found)),
        tuple(_wrong(found)),
    )


def _interpreters(names: Sequence[str], say: Callable[[str], None]) -> tuple[dict[str | None, str | None], list[str]]:
    pythons: dict[str | None, str | None] = {None: None}
    notes = []
    for wanted in {COLUMNS[name].environment for name in names} - {None}:
        assert wanted is not None
        path, trouble = environment(wanted)
        if path is None:
            say(f"skipped: {trouble}")
            notes.append(f"Skipped: {trouble}.")
        else:
            pythons[wanted] = str(path)
    return pythons, notes


def _task(column: Column, workload: str, python: str | None) -> Task:
    return Task(column.name, f"benchmarks.columns.{column.module}", {"workload": workload, **column.options}, python)


def fastest(row: Sequence[Measured]) -> Measured | None:
    """The fastest product of a workload."""
    good = [one for one in row if one.error is None and COLUMNS[one.column].product]
    return min(good, key=lambda one: one.median, default=None)


def printed(one: Measured) -> str:
    """Final equity as it is compared."""
    return f"{float(one.facts['final_equity']):,.3f}"


def _table(found: dict[str, list[Measured]], notes: list[str]) -> Table:
    rows = []
    for name, row in found.items():
        best = fastest(row)
        for one in row:
            if one.error is not None:
                rows.append((name, one.column, "failed", "", "", "", "", "", one.error))
                continue
            parts = [("cold process", one.cold_median), ("door", one.notes.get("door_s")), ("identity", one.notes.get("identity_s"))]
            remarks = [f"{word} {seconds(value)}" for word, value in parts if value is not None]
            rows.append(
                (
                    name,
                    one.column,
                    seconds(one.median),
                    times(ratio(best, one)) if best is not None else "",
                    seconds(one.first),
                    f"{mebibytes(one.peak)} (+{mebibytes(one.peak - one.before)})",
                    printed(one),
                    f"{one.facts['orders']:,.0f}",
                    "; ".join(remarks),
                )
            )
    head = ("workload", "column", "warm", "faster by", "first call", "peak MiB", "final equity", "orders", "")
    words = "Faster by: how many times the fastest product takes, median over rounds in which all columns take turns."
    return Table("Workloads", head, tuple(rows), (words, *notes))


def _goals(found: dict[str, list[Measured]]) -> list[Goal]:
    goals = []
    for (name, column), wanted in WANTED.items():
        best = fastest(found.get(name, []))
        one = next((m for m in found.get(name, []) if m.column == column and m.error is None), None)
        if best is not None and one is not None:
            goals.append(Goal(f"{name}, {column} against {best.column}", ratio(best, one), wanted))
    for (name, column), most in ADDED.items():
        one = next((m for m in found.get(name, []) if m.column == column and m.error is None), None)
        if one is not None:
            taken = one.peak - (one.before if name.startswith("W2") else 0.0)
            words = "memory beyond the preparation" if name.startswith("W2") else "peak memory"
            goals.append(Goal(f"{name}, {column}: {words}", taken, most, least=False, unit="MiB"))
    colds = {one.column: one.cold_median for one in found.get(COLD, []) if one.cold_median}
    others = [wall for column, wall in colds.items() if COLUMNS[column].product]
    if OURS in colds and others:
        goals.append(Goal(f"{COLD}, whole cold process against the fastest product", min(others) / colds[OURS], 1.0))
    return goals


def _wrong(found: dict[str, list[Measured]]) -> list[str]:
    wrong = []
    for name, row in found.items():
        good = [one for one in row if one.error is None and one.column in EXACT]
        expected = EXPECTED.get(name)
        wanted = (f"{expected[0]:,.3f}", expected[1]) if expected else None
        for one in good:
            is_now = (printed(one), one.facts["orders"])
            wanted = wanted or is_now
            if is_now != wanted:
                wrong.append(f"{name}, {one.column}: {is_now[0]} after {is_now[1]:,} orders, expected {wanted[0]} after {wanted[1]:,}")
        wrong += [f"{name}, {one.column}: {one.error}" for one in row if one.error and one.column in EXACT]
    return wrong
