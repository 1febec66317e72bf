"""Assignments of parameters: a grid, a list, or what a sampler drew, kept column by column so that a million of them stay small."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import ConfigError
from rustybt.model.panel import Ints
from rustybt.spec import tree
from rustybt.sweeps.limits import MOST, MOST_DRAWN, MOST_LISTED, check_combinations, length, listed, plain

ABSENT = object()
"""In a column: the variant leaves this parameter at its default."""

NUMBERS = {bool, int, float, Decimal}
"""Kinds of values that a column holds as they are."""
MOST_HELD = 2**127
"""Whole numbers of a column are less than this."""
PART = 2**14
"""Variants whose values are written down at a time."""


class Turning(Sequence[Any]):
    """A column of a grid, or a part of it: each value a number of times, over and over, without a place for each.

    Args:
        values: of the parameter.
        times: how often a value stands before the next.
        count: length of the column.
        first: place of its first row in the whole column.

    Example:
        >>> whole = Turning([5, 10], 2, 8)
        >>> list(whole), list(whole[1:4])
        ([5, 5, 10, 10, 5, 5, 10, 10], [5, 10, 10])
    """

    def __init__(self, values: Sequence[Any], times: int, count: int, first: int = 0) -> None:
        self.values, self.times, self.length, self.first = values, times, count, first

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            rows, values = range(*at.indices(self.length)), self.values
            if rows.step == 1:
                return Turning(values, self.times, len(rows), self.first + rows.start)
            return [values[code] for code in self.codes(rows).tolist()]
        place = self.first + range(self.length)[at]
        return self.values[place // self.times % len(self.values)]

    def codes(self, rows: range) -> Ints:
        """Which of the values stand in some of its rows."""
        first = self.first
        found: Ints = np.arange(first + rows.start, first + rows.stop, rows.step, dtype=np.int64) // self.times % len(self.values)
        return found

    def told_apart(self) -> tuple[list[Any], Ints]:
        """Its different values, and which of them stands in each row.

        Example:
            >>> different, which = Turning([5, 10, 15], 2, 4, 1).told_apart()
            >>> different, which.tolist()
            ([5, 10, 15], [0, 1, 1, 2])
        """
        codes = self.codes(range(self.length))
        if self.length < len(self.values):
            used, codes = np.unique(codes, return_inverse=True)
            return [self.values[code] for code in used.tolist()], codes
        return list(self.values), codes

    def all_codes(self) -> npt.NDArray[np.uint32]:
        """Which of the values stand in all of its rows, in the 4 bytes a row that Polars wants, without wider numbers on the way."""
        once = np.repeat(np.arange(len(self.values), dtype=np.uint32), self.times)
        begin = self.first % max(1, len(once))
        return np.tile(once, -(-(begin + self.length) // max(1, len(once))))[begin : begin + self.length]

    def __iter__(self) -> Iterator[Any]:
        values, times = self.values, self.times
        return (values[at // times % len(values)] for at in range(self.first, self.first + self.length))


@dataclass(frozen=True)
class Assignments:
    """Parameter values of many variants.

    Attributes:
        columns: one value per variant by parameter name; `ABSENT` where a variant does not give it.
        count: number of variants.

    Example:
        >>> Assignments.of_rows([{"fast": 5}, {"fast": 10, "slow": 20}])[1]
        {'fast': 10, 'slow': 20}
    """

    columns: Mapping[str, Sequence[Any]]
    count: int

    @classmethod
    def of_grid(cls, grid: Mapping[str, Iterable[Any]], most: int = MOST) -> Assignments:
        """Every combination of the values of a grid, the last name varying fastest.

        Raises:
            ConfigError: an empty grid, a value that is given twice, or more combinations than ``most``.
        """
        check_grid(grid, "sweep")
        values = {name: listed(given, f"sweep, grid, {name!r}") for name, given in grid.items()}
        columns = dict[str, Sequence[Any]]()
        empty = [name for name, given in values.items() if not length(given)]
        if not values or empty:
            what = f"the grid has no values{' for ' + repr(empty[0]) if empty else ''}"
            raise ConfigError(what, where="grid", do='give grid={"fast": [5, 10]}')
        check_combinations(values, "sweep, grid", most)
        for name, given in values.items():
            check_different(name, given)
        count, inner = prod(map(len, values.values())), 1
        for name in reversed(values):
            given = values[name]
            columns[name] = Turning(given, inner, count)
            inner *= len(given)
        return cls({name: columns[name] for name in values}, count)

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Assignments:
        """A list of assignments.

        Raises:
            ConfigError: the list is empty, or holds something else.
        """
        if not isinstance(rows, Iterable):
            do = 'give variants=[{"fast": 5}, {"fast": 10}]'
            raise ConfigError(f"{rows!r} is no list of variants", where="sweep, variants", do=do)
        given = listed(rows, "sweep, variants", MOST_DRAWN)
        wrong = [row for row in given if type(row) is not dict and not isinstance(row, Mapping)]
        if not given or wrong:
            what = f"{wrong[0]!r} is no mapping of parameters" if wrong else "the list has no variants"
            raise ConfigError(what, where="sweep, variants", do='give variants=[{"fast": 5}, {"fast": 10}]')
        alike = dict.fromkeys(map(tuple, given))
        names = dict.fromkeys(name for own in alike for name in own)
        if len(alike) == 1:
            return cls({str(name): plain([row[name] for row in given]) for name in names}, len(given))
        return cls({str(name): plain([row.get(name, ABSENT) for row in given]) for name in names}, len(given))

    def __getitem__(self, at: int) -> dict[str, Any]:
        return {name: value for name, column in self.columns.items() if (value := column[at]) is not ABSENT}

    def frame(self) -> pl.DataFrame:
        """One row per variant, one column per parameter; null where it is left at its default."""
        return pl.DataFrame({name: series(name, column) for name, column in self.columns.items()}, height=self.count)

    def meeting(self, where: str | None) -> Assignments:
        """Those that meet a condition on the names, in SQL.

        Raises:
            ConfigError: an unreadable condition, or one that leaves nothing.
        """
        if where is None:
            return self
        keep = self.kept(where)
        if not keep.any():
            what = f"the condition {where!r} leaves none of {self.count} variants"
            raise ConfigError(what, where="where", do="loosen it or widen the grid")
        return self.taken(np.flatnonzero(keep).tolist())

    def kept(self, where: str) -> Any:
        """(count,) whether each meets a condition.

        Raises:
            ConfigError: an unreadable condition.
        """
        try:
            if not isinstance(where, str):
                raise ConfigError(f"the condition {where!r} is no text", where="where", do='write "fast < slow"')
            found = self.frame().select(pl.sql_expr(where).alias("keep"))["keep"]
        except (pl.exceptions.PolarsError, UnicodeError) as error:
            what = f"the condition {where!r} cannot be used: {str(error).splitlines()[0]}"
            raise ConfigError(what, where="where", do='write "fast < slow"') from None
        check_condition(where, found.dtype, "where")
        return (pl.repeat(found[0], self.count, eager=True) if len(found) != self.count else found).fill_null(value=False).to_numpy()

    def taken(self, rows: Sequence[int]) -> Assignments:
        """Some of them, in the order given."""
        if isinstance(rows, range) and rows.step == 1:
            return Assignments({name: column[rows.start : rows.stop] for name, column in self.columns.items()}, len(rows))
        return Assignments({name: [column[at] for at in rows] for name, column in self.columns.items()}, len(rows))

    def digest(self) -> str:
        """SHA-256 of names and values, in order."""
        found = hashlib.sha256(f"[{self.count}, {{".encode())
        for number, (name, column) in enumerate(self.columns.items()):
            found.update(f"{', ' if number else ''}{json.dumps(name)}: [".encode())
            for first in range(0, self.count, PART):  # the text of all of them would take more than they do
                plain = ["" if value is ABSENT else value for value in column[first : first + PART]]
                found.update(f"{', ' if first else ''}{json.dumps(plain, default=repr)[1:-1]}".encode())
            found.update(b"]")
        found.update(b"}]")
        return found.hexdigest()


def series(name: str, values: Sequence[Any]) -> pl.Series:
    """Values of a parameter as a column; kinds that do not go together, or into a column, become text.

    Example:
        >>> series("fast", [5, "x", len]).to_list()
        ['5', 'x', '<built-in function len>']
    """
    if isinstance(values, Turning):
        return series(name, values.values).gather(values.all_codes())
    known = [None if value is ABSENT else value for value in values]
    kinds = {type(value) for value in known} - {type(None)}
    if kinds == {int, float} and not _wide(known):
        known = [None if value is None else float(value) for value in known]
    elif len(kinds) > 1 or not kinds <= NUMBERS or (kinds == {int} and _wide(known)):
        known = [None if value is None else _text(value) for value in known]
    return pl.Series(name, known, strict=False)


def _wide(values: Sequence[Any]) -> bool:
    """Whether a whole number among them is beyond 128 bits."""
    return any(type(value) is int and not -MOST_HELD <= value < MOST_HELD for value in values)


def _text(value: object) -> str:
    """A value as a text that a column can hold."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def check_grid(grid: object, where: str) -> None:
    """Refuse what is no grid.

    Raises:
        ConfigError: no mapping, or a value where there have to be several.
    """
    do = 'give grid={"fast": [5, 10]}'
    if not isinstance(grid, Mapping):
        raise ConfigError(f"{grid!r} is no mapping of names to values", where=f"{where}, grid", do=do)
    for name, given in grid.items():
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise ConfigError(f"{given!r} is no list of values for {name!r}", where=f"{where}, grid", do=do)


