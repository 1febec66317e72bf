"""``python -m benchmarks check``: has anything become slower, or wrong? Ratios are compared, never seconds.

Each workload is run in turns with something whose speed our code does not change, in one process: the hand-written pass, or plain Python.
The results of both have to agree. How many times longer ours takes is compared with ``thresholds.json``; what is over is measured once
more, longer, before it counts. ``--accept`` writes the file anew: what was measured, and a half more: other processors have other ratios.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

import rustybt as rbt
from benchmarks import report
from benchmarks.baseline import bars as plain_bars
from benchmarks.baseline import indicators, money
from benchmarks.columns import floor, ours, swept
from benchmarks.markets import Market, draw
from benchmarks.models import Findings, Table
from benchmarks.report import seconds, times
from rustybt.spec.lower import lower
from rustybt.spec.nodes import parse
from rustybt.spec.planner import SignalPlan

FILE = Path(__file__).with_name("thresholds.json")
ROUNDS, AGAIN, BUDGET, SLACK = 5, 15, 4.0, 1.5
MINUTE = 60_000_000


@dataclass(frozen=True)
class Pair:
    """A workload both ways.

    Attributes:
        name: as in the file.
        ours: what is watched. beside: what it is compared with.
        differ: says how the results of the two differ; empty where they agree.
    """

    name: str
    ours: Callable[[], Any]
    beside: Callable[[], Any]
    differ: Callable[[Any, Any], str]


@dataclass(frozen=True)
class Compared:
    """A workload measured: processor seconds of both, medians; the median ratio of the rounds; what is wrong."""

    name: str
    ours: float
    beside: float
    ratio: float
    wrong: str


def against_floor(name: str) -> Pair:
    """A workload of the benchmark beside the hand-written pass."""
    module = swept if "x1000" in name else ours
    one, other = module.prepare({"workload": name}), floor.prepare({"workload": name})

    def differ(a: Any, b: Any) -> str:
        found = [(f"{float(facts['final_equity']):,.3f}", int(facts["orders"])) for facts in (a, b)]
        return "" if found[0] == found[1] else f"{found[0][0]} after {found[0][1]:,} orders, expected {found[1][0]} after {found[1][1]:,}"

    return Pair(name, one.run, other.run, differ)


def windows(count: int) -> Pair:
    """Features beside plain Python."""
    drawn = draw(Market(21, 1, count, 0.0, 0.01, 100.0, daily=False))
    panel, cents = rbt.load(ours.frame_of(drawn)), drawn.close[0].tolist()
    close = pl.col("close")
    wanted = {
        "mean": close.rolling_mean(20),
        "highest": close.rolling_max(20),
        "deviation": close.rolling_std(20),
        "smoothed": close.ewm_mean(span=20, adjust=False),
    }
    terms = {name: parse(expr) for name, expr in wanted.items()}

    def evaluated() -> dict[str, list[float | None]]:
        frame = SignalPlan(lower(terms)).evaluate(panel.frame, panel)
        return {name: frame[name].to_list() for name in terms}

    def by_hand() -> dict[str, list[float | None]]:
        return {name: getattr(indicators, name)(cents, 20) for name in wanted}

    return Pair("windows", evaluated, by_hand, unlike)


def unlike(a: dict[str, list[float | None]], b: dict[str, list[float | None]]) -> str:
    """The first value of two sets of columns that differs by more than 1e-9 of itself."""
    for name, column in b.items():
        for t, (one, other) in enumerate(zip(a[name], column, strict=True)):
            if one is None or other is None:
                far = one is not other
            else:
                far = abs(one - other) > 1e-9 * max(1.0, abs(other))
            if far:
                return f"{name}, bar {t}: {one}, expected {other}"
    return ""


def coarser(count: int) -> Pair:
    """Bars of five minutes beside plain Python."""
    frame = ours.frame_of(draw(Market(22, 1, count, 0.0, 0.001, 100.0, daily=False)))
    names = ("ts", "open", "high", "low", "close", "volume")
    rows = frame.select(pl.col("ts").to_physical(), *names[1:]).rows()

    def made() -> list[tuple[Any, ...]]:
        return rbt.resample(frame, "5m").select(pl.col("ts").to_physical(), *names[1:]).rows()

    def by_hand() -> list[tuple[Any, ...]]:
        return [tuple(getattr(bar, name) for name in names) for bar in plain_bars.coarser(rows, 5 * MINUTE)]

    def differ(a: list[Any], b: list[Any]) -> str:
        if a == b:
            return ""
        return f"{len(a):,} bars, expected {len(b):,}; first difference: {next(((x, y) for x, y in zip(a, b, strict=False) if x != y), '')}"

    return Pair("coarser", made, by_hand, differ)


def books(count: int) -> Pair:
    """A run with its books beside decimals in plain Python, equal to the last digit at every bar."""
    drawn = draw(Market(23, 1, count, 0.0, 0.01, 100.0, daily=True))
    panel, strategy = rbt.load(ours.frame_of(drawn)), ours.crossing(5, 20)
    opened, close = drawn.open[0].tolist(), drawn.close[0].tolist()
    terms = money.Terms(5, 20, 100, Decimal(1_000_000), Decimal("0.001"))

    def ran() -> tuple[list[Decimal], int]:
        result = rbt.run(strategy, panel, cash=1_000_000, costs=rbt.costs(commission=rbt.bps(10)), money_scale=8)
        counts = result.counts()
        return result.equity["equity"].to_list(), counts["orders"] - counts["working"]

    def differ(a: tuple[list[Decimal], int], b: tuple[list[Decimal], int]) -> str:
        at = next((t for t, (x, y) in enumerate(zip(a[0], b[0], strict=True)) if x != y), None)
        if at is not None:
            return f"bar {at}: {a[0][at]}, expected {b[0][at]}"
        return "" if a[1] == b[1] else f"{a[1]} orders, expected {b[1]}"

    return Pair("books", ran, lambda: money.account(opened, close, terms), differ)


PAIRS: dict[str, Callable[[], Pair]] = {
    **{name: partial(against_floor, name) for name in ("W1", "W2 x1000", "W3", "W4", "W6", "W7", "W7 orders", "W8", "W9")},
    "windows": partial(windows, 20_000),
    "coarser": partial(coarser, 50_000),
    "books": partial(books, 5_000),
}


def compare(pair: Pair, rounds: int, budget: float = BUDGET) -> Compared:
    """Run both in turns; the first call of each, which compiles and loads, gives the results and no time."""
    wrong = pair.differ(pair.ours(), pair.beside())
    repeats = [max(1, int(0.02 / max(once(run), 1e-6))) for run in (pair.ours, pair.beside)]
    taken: list[tuple[float, float]] = []
    until = time.perf_counter() + budget
    while len(taken) < rounds or (len(taken) < 3 * rounds and time.perf_counter() < until):
        taken.append((once(pair.ours, repeats[0]), once(pair.beside, repeats[1])))
    middle = [statistics.median(side) for side in zip(*taken, strict=True)]
    return Compared(pair.name, middle[0], middle[1], statistics.median(a / b for a, b in taken), wrong)


def once(run: Callable[[], Any], repeats: int = 1) -> float:
    """Processor seconds of this process for one call, of several on end."""
    gc.collect()
    began = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - began) / repeats


def judged(one: Compared, most: float | None) -> str:
    """What is said of a workload."""
    if one.wrong:
        return f"wrong: {one.wrong}"
    if most is None:
        return "no threshold: run --accept"
    return "ok" if one.ratio <= most else f"slower: {times(one.ratio / most)} times the limit"


def check(only: Sequence[str], limits: dict[str, float], say: Callable[[str], None]) -> list[tuple[Compared, str]]:
    """Every workload and what is said of it."""
    found = []
    for name in only or tuple(PAIRS):
        say(f"check: {name}")
        pair = PAIRS[name]()
        one = compare(pair, ROUNDS)
        if judged(one, limits.get(name)).startswith("slower"):
            say(f"check: {name}, once more")
            again = compare(pair, AGAIN, 3 * BUDGET)
            one = min(one, again, key=lambda compared: compared.ratio)
        found.append((one, judged(one, limits.get(name))))
    return found


def table(found: Sequence[tuple[Compared, str]], limits: dict[str, float]) -> Table:
    """What was measured beside what is allowed."""
    rows = tuple(
        (one.name, said, seconds(one.ours), seconds(one.beside), times(one.ratio), times(limits[one.name]) if one.name in limits else "")
        for one, said in found
    )
    words = ("Processor time; beside: the hand-written pass, or plain Python (windows, coarser, books). Ratio: ours to it.",)
    return Table("Ratios", ("workload", "", "ours", "beside", "ratio", "at most"), rows, words)


def main(given: Sequence[str]) -> int:
    """Check; 1 when a workload is slower than allowed, or wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks check", description="Compare ratios with thresholds.json.")
    parser.add_argument("--only", nargs="+", default=(), choices=tuple(PAIRS), metavar="W", help="workloads: " + ", ".join(PAIRS))
    parser.add_argument("--accept", action="store_true", help="write what was measured as the new thresholds")
    parser.add_argument("--thresholds", type=Path, default=FILE, help="the file")
    typed = parser.parse_args(given)
    limits: dict[str, float] = json.loads(typed.thresholds.read_text(encoding="utf-8")) if typed.thresholds.is_file() else {}
    progress = Console(stderr=True)
    found = check(typed.only, {} if typed.accept else limits, lambda line: progress.print(line, style="dim", highlight=False))
    wrong = any(one.wrong for one, _ in found)
    if typed.accept and not wrong:
        limits |= {one.name: round(one.ratio * SLACK, 4) for one, _ in found}
        typed.thresholds.write_text(json.dumps({name: limits[name] for name in PAIRS if name in limits}, indent=1) + "\n", encoding="utf-8")
        found = [(one, judged(one, limits[one.name])) for one, _ in found]
    report.show(Findings("check", (), (table(found, limits),)), Console(width=None if sys.stdout.isatty() else 160))
    bad = [one.name for one, said in found if said != "ok"]
    if bad:
        progress.print(f"not as it should be: {', '.join(bad)}", style="red", highlight=False)
    return int(bool(bad))
