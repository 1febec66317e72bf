"""How long it takes to have a catalogued set of daily bars ready for the engine."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

from benchmarks.environments import environment
from benchmarks.models import Findings, Goal, Table, Task
from benchmarks.processes import side_by_side
from benchmarks.report import seconds, times

MODULE = "benchmarks.columns.opening"
WAYS = ("catalog", "kept", "door", "polars", "pandas", "pandas grid")
ZIPLINE = "zipline"
SIZE = {"assets": 505, "bars": 1259}
SMALL = {"assets": 50, "bars": 250}
WANTED, KEPT = 0.050, 0.100
NOTES = (
    "catalog: Catalog.open, the panel with frame, grid and index. door: rbt.load of a Parquet file, with every check.",
    "kept: the same rbt.load a second time, its panel kept on the disk: file and entry are read whole and compared with their sums.",
    "polars: the snapshot's exact decimals as a frame.",
    "zipline: BcolzDailyBarReader of zipline-reloaded, opened, and the five arrays of all assets and days.",
    "pandas: read_parquet of the same bars as doubles. pandas grid: and four tables of time by asset.",
)


def measure(small: bool, rounds: int | None, say: Callable[[str], None]) -> Findings:
    """Every way, taking turns."""
    size = SMALL if small else SIZE
    say(f"opening: {size['assets']} assets x {size['bars']} bars")
    tasks = [Task(way, MODULE, {"way": way, **size}) for way in WAYS]
    python, missing = (None, "") if small else environment(ZIPLINE)
    if python is not None:
        tasks.append(Task(ZIPLINE, "benchmarks.columns.bundled", dict(size), str(python)))
    found = side_by_side(tasks, rounds=rounds)
    warm = {one.column: statistics.median(one.seconds[1:] or one.seconds) for one in found if one.error is None}
    wrong = [f"{one.column}: {one.error}" for one in found if one.error]
    sums = [one.facts["sum"] for one in found if one.error is None]
    wrong += [] if all(math.isclose(one, sums[0], rel_tol=1e-9) for one in sums) else ["the ways do not read the same bars"]
    ours = warm.get("catalog", math.nan)
    kept = next((one.facts["cpu_s"] for one in found if one.column == "kept" and one.error is None), math.nan)
    rows = tuple((way, seconds(warm[way]), times(warm[way] / ours)) for way in (*WAYS, ZIPLINE) if way in warm)
    table = Table(
        f"Opening {size['assets']} assets x {size['bars']} daily bars, warm",
        ("way", "median", "times catalog"),
        rows,
        (*NOTES, *([missing] if missing else [])),
    )
    goals = (
        Goal("catalogued panel, milliseconds", ours * 1000, WANTED * 1000, least=False, unit="ms"),
        Goal("a file loaded a second time, milliseconds of the processor", kept * 1000, KEPT * 1000, least=False, unit="ms"),
        Goal("times faster than pandas reading the same bars", warm.get("pandas", math.nan) / ours, 3.0),
        *([Goal("times faster than zipline-reloaded reading its bundle", warm[ZIPLINE] / ours, 20.0)] if ZIPLINE in warm else []),
    )
    return Findings("opening", tuple(found), (table,), goals, tuple(wrong))
