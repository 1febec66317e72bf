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
from rustybt.sweeps.naming import Blank, Names, Texts, blank_of, checked, written
from rustybt.sweeps.sketch import Sketch
from rustybt.sweeps.taken import marked_exits, units_in
from rustybt.sweeps.template import Node, template_of
from rustybt.sweeps.traced import KINDS, Deed, Held, Opaque, Trace, Traced, is_traced, names_of, worked_out

GIVEN = frozenset({"window_size", "min_periods", "alpha", "prob"})
"""Options that Polars writes down as they are given. A number that turns up elsewhere is not traced."""
LITERALS = {"Int64": "Int", "Float64": "Float"}
"""Of what type a traced constant is written down, and a plain one."""
SEVERAL = 2**12
"""Combinations of parameters that are remembered for a number that depends on several."""
SOME, FAR = 64, 2**62
"""Rows of a table at first, and what whole numbers stay below."""


class Table:
    """The numbers of a form that depend on the same parameters, worked out once for each of their values.

    Args:
        names: of the parameters.
        steps: what has to come out as it did.
        deeds: how the numbers are worked out, each with its type.

    Attributes:
        fits: (rows,) whether everything comes out as it did, and the numbers can be used.
        numbers: (numbers, rows) Float64. Both have room for more rows.
    """

    def __init__(self, names: Sequence[str], steps: Mapping[Deed, Any], deeds: Sequence[tuple[Deed, type]]) -> None:
        place = {name: at for at, name in enumerate(names)}
        self.names = tuple(names)
        self.steps = [(worked_out(deed, place), wanted) for deed, wanted in steps.items()]
        self.deeds = [(worked_out(deed, place), kind) for deed, kind in deeds]
        self.clear()

    def clear(self) -> None:
        """Forget what was worked out."""
        self.known: dict[tuple[int, ...], int] = {}
        self.used, self.fits, self.numbers = 0, np.zeros(SOME, dtype=bool), np.zeros((len(self.deeds), SOME))

    def look_up(self, codes: Sequence[Ints], values: Sequence[Sequence[Any]]) -> Ints:
        """(variants,) the row of each.

        Args:
            codes: of each parameter (variants,) the code of its value.
            values: of each parameter by code.
        """
        if len(self.names) == 1:  # a row for each value
            for value in values[0][self.used :]:
                self._add((value,))
            return codes[0]
        if len(self.known) > SEVERAL:
            self.clear()
        known, found = self.known, []
        for key in zip(*(one.tolist() for one in codes), strict=True):
            row = known.get(key)
            if row is None:
                row = known[key] = self._add(tuple([of[code] for of, code in zip(values, key, strict=True)]))
            found.append(row)
        return np.array(found, dtype=np.int64)

    def _add(self, values: tuple[Any, ...]) -> int:
        row, fits = self.used, True
        numbers = [0.0] * len(self.deeds)
        try:
            for done, wanted in self.steps:
                fits = fits and _came_out(done(values), wanted)
            if fits:
                numbers = [float(checked(done(values), kind)) for done, kind in self.deeds]
        except (ArithmeticError, ValueError, TypeError):  # so would a call; what it says is found out there
            fits = False
        if row == len(self.fits):
            self.fits = np.concatenate((self.fits, np.zeros(row, dtype=bool)))
            self.numbers = np.hstack((self.numbers, np.zeros_like(self.numbers)))
        self.fits[row], self.numbers[:, row] = fits, numbers
        self.used += 1
        return row


type Places = tuple[Table, int]
"""Where a number is worked out: a table, and which of its numbers it is."""


