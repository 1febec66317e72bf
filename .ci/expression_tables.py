"""For the site: the tables of ``reference/expressions.md``, made from the docstrings of `expressions` whenever the site is built."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r"<!-- entries: (\w+) -->")
FACTS = ("Formula", "Lookback", "Source")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for each page: every mark becomes the table of its family."""
    return MARK.sub(lambda mark: table(mark[1]), markdown)


def table(family: str) -> str:
    """The entries of one family: name, what it is, formula, lookback, source.

    Raises:
        ValueError: an entry has no docstring or lacks one of the facts.
    """
    path = ROOT / "expressions" / f"{family}.py"
    module = ast.parse(path.read_text(encoding="utf-8"))
    rows = []
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            told = ast.get_docstring(node) or ""
            link = f"[`{node.name}`](#expressions.{family}.{node.name})"
            cells = (link, told.split("\n", 1)[0].rstrip("."), *(fact(told, name, f"{family}.{node.name}") for name in FACTS))
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(["| name | what | formula | lookback | source |", "|---|---|---|---|---|", *rows])


def fact(docstring: str, name: str, entry: str) -> str:
    """One line of facts with the indented lines that go on from it."""
    found = re.search(rf"^{name}: (.*(?:\n    .*)*)", docstring, re.MULTILINE)
    if found is None:
        raise ValueError(f"{entry} does not state its {name.lower()}")
    return re.sub(r"\s+", " ", found[1]).rstrip(".")
