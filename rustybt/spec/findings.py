"""What the proof finds: bounds, the reasons for them, and what authors of opaque code declare. Import them from `rustybt.spec.bounds`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rustybt.errors import SpecError
from rustybt.spec import paths as ways
from rustybt.spec.paths import HERE, Paths
from rustybt.spec.tree import Node, render


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a bound is what it is.

    Attributes:
        kind: ``lookahead``, ``wrong`` (cannot mean what it says) or ``unbounded`` (reads every earlier bar).
        what: what the sub-expression does, as the end of a sentence that starts with the term.
        node: the sub-expression.
        do: what to write instead.
    """

    kind: str
    what: str
    node: str
    do: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.node}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an expression reads.

    Attributes:
        paths: how far back, as `rustybt.spec.paths`; None: every earlier bar (or unknown, when it is refused).
        cross: whether it needs all assets of some bar.
        columns: names of the columns it reads.
        opaque: plugins and callbacks inside, by symbol or digest.
        reasons: what was refused, and what makes it unbounded.
    """

    paths: Paths | None = HERE
    cross: bool = False
    columns: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()
    reasons: tuple[Reason, ...] = ()

    @property
    def lookahead(self) -> bool:
        """Whether it may see a later bar."""
        return any(reason.kind == "lookahead" for reason in self.reasons)

    @property
    def refused(self) -> bool:
        """Whether it may not be used: look-ahead, or wrong in another way."""
        return any(reason.kind != "unbounded" for reason in self.reasons)

    @property
    def unbounded(self) -> bool:
        """Whether every earlier bar matters."""
        return self.paths is None

    @property
    def rows(self) -> int | None:
        """Earlier bars needed, cross-sections taken as dense; None when unbounded."""
        return None if self.paths is None else ways.rows_of(self.paths)

    @property
    def span(self) -> timedelta | None:
        """Duration needed on top of the rows; None when unbounded."""
        return None if self.paths is None else ways.span_of(self.paths)

    @property
    def session(self) -> bool:
        """Whether it reads back to the start of a session."""
        return self.paths is not None and ways.has(self.paths, "session")

    @property
    def lookback(self) -> str:
        """The bound in words."""
        return "refused" if self.refused else "unbounded" if self.paths is None else ways.tell(self.paths)

    def back(self, step: ways.Step | None) -> Bounds:
        """The bounds of the same value read one step back; None is every earlier bar."""
        moved = None if step is None or self.paths is None else ways.step_back(step, self.paths)
        return Bounds(moved, self.cross, self.columns, self.opaque, self.reasons)

    def plus(self, *reasons: Reason, cross: bool = False, opaque: str = "") -> Bounds:
        """The same bounds with more to say; anything refused has no bound."""
        refused = any(reason.kind != "unbounded" for reason in reasons)
        named = self.opaque | {opaque} if opaque else self.opaque
        return Bounds(None if refused else self.paths, self.cross or cross, self.columns, named, (*self.reasons, *reasons))


def union(*parts: Bounds) -> Bounds:
    """The bounds of a value made from several others in the same row."""
    if len(parts) == 1:
        return parts[0]
    paths: Paths | None = HERE
    for part in parts:
        if part.paths is None:
            paths = None
        elif paths is not None and part.paths != HERE:
            paths = part.paths if paths == HERE else ways.prune([*paths, *part.paths])
    reasons = tuple(dict.fromkeys(reason for part in parts for reason in part.reasons))
    return Bounds(
        paths,
        any(part.cross for part in parts),
        frozenset().union(*(part.columns for part in parts)),
        frozenset().union(*(part.opaque for part in parts)),
        reasons,
    )


@dataclass(frozen=True, slots=True)
class Declared:
    """What the author of a callback or plugin promises.

    Attributes:
        rows: earlier rows of the asset that it reads; None: all of them.
        span: microseconds that it reads on top.
        lookahead: whether it looks ahead, which is then refused like any other.
    """

    rows: int | None = 0
    span: int = 0
    lookahead: bool = False

    @classmethod
    def of(cls, name: str, value: object) -> Declared:
        """From what a user writes: rows, None, ``[rows, lookahead]`` or ``{"rows": ..., "seconds": ..., "lookahead": ...}``.

        Raises:
            SpecError: anything else.

        Example:
            >>> Declared.of("my_plugin", 20).rows, Declared.of("my_plugin", None).rows
            (20, None)
        """
        if isinstance(value, Declared):
            return value
        given: Mapping[str, Any] = {}
        if value is None or isinstance(value, int):
            given = {"rows": value}
        elif isinstance(value, list | tuple) and len(value) == 2:
            given = {"rows": value[0], "lookahead": value[1]}
        elif isinstance(value, Mapping):
            given = value
        rows, seconds, ahead = given.get("rows", 0), given.get("seconds", 0), given.get("lookahead", False)
        known = bool(given) and set(given) <= {"rows", "seconds", "lookahead"} and isinstance(ahead, bool)
        if (
            not known
            or not (rows is None or _whole(rows))
            or isinstance(seconds, bool)
            or not isinstance(seconds, int | float)
            or seconds < 0
        ):
            do = 'give the rows it reads (20), None for all earlier rows, or {"rows": 20, "seconds": 0, "lookahead": False}'
            raise SpecError(f"declared bounds {value!r} are not understood", where=f"declared {name!r}", do=do)
        return cls(rows, round(seconds * 1_000_000), ahead)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def refuse(bounds: Bounds, node: Node, what: str, do: str = "", *, wrong: bool = False) -> Bounds:
    """Bounds with a refusal that shows the sub-expression."""
    return bounds.plus(Reason("wrong" if wrong else "lookahead", what, render(node), do))
