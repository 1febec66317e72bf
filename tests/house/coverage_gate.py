"""After the tests have run under coverage: is enough of each room reached? Prints one line per gate and fails below any."""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path

from coverage import Coverage

GATES = {
    "": 90.0,
    "rustybt/model": 95.0,
    "rustybt/execution": 95.0,
    "rustybt/ledger": 95.0,
    "rustybt/kernel": 95.0,
    "rustybt/analysis/metrics": 95.0,
}


def measured(coverage: Coverage) -> dict[str, tuple[int, int]]:
    """Per file the executed and all executable lines."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(out))
        files = json.loads(out.read_text(encoding="utf-8"))["files"]
    return {path: (row["summary"]["covered_lines"], row["summary"]["num_statements"]) for path, row in files.items()}


def percent(files: dict[str, tuple[int, int]], room: str) -> float | None:
    """Share of executed lines under a folder in percent, None where there is none."""
    rows = [row for path, row in files.items() if not room or path.startswith(f"{room}/")]
    total = sum(lines for _, lines in rows)
    return 100.0 * sum(done for done, _ in rows) / total if total else None


def main() -> int:
    """Combine what the processes wrote, print the table, compare with the gates."""
    coverage = Coverage()
    if any(Path().glob(".coverage.*")):
        coverage.combine(keep=False)
        coverage.save()
    coverage.load()
    table = io.StringIO()
    coverage.report(file=table, skip_covered=True, show_missing=True, sort="cover")
    print(table.getvalue())
    files, low = measured(coverage), 0
    for room, gate in GATES.items():
        share = percent(files, room)
        if share is None:
            low += 1
        shown = "no lines" if share is None else f"{share:.1f} %"
        verdict = "ok" if share is not None and share >= gate else "TOO LOW"
        low += share is not None and share < gate
        print(f"{room or 'everything':<28} {shown:>9}  at least {gate:.0f} %  {verdict}")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
