"""Time and memory against the size of the market: cost should be linear in assets and in bars."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import markets
from benchmarks.markets import Market, draw
from benchmarks.models import Findings, Goal, Measured, Table, Task
from benchmarks.processes import side_by_side
from benchmarks.report import mebibytes, seconds

MODULE = "benchmarks.columns.sized"
MIDDLE = {"assets": 500, "bars": 1_000_000}
"""The sizes that the largest ones are compared with, row for row."""
LINEAR = 1.5
QUICK, TIMES = 2_000_000, 3
"""Rows up to which a size is run in so many processes, of which the median counts."""
PEAK_MIB = 600.0


@dataclass(frozen=True)
class Size:
    """One market to be run.

    Attributes:
        assets, bars: its shape; daily bars for several assets, minutes for one.
        strategy: ``spread`` (trend of every asset at every bar) or ``momentum``.
        curve: ``assets`` or ``bars`` where it is a point of a curve.
    """

    assets: int
    bars: int
    strategy: str = "spread"
    curve: str = ""

    @property
    def name(self) -> str:
        """As in the table."""
        return f"{self.assets:,} x {self.bars:,}"


def sizes(small: bool) -> list[Size]:
    """What is run; the small selection takes seconds."""
    assets = (10, 50, 100) if small else (10, 50, 100, 500, 1_000, 5_000)
    bars = (4, 5) if small else (4, 5, 6, 7)
    found = [Size(n, 2_520, curve="assets") for n in assets] + [Size(1, 10**k, curve="bars") for k in bars]
    return found if small else [*found, Size(500, 2_520, "momentum")]


def measure(small: bool, say: Callable[[str], None]) -> Findings:
    """Run every size in a process of its own, one after the other."""
    found: list[tuple[Size, Measured]] = []
    for size in sizes(small):
        say(f"scale: {size.name}, {size.strategy}")
        case = {"path": str(file_of(size)), "assets": size.assets, "bars": size.bars, "strategy": size.strategy}
        ran = [side_by_side([Task("rustybt", MODULE, case)], rounds=0)[0] for _ in range(1 if size.assets * size.bars > QUICK else TIMES)]
        found.append((size, middle(ran)))
    wrong = tuple(f"{size.name}, {size.strategy}: {one.error}" for size, one in found if one.error)
    return Findings("scale", tuple(one for _, one in found), (_table(found),), tuple(_goals(found)), wrong)


def middle(ran: list[Measured]) -> Measured:
    """The process with the median processor time of door and run; one that failed, if one did."""
    failed = [one for one in ran if one.error is not None]
    return failed[0] if failed else sorted(ran, key=lambda one: one.facts["door_cpu_s"] + one.facts["run_cpu_s"])[len(ran) // 2]


def file_of(size: Size) -> Path:
    """The market as a Parquet file, drawn when it is missing."""
    path = markets.FOLDER / f"scale_{size.assets}x{size.bars}.parquet"
    if not path.exists():
        from benchmarks.columns.ours import frame_of

        daily = size.assets > 1
        market = Market(7, size.assets, size.bars, 0.0, 0.02 if daily else 0.0005, 100.0 if daily else 1000.0, daily)
        markets.FOLDER.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        frame_of(draw(market)).write_parquet(part)
        part.replace(path)
    return path


def per_row(one: Measured, part: str) -> float:
    """Seconds of the processor per row of a part: what else the machine does leaves it nearly alone."""
    return float(one.facts[f"{part}_cpu_s"]) / float(one.facts["rows"])


def _table(found: list[tuple[Size, Measured]]) -> Table:
    rows = []
    for size, one in found:
        if one.error is not None:
            rows.append((size.name, size.strategy, "failed", *[""] * 7))
            continue
        facts = one.facts
        rows.append(
            (
                size.name,
                size.strategy,
                f"{facts['rows']:,}",
                f"{facts['fills']:,}",
                seconds(facts["door_s"]),
                f"{per_row(one, 'door') * 1e9:,.0f}",
                seconds(facts["run_s"]),
                f"{per_row(one, 'run') * 1e9:,.0f}",
                seconds(facts["frames_s"]),
                f"{mebibytes(one.peak)} (+{mebibytes(one.peak - one.before)})",
            )
        )
    head = ("assets x bars", "strategy", "rows", "fills", "door", "ns a row", "run", "ns a row", "frames", "peak MiB")
    words = (
        "Door: from a Parquet file to a validated panel. Run: to orders, fills, equity and metrics in arrays.",
        "Both by the clock, once, and in processor time on all threads per row.",
        "Frames: orders, fills and equity as Decimal frames, trades matched, every metric. Peak: of all of it.",
    )
    return Table("Scale", head, tuple(rows), words)


def _goals(found: list[tuple[Size, Measured]]) -> list[Goal]:
    goals = []
    for curve, middle in MIDDLE.items():
        points = {(s.assets if curve == "assets" else s.bars): one for s, one in found if s.curve == curve and one.error is None}
        if middle in points and max(points) > middle:
            for part in ("door", "run"):
                growth = per_row(points[max(points)], part) / per_row(points[middle], part)
                name = f"{part}, cost of a row at {max(points):,} {curve} against {middle:,}"
                goals.append(Goal(name, growth, LINEAR, least=False))
    for size, one in found:
        if (size.assets, size.bars) == (500, 2_520) and one.error is None:
            goals.append(Goal(f"{size.name}, {size.strategy}: peak from file to metrics", one.peak, PEAK_MIB, least=False, unit="MiB"))
    return goals
