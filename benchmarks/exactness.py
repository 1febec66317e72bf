"""What exact money costs: the kernel against the same source in float."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.models import Findings, Goal, Measured, Table, Task, ratio
from benchmarks.processes import side_by_side
from benchmarks.report import mebibytes, seconds, times

MODULE = "benchmarks.columns.twin"
ROWS: tuple[tuple[str, int | None, float, str], ...] = (
    ("W1", 2, 1.10, "money scale = price scale + lot scale"),
    ("W3", 10, 1.10, "money scale = price scale + lot scale"),
    ("W3", 8, 1.30, "values are divided and rounded"),
    ("W6", 2, 1.10, "money scale = price scale + lot scale"),
    ("W7", 2, 1.10, "money scale = price scale + lot scale"),
    ("W6", 8, 1.30, "money in 1e-8, prices in 0.01: multiplied, never divided"),
    ("W7", 8, 1.30, "money in 1e-8, prices in 0.01: multiplied, never divided"),
)
"""Workload, money scale, how many times the float build's time is allowed, and why."""
NEAR = 1e-6
"""How far float may be from the exact final equity, relatively: farther, and the twin does other work."""


def measure(only: Sequence[str], budget: float, say: Callable[[str], None]) -> Findings:
    """Both builds of every row, taking turns."""
    found: list[tuple[tuple[str, int | None, float, str], list[Measured]]] = []
    for row in ROWS:
        if not only or row[0] in only:
            say(f"exactness: {row[0]}, money in 1e-{row[1]}")
            case = {"workload": row[0], "money_scale": row[1]}
            tasks = [Task(build, MODULE, {**case, "build": build}) for build in ("exact", "float")]
            found.append((row, side_by_side(tasks, budget=budget)))
    goals, wrong, lines = [], [], []
    for (name, scale, limit, why), (exact, twin) in found:
        label = f"{name}, money in 1e-{scale}"
        if exact.error or twin.error:
            wrong.append(f"{label}: {exact.error or twin.error}")
            continue
        cost = ratio(exact, twin)
        goals.append(Goal(f"{label}: exact against float", cost, limit, least=False))
        lines.append((label, why, seconds(exact.median), seconds(twin.median), times(cost), mebibytes(exact.peak)))
        if abs(exact.facts["final_equity"] / twin.facts["final_equity"] - 1) > NEAR:
            wrong.append(f"{label}: float ends at {twin.facts['final_equity']:,.3f}, exact at {exact.facts['final_equity']:,.3f}")
    head = ("workload", "", "exact", "float", "ratio", "peak MiB")
    table = Table("Exactness: the kernel alone", head, tuple(lines), ("Ratio: median over rounds in which both take turns.",))
    return Findings("exactness", tuple(one for _, pair in found for one in pair), (table,), tuple(goals), tuple(wrong))
