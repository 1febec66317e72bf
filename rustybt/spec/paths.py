"""How far back a value reads: paths of steps, outermost first.

A path such as ``(("rows", 2), ("span", 10_800_000_000))`` reads: two bars of the asset back, and from there three hours.
Rows and spans do not commute on irregular bars, so they stay in order. A ``hop`` is a cross-section: from here on the bars
of every asset that trades in the reached interval count, each in its own rows. A ``session`` goes to the first bar of the
asset's session.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

type Step = tuple[str, int]
type Path = tuple[Step, ...]
type Paths = frozenset[Path]

HERE: Paths = frozenset({()})
"""Reads the bar itself and nothing else."""
HOP: Step = ("hop", 0)
SESSION: Step = ("session", 1)
LIMIT = 24
"""More paths than this are replaced by one that covers them."""


def step_back(step: Step, paths: Paths) -> Paths:
    """The paths of a value that is read after one step.

    Example:
        >>> step_back(("rows", 1), frozenset({(("rows", 19),)}))
        frozenset({(('rows', 20),)})
    """
    return prune(merge((step, *path)) for path in paths)


def merge(path: Path) -> Path:
    """A path with neighbouring steps of one kind joined, steps of length 0 and a last hop left out."""
    found: list[Step] = []
    for step in path:
        name, length = step
        if found and found[-1][0] == name:
            if name in ("rows", "span"):
                found[-1] = (name, found[-1][1] + length)
        elif length or name == "hop":
            found.append(step)
    if found and found[-1] == HOP:
        found.pop()
    return tuple(found)


def covers(wide: Path, narrow: Path) -> bool:
    """Whether everything that `narrow` reads is read by `wide` too: its steps occur there in order, none longer.

    Example:
        >>> covers((("rows", 1), ("hop", 0), ("rows", 5)), (("rows", 3),))
        True
    """
    at = 0
    for name, length in wide:
        if at < len(narrow) and narrow[at][0] == name and narrow[at][1] <= length:
            at += 1
    return at == len(narrow)


def prune(paths: Iterable[Path]) -> Paths:
    """The paths that no other one covers."""
    kept: list[Path] = []
    for path in sorted(set(paths), key=lambda p: (len(p), p), reverse=True):
        if not any(covers(other, path) for other in kept):
            kept = [other for other in kept if not covers(path, other)] + [path]
    return frozenset(kept) if len(kept) <= LIMIT else frozenset({merge(tuple(step for path in sorted(kept) for step in path))})


def rows_of(paths: Paths) -> int:
    """The largest number of rows along a path."""
    return max((sum(length for name, length in path if name == "rows") for path in paths), default=0)


def span_of(paths: Paths) -> timedelta:
    """The longest duration along a path, sessions not counted."""
    return timedelta(microseconds=max((sum(length for name, length in path if name == "span") for path in paths), default=0))


def has(paths: Paths, name: str) -> bool:
    """Whether a step of a kind occurs."""
    return any(step[0] == name for path in paths for step in path)


def tell(paths: Paths) -> str:
    """The paths in words, the longest first.

    Example:
        >>> tell(frozenset({(("rows", 1), ("hop", 0), ("rows", 20))}))
        '1 row, cross-section, 20 rows'
    """
    told = [", ".join(map(_word, path)) for path in sorted(paths, key=lambda p: (-len(p), p)) if path]
    return " | ".join(told) or "this bar"


def _word(step: Step) -> str:
    name, length = step
    if name == "rows":
        return f"{length} row{'s' if length != 1 else ''}"
    return {"hop": "cross-section", "session": "session start"}.get(name) or str(timedelta(microseconds=length))
