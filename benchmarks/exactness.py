"""What exact money costs: the kernel against the same source in float."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from benchmarks.models import Facts, Findings, Goal, Table, Task
from benchmarks.processes import Process
from benchmarks.report import seconds, times

MODULE = "benchmarks.columns.twin"
ROWS = (
    *(("W1", 4), ("W1", 8), ("W1", 2)),
    *(("W3", 10), ("W3", 8)),
    *(("W4", 4), ("W4", 8)),
    ("W5", 4),
    *(("W6", 4), ("W6", 8), ("W6", 2)),
    *(("W7", 4), ("W7", 8), ("W7", 2)),
)
"""Workload and money scale. Prices are in 1e-4 and quantities whole, but for W3: 1e-2 and 1e-8. 8 is the scale of `rustybt.run`."""
KINDS = {
    "same": ("money scale = price scale + lot scale", 1.10),
    "multiplied": ("money finer than values", 1.30),
    "divided": ("values are divided and rounded", 1.30),
}
"""How the desk that was run makes money of values: in words, and how many times the float build's time is allowed."""
NEAR = 1e-6
"""How far float may be from the exact final equity, relatively: farther, and the twin does other work."""
SHARE = 0.15
"""Of the budget, for each row."""


def measure(only: Sequence[str], budget: float, say: Callable[[str], None]) -> Findings:
    """Both builds of every row, taking turns in one process: the float build is compiled anew in every process, so there is one."""
    rows = [row for row in ROWS if not only or row[0] in only]
    say(f"exactness: {', '.join(f'{name} in 1e-{scale}' for name, scale in rows)} (the float build is compiled first)")
    process = Process(Task("kernel", MODULE, {"rows": rows, "budget": budget * SHARE}))
    if process.alive:
        process.run()
    one = process.stop()
    if one.error:
        return Findings("exactness", (one,), (), (), (one.error,))
    goals, wrong, lines = [], [], []
    for (name, scale), found in zip(rows, one.facts["found"], strict=True):
        label, cost, (why, limit) = f"{name}, money in 1e-{scale}", cost_of(found), KINDS[found["kind"]]
        exact, other = (statistics.median(found["seconds"][build]) for build in ("exact", "float"))
        goals.append(Goal(f"{label}: exact against float", cost, limit, least=False))
        lines.append(
            (label, why, seconds(exact), seconds(other), times(cost), f"{found['rows']['exact']:,}", f"{len(found['seconds']['exact']):,}")
        )
        wrong += [f"{label}: {what}" for what in differences(found)]
    head = ("workload", "", "exact", "float", "ratio", "log rows", "rounds")
    words = (
        "Processor time of the compiled walk over all bars, from prepared arrays. Ratio: median over rounds in which the two take turns."
    )
    return Findings("exactness", (one,), (Table("Exactness: the kernel alone", head, tuple(lines), (words,)),), tuple(goals), tuple(wrong))


def cost_of(found: Facts) -> float:
    """How many times longer the exact build takes: the median over rounds.

    Example:
        >>> cost_of({"seconds": {"exact": [3.0, 2.0, 9.0], "float": [2.0, 2.0, 3.0]}})
        1.5
    """
    ratios = [a / b for a, b in zip(found["seconds"]["exact"], found["seconds"]["float"], strict=True)]
    return float(statistics.median(ratios))


def differences(found: Facts) -> list[str]:
    """Why the two did not do the same work, if so: other final equity, or another number of log rows by more than one in a hundred.

    Example:
        >>> differences({"final_equity": {"exact": 2.0, "float": 1.0}, "rows": {"exact": 5, "float": 5}})
        ['float ends at 1.000, exact at 2.000']
    """
    equity, rows = found["final_equity"], found["rows"]
    wrong = []
    if abs(equity["exact"] / equity["float"] - 1) > NEAR:
        wrong.append(f"float ends at {equity['float']:,.3f}, exact at {equity['exact']:,.3f}")
    if abs(rows["exact"] / rows["float"] - 1) > 0.01:
        wrong.append(f"float writes {rows['float']:,} rows, exact {rows['exact']:,}")
    return wrong
