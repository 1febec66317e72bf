"""Every script and notebook in examples/ runs from an empty folder, as a reader would run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import ROOT, name

SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env={**os.environ, "MPLBACKEND": "agg"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_a_script_runs(script: Path, tmp_path: Path) -> None:
    copied = shutil.copy(script, tmp_path)
    run([sys.executable, "-W", "error", str(copied)], tmp_path)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_a_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    copied = shutil.copy(notebook, tmp_path)
    run([sys.executable, "-m", "jupyter", "execute", "--kernel_name=python3", str(copied)], tmp_path)


def test_there_is_something_to_start_from() -> None:
    assert len(SCRIPTS) >= 5
    assert len(NOTEBOOKS) >= 2
