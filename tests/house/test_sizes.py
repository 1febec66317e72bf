"""How long files and functions may be, and how many arguments they take. Exemptions with reasons: exemptions.toml."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.house.sources import CODE, ROOT, SHIPPED, files, name, tree

FILE_LINES = 500
TEST_FILE_LINES = 800
BODY_LINES = 80
POSITIONAL = 5
BANNED_NAMES = {"base", "core", "utils", "util", "helpers", "helper", "manager", "misc", "common"}
# Nouns of ours that the standard library happens to use too; a module inside a package hides nothing.
STDLIB_NOUNS = {"types", "statistics", "calendar", "trace", "code", "numbers", "select", "profile", "test", "symbol"}

type Function = ast.FunctionDef | ast.AsyncFunctionDef

EXEMPT: dict[str, list[dict[str, Any]]] = tomllib.loads((ROOT / "tests/house/exemptions.toml").read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[tuple[str, Function]]:
    """Functions of a file with their dotted names, nested ones too."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{prefix}{child.name}", child
            inner = f"{prefix}{child.name}." if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else prefix
            yield from walk(child, inner)

    return walk(tree(path), "")


def body_lines(function: Function) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def positional(function: Function) -> int:
    """Arguments that may be given by position, without self and cls."""
    given = [*function.args.posonlyargs, *function.args.args]
    return len(given) - (bool(given) and given[0].arg in ("self", "cls"))


def exempt(kind: str, path: Path, limit: str, called: str = "") -> int:
    """The limit allowed to a file or function by the list, 0 if it is not on it. A folder's allowance holds for all functions in it."""
    rows = [row for row in EXEMPT.get(kind, []) if row["path"] == name(path) and row.get("name", "") == called]
    rows += [row for row in EXEMPT.get("folder", []) if kind == "function" and name(path).startswith(f"{row['path']}/")]
    return max((int(row.get(limit, 0)) for row in rows), default=0)


def lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def test_files_are_short() -> None:
    long = []
    for path in files(*CODE):
        limit = max(TEST_FILE_LINES if name(path).startswith("tests/") else FILE_LINES, exempt("file", path, "lines"))
        if lines(path) > limit:
            long.append(f"{name(path)}: {lines(path)} lines, at most {limit}")
    assert not long, "\n".join(long)


def test_functions_are_short() -> None:
    long = [
        f"{name(path)}:{called}: {body_lines(function)} lines"
        for path in files(*CODE)
        for called, function in functions(path)
        if body_lines(function) > max(BODY_LINES, exempt("function", path, "lines", called))
    ]
    assert not long, "\n".join(long)


def test_functions_take_few_arguments_by_position() -> None:
    many = [
        f"{name(path)}:{called}: {positional(function)} arguments"
        for path in files(*SHIPPED)
        for called, function in functions(path)
        if positional(function) > max(POSITIONAL, exempt("function", path, "arguments", called))
    ]
    assert not many, "\n".join(many)


def test_every_exemption_is_needed_and_has_a_reason() -> None:
    idle = [row for rows in EXEMPT.values() for row in rows if not row.get("reason")]
    for row in EXEMPT.get("file", []):
        path = ROOT / row["path"]
        if not path.exists() or lines(path) <= FILE_LINES:
            idle.append(row)
    for row in EXEMPT.get("function", []):
        path = ROOT / row["path"]
        found = dict(functions(path)).get(row["name"]) if path.exists() else None
        if (
            found is None
            or ("lines" in row and body_lines(found) <= BODY_LINES)
            or ("arguments" in row and positional(found) <= POSITIONAL)
        ):
            idle.append(row)
    idle += [
        row
        for row in EXEMPT.get("folder", [])
        if not any(positional(function) > POSITIONAL for path in files(row["path"]) for _, function in functions(path))
    ]
    assert not idle


def test_files_are_named_for_what_they_do() -> None:
    vague = [
        name(path)
        for path in files(*SHIPPED)
        for stem in [path.stem.lstrip("_")]
        if stem in BANNED_NAMES
        or stem.endswith(("_ext", "_utils", "_helpers"))
        or (stem in sys.stdlib_module_names - STDLIB_NOUNS and path.stem != "__main__" and not path.stem.startswith("__"))
    ]
    assert not vague
