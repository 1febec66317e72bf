"""Every example in README and docs runs."""

from __future__ import annotations

import doctest
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.pages import Block, blocks, pages
from tests.house.sources import ROOT, name

RUNNABLE = [page for page in pages() if any(block.language in ("python", "pycon") or block.commands for block in blocks(page))]


def run_python(block: Block, namespace: dict[str, Any], folder: Path) -> None:
    """Run from a real file, so that tracebacks and `inspect` show the source."""
    file = folder / (block.title or f"line_{block.line}.py")
    file.write_text(block.text, encoding="utf-8")
    exec(compile(block.text, str(file), "exec"), namespace)


def run_session(block: Block, namespace: dict[str, Any]) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    test = doctest.DocTestParser().get_doctest(block.text, namespace, "session", str(block.page), block.line)
    out: list[str] = []
    failed = doctest.DocTestRunner(optionflags=flags).run(test, out=out.append, clear_globs=False).failed
    namespace.update(test.globs)
    assert not failed, "".join(out)


def run_command(command: str, block: Block, folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}
    environment["RUSTYBT_CATALOG"] = str(folder / "catalog")
    done = subprocess.run(shlex.split(command, comments=True), cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == block.exit, f"{command}\nexit code {done.returncode}, expected {block.exit}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", RUNNABLE, ids=name)
def test_every_example_on_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    namespace: dict[str, Any] = {"__name__": "__snippet__"}
    for block in blocks(page):
        if block.skip:
            continue
        try:
            if block.language == "python":
                run_python(block, namespace, tmp_path)
            elif block.language == "pycon":
                run_session(block, namespace)
            elif block.title:
                (tmp_path / block.title).write_text(block.text, encoding="utf-8")
            for command in block.commands:
                run_command(command, block, tmp_path)
        except BaseException as error:
            error.add_note(f"in the example at {name(page)}:{block.line}")
            raise


def test_the_readme_shows_the_library_and_the_command() -> None:
    shown = blocks(ROOT / "README.md")
    assert any(block.language == "python" and not block.skip for block in shown)
    assert any(block.commands for block in shown)


def test_a_block_that_does_not_run_says_why() -> None:
    silent = [
        f"{name(block.page)}:{block.line}" for page in pages() for block in blocks(page) if block.skip and len(block.skip.split()) < 2
    ]
    assert not silent


def test_the_runner_fails_on_a_broken_example(tmp_path: Path) -> None:
    """The net has to hold: a wrong name, a wrong session and a wrong command are each caught."""
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nx = 1\n```\n\n<!-- not run: needs a broker -->\n```python\nboom()\n```\n\n"
        "```pycon\n>>> x + 1\n3\n```\n\n```console\n$ rustybt no-such-command\nusage\n```\n",
        encoding="utf-8",
    )
    first, skipped, session, shell = blocks(page)
    assert (first.line, skipped.skip, shell.commands) == (2, "needs a broker", ["rustybt no-such-command"])
    namespace: dict[str, Any] = {}
    run_python(first, namespace, tmp_path)
    assert namespace["x"] == 1
    with pytest.raises(NameError):
        run_python(skipped, namespace, tmp_path)
    with pytest.raises(AssertionError, match="Expected"):
        run_session(session, namespace)
    with pytest.raises(AssertionError, match="exit code 2"):
        run_command(shell.commands[0], shell, tmp_path)
