"""Findings shown: rich tables on a terminal, Markdown for the docs, JSON for other tools."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import rich.box
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.models import Findings, Goal, Table

OUT = Path(os.environ.get("RUSTYBT_BENCH_OUT", Path(__file__).resolve().parent / "out"))


def seconds(value: float) -> str:
    """A duration in the unit that suits it.

    Example:
        >>> seconds(0.0000123), seconds(0.0456), seconds(7.0)
        ('12.3 us', '45.6 ms', '7 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size or unit == "us":
            return f"{value / size:.3g} {unit}"
    raise AssertionError


def times(value: float) -> str:
    """A ratio.

    Example:
        >>> times(0.01234), times(5.678), times(1234.5)
        ('0.0123', '5.68', '1,234')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def mebibytes(value: float) -> str:
    """Memory."""
    return f"{value:,.0f}"


def show(findings: Findings, console: Console) -> None:
    """On the terminal."""
    for table in findings.tables:
        view = RichTable(title=table.title, title_justify="left", box=rich.box.SIMPLE_HEAD)
        for number, name in enumerate(table.head):
            view.add_column(name, justify="left" if number < 2 else "right", no_wrap=number < 2)
        for row in table.rows:
            view.add_row(*row)
        console.print(view)
        for note in table.notes:
            console.print(f"  {note}", style="dim")
    for goal in findings.goals:
        console.print(f"  {'met ' if goal.met else 'MISSED'}  {sentence(goal)}", style=None if goal.met else "bold yellow")
    for line in findings.wrong:
        console.print(f"  WRONG  {line}", style="bold red")


def sentence(goal: Goal) -> str:
    """A goal in words."""
    bound = "at least" if goal.least else "at most"
    return f"{goal.name}: {times(goal.measured)} {goal.unit}, wanted {bound} {times(goal.wanted)} {goal.unit}"


def markdown(found: Iterable[Findings]) -> str:
    """All suites as a Markdown page."""
    facts = machine()
    where = f"{facts['processor']}, {facts['cores']} cores, load {facts['load']}, {facts['system']}, Python {facts['python']}"
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    lines = ["# Measured", "", f"{facts['when'][:10]}, {where}, {versions}."]
    for findings in found:
        for table in findings.tables:
            lines += ["", f"## {table.title}", "", *_rows(table)]
            lines += ["", *(f"* {note}" for note in table.notes)] if table.notes else []
        lines += ["", *(f"* {'met' if goal.met else '**missed**'}: {sentence(goal)}" for goal in findings.goals)] if findings.goals else []
        lines += ["", *(f"* **wrong**: {line}" for line in findings.wrong)] if findings.wrong else []
    return "\n".join(lines) + "\n"


def _rows(table: Table) -> list[str]:
    rule = ["---" if number < 2 else "---:" for number in range(len(table.head))]
    return ["| " + " | ".join(cells) + " |" for cells in (table.head, rule, *table.rows)]


def write(found: Sequence[Findings], folder: Path) -> tuple[Path, Path]:
    """results.json and results.md. Suites that were not run this time keep their last numbers in the JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    target, page = folder / "results.json", folder / "results.md"
    before: dict[str, Any] = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    suites = before.get("suites", {}) | {one.suite: {"machine": machine(), **one.to_dict()} for one in found}
    target.write_text(json.dumps({"format": 1, "suites": suites}, indent=1) + "\n", encoding="utf-8")
    page.write_text(markdown(found), encoding="utf-8")
    return target, page


def machine() -> dict[str, Any]:
    """Where and when."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("rustybt", "polars", "numpy", "numba")},
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"
