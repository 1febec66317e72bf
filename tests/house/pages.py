"""README and docs as lists of code blocks.

A block runs unless an HTML comment right above it says why not::

    <!-- not run: takes an hour -->

- ``python`` blocks of a page run from top to bottom in one namespace. With ``title="name.py"`` the block is also saved under that name.
- ``pycon`` blocks are doctests in the same namespace.
- ``console``, ``bash`` and ``sh`` blocks: each line that starts with ``rustybt`` (after ``$``, if there is one) runs and has to exit
  with 0, or with the code in ``<!-- exit: 1 -->`` above the block. Other commands are not run; ``make`` and ``git`` have their own tests.
- Any other block with a ``title`` is saved, so that later blocks can use it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.house.sources import ROOT

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+|~~~+) *(?P<language>[\w+-]*)(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
COMMENT = re.compile(r"<!--\s*(not run|exit)\s*:\s*((?:(?!-->).)*?)\s*-->\s*\Z", re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
SHELLS = ("console", "bash", "sh", "shell")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: file it stands in; line: of its first line of code.
        language: word after the fence, lower case; text: the code.
        title: file name it is saved under, or empty.
        skip: why it does not run, or empty; exit: code that its commands end with.
    """

    page: Path
    line: int
    language: str
    text: str
    title: str = ""
    skip: str = ""
    exit: int = 0

    @property
    def commands(self) -> list[str]:
        """Commands of ours in a shell block, continued lines joined."""
        lines = self.text.replace("\\\n", " ").splitlines()
        typed = [line.strip().removeprefix("$ ").removeprefix(".venv/bin/") for line in lines]
        return [line for line in typed if line.split(" ")[0] == "rustybt"] if self.language in SHELLS else []


def pages() -> list[Path]:
    """README, the change log, the guide for contributors and all of docs."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        indent = len(match["indent"])
        code = "".join(line[indent:] if line.strip() else "\n" for line in match["text"].splitlines(keepends=True))
        title, comment = TITLE.search(match["info"]), COMMENT.search(text[: match.start()])
        said = comment.groups() if comment else ("", "")
        found.append(
            Block(
                page=page,
                line=text.count("\n", 0, match.start("text")) + 1,
                language=match["language"].lower(),
                text=code,
                title=title[1] if title else "",
                skip=said[1] if said[0] == "not run" else "",
                exit=int(said[1]) if said[0] == "exit" else 0,
            )
        )
    return found