def different(codes: Sequence[Ints], sizes: Sequence[int]) -> tuple[Ints, Ints]:
    """Rows of several columns of whole numbers, each different one once.

    Args:
        codes: columns.
        sizes: of each a number beyond all that are in it.

    Returns:
        Of each different row the first that is the same, and of each row which of them it is.

    Example:
        >>> different([np.array([1, 0, 1]), np.array([2, 2, 2])], [2, 3])
        (array([1, 0]), array([1, 0, 1]))
    """
    joint, most = codes[0], sizes[0]
    for own, size in zip(codes[1:], sizes[1:], strict=True):
        if most * size >= FAR:
            _, joint = np.unique(joint, return_inverse=True)
            most = len(joint)
        joint, most = joint * size + own, most * size
    _, first, which = np.unique(joint, return_index=True, return_inverse=True)
    return first, which


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
        exits: (variants, 5) Int64; see `rustybt.kernel.many.EXITS`.
    """

    form: Form
    at: Ints
    constants: npt.NDArray[np.float64]
    texts: Sequence[tuple[Texts, Ints]]
    exits: Ints

    def part(self, rows: Any) -> Filled:
        """Some of them, with the texts that they have."""
        kept = [(texts, *np.unique(which[rows], return_inverse=True)) for texts, which in self.texts]
        texts = [(texts.some(used), codes) for texts, used, codes in kept]
        return Filled(self.form, self.at[rows], self.constants[rows], texts, self.exits[rows])


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
    exits: Sequence[float | Blank] = ()
    tables: list[Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        groups: dict[frozenset[str], tuple[dict[Deed, Any], dict[tuple[Deed, type], int]]] = {}
        for deed, wanted in self.steps.items():
            groups.setdefault(names_of(deed), ({}, {}))[0][deed] = wanted
        blanks = [blank for blank in (*self.constants, *self.features, *self.exits) if isinstance(blank, Blank)]
        for deed, kind in (one for blank in blanks for one in blank.deeds):
            held = groups.setdefault(names_of(deed), ({}, {}))[1]
            held.setdefault((deed, kind), len(held))
        made = {names: Table(sorted(names), steps, list(deeds)) for names, (steps, deeds) in groups.items()}
        self.tables = list(made.values())
        self.places: dict[int, list[Places]] = {
            id(blank): [(made[names_of(deed)], groups[names_of(deed)][1][deed, kind]) for deed, kind in blank.deeds] for blank in blanks
        }

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
            fits &= table.fits[found]
        good = np.flatnonzero(fits)
        if self.sketch is None or not len(good):
            return good, None
        constants, exits = (np.empty((len(good), len(given))) for given in (self.constants, self.exits))
        for given, into in ((self.constants, constants), (self.exits, exits)):
            for place, constant in enumerate(given):
                if isinstance(constant, Blank):
                    ((table, number),) = self.places[id(constant)]
                    into[:, place] = table.numbers[number, rows[id(table)][good]]
                else:
                    into[:, place] = constant
        texts: list[tuple[Texts, Ints]] = []
        for place, feature in enumerate(self.features):
            if self.features.index(feature) < place:  # one that is written twice
                texts.append(texts[self.features.index(feature)])
                continue
            if not isinstance(feature, Blank):
                texts.append((Texts((feature,), (), np.empty((1, 0))), np.zeros(len(good), dtype=np.int64)))
                continue
            names, places = sorted(feature.names), self.places[id(feature)]
            first, which = different([codes[name][at[good]] for name in names], [len(values[name]) for name in names])
            numbers = np.empty((len(first), len(places)))
            for gap, (table, number) in enumerate(places):
                numbers[:, gap] = table.numbers[number, rows[id(table)][good[first]]]
            texts.append((Texts(feature.pieces, tuple(kind for _, kind in feature.deeds), numbers), which))
        return good, Filled(self, at[good], constants, texts, exits.view(np.int64))


def agrees(filled: Filled, place: int, plain: Sketch) -> bool:
    """Whether one filled-in variant is what a plain call gives."""
    sample = filled.form.sketch
    assert sample is not None
    texts = [texts.text(int(which[place])) for texts, which in filled.texts]
    wanted = [*plain.template.parts(plain.text), *plain.beside]
    same = (sample.template.key, sample.group, sample.rules, sample.strategy.warmup)
    numbers = np.array(plain.template.numbers(plain.text))
    return (
        same == (plain.template.key, plain.group, plain.rules, plain.strategy.warmup)
        and filled.constants[place].tobytes() == numbers.tobytes()
        and tuple(filled.exits[place].tolist()) == plain.exits
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
    exits, written_exits = units_in(made.exits, real.exits), marked_exits(made.exits, trace)
    names = Names(plain, target, signals, written_exits, trace)
    return Form(plain, trace.steps, constants, features, template.top, len(template.features), names, exits)


def _same_rest(made: Any, real: Strategy) -> None:
    """See that whatever is no expression is the same, and free of traced numbers."""
    if not isinstance(made, Strategy) or made.target is None or real.target is None:
        raise Opaque
    for name in ("schedule", "warmup", "cancel_policy"):
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
