"""How long one bar takes when bars arrive one by one."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.models import Findings, Measured, Table, Task
from benchmarks.processes import side_by_side
from benchmarks.report import seconds, times

MODULE = "benchmarks.columns.latency"
WAYS = ("numpy", "polars", "window", "engine", "callback")
ROUNDS = 25
SIZES = ((1, 50), (1, 200), (50, 50), (50, 200), (500, 50), (500, 200))
"""Assets and look-back."""


def measure(small: bool, rounds: int | None, say: Callable[[str], None]) -> Findings:
    """Every way of every size, taking turns."""
    found: dict[tuple[int, int], list[Measured]] = {}
    for assets, lookback in SIZES[:1] if small else SIZES:
        say(f"latency: {assets} assets, look-back {lookback}")
        tasks = [Task(way, MODULE, {"way": way, "assets": assets, "lookback": lookback}) for way in WAYS]
        found[assets, lookback] = side_by_side(tasks, rounds=ROUNDS if rounds is None else rounds)
    wrong = tuple(f"{size[0]} x {size[1]}, {one.column}: {one.error}" for size, row in found.items() for one in row if one.error)
    return Findings("latency", tuple(one for row in found.values() for one in row), (_table(found),), (), wrong)


def _table(found: dict[tuple[int, int], list[Measured]]) -> Table:
    rows = []
    for (assets, lookback), row in found.items():
        base = next((one for one in row if one.column == "numpy" and one.error is None), None)
        for one in row:
            if one.error is not None:
                rows.append((f"{assets} x {lookback}", one.column, "failed", "", "", ""))
                continue
            against = times(one.facts["p50"] / base.facts["p50"]) if base is not None else ""
            facts = one.facts
            rows.append(
                (f"{assets} x {lookback}", one.column, seconds(facts["p50"]), seconds(facts["p99"]), against, f"{facts['bars']:,.0f}")
            )
    return Table(
        "Latency of one bar, ten expressions",
        ("assets x look-back", "way", "p50", "p99", "times numpy", "bars"),
        tuple(rows),
        (
            "Each includes keeping its window. Engine: the whole walk of a bar, with target, orders, fills and books.",
            "Callback: the same walk with an on_bar callback, which reads the last close, in place of the expressions.",
        ),
    )
