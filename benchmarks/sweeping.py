"""Sweeps beyond the workloads: other strategies, more variants, more workers, more assets."""

from __future__ import annotations

import hashlib
import math
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import rivals
from benchmarks.models import Findings, Goal, Measured, Table, Task, ratio
from benchmarks.processes import side_by_side
from benchmarks.report import mebibytes, seconds, times

MODULE = "benchmarks.columns.families"
OTHERS = {"rsi": 1, "bollinger": 1, "breakout": 1, "zscore": 1, "conditions": 1, "ranked": 10}
"""Strategies, and assets of each."""
SIZES = {"variants": 4_000, "bars": 2_520, "grown": (5_000, 20_000, 100_000), "wide": 10_000, "assets": 50}
SMALL = {"variants": 100, "bars": 330, "grown": (5_000, 10_000), "wide": 50, "assets": 3}
BYTES = 100.0
"""What a variant may take beside its row."""
LONG = 10_000
"""Variants from which on two workers have a goal."""
BUDGET = 500.0
"""MB: the budget of each of these sweeps."""


def measure(small: bool, rounds: int | None, say: Callable[[str], None]) -> Findings:
    """Each sweep in a process of its own, on one worker unless it is said."""
    sizes: dict[str, Any] = SMALL if small else SIZES
    found, tables, goals = list[Measured](), list[Table](), list[Goal]()
    for part in (_others, _grown, _counted, _workers, _wide):
        measured, table, goal = part(sizes, rounds, say)
        found += measured
        tables.append(table)
        goals += goal
    wrong = [f"{one.column}: {one.error}" for one in found if one.error]
    for family in OTHERS:
        both = {one.facts["digest"] for one in found if one.column.startswith(f"{family} ") and one.error is None}
        wrong += [] if len(both) == 1 else [f"{family}: learned and called variants differ"]
    beside = rivals.measure(small, rounds, say)
    found += beside.measured
    tables += beside.tables
    goals += beside.goals
    wrong += beside.wrong
    return Findings("sweeps", tuple(found), tuple(tables), tuple(goals), tuple(wrong))


type Part = tuple[list[Measured], Table, list[Goal]]


def _task(name: str, sizes: dict[str, Any], family: str, variants: int, **more: Any) -> Task:
    return Task(name, MODULE, {"family": family, "variants": variants, "assets": 1, "bars": sizes["bars"], "workers": 1} | more)


