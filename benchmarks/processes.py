"""The parent's side: processes that are measured beside each other, taking turns."""

from __future__ import annotations

import compileall
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from benchmarks.models import Measured, Task
from benchmarks.timing import rounds_for

ROOT = Path(__file__).resolve().parents[1]


TURN = 3
"""Runs of a turn."""


class Failed(Exception):
    """A process ended without an answer; the text is the last line of what it said."""


class Process:
    """A worker that is running.

    Args:
        task: what it does.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.measured = Measured(task.column, task.case)
        self._said: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        root = task.root or ROOT
        self._child = subprocess.Popen(command(task), cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True)
        try:
            ready = self._answer()
            self.measured.before = ready.pop("before")
            self.measured.notes = ready
        except Failed as failure:
            self._fail(failure)

    @property
    def alive(self) -> bool:
        """Whether it can take another turn."""
        return self.measured.error is None

    def run(self, times: int = 1) -> None:
        """Take one turn: some runs on end, of which the median counts. The others' turns have cooled its caches and memory."""
        try:
            taken = []
            for _ in range(times):
                self._tell("run")
                answer = self._answer()
                taken.append(answer["seconds"])
                self.measured.facts, self.measured.busy = answer["facts"], answer["busy"]
            self.measured.seconds.append(statistics.median(taken))
        except Failed as failure:
            self._fail(failure)

    def stop(self) -> Measured:
        """End it; what was measured."""
        if self.alive:
            try:
                self._tell("stop")
                self.measured.peak = self._answer()["peak"]
            except Failed as failure:
                self._fail(failure)
        self.close()
        return self.measured

    def close(self) -> None:
        """End it without asking, if it still runs."""
        if self._said.closed:
            return
        if self._child.poll() is None:
            self._child.terminate()
        self._child.communicate()
        self._said.close()

    def _tell(self, order: str) -> None:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(order + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise Failed(self._last_words()) from None

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise Failed(self._last_words())

    def _last_words(self) -> str:
        self._child.wait()
        self._said.seek(0)
        lines = [line.strip() for line in self._said.read().splitlines() if line.strip()]
        return lines[-1][:300] if lines else f"exit code {self._child.returncode}"

    def _fail(self, failure: Failed) -> None:
        self.measured.error = str(failure)


def command(task: Task, *more: str) -> list[str]:
    """The command line of a task's process."""
    return [task.python or sys.executable, "-W", "ignore", "-m", "benchmarks.worker", task.module, json.dumps(task.case), *more]


def side_by_side(tasks: Sequence[Task], *, budget: float = 8.0, rounds: int | None = None) -> list[Measured]:
    """Measure tasks that take turns: `TURN` runs each, of which the median counts, then again.

    Args:
        tasks: what to compare.
        budget: seconds for the warm runs of the slowest, about.
        rounds: warm runs of each; None = as many as the budget holds.

    Returns:
        One per task, in order.
    """
    running: list[Process] = []
    try:
        for task in tasks:
            running.append(Process(task))
            if running[-1].alive:
                running[-1].run()
        for process in running:  # a second run tells how long a warm one takes
            if process.alive and rounds != 0:
                process.run()
        warm = [process.measured.seconds[-1] for process in running if process.alive]
        for _ in range(1, rounds_for(TURN * max(warm, default=1.0), budget) if rounds is None else rounds):
            for process in running:
                if process.alive:
                    process.run(TURN)
        return [process.stop() for process in running]
    finally:
        for process in running:
            process.close()


def whole_processes(tasks: Sequence[Task], rounds: int) -> dict[str, list[float]]:
    """Wall seconds of processes that run once, by column; the first round only warms the caches of the disk.

    Our bytecode is compiled before, as an installer does it; that of the other products was when they were installed.
    """
    for package in ("rustybt", "benchmarks"):
        compileall.compile_dir(ROOT / package, quiet=2, rx=re.compile(r"/\.venvs/"))
    walls: dict[str, list[float]] = {task.column: [] for task in tasks}
    for number in range(rounds + 1):
        for task in tasks:
            began = time.perf_counter()
            done = subprocess.run(command(task, "--once"), cwd=ROOT, capture_output=True, text=True, check=False)
            if number and done.returncode == 0:
                walls[task.column].append(time.perf_counter() - began)
    return walls
