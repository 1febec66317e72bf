"""Virtual environments of other products, made when they are first needed and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.columns import PACKAGES

FOLDER = Path(os.environ.get("RUSTYBT_BENCH_VENVS", Path(__file__).resolve().parent / ".venvs"))


def interpreter(name: str) -> Path:
    """Where an environment's Python is or will be."""
    return FOLDER / name / "bin" / "python"


def ready(name: str) -> bool:
    """Whether an environment is complete."""
    return (FOLDER / name / ".complete").exists()


def environment(name: str) -> tuple[Path | None, str]:
    """The interpreter of an environment, made if it is missing, and one line about what went wrong if it cannot be made."""
    if not ready(name):
        try:
            _make(name)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            return None, f"{name}: cannot be installed ({said.strip().splitlines()[-1][:200] if said.strip() else 'no reason given'})"
    return interpreter(name), ""


def _make(name: str) -> None:
    """With uv where there is one, else with venv and pip."""
    home, uv = FOLDER / name, _uv()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if uv is not None:
        _call(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home))
        _call(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(interpreter(name)), *PACKAGES[name])
    else:
        _call(sys.executable, "-m", "venv", "--clear", str(home))
        _call(str(interpreter(name)), "-m", "pip", "install", "--quiet", *PACKAGES[name])
    (home / ".complete").touch()


def _uv() -> str | None:
    bootstrapped = Path(__file__).resolve().parents[1] / ".venv-bootstrap" / "bin" / "uv"
    candidates = [os.environ.get("UV"), shutil.which("uv"), str(bootstrapped)]
    return next((path for path in candidates if path and Path(path).exists()), None)


def _call(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=900)