def check_condition(where: str, kind: pl.DataType, place: str) -> None:
    """Refuse as a condition what is neither true nor false, and what looks at other variants: a search asks for one at a time.

    Raises:
        ConfigError: naming what it is.

    Example:
        >>> check_condition("fast < slow", pl.Boolean(), "where")
    """
    if kind not in (pl.Boolean, pl.Null):
        raise ConfigError(f"{where!r} is no condition: it gives {kind}", where=place, do='write "fast < slow"')
    if any(tree.kind(node) in ("Agg", "Len", "Over") for node in tree.walk(tree.parse(pl.sql_expr(where)))):
        do = 'compare values of one variant: "fast < slow"'
        raise ConfigError(f"{where!r} looks at several variants together", where=place, do=do)


def check_different(name: str, given: Sequence[Any]) -> None:
    """Refuse a value that is given twice: its variants would run twice and count twice.

    Raises:
        ConfigError: naming it.

    Example:
        >>> check_different("fast", [5, 10])
    """
    if isinstance(given, range):
        return
    seen = set[tuple[type, str]]()
    for value in given:
        key = type(value), repr(value)
        if key in seen:
            raise ConfigError(f"the value {value!r} of {name!r} is given twice", where=f"sweep, grid, {name!r}", do="give each value once")
        seen.add(key)


def assignments(grid: Mapping[str, Iterable[Any]], where: str | None = None) -> list[dict[str, Any]]:
    """Every combination of the values of a grid, the last name varying fastest.

    Args:
        grid: values by parameter name.
        where: a condition on the names in SQL, such as ``"fast < slow"``; combinations that do not meet it are left out.

    Raises:
        ConfigError: an empty grid, one of more than a million combinations, an unreadable condition, or one that leaves nothing.

    Example:
        >>> assignments({"fast": [5, 10], "slow": [10, 20]}, where="fast < slow")
        [{'fast': 5, 'slow': 10}, {'fast': 5, 'slow': 20}, {'fast': 10, 'slow': 20}]
    """
    found = Assignments.of_grid(grid, MOST_LISTED).meeting(where)
    return [found[at] for at in range(found.count)]
