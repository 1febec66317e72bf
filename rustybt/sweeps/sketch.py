"""Sketches: variants read as far as is needed to run them together.

Where the strategy function is called for a variant, what it makes is not proven as a whole: its features are, each once, and the operations
of a top read one row, or bars before it. Whatever is out of the ordinary has no sketch, and such a variant is run like any other strategy.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from rustybt.errors import RustyBTError
from rustybt.kernel.many import EXITS
from rustybt.spec import Schedule, Strategy, StrategyFunction
from rustybt.spec.parameters import Scalar
from rustybt.spec.strategy import building, proving
from rustybt.sweeps.grid import ABSENT, Assignments
from rustybt.sweeps.template import Template, shape_of, template_of

NO_EXITS = dict.fromkeys(EXITS, 0)


@dataclass(slots=True)
class Sketch:
    """One variant.

    Attributes:
        at: its number in the chunk.
        strategy: what the function made, unproven and without parameters.
        params: parameter values, checked.
        template: of the shape of its target.
        text: of the target.
        group: universe (text) and schedule.
        beside: texts of signals, which are evaluated to see that they can be.
    """

    at: int
    strategy: Strategy
    params: dict[str, Scalar]
    template: Template
    text: str
    group: tuple[str | None, Schedule | None]
    beside: tuple[str, ...]

    @property
    def rules(self) -> Hashable:
        """What the tables of a run depend on, beside the numbers of exits."""
        made = self.strategy
        assert made.target is not None
        reentry = None if made.exits is None else made.exits.reentry
        return tuple(map(bool, self.exits[:4])), reentry, made.schedule is not None, made.target.kind, made.cancel_policy

    @property
    def exits(self) -> tuple[int, ...]:
        """The numbers of its exits, as `rustybt.kernel.many.EXITS`, which are filled into the tables."""
        units = NO_EXITS if self.strategy.exits is None else self.strategy.exits.units()
        return tuple([units[name] for name in EXITS])


class Sketcher:
    """Reads the variants of one family.

    Args:
        family: the ``@strategy`` function.
        moves: whether tops may look back along the bars of an asset, where there is neither a universe nor a schedule.
    """

    def __init__(self, family: StrategyFunction, *, moves: bool = False) -> None:
        self.family, self.defaults, self.moves = family, family.defaults, moves
        self.required = [parameter.name for parameter in family.parameters.values() if parameter.required]
        self.checked: dict[tuple[str, type, Hashable], Scalar] = {}
        self.templates: dict[tuple[bytes, bool], Template | None] = {}

    def read(self, at: int, values: Mapping[str, Any]) -> Sketch | None:
        """The sketch of a variant; None where it has none. `quietly` has to be in force."""
        try:
            params = self.params(values)
            made = self.family.function(**params)
        except (Exception, SystemExit):  # noqa: BLE001 - the ordinary way says what is wrong
            return None
        plain = isinstance(made, Strategy) and made.target is not None and made.on_bar is None and not made.orders and not made.declared
        if not plain or made.target is None:
            return None
        try:
            text, universe, *beside = texts_of(made)
        except Exception:  # noqa: BLE001 - as above
            return None
        shape = shape_of(text), self.moves and not universe and made.schedule is None
        if shape not in self.templates:
            self.templates[shape] = template_of(text, moves=shape[1])
        template = self.templates[shape]
        if template is None or any(map(_odd, (universe, *beside))):
            return None
        return Sketch(at, made, params, template, text, (universe or None, made.schedule), tuple(beside))

    def checked_value(self, name: str, value: Any) -> Scalar:
        """A parameter value in its exact type.

        Raises:
            ConfigError: it is not allowed.
        """
        key = (name, *exactly(value))
        if key not in self.checked:
            self.checked[key] = self.family.parameters[name].check(value)
        return self.checked[key]

    def table(self, variants: Assignments) -> list[tuple[Any, ...]]:
        """All parameter values of each variant in the order of the function; where one is not allowed, as it was given."""
        columns = []
        for name in self.family.parameters:
            column, default = variants.columns.get(name), self.defaults.get(name)
            if column is None:
                columns.append([default] * variants.count)
                continue
            known: dict[Any, Any] = {}
            checked = []
            for value in column:
                key = value if type(value) is int else exactly(value)
                if key not in known:
                    known[key] = default if value is ABSENT else self._allowed(name, value)
                checked.append(known[key])
            columns.append(checked)
        return list(zip(*columns, strict=True))

    def _allowed(self, name: str, value: Any) -> Any:
        try:
            return self.checked_value(name, value)
        except RustyBTError:
            return value

    def params(self, values: Mapping[str, Any]) -> dict[str, Scalar]:
        """All parameter values in the order of the function, each checked once for all variants.

        Raises:
            ConfigError: a value is not allowed.
            KeyError: one is missing.
        """
        found = dict(self.defaults) if not self.required else dict.fromkeys(self.family.parameters) | self.defaults
        for name, value in values.items():
            found[name] = self.checked_value(name, value)
        if any(name not in values for name in self.required):
            raise KeyError
        return found


def exactly(value: Any) -> tuple[type, Hashable]:
    """A value as a key: 0.0 is not -0.0, nor 1.0 the Decimal 1.00."""
    kind = type(value)
    return kind, value if kind is int or kind is str or (kind is float and value) else repr(value)


def texts_of(made: Strategy) -> list[str]:
    """Target, universe (empty where it has none) and signals as Polars writes them."""
    assert made.target is not None
    parts = [made.target.expr, made.universe, *made.signals.values()]
    return ["" if expr is None else expr.meta.serialize(format="json") for expr in parts]


def _odd(text: str) -> bool:
    return '"Selector"' in text or '"AnonymousFunction"' in text or '"FfiPlugin"' in text


class quietly:  # noqa: N801 - a context, written like a function
    """Strategies made meanwhile are named after a family and not proven."""

    def __init__(self, family: StrategyFunction) -> None:
        self.name = family.name

    def __enter__(self) -> None:
        self.tokens = building.set(self.name), proving.set(False)

    def __exit__(self, *_: object) -> None:
        building.reset(self.tokens[0])
        proving.reset(self.tokens[1])
