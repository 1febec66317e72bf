"""One measured process: prepares a case, then runs it each time it is told to.

    python -m benchmarks.worker MODULE CASE_AS_JSON          lines on standard input: run, stop
    python -m benchmarks.worker MODULE CASE_AS_JSON --once   run once and end, for the wall clock of whole processes

Answers are JSON lines on standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

from benchmarks.timing import age, peak_mib


def answer(**facts: Any) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(facts, default=float) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Prepare, then serve."""
    module, case, *rest = arguments
    os.environ.setdefault("RUSTYBT_PREPARED", "off")  # every run makes what it needs
    prepare = importlib.import_module(module).prepare
    imported = age()
    began = time.perf_counter()
    job = prepare(json.loads(case))
    answer(import_s=imported, prepare_s=time.perf_counter() - began, before=peak_mib(), **job.notes)
    for order in ["run", "stop"] if rest == ["--once"] else map(str.strip, sys.stdin):
        if order != "run":
            break
        if job.before is not None:
            job.before()
        began, busy = time.perf_counter(), time.process_time()
        facts = job.run()
        taken, busy = time.perf_counter() - began, time.process_time() - busy
        answer(seconds=taken, busy=busy, facts=facts)
    answer(peak=peak_mib())


if __name__ == "__main__":
    main(sys.argv[1:])
