"""The setup script on machines that set traps, with a uv that writes down what it is asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import ROOT

TOOLS = ("sh", "cat", "cksum", "pwd", "find", "sort", "dirname", "ls", "mktemp", "rm", "tail", "mkdir", "ln", "echo")
BROKEN = '#!/bin/sh\necho "pyenv: $0: command not found" >&2\nexit 127\n'
UV = """#!/bin/sh
echo "$UV_PYTHON $UV_PYTHON_DOWNLOADS $*" >>"$CALLS"
case "$1" in
    --version) echo "uv 0.9.0" ;;
    sync | venv) mkdir -p .venv/bin && ln -sf "$UV_PYTHON" .venv/bin/python ;;
    python) exit 1 ;;
esac
"""
PYTHON = Path(getattr(sys, "_base_executable", sys.executable))


class Machine:
    """A clean clone and a PATH that holds the tools of a bare system."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.bin, self.home, self.calls = folder / "a clone", folder / "bin", folder / "home", folder / "calls"
        for made in (self.clone / ".ci", self.bin, self.home):
            made.mkdir(parents=True)
        for path in (".ci/setup.sh", "uv.lock", "pyproject.toml"):
            shutil.copy(ROOT / path, self.clone / path)
        for tool in TOOLS:
            found = shutil.which(tool)
            if found:
                (self.bin / tool).symlink_to(found)

    def put(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def setup(self, **environment: str) -> subprocess.CompletedProcess[str]:
        given = {"HOME": str(self.home), "PATH": str(self.bin), "CALLS": str(self.calls), **environment}
        return subprocess.run([".ci/setup.sh"], cwd=self.clone, env=given, capture_output=True, text=True, check=False)

    @property
    def asked(self) -> list[str]:
        """What uv was asked to do, apart from its version."""
        lines = self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []
        return [line for line in lines if not line.endswith(" --version")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def with_pyenv(machine: Machine) -> Path:
    """Shims that fail on PATH, as with a global 3.11, and the real interpreter under versions."""
    machine.put(machine.bin / "python3.12", BROKEN)
    machine.put(machine.bin / "python3.13", BROKEN)
    real = machine.home / ".pyenv/versions/3.12.1/bin/python"
    machine.put(real, f'#!/bin/sh\nexec "{PYTHON}" "$@"\n')
    return real


def test_a_shim_that_fails_is_passed_over_for_the_version_that_pyenv_holds(machine: Machine) -> None:
    with_pyenv(machine)
    machine.put(machine.bin / "uv", UV)
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    interpreter, downloads, *command = machine.asked[0].split(" ")
    assert Path(interpreter).exists()
    assert "pyenv" not in interpreter or Path(interpreter) == PYTHON
    assert downloads == "never"
    assert command == ["sync", "--quiet", "--frozen", "--compile-bytecode"]


def test_a_uv_hidden_by_pyenv_is_found_under_another_version(machine: Machine) -> None:
    with_pyenv(machine)
    machine.put(machine.bin / "uv", BROKEN)
    machine.put(machine.home / ".pyenv/versions/3.10.13/bin/uv", UV)
    (machine.clone / ".python-version").write_text("3.11.7\n", encoding="utf-8")
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    assert "sync" in machine.asked[0]


def test_nothing_is_done_twice(machine: Machine) -> None:
    machine.put(machine.bin / "uv", UV)
    assert machine.setup(PYTHON=str(PYTHON)).returncode == 0
    before = machine.asked
    again = machine.setup(PYTHON=str(PYTHON))
    assert (again.returncode, again.stdout, again.stderr, machine.asked) == (0, "", "", before)


def test_a_changed_lock_file_is_installed(machine: Machine) -> None:
    machine.put(machine.bin / "uv", UV)
    machine.setup(PYTHON=str(PYTHON))
    lock = machine.clone / "uv.lock"
    lock.write_text(lock.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    machine.setup(PYTHON=str(PYTHON))
    assert len(machine.asked) == 2


@pytest.mark.parametrize("setting", ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_another_index_is_used_with_the_hashes_of_the_lock_file(machine: Machine, setting: str) -> None:
    machine.put(machine.bin / "uv", UV)
    done = machine.setup(PYTHON=str(PYTHON), **{setting: "https://mirror.example/simple"})
    assert done.returncode == 0, done.stderr
    asked = "\n".join(machine.asked)
    assert "export --quiet --frozen" in asked
    assert "pip sync --quiet --default-index https://mirror.example/simple --require-hashes" in asked
    assert " sync --quiet --frozen" not in asked.replace("export --quiet --frozen", "")


def test_a_python_that_cannot_be_used_is_named_in_one_line(machine: Machine) -> None:
    machine.put(machine.bin / "python3.12", BROKEN)
    done = machine.setup(PYTHON="python3.12")
    assert done.returncode == 1
    assert done.stderr == "setup: PYTHON=python3.12 is not a working CPython 3.12 or later (with ctypes, sqlite3, ssl and zlib)\n"


@pytest.mark.skipif(
    any(
        Path(folder, f"python3.{minor}").exists()
        for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
        for minor in range(12, 20)
    ),
    reason="this machine has a system-wide Python 3.12 that the script rightly finds",
)
def test_no_python_at_all_is_one_line_and_exit_code_1(machine: Machine) -> None:
    machine.put(machine.bin / "python3.12", BROKEN)
    done = machine.setup()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "setup: missing: Python 3.12 or later; install it, or set PYTHON=/path/to/python3.12\n"
    assert not os.path.lexists(machine.clone / ".venv")


def test_a_failed_install_is_not_taken_for_done(machine: Machine) -> None:
    machine.put(machine.bin / "uv", UV.replace("sync | venv)", "sync) exit 2 ;;\n    venv)"))
    done = machine.setup(PYTHON=str(PYTHON))
    assert done.returncode == 1
    assert "installing failed" in done.stderr
    machine.put(machine.bin / "uv", UV)
    assert machine.setup(PYTHON=str(PYTHON)).returncode == 0


def test_setup_compiles_anew_after_a_change_of_anything_that_is_compiled() -> None:
    from rustybt.kernel.cache import BESIDE, HERE, MODEL

    line = next(line for line in (ROOT / ".ci" / "setup.sh").read_text().splitlines() if line.startswith("kernel_fingerprint()"))
    for path in (HERE, MODEL, *BESIDE):
        assert any(path.is_relative_to(ROOT / place) for place in re.findall(r"rustybt/[\w/.]+", line)), path
