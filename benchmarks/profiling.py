"""``python -m benchmarks profile W1 ...``: which functions a workload spends its time in, each with its share of the whole."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks import report
from benchmarks.against import pair
from benchmarks.cases import CASES
from benchmarks.models import Findings, Job, Table
from benchmarks.report import seconds

ROOT, LINES = Path(__file__).resolve().parents[1], 20


def profiled(name: str, job: Job, runs: int = 3) -> Table:
    """The functions in which most time is spent, their own, of some runs after the first.

    Compiled code is part of the function that calls it.
    """
    job.run()
    profile = cProfile.Profile()
    for _ in range(runs):
        if job.before is not None:
            job.before()
        profile.runcall(job.run)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # not in its stub
    whole = sum(own for _, _, own, _, _ in stats.values()) or 1.0
    lines = sorted(stats.items(), key=lambda line: -line[1][2])[:LINES]
    rows = (
        (_named(place), f"{own / whole:.1%}", f"{total / whole:.1%}", seconds(own / runs), f"{calls / runs:,.0f}")
        for place, (_, calls, own, total, _) in lines
    )
    return Table(f"Where the time of {name} goes", ("function", "own", "with what it calls", "a run", "calls"), tuple(rows))


def _named(place: tuple[str, int, str]) -> str:
    file, line, function = place
    path = Path(file)
    return function if file == "~" else f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{line} {function}"


def main(given: Sequence[str]) -> int:
    """Profile, and show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks profile", description="Where the time of a workload goes.")
    parser.add_argument("workloads", nargs="+", choices=tuple(CASES), metavar="W", help=", ".join(CASES))
    typed = parser.parse_args(given)
    tables = []
    for name in typed.workloads:
        _, task = pair(name, ROOT, Path(sys.executable))
        tables.append(profiled(name, import_module(task.module).prepare(task.case)))
    report.show(Findings("profile", (), tuple(tables)), Console(width=None if sys.stdout.isatty() else 160))
    return 0
