"""Where the compiled reader of lines is kept."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from rustybt.data.text import native


def test_kept_code_is_looked_for_by_what_it_is_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = native._digest()
    for name in native.SOURCES:
        copy = tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((native.DATA / name).read_bytes())
    monkeypatch.setattr(native, "DATA", tmp_path)
    assert native._digest() == before
    (tmp_path / "ticks.py").write_text((tmp_path / "ticks.py").read_text() + "\nNOISE = 0.5\n")
    assert native._digest() != before


def test_every_module_of_which_constants_are_compiled_counts() -> None:
    for name in ("scan.py", "text/parse.py"):
        tree = ast.parse((native.DATA / name).read_text())
        compiled = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.decorator_list]
        read = {node.id for one in compiled for node in ast.walk(one) if isinstance(node, ast.Name)}
        ours = [one for one in ast.walk(tree) if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("rustybt.data.")]
        assert ours
        for node in ours:
            if read & {one.name for one in node.names}:
                assert (node.module or "").removeprefix("rustybt.data.").replace(".", "/") + ".py" in native.SOURCES
