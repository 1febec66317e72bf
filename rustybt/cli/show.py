"""What the commands print: tables for people, one JSON document for programs, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    import polars as pl

    from rustybt.sweeps.judgement import Judgement

WIDE = 160
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)

HEADLINE = (
    ("total_return", "Total return", "percent"),
    ("cagr", "CAGR", "percent"),
    ("volatility", "Volatility", "percent"),
    ("sharpe", "Sharpe", "ratio"),
    ("sortino", "Sortino", "ratio"),
    ("calmar", "Calmar", "ratio"),
    ("max_drawdown", "Max drawdown", "percent"),
    ("win_rate", "Win rate", "percent"),
    ("profit_factor", "Profit factor", "ratio"),
    ("average_exposure", "Average exposure", "percent"),
    ("turnover", "Turnover a year", "percent"),
)


def number(value: Any, unit: str) -> str:
    """A metric as people read it."""
    if value is None:
        return "-"
    return f"{value * 100:,.2f} %" if unit == "percent" else f"{value:,.2f}"


def money(text: str, currency: str) -> str:
    """An exact amount with thousands separators, cents rounded for the eye only."""
    from decimal import Decimal

    return f"{Decimal(text):,.2f} {currency}"


def emit(document: Mapping[str, Any]) -> None:
    """The one JSON document of a command."""
    print(json.dumps(document, default=str, indent=None))


def compile_if_cold(*, sweeps: bool = False) -> None:
    """Compile the kernel where it is not kept, all of it, so that this happens once; a line on stderr says so, since it takes a while.

    Args:
        sweeps: whether variants are going to be swept, which has a pass of its own.
    """
    from rustybt.kernel.mode import MODE
    from rustybt.kernel.warm import is_warm, keeps, warm

    if MODE != "compiled" or not keeps():
        return
    if not is_warm():
        err.print("compiling the kernel, once (about 15 seconds on two cores; rustybt warm does it beforehand) ...")
        warm()
    if sweeps:
        from rustybt.sweeps.warming import is_compiled

        if not is_compiled():
            err.print("compiling the pass over variants, once (about 5 seconds; rustybt warm does it beforehand) ...")


def say_if_reader_cold(source: str) -> None:
    """One line on stderr where large files are to be read by code that still has to be compiled."""
    from rustybt.data.compiling import will_compile
    from rustybt.data.sources import files_of

    if will_compile(files_of(source)):
        err.print("compiling the reader of large files, once (about 8 seconds; rustybt warm does it beforehand) ...")


@contextmanager
def working(what: str, *, quiet: bool = False) -> Iterator[None]:
    """A spinner with the elapsed work's name, on a terminal only."""
    if quiet or not err.is_terminal:
        yield
        return
    with err.status(escape(what)):
        yield


@contextmanager
def interruptible(kept: Callable[[], str]) -> Iterator[None]:
    """Work that Ctrl-C ends with one sentence on what is kept, and no traceback."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(escape(f"interrupted: {kept()}"))
        sys.exit(1)


def metrics_table(columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """Headline metrics, one column per run."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in columns:
        table.add_column(escape(name), justify="right")
    for key, label, unit in HEADLINE:
        table.add_row(label, *(number(values.get(key), unit) for values in columns.values()))
    return table


def checks_table(checks: list[dict[str, Any]]) -> Table:
    """Name, verdict and detail of each check."""
    table = Table(show_header=False, show_edge=False, pad_edge=False, box=None)
    for check in checks:
        table.add_row("[green]✓[/]" if check["ok"] else "[red]✗[/]", escape(check["name"]), f"[dim]{escape(str(check['detail']))}[/]")
    return table


@contextmanager
def bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with rate and time left, on a terminal only; yields a function of (done, total)."""
    if quiet or not err.is_terminal:
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def frame_table(frame: pl.DataFrame) -> Table:
    """A small frame as a table, floats to four digits."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    shown = [name for name in frame.columns if frame[name].null_count() < frame.height or not frame.height]
    for name in shown:
        table.add_column(escape(name), justify="right")
    for row in frame.select(shown).iter_rows():
        table.add_row(*(f"{value:,.4g}" if isinstance(value, float) else "-" if value is None else escape(str(value)) for value in row))
    return table


def say_judgement(found: Judgement | None, first: int | None) -> None:
    """Tests over all variants, and the intervals of the first row."""
    if found is None:
        return
    for one in found.sentences():
        out.print(f"[dim]{escape(one)}[/]")
    known = found.intervals.filter(variant=first).drop_nulls() if first is not None else found.intervals.head(0)
    units = {name: (label, unit) for name, label, unit in HEADLINE}
    ranges = [
        f"{units[row['metric']][0]} {number(row['low'], units[row['metric']][1])} to {number(row['high'], units[row['metric']][1])}"
        for row in known.iter_rows(named=True)
    ]
    if ranges:
        out.print(f"[dim]{escape(f'95 % of block resamples of the first row alone: {"; ".join(ranges)}.')}[/]")


def rows_table(rows: Sequence[Mapping[str, Any]], title: str | None = None) -> Table:
    """Rows with the same names as a table; of snapshots the first characters."""
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*(escape(str(value)[:12] if name == "snapshot" else str(value)) for name, value in row.items()))
    return table
