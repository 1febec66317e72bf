"""How far a sweep is: a bar with rate and time left where somebody looks, or a function that is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

type Told = Callable[[int, int], None]
PATIENCE = 1.0
"""Seconds before a bar appears that nobody asked for."""


@contextmanager
def telling(progress: Told | bool | None, total: int) -> Iterator[Told]:
    """A function to call with (done, total).

    Args:
        progress: a function of (done, total); True shows a bar; None shows one on a terminal once the work has taken a second; False is
            quiet.
        total: variants in all.
    """
    if callable(progress):
        yield progress
        return
    if progress is False:
        yield _silent
        return
    with _Bar(total, at_once=progress is True) as bar:
        yield bar.update


def _silent(done: int, total: int) -> None:  # noqa: ARG001 - it takes what the others take
    return


class _Bar:
    """Appears when it is time."""

    def __init__(self, total: int, *, at_once: bool) -> None:
        self.total, self.at_once, self.began = total, at_once, time.monotonic()
        self.shown: Any = None
        self.task: Any = None

    def __enter__(self) -> _Bar:
        return self

    def update(self, done: int, total: int) -> None:
        """Show so many of so many."""
        if self.shown is None and (self.at_once or time.monotonic() - self.began > PATIENCE):
            self._show(done)
        if self.shown is not None:
            self.shown.update(self.task, completed=done, total=total, rate=f"{done / max(time.monotonic() - self.began, 1e-9):,.0f}/s")

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
