"""Links inside the repository lead somewhere, and the site shows every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.pages import FENCE, pages
from tests.house.sources import ROOT, name

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Anchors that GitHub and MkDocs make from the headings."""
    found = set()
    for heading in HEADING.findall(prose(page)):
        text = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        text = re.sub(r"[^\w\- ]", "", text).strip()
        found |= {text.replace(" ", "-"), re.sub(r"[-\s]+", "-", text)}
    return found


@pytest.mark.parametrize("page", pages(), ids=name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and not file.match("reference/*.md") and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def test_the_site_shows_every_page_and_only_pages_that_exist() -> None:
    listed = set(re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]))
    assert listed == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
