"""``python -m benchmarks.differential``: the same strategies in other engines on real bars, fill for fill.

Prints a table and writes ``docs/comparison.md``. Ends with 1 when a difference has no explanation.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console

from benchmarks import peers, report
from benchmarks.environments import environment
from benchmarks.episodes import ENTRY_BAR, ENTRY_HIGH, Comparison, compare
from benchmarks.markets import FIELDS, Floats
from benchmarks.models import Findings, Table, Task
from benchmarks.processes import Process
from rustybt.data.demo import BARS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "comparison.md"
TEMPLATE = Path(__file__).with_name("peers") / "comparison.md.in"
OURS = "rustybt"

HISTORIES = {
    ("IBM",): date(2000, 3, 1),
    ("MSFT",): date(2003, 2, 18),
    ("AAPL",): date(2005, 2, 28),
    ("GOOG",): date(2004, 8, 19),
    ("FB",): date(2012, 5, 18),
    ("AAPL", "GOOG", "IBM", "MSFT"): date(2005, 2, 28),
}
"""Assets and the session from which on they had no split, up to 2013-03-01. Other engines do not restate positions."""
PORTFOLIO = ("AAPL", "GOOG", "IBM", "MSFT")
SINGLE = tuple(assets for assets in HISTORIES if len(assets) == 1)
PLAYS: dict[str, list[tuple[tuple[str, ...], float]]] = {
    "cross": [(assets, 0.0) for assets in SINGLE],
    "rebalance": [(PORTFOLIO, 0.24), (("IBM",), 0.5)],
    "fractional": [(PORTFOLIO, 0.24)],
    "bracket": [(assets, 0.0) for assets in SINGLE],
    "trail": [(assets, 0.0) for assets in SINGLE],
    "limit": [(assets, 0.0) for assets in SINGLE],
}
WORDS = {
    "cross": f"{peers.SHARES} shares while SMA{peers.FAST} > SMA{peers.SLOW}",
    "rebalance": f"equal weights every {peers.MONTH} bars, whole shares, sized at the close of the decision",
    "fractional": f"equal weights every {peers.MONTH} bars, fractions of a share, sized at the open that fills",
    "bracket": f"if flat, {peers.SHARES} shares every {peers.EVERY} bars; stop {peers.STOP:.0%}, take-profit {peers.TAKE:.0%}",
    "trail": f"if flat, {peers.SHARES} shares every {peers.EVERY} bars; trailing stop {peers.TRAIL:.0%}",
    "limit": f"limit orders for one bar, {peers.SHARES} shares: if flat at {peers.BID:.0%} of the close, else to sell at {peers.OFFER:.0%}",
}


@dataclass(frozen=True)
class Engine:
    """Another product.

    Attributes:
        name: of the product and of its environment.
        module: below `benchmarks.peers`.
        plays: strategies that its documented settings can say; single: whether it takes one asset only.
        late: whether its trailing stops leave out the high of the bar of entry.
    """

    name: str
    module: str
    plays: tuple[str, ...]
    single: bool = False
    late: bool = False


ENGINES = (
    Engine("vectorbt", "vectorized", ("cross", "fractional", "bracket", "trail"), late=True),
    Engine("backtrader", "looped", ("cross", "rebalance", "bracket", "trail", "limit")),
    Engine("backtesting", "single", ("cross", "rebalance", "bracket", "trail", "limit"), single=True),
)


@dataclass(frozen=True)
class Row:
    """One strategy in one engine, over its histories."""

    strategy: str
    engine: str
    found: tuple[Comparison, ...]
    equity: tuple[float, float]

    def sum(self, name: str) -> int:
        """A count over all histories."""
        return sum(getattr(one, name) for one in self.found)

    @property
    def episodes(self) -> int:
        """Places where the two part."""
        return sum(len(one.episodes) for one in self.found)


def stored(folder: Path) -> Path:
    """The embedded bars, raw and without dividends, as arrays that every environment can read."""
    bars = pl.read_parquet(BARS).sort("asset", "ts")
    arrays: dict[str, Any] = {}
    for assets, start in HISTORIES.items():
        name = "+".join(assets)
        for asset in assets:
            own = bars.filter((pl.col("asset") == asset) & (pl.col("ts").dt.date() >= start))
            days = own["ts"].cast(pl.Date).to_numpy().astype("datetime64[D]")
            assert f"{name}/days" not in arrays or np.array_equal(arrays[f"{name}/days"], days), (
                "the assets of a portfolio have one calendar"
            )
            arrays[f"{name}/days"] = days
            arrays |= {f"{name}/{asset}/{field}": own[field].cast(pl.Float64).to_numpy() for field in FIELDS}
    np.savez(folder / "bars.npz", **arrays)
    return folder / "bars.npz"


def case_of(file: Path, plays: Sequence[str], single: bool) -> dict[str, Any]:
    """What a worker is told."""
    chosen = [(name, assets, weight) for name in plays for assets, weight in PLAYS[name] if len(assets) == 1 or not single]
    return {"file": str(file), "plays": chosen}


def ran(module: str, case: dict[str, Any], python: str | None) -> tuple[Mapping[str, Any], str]:
    """The facts and the version of an engine."""
    process = Process(Task(module, f"benchmarks.peers.{module}", case, python))
    try:
        if process.alive:
            process.run()
        done = process.stop()
    finally:
        process.close()
    if done.error:
        raise RuntimeError(f"{module}: {done.error}")
    return done.facts, str(done.notes["version"])


def measure(say: Any) -> tuple[list[Row], list[str]]:
    """Run every engine; rows of the table, and a line about each engine."""
    rows, lines = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = stored(Path(folder))
        say(f"{OURS}: {sum(map(len, PLAYS.values()))} runs")
        ours, version = ran("ours", case_of(file, tuple(PLAYS), single=False), None)
        lines.append(f"{OURS} {version}")
        for engine in ENGINES:
            python, trouble = environment(engine.name)
            if python is None:
                say(f"skipped: {trouble}")
                lines.append(f"skipped: {trouble}")
                continue
            say(f"{engine.name}: {', '.join(engine.plays)}")
            case = case_of(file, engine.plays, engine.single)
            theirs, version = ran(engine.module, case, str(python))
            lines.append(f"{engine.name} {version}")
            highs = {play.name: play.prices["high"] for play in peers.plays_of(case)} if engine.late else {}
            rows += [row_of(strategy, engine, (ours, theirs), highs) for strategy in engine.plays]
    return rows, lines


def row_of(strategy: str, engine: Engine, facts: tuple[Mapping[str, Any], Mapping[str, Any]], highs: Mapping[str, Floats]) -> Row:
    """One strategy in one engine beside ours."""
    ours, theirs = facts
    names = [f"{strategy} {'+'.join(assets)}" for assets, _ in PLAYS[strategy] if len(assets) == 1 or not engine.single]
    found = tuple(compare(ours["fills"][name], theirs["fills"][name], highs.get(name) if strategy == "trail" else None) for name in names)
    worth = (sum(ours["equity"][name] for name in names), sum(theirs["equity"][name] for name in names))
    return Row(strategy, engine.name, found, worth)


def table_of(rows: Sequence[Row]) -> Table:
    """The rows as text."""
    head = ("strategy", "engine", "histories", "fills", "theirs", "equal", "price apart", "places", "unexplained", "equity apart")
    cells = tuple(
        (
            row.strategy,
            row.engine,
            str(len(row.found)),
            f"{row.sum('ours'):,}",
            f"{row.sum('theirs'):,}",
            f"{row.sum('equal'):,}",
            f"{max(one.apart for one in row.found):.4f}",
            str(row.episodes),
            str(row.sum("unexplained")),
            f"{row.equity[0] - row.equity[1]:,.2f}",
        )
        for row in rows
    )
    return Table("Fill for fill", head, cells)


def page_of(rows: Sequence[Row], lines: Sequence[str]) -> str:
    """The page of the docs."""
    table = table_of(rows)
    body = "\n".join("| " + " | ".join(cells) + " |" for cells in table.rows)
    causes = [one.cause for row in rows for found in row.found for one in found.episodes]
    plays = "\n".join(f"| `{name}` | {words} |" for name, words in WORDS.items())
    return TEMPLATE.read_text().format(
        engines=", ".join(lines),
        plays=plays,
        head=" | ".join(table.head),
        rule="|---" * len(table.head) + "|",
        body=body,
        equal=f"{sum(row.sum('equal') for row in rows):,}",
        all=f"{sum(row.sum('ours') for row in rows):,}",
        entry=causes.count(ENTRY_BAR),
        peak=causes.count(ENTRY_HIGH),
    )


def main(given: Sequence[str] | None = None) -> int:
    """Run, show, write the page; 1 when something is unexplained."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differential", description="The same strategies in other engines.")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write")
    typed = parser.parse_args(given)
    progress = Console(stderr=True)
    rows, lines = measure(lambda line: progress.print(line, style="dim", highlight=False))
    report.show(Findings("differential", (), (table_of(rows),)), Console(width=None if sys.stdout.isatty() else 160))
    if len(lines) == len(ENGINES) + 1 and not any(line.startswith("skipped") for line in lines):
        typed.page.write_text(page_of(rows, lines))
        progress.print(f"written: {typed.page}", style="dim", highlight=False)
    return int(any(row.sum("unexplained") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
