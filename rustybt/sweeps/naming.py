"""Texts with gaps: what differs between the variants of a form is filled in as JSON writes it, and so are the identities of strategies."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.spec.identity import canonical, encode_scalar
from rustybt.spec.parameters import Scalar
from rustybt.spec.strategy import stamped
from rustybt.spec.targets import Target
from rustybt.spec.tree import build
from rustybt.sweeps.sketch import Sketch
from rustybt.sweeps.traced import DEEDS, KINDS, Deed, Opaque, Real, Trace, Traced, names_of, worked_out

MOST = 10**9
"""Whole numbers below it mean the same as a constant of any type."""


@dataclass(frozen=True)
class Blank:
    """What differs between the variants of a form: a constant of the top, or the text of a feature.

    Attributes:
        pieces: texts between the numbers; of a constant empty.
        deeds: how the numbers are worked out, each with its type.
    """

    pieces: tuple[str, ...]
    deeds: tuple[tuple[Deed, type], ...]

    @property
    def names(self) -> frozenset[str]:
        """Parameters that it depends on."""
        return frozenset().union(*(names_of(deed) for deed, _ in self.deeds))


class Texts:
    """Texts that differ in numbers alone. None is put together where it is known already.

    Args:
        pieces: what they have in common, between the numbers.
        kinds: whether each number is an int or a float.
        numbers: (texts, numbers) Float64.

    Example:
        >>> texts = Texts(("window ", " of ", "%"), (int, float), np.array([[20.0, 50.0], [5.0, 12.5]]))
        >>> len(texts), texts.text(1)
        (2, 'window 5 of 12.5%')
    """

    def __init__(self, pieces: tuple[str, ...], kinds: tuple[type, ...], numbers: npt.NDArray[np.float64]) -> None:
        self.key, self.numbers = (pieces, kinds), np.ascontiguousarray(numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def some(self, rows: Any) -> Texts:
        """Some of them."""
        return Texts(*self.key, self.numbers[rows])

    @property
    def pieces(self) -> tuple[str, ...]:
        """What they have in common."""
        return self.key[0]

    @property
    def kinds(self) -> tuple[type, ...]:
        """Whether each number is an int or a float."""
        return self.key[1]

    @property
    def names(self) -> Sequence[str | bytes]:
        """One for each: two texts of the same pieces and kinds are the same where these are. Without numbers it is the text."""
        if not self.kinds:
            return [self.pieces[0]]
        found: list[bytes] = self.numbers.view(f"V{self.numbers.itemsize * self.numbers.shape[1]}").ravel().tolist()
        return found

    def digits(self, at: int) -> list[str]:
        """The numbers of one of them as they are written."""
        return [repr(kind(number)) for kind, number in zip(self.key[1], self.numbers[at].tolist(), strict=True)]

    def text(self, at: int) -> str:
        """One of them, put together."""
        return "".join(part for pair in zip_longest(self.pieces, self.digits(at), fillvalue="") for part in pair)


class Written(str):
    """A text that is JSON already: it prints as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def scalar(value: Scalar) -> Written:
    """A parameter value in the canonical text of a strategy.

    Example:
        >>> from decimal import Decimal
        >>> scalar("long"), scalar(Decimal("1.50"))
        ("long", {"decimal":"1.5"})
    """
    return Written(written(encode_scalar(value)))


DEEDS["scalar"] = scalar


def written(tree: Any) -> str:
    """A tree as text."""
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False)


def checked(number: Any, kind: type) -> float:
    """A number that can be filled in.

    Raises:
        ValueError: it is too large, not finite or of another type.
    """
    plain: float = number
    if type(number) is not kind:
        raise ValueError
    if (kind is int and abs(plain) >= MOST) or not math.isfinite(plain):
        raise ValueError
    return plain


def pattern_of(pieces: Sequence[str]) -> str:
    """Texts with gaps as Python's ``%`` fills them in, each number as it prints.

    Example:
        >>> pattern_of(("window ", " of 50%")) % (20,)
        'window 20 of 50%'
    """
    return "%r".join(piece.replace("%", "%%") for piece in pieces)


def blank_of(text: str, trace: Trace) -> str | Blank:
    """A JSON text that holds marks as its pieces and what stands between them.

    Raises:
        Opaque: it cannot be told apart.
    """
    deeds: list[tuple[Deed, type]] = []

    def hidden(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {name: hidden(part) for name, part in tree.items()}
        if isinstance(tree, list):
            return [hidden(part) for part in tree]
        number = trace.marks.get(tree) if type(tree) in KINDS else None
        if number is None:
            return tree
        deeds.append((number.deed, type(number.value)))
        return "\0"

    pieces = written(hidden(json.loads(text))).split('"\\u0000"')
    if len(pieces) != len(deeds) + 1:
        raise Opaque
    return Blank(tuple(pieces), tuple(deeds)) if deeds else text


class Names:
    """The identities (`spec_id`) of the strategies of a form.

    Args:
        plain: a plain call.
        target, signals: its expressions with marks.
        exits: marks of its exits, by name.
        trace: whose marks they are.
    """

    def __init__(self, plain: Sketch, target: str, signals: Sequence[str], exits: Mapping[str, float], trace: Trace) -> None:
        self.plain, self.target, self.signals, self.exits, self.trace = plain, target, signals, exits, trace

    def of(self, rows: Sequence[tuple[Scalar, ...]]) -> list[str]:
        """The identities of the variants with these parameters, in the order of the function."""
        (pattern, parts), sha256 = self.parts, hashlib.sha256
        return [sha256((pattern % tuple([done(params) for done in parts])).encode()).hexdigest() for params in rows]

    def _told(self, number: Traced) -> Traced:
        return number if type(number.value) in KINDS else Real(self.trace, ("scalar", number.deed), 0.0)

    @cached_property
    def parts(self) -> tuple[str, Sequence[Callable[[tuple[Any, ...]], Any]]]:
        """The text that is hashed, and how the numbers in its gaps are worked out.

        Raises:
            Opaque: it does not give the identity of the plain call.
        """
        real, place = self.plain.strategy, {name: at for at, name in enumerate(self.plain.params)}
        assert real.target is not None
        marked, put = stamped(real, "", self.plain.params), object.__setattr__
        put(marked, "target", Target(real.target.kind, build(json.loads(self.target))))
        put(marked, "signals", {name: build(json.loads(one)) for name, one in zip(real.signals, self.signals, strict=True)})
        facts = json.loads(canonical(marked))
        if self.exits:
            facts["exits"] |= self.exits
        told = {name: self._told(number) for name, number in self.trace.parameters.items()}
        facts["params"] |= {name: self.trace.put_mark(number) for name, number in told.items()}
        blank = blank_of(json.dumps(facts, sort_keys=True), self.trace)
        if isinstance(blank, str):
            raise Opaque
        pattern, parts = pattern_of(blank.pieces), [worked_out(deed, place) for deed, _ in blank.deeds]
        given = tuple(self.plain.params.values())
        if pattern % tuple([done(given) for done in parts]) != canonical(stamped(real, "", self.plain.params)):
            raise Opaque
        return pattern, parts
