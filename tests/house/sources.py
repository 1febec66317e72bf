"""The sources that the house tests read: where they are, and their syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("rustybt", "expressions")
CODE = (*SHIPPED, "tests", "benchmarks", "examples")


def files(*folders: str) -> list[Path]:
    """Python files under the folders of the repository, sorted. Hidden folders hold environments, not our code."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not any(part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT).parts))


def name(path: Path) -> str:
    """The path as people write it, from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Dotted names that a file imports, with their line. ``from a import b`` gives ``a.b``: b may be a module."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def rooms() -> list[str]:
    """Rooms of the package: its folders."""
    return sorted(path.parent.name for path in (ROOT / "rustybt").glob("*/__init__.py"))
