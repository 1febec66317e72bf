"""The kernel's source in its builds, for tests: what this process runs, the interpreter twin beside it, and fresh processes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from rustybt.kernel.compile import MODE
from rustybt.kernel.twin import load

ROOT = Path(__file__).resolve().parents[2]
KERNEL = ROOT / "rustybt" / "kernel"
COMPILED = MODE == "compiled"
compiled_only = pytest.mark.skipif(not COMPILED, reason="about machine code; this process leaves the kernel to the interpreter")


def copy_of(name: str, folder: Path = KERNEL) -> ModuleType:
    """The kernel's source under another package name, by which it knows how it is to be built."""
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


@cache
def twin() -> ModuleType:
    """The same source on Python's own integers, which cannot wrap."""
    return load("python") if COMPILED else importlib.import_module("rustybt.kernel")


def fresh(code: str, **env: str | None) -> str:
    """What a new process prints; ``env`` sets variables, None takes one away."""
    around = {name: value for name, value in {**os.environ, **env}.items() if value is not None}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, env=around, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
