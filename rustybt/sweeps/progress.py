"""How far a sweep is: a bar with rate and time left where somebody looks, or a function that is told."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rustybt.errors import ConfigError
from rustybt.model.arguments import place

type Told = Callable[[int, int], None]
PATIENCE = 1.0
"""Seconds before a bar appears that nobody asked for."""


@contextmanager
def telling(progress: Told | bool | None, total: int, before: int = 0) -> Iterator[Told]:
    """A function to call with (done, total).

    Args:
        progress: a function of (done, total); True shows a bar; None shows one on a terminal once the work has taken a second; False is
            quiet.
        total: variants in all.
        before: of them, those that an earlier run did: the rate leaves them out.
    """
    if callable(progress):
        yield progress
        return
    if progress is False:
        yield _silent
        return
    with _Bar(total, before, at_once=progress is True) as bar:
        yield bar.update


def watched(progress: Told | bool | None) -> bool:
    """Whether somebody may look at it: what is slow then goes in small steps.

    Example:
        >>> watched(True), watched(False)
        (True, False)
    """
    if progress is None:
        return sys.stderr.isatty() or "ipykernel" in sys.modules
    return progress is not False


@contextmanager
def showing(progress: Told | bool | None, what: str) -> Iterator[Told | None]:
    """A function to call with (done, total), or None where nobody is told: as `telling`, of what is quiet unless asked.

    Raises:
        ConfigError: as `check_progress`.
    """
    check_progress(progress, what)
    if callable(progress):
        yield progress
    elif progress:
        with _Bar(1, 0, at_once=True) as bar:
            yield bar.update
    else:
        yield None


def check_progress(progress: object, what: str = "sweep") -> None:
    """Refuse what can neither be told nor shown.

    Raises:
        ConfigError: it is neither a function nor true, false or None.

    Example:
        >>> check_progress(True)
    """
    if not (callable(progress) or progress is None or isinstance(progress, bool)):
        do = "give a function of (done, total), True, False or None"
        raise ConfigError(f"progress {progress!r} cannot be told", where=f"{what}, progress", do=do)


def check_out(out: object) -> None:
    """Refuse what cannot be a directory of rows.

    Raises:
        ConfigError: it is no path, or named like a file of rows.

    Example:
        >>> check_out("results")
    """
    if out is None:
        return
    if place(out, "sweep, out", 'give a path such as "results"', what=f"out {out!r} is no directory").suffix == ".parquet":
        do = 'give a directory, or write the rows of a sweep: sweep(...).frame.write_parquet("rows.parquet")'
        raise ConfigError(f"{str(out)!r} is named like a file, out= is a directory", where="sweep, out", do=do)


def _silent(done: int, total: int) -> None:  # noqa: ARG001 - it takes what the others take
    return


class _Bar:
    """Appears when it is time."""

    def __init__(self, total: int, before: int, *, at_once: bool) -> None:
        self.total, self.at_once, self.began = total, at_once, time.monotonic()
        self.shown: Any = None
        self.task: Any = None
        self.before = before

    def __enter__(self) -> _Bar:
        return self

    def update(self, done: int, total: int) -> None:
        """Show so many of so many; the rate is that of this run, whatever was done before."""
        if self.shown is None and (self.at_once or time.monotonic() - self.began > PATIENCE):
            self._show(done)
        if self.shown is not None:
            self.shown.update(
                self.task, completed=done, total=total, rate=f"{(done - self.before) / max(time.monotonic() - self.began, 1e-9):,.0f}/s"
            )

    def _show(self, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        if not (self.at_once or console.is_terminal or console.is_jupyter):
            self.began = float("inf")
            return
        columns = (TextColumn("variants"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
        self.shown = Progress(*columns, console=console, transient=True)
        self.task = self.shown.add_task("variants", total=self.total, completed=done, rate="")
        self.shown.start()

    def __exit__(self, *_: object) -> None:
        if self.shown is not None:
            self.shown.stop()
