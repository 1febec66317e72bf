"""Learning a strategy function: its forms, and which variants they hold for."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from rustybt.model.panel import Ints
from rustybt.sweeps.forms import Filled, Form, agrees, form_of
from rustybt.sweeps.grid import ABSENT, Assignments, Turning
from rustybt.sweeps.sketch import Sketcher, exactly, quietly, texts_of
from rustybt.sweeps.taken import exiting
from rustybt.sweeps.traced import KINDS, WORDS, Held, Opaque, Trace, Watch

FEW = 8
"""Variants for which it does not pay to learn a form."""
TRIES = 8
"""Forms that are learned before each of them has to have served that many variants."""
TRACED = {kind: -1 - place for place, kind in enumerate((*KINDS, *WORDS))}
"""Numbers of the kinds of what can be traced."""
LAST = -len(KINDS)
"""The last that is a number; those beyond it are words."""


class Values:
    """The values of one parameter, each with a number.

    Attributes:
        values: checked, by number.
        kinds: by number: where the parameter can be traced, what it is (below 0); else the number.
    """

    def __init__(self) -> None:
        self.codes: dict[Any, int] = {}
        self.values: list[Any] = []
        self.kinds: list[int] = []

    def add(self, key: Any, value: Any) -> None:
        """A further value."""
        code = self.codes[key] = len(self.values)
        self.values.append(value)
        self.kinds.append(TRACED.get(type(value), code))


@dataclass(frozen=True)
class Shown:
    """A chunk.

    Attributes:
        variants: its variants.
        codes: numbers of the values of each parameter.
        found, left: variants that were filled in, and the numbers of the others.
    """

    variants: Assignments
    codes: Mapping[str, Ints]
    found: list[Filled]
    left: list[int]


def keys_of(column: Sequence[Any]) -> Sequence[Any]:
    """The values of a parameter as keys: an int is its own, any other value is one with its type.

    Example:
        >>> keys_of([3, 0.5])
        [3, (<class 'float'>, 0.5)]
    """
    kinds = set(map(type, column))  # thousands of variants of a few values: nothing is done for each in Python where it can be helped
    if kinds == {int}:
        return column
    if kinds == {float} and all(column):
        return list(zip(repeat(float), column, strict=False))
    return [value if type(value) is int else (ABSENT if value is ABSENT else exactly(value)) for value in column]


class Learner:
    """What is known about one strategy function.

    Args:
        sketcher: calls it.
    """

    def __init__(self, sketcher: Sketcher) -> None:
        self.sketcher = sketcher
        self.lock = threading.Lock()
        self.known: dict[str, Values] = {}
        self.forms: dict[tuple[Any, ...], list[Form]] = {}
        self.held: frozenset[str] = frozenset()
        self.opaque, self.learned, self.served = False, 0, 0

    def fill(self, variants: Assignments) -> tuple[list[Filled], list[int]]:
        """Variants that need not be called, filled in, and the numbers of the others."""
        if any(name not in variants.columns for name in self.sketcher.required):
            return [], list(range(variants.count))
        with self.lock:
            codes = {name: self._codes(name, column) for name, column in variants.columns.items()}
            good = np.ones(variants.count, dtype=bool)
            for one in codes.values():
                good &= one >= 0
            while not self.opaque:
                shown = Shown(variants, codes, [], np.flatnonzero(~good).tolist())
                try:
                    for key, at in self._groups(np.flatnonzero(good), codes):
                        self._group(key, at, shown)
                    return shown.found, sorted(shown.left)
                except Held as stopped:  # from here on these parameters are plain numbers
                    self.opaque = stopped.names <= self.held
                    self.held |= stopped.names
                    self.forms.clear()
                except Opaque:  # unless it was done to a word, which is traced only to see whether it goes into an exit
                    words = {name for name in codes if any(kind < LAST for kind in self.known[name].kinds)} - self.held
                    self.opaque = not words
                    self.held |= words
                    self.forms.clear()
        return [], list(range(variants.count))

    def _codes(self, name: str, column: Sequence[Any]) -> Ints:
        """The numbers of the values of a parameter; -1 where a value is not allowed."""
        if isinstance(column, Turning):
            different, which = column.told_apart()
            return self._codes(name, different)[which]
        known, keys = self.known.setdefault(name, Values()), keys_of(column)
        found: list[Any] = list(map(known.codes.get, keys))
        if None in found:
            for key, value in dict(zip(keys, column, strict=True)).items():
                if key not in known.codes:
                    self._add(name, known, key, value)
            found = list(map(known.codes.get, keys))
        return np.array(found, dtype=np.int64)

    def _add(self, name: str, known: Values, key: Any, value: Any) -> None:
        try:
            known.add(key, self.sketcher.defaults[name] if value is ABSENT else self.sketcher.checked_value(name, value))
        except Exception:  # noqa: BLE001 - the ordinary way says what is wrong
            known.codes[key] = -1

    def _groups(self, at: Ints, codes: Mapping[str, Ints]) -> Iterable[tuple[tuple[Any, ...], Ints]]:
        """Variants by the values of what is not traced, and by the types of what is."""
        columns = []
        for name, own in codes.items():
            kinds = np.array(self.known[name].kinds, dtype=np.int64)
            columns.append(own[at] if name in self.held or not len(kinds) else kinds[own[at]])
        if not columns or not len(at):
            return [((), at)]
        if all((column == column[0]).all() for column in columns):
            return [((*codes, *(int(column[0]) for column in columns)), at)]
        parts: dict[tuple[int, ...], list[int]] = {}
        for place, key in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            parts.setdefault(key, []).append(place)
        return [((*codes, *key), at[places]) for key, places in parts.items()]

    def _group(self, key: tuple[Any, ...], at: Ints, shown: Shown) -> None:
        """Fill in what can be.

        Raises:
            Held, Opaque: as the trace of a call.
        """
        forms = self.forms.setdefault(key, [])
        traced = [name for name, kind in zip(shown.codes, key[len(shown.codes) :], strict=True) if kind < 0] if key else []
        for form in list(forms):
            at = self._use(form, at, shown)
        while len(at) >= FEW and traced and (self.learned < TRIES or self.served >= TRIES * self.learned):
            self.learned += 1
            form = self._learn(int(at[0]), traced, shown.variants)
            before, rest = len(shown.found), self._use(form, at, shown)
            if len(rest) == len(at):
                raise Opaque
            for filled in shown.found[before:]:
                self._compare(filled, shown.variants)
            forms.append(form)
            at = rest
        shown.left.extend(at.tolist())

    def _use(self, form: Form, at: Ints, shown: Shown) -> Ints:
        """Fill a form in for those that it holds for; the others."""
        if not len(at):
            return at
        good, filled = form.fill(at, shown.codes, {name: self.known[name].values for name in shown.codes})
        if filled is not None:
            shown.found.append(filled)
            self.served += len(good)
        else:
            shown.left.extend(at[good].tolist())
        return np.delete(at, good)

    def _learn(self, at: int, traced: Sequence[str], variants: Assignments) -> Form:
        """The form of one variant.

        Raises:
            Held, Opaque: as the trace of its call.
        """
        values, trace = variants[at], Trace()
        params = self.sketcher.params(values)
        given = params | {name: trace.parameter(name, params[name]) for name in traced}
        with quietly(self.sketcher.family):
            plain = self.sketcher.read(at, values)  # first, so that what it imports is there
            try:
                with exiting(trace), Watch(trace):
                    made = self.sketcher.family.function(**given)
                seen = texts_of(made)
            except (Exception, SystemExit):  # noqa: BLE001 - calls on this path are left alone
                if trace.broken is not None:
                    raise trace.broken from None
                if plain is not None and trace.unread:  # what wanted a text or a `Decimal`, perhaps
                    raise Held(trace.unread) from None
                return Form(None, trace.steps)
            if trace.broken is not None:
                raise trace.broken
        return Form(None, trace.steps) if plain is None else form_of(trace, made, seen, plain)

    def _compare(self, filled: Filled, variants: Assignments) -> None:
        """See that the last variant of a new form that can be read is what a call makes of it.

        Raises:
            Opaque: it is not.
        """
        for place in reversed(range(len(filled.at))):
            with quietly(self.sketcher.family):
                plain = self.sketcher.read(0, variants[int(filled.at[place])])
            if plain is not None:  # as it is where a number is written in a way that we do not write it
                if not agrees(filled, place, plain):
                    raise Opaque
                return