def _others(sizes: dict[str, Any], rounds: int | None, say: Callable[[str], None]) -> Part:
    found, rows = [], []
    for family, assets in OTHERS.items():
        count = max(sizes["variants"] // assets, 100)
        say(f"sweeps: {family}, {count:,} variants")
        tasks = [_task(f"{family} {how}", sizes, family, count, called=how == "called", assets=assets) for how in ("learned", "called")]
        learned, called = side_by_side(tasks, rounds=rounds or 3)
        found += [learned, called]
        if learned.error is None and called.error is None:
            each = [one.facts["cpu_s"] / one.facts["rows"] for one in (learned, called)]
            compiled = seconds(learned.facts["compiled_s"] / learned.facts["rows"])
            shown = f"{family}, {assets} assets" if assets > 1 else family
            rows.append((shown, f"{learned.facts['rows']:,}", seconds(each[0]), compiled, seconds(each[1]), times(each[1] / each[0])))
    head = ("strategy", "variants", "learned", "compiled", "called", "ratio")
    said = (
        "Processor time of a variant on one worker: the function learned, of that the compiled pass, every variant called; the same rows."
    )
    return found, Table("Other strategies", head, tuple(rows), (said,)), []


def _grown(sizes: dict[str, Any], rounds: int | None, say: Callable[[str], None]) -> Part:
    found = []
    for count in sizes["grown"]:
        say(f"sweeps: {count:,} variants")
        found += side_by_side([_task(f"{count:,} variants", sizes, "sized", count)], rounds=rounds or 1)
    for count in sizes["grown"][-2:]:
        say(f"sweeps: {count:,} variants, trials counted")
        found += side_by_side([_task(f"{count:,} variants, counted", sizes, "sized", count, counted=True)], rounds=rounds or 1)
    good, counted = ([one for one in found if one.error is None and one.case.get("counted", False) is how] for how in (False, True))
    rows = []
    for one in good:
        count, each, compiled = (one.facts[name] for name in ("rows", "cpu_s", "compiled_s"))
        mib = mebibytes(one.facts["peak"] - one.before)
        rows.append((f"{count:,}", seconds(one.median), seconds(each / count), seconds(compiled / count), mib))
    added, compiled = math.nan, math.nan
    if len(good) > 1:
        less, more = good[-2], good[-1]
        count = more.facts["rows"] - less.facts["rows"]
        added, compiled = ((more.facts[name] - less.facts[name]) / count for name in ("cpu_s", "compiled_s"))
    beyond = [_beside(one) for one in (good, counted)]
    notes = (
        f"A variant that shares all its features with others adds {seconds(added)} of processor time, {seconds(compiled)} of it compiled.",
        f"Beside its row a variant takes {beyond[0]:.0f} bytes at the peak, {beyond[1]:.0f} with trials counted: of the last two sizes.",
    )
    head = ("variants", "sweep", "a variant", "compiled", "MiB on top")
    return (
        found,
        Table("More variants", head, tuple(rows), notes),
        [
            Goal(f"bytes of a variant beside its row{how}", number, BYTES, least=False, unit="bytes")
            for how, number in zip(("", ", trials counted"), beyond, strict=True)
        ],
    )


def _beside(good: list[Measured]) -> float:
    """Bytes of a variant beside its row: by how much the peaks of the first sweep of a process differ between the last two sizes."""
    if len(good) < 2:
        return math.nan
    less, more = good[-2:]
    return float((more.facts["peak"] - less.facts["peak"]) * 2**20 / (more.facts["rows"] - less.facts["rows"]) - more.facts["row_bytes"])


def _counted(sizes: dict[str, Any], rounds: int | None, say: Callable[[str], None]) -> Part:
    count, rows = sizes["grown"][0], []
    say(f"sweeps: {count:,} variants, with and without the registry of trials")
    found = side_by_side(
        [_task(f"{how} trials", sizes, "sized", count, counted=how == "counted") for how in ("uncounted", "counted")], rounds=rounds or 3
    )
    if not any(one.error for one in found):
        each = [one.facts["cpu_s"] / one.facts["rows"] for one in found]
        rows.append((f"{found[0].facts['rows']:,}", seconds(each[0]), seconds(each[1]), seconds(each[1] - each[0])))
    notes = (
        "Processor time of a variant of one asset on one worker, no trial counted, and every trial named and written to a new registry.",
    )
    return found, Table("Trials", ("variants", "uncounted", "counted", "more"), tuple(rows), notes), []


def _workers(sizes: dict[str, Any], rounds: int | None, say: Callable[[str], None]) -> Part:
    found, rows, goals = [], [], []
    for count in sizes["grown"][:2]:
        say(f"sweeps: 1 and 2 workers, {count:,} variants")
        tasks = [_task(f"{workers} workers, {count:,} variants", sizes, "sized", count, workers=workers) for workers in (1, 2)]
        one, two = side_by_side(tasks, rounds=rounds or 5)
        found += [one, two]
        if one.error is None and two.error is None:
            faster = ratio(one, two)
            rows.append((f"{count:,}", seconds(one.median), seconds(two.median), times(faster)))
            if count >= LONG:
                goals.append(Goal(f"two workers against one, {count:,} variants", faster, 1.7))
    notes = (
        f"From {LONG:,} variants on there is a goal: with fewer, much of it is the first chunk, where what is shared is learned.",
        "Of one asset, by the clock, in turns: true only where two cores are idle; a busy machine gives two threads more than one.",
        f"What these two cores give: two threads that do nothing but SHA-256 do {times(two_cores())} times the work of one.",
    )
    return found, Table("Workers", ("variants", "one", "two", "ratio"), tuple(rows), notes), goals


def two_cores(rounds: int = 15, megabytes: int = 24) -> float:
    """How much more work two threads do in the same time than one, where the work needs neither memory nor the interpreter.

    Args:
        rounds: of one thread and two in turns, of which the median counts.
        megabytes: that each thread hashes.
    """
    block, found = bytes(2**20), []

    def work(_: int) -> None:
        for _ in range(megabytes):
            hashlib.sha256(block).digest()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            taken = []
            for threads in (1, 2):
                began = time.perf_counter()
                list(pool.map(work, range(threads)))
                taken.append(time.perf_counter() - began)
            found.append(2 * taken[0] / taken[1])
    return statistics.median(found)


def _wide(sizes: dict[str, Any], rounds: int | None, say: Callable[[str], None]) -> Part:
    say(f"sweeps: {sizes['wide']:,} variants of {sizes['assets']} assets")
    task = _task("wide", sizes, "winners", sizes["wide"], assets=sizes["assets"], workers=None)
    (one,) = side_by_side([task], rounds=rounds or 1)
    if one.error is not None:
        return [one], Table("More assets", ("variants", "assets"), ()), []
    count = one.facts["rows"]
    row = (f"{count:,}", f"{sizes['assets']}", seconds(one.median), f"{count / one.median:,.0f}", mebibytes(one.peak - one.before))
    head = ("variants", "assets", "sweep", "a second", "MiB on top")
    goal = Goal("megabytes of the sweep of many assets", (one.peak - one.before) * 2**20 / 1e6, BUDGET, least=False, unit="MB")
    notes = ("Momentum, every 21 bars, shared cash, as many workers as cores, within a budget of 500 MB beside the data.",)
    return [one], Table("More assets", head, (row,), notes), [goal]
