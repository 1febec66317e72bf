"""The whole Polars API, method by method: what the guard lets pass must not change when later rows are cut off."""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from rustybt.spec import vocabulary
from rustybt.spec.bounds import analyse
from rustybt.spec.tree import call, children, is_pointwise, kind, parse

ROWS = 30
EACH = 8
"""Calls of one word that are tried on data."""
COLUMNS = ("f", "i", "s", "b", "d", "l", "e")
NAMESPACES = {"str": "su", "dt": "dt", "list": "lm", "arr": "ay", "struct": "w", "cat": "e", "bin": "z"}
SKIPPED = {
    "deserialize",
    "from_json",
    "inspect",
    "map_batches",
    "map_elements",
    "pipe",
    "pipe_with_dtype",
    "rolling_map",
    "register_plugin",
}


@cache
def frame() -> pl.DataFrame:
    """One asset's rows with columns of each kind in pairs; what one of a pair holds early, the other holds late."""
    rng = np.random.default_rng(5)
    grow = np.arange(ROWS)
    f = pl.Series(np.round(rng.normal(size=ROWS) * (1 + grow / 5), 2)).set(pl.Series(rng.random(ROWS) < 0.2), None)
    days = [date(2024, 1, 1) + timedelta(days=int(at)) for at in grow]
    words = pl.Series(["ab", "b", "a c", "d"])[list(rng.integers(0, 2, ROWS // 2)) + list(rng.integers(0, 4, ROWS - ROWS // 2))]
    whole = pl.Series(rng.integers(0, 3, ROWS) + grow // 6)
    pairs = [[float(a), float(b)] for a, b in rng.integers(0, 1 + grow[:, None] // 4 + 1, (ROWS, 2))]
    return pl.DataFrame(
        {
            "ts": [datetime(2024, 1, 1 + int(at), tzinfo=UTC) for at in grow],
            "asset": pl.Series(["A"] * ROWS).cast(pl.Enum(["A"])),
            "session": days,
            "f": f,
            "g": f.reverse(),
            "i": whole,
            "k": whole.reverse(),
            "s": words,
            "u": words.reverse(),
            "b": rng.random(ROWS) < 0.5,
            "d": days,
            "t": [datetime(2024, 1, 1, int(at) % 24, tzinfo=UTC) for at in grow],
            "x": pl.Series([timedelta(hours=int(at)) for at in rng.integers(0, 99, ROWS)]),
            "l": pairs,
            "m": pairs[::-1],
            "a": pl.Series(pairs, dtype=pl.Array(pl.Float64, 2)),
            "y": pl.Series(pairs[::-1], dtype=pl.Array(pl.Float64, 2)),
            "e": words.cast(pl.Categorical),
            "w": pl.DataFrame({"p": grow, "q": words}).to_struct(),
            "z": words.cast(pl.Binary),
        }
    )


def _arguments() -> list[Any]:
    columns = [pl.col(name) for name in ("g", "k", "u", "b", "d", "m")]
    return [*columns, 1, 2, 0.5, "a", "1d", True, [1.0, 2.0], ["a", "b"], pl.Float64, {1: 2}, date(2024, 1, 5), pl.element().max()]


def _calls(method: Callable[..., pl.Expr]) -> Iterator[pl.Expr]:
    """A method with every argument in turn where one is wanted, and every option in turn."""
    pool = _arguments()
    try:
        parameters = [p for p in inspect.signature(method).parameters.values() if p.kind is not p.VAR_KEYWORD]
    except (TypeError, ValueError):
        return
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    free = [p.name for p in parameters if p.default is not p.empty]
    first = [next(iter(values)) for values in [pool[6:7]] * max(len(needed) - 1, 0)]
    tries: list[tuple[list[Any], dict[str, Any]]] = []
    for value in pool if needed else [None]:
        given = [] if not needed else [value, *first]
        tries.append((given, {}))
        if len(needed) == 2:
            tries += [([value, other], {}) for other in pool[:8]]
    held = list(tries)
    for name, value in itertools.product(free, (pool[0], pool[1], True)):
        tries += [(given, {name: value}) for given, _ in held[:2] + held[6:7]]
    for given, options in tries:
        try:
            names = [p.name for p in needed if p.kind is p.KEYWORD_ONLY]
            plain = given[: len(given) - len(names)]
            made = method(*plain, **dict(zip(names, given[len(plain) :], strict=True)), **options)
        except Exception:  # noqa: BLE001 - the wrong kind of argument fails in many ways
            continue
        if isinstance(made, pl.Expr):
            yield made


@cache
def _everything() -> dict[str, pl.Expr]:
    found: dict[str, pl.Expr] = {}
    for space, selves in [("", COLUMNS), *NAMESPACES.items()]:
        for name in selves:
            target = getattr(pl.col(name), space) if space else pl.col(name)
            for word in dir(target):
                if word.startswith("_") or word in SKIPPED or not callable(getattr(target, word)):
                    continue
                for made in _calls(getattr(target, word)):
                    try:
                        found.setdefault(made.meta.serialize(format="json"), made)
                    except pl.exceptions.PolarsError:
                        continue
    return found


def _changes(expr: pl.Expr) -> bool:
    """Whether an earlier row changes when later ones are cut off; an expression that does not run changes nothing."""
    try:
        full = frame().select(x=expr)["x"]
        if len(full) not in (1, ROWS):
            return True
        for cut in (ROWS // 2, ROWS - 1):
            part = frame().head(cut).select(x=expr)["x"]
            longer = full if len(full) == ROWS else pl.Series([full[0]] * ROWS, dtype=full.dtype)
            short = part if len(part) == cut else pl.Series([part[0]] * cut, dtype=part.dtype)
            if longer.head(cut).to_list() != short.to_list() and str(longer.head(cut).to_list()) != str(short.to_list()):
                return True
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
    return False


def test_no_method_of_polars_that_passes_reads_later_rows() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tried = _everything()
        passed: dict[str, list[pl.Expr]] = {}
        for expr in tried.values():
            if not analyse(expr).refused:
                passed.setdefault(call(parse(expr))[0], []).append(expr)
        wrong = [str(expr) for held in passed.values() for expr in held[:: max(len(held) // EACH, 1)] if _changes(expr)]
    assert len(tried) > 5000
    assert len(passed) > 200
    assert not wrong


def test_words_are_in_one_class_only() -> None:
    assert not vocabulary.ROW_BY_ROW & vocabulary.WHOLE
    assert not vocabulary.ROW_BY_ROW & vocabulary.ORDERED
    assert not vocabulary.WHOLE & vocabulary.ORDERED


def test_polars_agrees_that_row_by_row_words_are_row_by_row() -> None:
    """Polars' own answer for plain columns; it refuses to say for some, and says it of some that are not."""
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for expr in _everything().values():
            tree = parse(expr)
            plain = all(kind(slot.node) in ("Column", "Literal") for slot in children(tree))
            if kind(tree) != "Function" or not plain or not is_pointwise(tree) or call(tree)[0] == "Repeat":
                continue
            try:
                separable = expr.meta.is_row_separable() and expr.meta.is_length_preserving()
            except BaseException as error:  # Polars panics on some
                if isinstance(error, KeyboardInterrupt):
                    raise
                continue
            if not separable:
                wrong.append(call(tree)[0])
    known = {
        "ToPhysical",
        "Categorical.Physical",
        "Reinterpret",
        "SearchSorted",
        "LowerBound",
        "UpperBound",
        "Bin",
        "Business.IsBusinessDay",
    }
    assert not set(wrong) - known
