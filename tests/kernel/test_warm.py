"""Every way into the kernel is compiled before the first run."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from rustybt.kernel import is_warm

from .builds import COMPILED, KERNEL, compiled_only

ENTRY = re.compile(r"^@(?:entry|called)\ndef (\w+)", re.MULTILINE)
warming: Any = importlib.import_module("rustybt.kernel.warm")
native: Any = importlib.import_module("rustybt.kernel.native") if COMPILED else None


@compiled_only
def test_every_build_of_every_way_into_the_kernel_is_made() -> None:
    entries = [(path.stem, name) for path in KERNEL.glob("*.py") for name in ENTRY.findall(path.read_text(encoding="utf-8"))]
    small = [("asked", "add_up"), ("asked", "faults_of"), ("asked", "lay_out"), ("asked", "tally")]
    assert sorted(entries) == [*small, ("rolling", "roll"), ("step", "run")]
    warming.warm(processes=False)
    for room, name in small:
        assert len(getattr(importlib.import_module(f"rustybt.kernel.{room}"), name).signatures) == 1
    run = importlib.import_module("rustybt.kernel.step").run
    assert {kind for kind, *_ in run.signatures} == {native.PLAIN, native.USUAL, native.DESK}
    assert len(run.signatures) == warming.BUILDS
    assert is_warm() == (warming.folder_for_now() is not None)


def test_a_folder_without_machine_code_is_not_warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "folder_for_now", lambda: tmp_path)
    assert not is_warm()
    for number in range(warming.BUILDS):
        assert not is_warm()
        (tmp_path / f"step.run-69.py312.{number}.nbc").touch()
    assert is_warm()
    monkeypatch.setattr(warming, "folder_for_now", lambda: None)
    assert not is_warm()


def test_warming_works_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "folder_for_now", lambda: None)
    assert warming.warm() is None


@pytest.mark.skipif(COMPILED, reason="two processes compile for tens of seconds; to the interpreter it is the same path")
def test_two_processes_share_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(warming, "folder_for_now", lambda: tmp_path)
    assert warming.warm() == tmp_path
