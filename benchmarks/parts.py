"""Where the time of each workload goes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from benchmarks.cases import CASES
from benchmarks.columns.parts import PARTS
from benchmarks.models import Findings, Measured, Table, Task
from benchmarks.processes import Process
from benchmarks.report import seconds

MODULE = "benchmarks.columns.parts"
ROUNDS = 15


def measure(only: Sequence[str], rounds: int | None, say: Callable[[str], None]) -> Findings:
    """Run every workload alone, part by part."""
    found: dict[str, tuple[Measured, dict[str, float]]] = {}
    for name in only or [name for name, case in CASES.items() if case.variants == 1]:
        say(f"parts: {name}")
        process = Process(Task("rustybt", MODULE, {"workload": name}))
        laps: list[dict[str, float]] = []
        for _ in range(1 + (ROUNDS if rounds is None else rounds)):
            if process.alive:
                process.run()
                laps.append(process.measured.facts)
        one = process.stop()
        found[name] = one, {} if one.error else {part: statistics.median(lap[part] for lap in laps[1:] or laps) for part in PARTS}
    rows = [(name, one.error or "", *(seconds(parts[part]) for part in PARTS)) for name, (one, parts) in found.items() if parts]
    wrong = [f"{name}: {one.error}" for name, (one, _) in found.items() if one.error]
    words = "Orders, fills and equity frames and all metrics (with trades matched) come on top of what the workloads' clock measures."
    table = Table("Parts of a run", ("workload", "", *PARTS), tuple(rows), (words,))
    return Findings("parts", tuple(one for one, _ in found.values()), (table,), (), tuple(wrong))
