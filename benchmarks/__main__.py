"""``python -m benchmarks [suite ...]``: measure, show, write ``out/results.json`` and ``out/results.md``.

Or ``check``, ``against``, ``profile``: see `check`, `against` and `profiling`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import (
    against,
    check,
    cluster,
    exactness,
    ingestion,
    latency,
    opening,
    parts,
    profiling,
    report,
    scale,
    scanning,
    sweeping,
    workloads,
)
from benchmarks.cases import CASES
from benchmarks.columns import COLUMNS
from benchmarks.models import Findings


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast, how small and how exact, measured here.")
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"{', '.join(SUITES)}; all when none is named")
    parser.add_argument("--only", nargs="+", default=(), choices=tuple(CASES), metavar="W", help="workloads: " + ", ".join(CASES))
    parser.add_argument("--columns", nargs="+", default=tuple(COLUMNS), choices=tuple(COLUMNS), help="columns of the workloads")
    parser.add_argument("--rounds", type=int, help="warm runs of each process; as many as the budget holds unless given")
    parser.add_argument("--budget", type=float, default=8.0, help="seconds of warm runs of the slowest process in a comparison")
    parser.add_argument("--cold", type=int, default=5, help="rounds of whole processes; 0 = none")
    parser.add_argument("--apart", action="store_true", help="workloads: one process after the other, none waits for another in between")
    parser.add_argument("--small", action="store_true", help="leave out the sizes that take minutes")
    parser.add_argument("--out", type=Path, default=report.OUT, help="folder of the results")
    typed = parser.parse_args(given)
    unknown = set(typed.suites) - set(SUITES)
    if unknown:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    return typed


def run_workloads(typed: argparse.Namespace, say: Callable[[str], None]) -> Findings:
    """The seven workloads."""
    options = workloads.Options(tuple(typed.only), tuple(typed.columns), typed.rounds, typed.budget, typed.cold, typed.apart)
    return workloads.measure(options, say)


SUITES: dict[str, Callable[[argparse.Namespace, Callable[[str], None]], Findings]] = {
    "workloads": run_workloads,
    "exactness": lambda typed, say: exactness.measure(typed.only, typed.budget, say),
    "parts": lambda typed, say: parts.measure(typed.only, typed.rounds, say),
    "scale": lambda typed, say: scale.measure(typed.small, say),
    "opening": lambda typed, say: opening.measure(typed.small, typed.rounds, say),
    "cluster": lambda typed, say: cluster.measure(typed.small, say),
    "ingestion": lambda typed, say: ingestion.measure(typed.small, typed.rounds, say),
    "scanning": lambda typed, say: scanning.measure(typed.small, typed.rounds, say),
    "sweeps": lambda typed, say: sweeping.measure(typed.small, typed.rounds, say),
    "latency": lambda typed, say: latency.measure(typed.small, typed.rounds, say),
}
ALONE: dict[str, Callable[[Sequence[str]], int]] = {"check": check.main, "against": against.main, "profile": profiling.main}


def main(given: Sequence[str] | None = None) -> int:
    """Run the suites that were named; 1 when a result was wrong. `ALONE` are commands of their own."""
    os.environ.setdefault("RUSTYBT_PREPARED", "off")  # every run makes what it needs
    words = sys.argv[1:] if given is None else list(given)
    if words and words[0] in ALONE:
        return ALONE[words[0]](words[1:])
    typed = arguments(words)
    shown, progress = Console(width=None if sys.stdout.isatty() else 160), Console(stderr=True)
    found = []
    for name in typed.suites or SUITES:
        findings = SUITES[name](typed, lambda line: progress.print(line, style="dim", highlight=False))
        report.show(findings, shown)
        found.append(findings)
    for path in report.write(found, typed.out):
        progress.print(f"written: {path}", style="dim", highlight=False)
    return int(any(findings.wrong for findings in found))


if __name__ == "__main__":
    sys.exit(main())
