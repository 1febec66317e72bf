"""Forms: what a strategy function makes, learned from one call with traced numbers and filled in for other parameter values.

A form holds for the parameter values that take the same path through the function: every comparison comes out as it did, every operation
gives a number of the same type. What Polars took in is worked out for them in Python's own numbers, so what is filled in is what a call
would have given. Before a form is used its trace is compared with a plain call, and so is what it fills in for one further variant.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.model.panel import Ints
from rustybt.spec import Strategy
from rustybt.sweeps.naming import Blank, Names, Text, Told, blank_of, checked, text_of, written
from rustybt.sweeps.sketch import Sketch
from rustybt.sweeps.template import Node, template_of
from rustybt.sweeps.traced import KINDS, Deed, Held, Opaque, Trace, Traced, is_traced, names_of, worked_out

GIVEN = frozenset({"window_size", "min_periods", "alpha", "prob"})
"""Options that Polars writes down as they are given. A number that turns up elsewhere is not traced."""
LITERALS = {"Int64": "Int", "Float64": "Float"}
"""Of what type a traced constant is written down, and a plain one."""
SEVERAL = 2**12
"""Combinations of parameters that are remembered for a part that depends on several."""


class Table:
    """The parts of a form that depend on the same parameters, worked out once for each of their values.

    Args:
        names: of the parameters.
        steps: what has to come out as it did.
        constants, texts: what differs.
    """

    def __init__(self, names: Sequence[str], steps: Mapping[Deed, Any], constants: Sequence[Blank], texts: Sequence[Blank]) -> None:
        place = {name: at for at, name in enumerate(names)}
        self.names = tuple(names)
        self.steps = [(worked_out(deed, place), wanted) for deed, wanted in steps.items()]
        self.constants = [(worked_out(*_only(blank, place)), blank.deeds[0][1]) for blank in constants]
        self.texts = [Gapped(blank, place) for blank in texts]
        self.known: dict[tuple[Any, ...], int] = {}
        self.fits: list[bool] = []
        self.numbers: list[list[float]] = [[] for _ in constants]
        self.written: list[list[Text]] = [[] for _ in texts]

    def look_up(self, codes: Sequence[Ints], values: Sequence[Sequence[Any]]) -> Ints:
        """(variants,) the row of each.

        Args:
            codes: of each parameter (variants,) the code of its value.
            values: of each parameter by code.
        """
        if len(self.names) == 1:  # a row for each value
            for value in values[0][len(self.fits) :]:
                self._add((value,), (len(self.fits),))
            return codes[0]
        if len(self.known) > SEVERAL:
            self.known, self.fits = {}, []
            self.numbers, self.written = [[] for _ in self.numbers], [[] for _ in self.written]
        known, found = self.known, []
        for key in zip(*(one.tolist() for one in codes), strict=True):
            row = known.get(key)
            if row is None:
                row = known[key] = self._add(tuple([of[code] for of, code in zip(values, key, strict=True)]), key)
            found.append(row)
        return np.array(found, dtype=np.int64)

    def _add(self, values: tuple[Any, ...], key: tuple[int, ...]) -> int:
        row, fits = len(self.fits), True
        numbers: list[float] = []
        texts: list[Text] = []
        try:
            for done, wanted in self.steps:
                fits = fits and _came_out(done(values), wanted)
            if fits:
                numbers = [float(checked(done(values), kind)) for done, kind in self.constants]
                texts = [one.filled(values, key) for one in self.texts]
        except (ArithmeticError, ValueError, TypeError):  # so would a call; what it says is found out there
            fits = False
        self.fits.append(fits)
        for held, number in zip(self.numbers, numbers if fits else [0.0] * len(self.numbers), strict=True):
            held.append(number)
        for kept, text in zip(self.written, texts if fits else [""] * len(self.written), strict=True):
            kept.append(text)
        return row


class Gapped:
    """A text with gaps.

    Args:
        blank: the text.
        place: of the parameters by name.
    """

    def __init__(self, blank: Blank, place: Mapping[str, int]) -> None:
        self.pieces = blank.pieces
        self.gaps = [Gap(*pair, place) for pair in blank.deeds]
        self.quick: list[Any] = [(gap.known, gap.at) for gap in self.gaps]

    def filled(self, values: tuple[Any, ...], key: tuple[int, ...]) -> Told:
        """The text; see `Gap.filled`."""
        try:
            digits = tuple([known[key[at]] for known, at in self.quick])
        except (KeyError, TypeError):  # one that is not known yet, or depends on several parameters
            digits = tuple([gap.filled(values, key) for gap in self.gaps])
        return Told(self.pieces, digits)


class Gap:
    """A number within a text.

    Args:
        deed: how it is worked out.
        kind: its type.
        place: of the parameters by name. Where it depends on one of several, it is worked out once for each value of that one.
    """

    def __init__(self, deed: Deed, kind: type, place: Mapping[str, int]) -> None:
        names = names_of(deed)
        self.done, self.kind = worked_out(deed, place), kind
        self.at = place[next(iter(names))] if len(names) == 1 < len(place) else None
        self.known: dict[int, str] = {}

    def filled(self, values: tuple[Any, ...], key: tuple[int, ...]) -> str:
        """Its digits.

        Args:
            values: of the parameters.
            key: their codes.
        """
        if self.at is None:
            return repr(checked(self.done(values), self.kind))
        found = self.known.get(key[self.at])
        if found is None:
            found = self.known[key[self.at]] = repr(checked(self.done(values), self.kind))
        return found


def _only(blank: Blank, place: Mapping[str, int]) -> tuple[Deed, Mapping[str, int]]:
    return blank.deeds[0][0], place


def _came_out(found: Any, wanted: Any) -> bool:
    return found is wanted if isinstance(wanted, bool) else type(found) is wanted


@dataclass(frozen=True)
class Filled:
    """Variants of a form, filled in.

    Attributes:
        form: theirs.
        at: their numbers in the chunk.
        constants: (variants, constants) Float64.
        texts: of each feature, those of the top first: its different texts, and which of them each variant has.
    """

    form: Form
    at: Ints
    constants: npt.NDArray[np.float64]
    texts: Sequence[tuple[Sequence[Text], Ints]]

    def part(self, rows: Any) -> Filled:
        """Some of them."""
        return Filled(self.form, self.at[rows], self.constants[rows], [(texts, which[rows]) for texts, which in self.texts])


@dataclass
class Form:
    """What the function makes on one path; see the module.

    Attributes:
        sketch: of the variant that was traced. None: variants on this path are called one by one.
        steps: what has to come out as it did.
        constants: of the top: a number, or what differs.
        features: of the top, then of the signals.
        top: the operations.
        wide: features of the top.
        names: tells the identities of the strategies.
    """

    sketch: Sketch | None
    steps: Mapping[Deed, Any]
    constants: Sequence[float | Blank] = ()
    features: Sequence[str | Blank] = ()
    top: Node | None = None
    wide: int = 0
    names: Names | None = None
    tables: list[Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        groups: dict[frozenset[str], tuple[dict[Deed, Any], list[Blank], list[Blank]]] = {}
        for deed, wanted in self.steps.items():
            groups.setdefault(names_of(deed), ({}, [], []))[0][deed] = wanted
        for kind, blanks in ((1, self.constants), (2, self.features)):
            for blank in blanks:
                if isinstance(blank, Blank):
                    held = groups.setdefault(blank.names, ({}, [], []))[kind]
                    assert isinstance(held, list)
                    held.append(blank)
        self.tables = [Table(sorted(names), *parts) for names, parts in groups.items()]
        self.places: dict[int, tuple[Table, int]] = {}
        for table, (_, numbers, texts) in zip(self.tables, groups.values(), strict=True):
            for held in (numbers, texts):
                for at, blank in enumerate(held):
                    self.places[id(blank)] = table, at

    @property
    def key(self) -> str:
        """Of its top, as a template has it."""
        return self.sketch.template.key if self.sketch is not None else ""

    def fill(self, at: Ints, codes: Mapping[str, Ints], values: Mapping[str, Sequence[Any]]) -> tuple[Ints, Filled | None]:
        """Those variants that it holds for, filled in.

        Args:
            at: variants of the chunk.
            codes: of the values of each parameter of all variants of the chunk.
            values: of each parameter by code.

        Returns:
            Which of ``at`` it holds for, and these filled in; None where they have to be called.
        """
        rows: dict[int, Ints] = {}
        fits = np.ones(len(at), dtype=bool)
        for table in self.tables:
            rows[id(table)] = found = table.look_up([codes[name][at] for name in table.names], [values[name] for name in table.names])
            fits &= np.array(table.fits, dtype=bool)[found]
        good = np.flatnonzero(fits)
        if self.sketch is None or not len(good):
            return good, None
        constants = np.empty((len(good), len(self.constants)))
        for place, constant in enumerate(self.constants):
            if isinstance(constant, Blank):
                table, number = self.places[id(constant)]
                constants[:, place] = np.array(table.numbers[number])[rows[id(table)][good]]
            else:
                constants[:, place] = constant
        texts: list[tuple[Sequence[Text], Ints]] = []
        for feature in self.features:
            if isinstance(feature, Blank):
                table, number = self.places[id(feature)]
                different, which = np.unique(rows[id(table)][good], return_inverse=True)
                texts.append(([table.written[number][row] for row in different.tolist()], which))
            else:
                texts.append(([feature], np.zeros(len(good), dtype=np.int64)))
        return good, Filled(self, at[good], constants, texts)


def agrees(filled: Filled, place: int, plain: Sketch) -> bool:
    """Whether one filled-in variant is what a plain call gives."""
    sample = filled.form.sketch
    assert sample is not None
    texts = [text_of(texts[int(which[place])]) for texts, which in filled.texts]
    wanted = [*plain.template.parts(plain.text), *plain.beside]
    same = (sample.template.key, sample.group, sample.rules, sample.strategy.warmup)
    numbers = np.array(plain.template.numbers(plain.text))
    return (
        same == (plain.template.key, plain.group, plain.rules, plain.strategy.warmup)
        and filled.constants[place].tobytes() == numbers.tobytes()
        and [json.loads(text) for text in texts] == [json.loads(text) for text in wanted]
    )


def form_of(trace: Trace, made: Any, seen: Sequence[str], plain: Sketch) -> Form:
    """The form of a traced call.

    Args:
        trace: what was done.
        made: the strategy of the traced call.
        seen: texts of its target, its universe (empty where it has none) and its signals.
        plain: a plain call with the same parameters.

    Raises:
        Held: a number stands where it cannot be filled in.
        Opaque: the two calls gave different things.
    """
    real = plain.strategy
    _same_rest(made, real)
    texts = (plain.text, plain.group[0] or "", *plain.beside)
    if len(seen) != len(texts):
        raise Opaque
    universe = _marked(json.loads(seen[1]), json.loads(texts[1]), "", trace) if texts[1] and seen[1] else None
    if (universe is None) != (not texts[1]) or (universe is None) != (not seen[1]):
        raise Opaque
    held = _names_in(universe, trace)
    if held:
        raise Held(held)
    target, *signals = (
        written(_marked(json.loads(one), json.loads(other), "", trace))
        for one, other in zip((seen[0], *seen[2:]), (texts[0], *texts[2:]), strict=True)
    )
    template = template_of(target, moves=plain.template.moves)
    if template is None or template.key != plain.template.key:
        raise Opaque
    constants = [_constant(target[first:last], read, trace) for first, last, read in template.constants]
    features = [blank_of(text, trace) for text in (*template.parts(target), *signals)]
    return Form(plain, trace.steps, constants, features, template.top, len(template.features), Names(plain, target, signals, trace))


def _same_rest(made: Any, real: Strategy) -> None:
    """See that whatever is no expression is the same, and free of traced numbers."""
    if not isinstance(made, Strategy) or made.target is None or real.target is None:
        raise Opaque
    for name in ("exits", "schedule", "warmup", "cancel_policy"):
        held = _traced_in(getattr(made, name))
        if held:
            raise Held(held)
        if getattr(made, name) != getattr(real, name):
            raise Opaque
    if made.target.kind is not real.target.kind or list(made.signals) != list(real.signals):
        raise Opaque
    if made.on_bar is not None or made.orders or made.declared:
        raise Opaque


def _traced_in(value: Any) -> frozenset[str]:
    if is_traced(value):
        return names_of(value.deed)
    if is_dataclass(value):
        return frozenset().union(*(_traced_in(getattr(value, one.name)) for one in fields(value)))
    return frozenset()


def _marked(seen: Any, real: Any, place: str, trace: Trace) -> Any:
    """The plain tree with the marks of the traced one where numbers differ between variants."""
    if isinstance(seen, dict) and isinstance(real, dict):
        if place == "Literal" and set(seen) == {"Scalar"} and set(real) == {"Dyn"}:
            (kind, mark), (word, number) = next(iter(seen["Scalar"].items())), next(iter(real["Dyn"].items()))
            if LITERALS.get(kind) == word and _is(trace.marks.get(mark), number):
                return {"Dyn": {word: mark}}
            raise Opaque
        if list(seen) != list(real):
            raise Opaque
        return {name: _marked(seen[name], real[name], name, trace) for name in seen}
    if isinstance(seen, list) and isinstance(real, list):
        if len(seen) != len(real):
            raise Opaque
        return [_marked(one, other, place, trace) for one, other in zip(seen, real, strict=True)]
    number = trace.marks.get(seen) if type(seen) in KINDS else None
    if number is not None:
        if not _is(number, real):
            raise Opaque
        if place not in GIVEN:
            raise Held(names_of(number.deed))
        return seen
    if type(seen) is not type(real) or seen != real or _signed(seen) != _signed(real):
        raise Opaque
    return real


def _is(number: Traced | None, plain: Any) -> bool:
    return number is not None and type(plain) is type(number.value) and plain == number.value and _signed(plain) == _signed(number.value)


def _signed(number: Any) -> float:
    return math.copysign(1.0, number) if type(number) is float else 0.0


def _names_in(tree: Any, trace: Trace) -> frozenset[str]:
    """The parameters whose numbers stand in a marked tree."""
    if isinstance(tree, (dict, list)):
        return frozenset().union(*(_names_in(part, trace) for part in (tree.values() if isinstance(tree, dict) else tree)))
    number = trace.marks.get(tree) if type(tree) in KINDS else None
    return frozenset() if number is None else names_of(number.deed)


def _constant(written: str, read: Callable[[str], float], trace: Trace) -> float | Blank:
    try:
        mark = json.loads(written)
    except ValueError:  # null
        return read(written)
    number = trace.marks.get(mark) if type(mark) in KINDS else None
    return read(written) if number is None else Blank((), ((number.deed, type(number.value)),))
