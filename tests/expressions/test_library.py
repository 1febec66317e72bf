"""Every entry of the library: its values, its lookback, its nulls, its past-only sight, its documentation."""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import pkgutil
import re
from pathlib import Path

import polars as pl
import pytest

import expressions as ex
from rustybt.spec.bounds import analyse
from rustybt.spec.causality import truncation
from rustybt.spec.form import decode, encode
from tests.expressions.cases import ALONG, CROSS, DATES
from tests.expressions.markets import HOLES, bars_of, distance, evaluate, frame, panel, symbols

HEADINGS = ("Formula: ", "Unit: ", "Lookback: ", "Nulls: ", "Source: ", "Example:")
FAMILIES = [m.name for m in pkgutil.iter_modules(ex.__path__) if not m.ispkg]
TERMS = {
    **{name: make("") for name, (_, make, _) in ALONG.items()},
    **{name: expr for name, (_, expr, _) in CROSS.items()},
    **{name: expr for name, (expr, _) in DATES.items()},
}
PARAMS = {name: params for name, (params, *_) in (ALONG | CROSS).items()}


def test_every_entry_has_a_case() -> None:
    assert sorted(TERMS) == sorted(ex.__all__)
    assert len(ex.__all__) >= 70


@pytest.mark.parametrize("name", ALONG)
def test_values_are_those_of_the_formula(name: str) -> None:
    _, make, oracle = ALONG[name]
    expected = [value for symbol in symbols() for value in oracle(bars_of(frame(), symbol))]
    assert any(value is not None for value in expected)
    assert distance(evaluate(make("")), expected) == ""


# liquid has no prefix; whether a price that has not moved is above its average is rounding, unless the average is exact.
@pytest.mark.parametrize("name", sorted(set(ALONG) - {"liquid", "above_average"}))
def test_nulls_spread_as_documented(name: str) -> None:
    _, make, oracle = ALONG[name]
    expected = [value for symbol in symbols() for value in oracle(bars_of(frame(), symbol, HOLES))]
    assert distance(evaluate(make(HOLES)), expected) == ""


@pytest.mark.parametrize("name", CROSS)
def test_cross_sections_compare_the_assets_of_a_bar(name: str) -> None:
    _, expr, oracle = CROSS[name]
    data = frame()
    expected: list[object] = [None] * data.height
    for (_,), part in data.with_row_index("at").group_by("ts"):
        rows = part.sort("at")
        for at, value in zip(rows["at"], oracle(rows.to_dict(as_series=False)), strict=True):
            expected[at] = value
    assert distance(evaluate(expr), expected) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("name", DATES)
def test_dates_are_those_of_the_calendar(name: str) -> None:
    expr, oracle = DATES[name]
    expected = [oracle(day, ts) for day, ts in frame().select("session", "ts").iter_rows()]
    assert distance(evaluate(expr), expected) == ""


@pytest.mark.parametrize("name", sorted(TERMS))
def test_documented_lookback_is_what_the_guard_proves(name: str) -> None:
    told = re.search(r"Lookback: (.*)\.", inspect.getdoc(getattr(ex, name)) or "")
    assert told is not None
    bounds = analyse(TERMS[name])
    assert not bounds.refused
    if told[1] in ("unbounded", "session"):
        assert (bounds.unbounded, bounds.session) == (told[1] == "unbounded", told[1] == "session")
        return
    formula = re.fullmatch(r"``(.*)`` bars?", told[1])
    assert formula is not None, told[1]
    assert bounds.rows == eval(formula[1], {"max": max, "isqrt": math.isqrt}, dict(PARAMS.get(name, {})))


def test_later_bars_never_change_an_earlier_value() -> None:
    study = type("Study", (), {"terms": lambda self: TERMS})()
    checks = truncation(study, frame(), points=10, assets=panel().assets)
    assert len(checks) == len(TERMS)
    assert [f"{check.name}: {check.detail}" for check in checks if not check.ok] == []


@pytest.mark.parametrize("name", sorted(TERMS))
def test_json_gives_the_same_expression(name: str) -> None:
    assert decode(encode(TERMS[name])).meta.eq(TERMS[name])


@pytest.mark.parametrize("name", ex.__all__)
def test_every_entry_is_documented(name: str) -> None:
    entry = getattr(ex, name)
    told = inspect.getdoc(entry) or ""
    assert [heading for heading in HEADINGS if heading not in told] == []
    for parameter in inspect.signature(entry).parameters:
        assert re.search(rf"^    {parameter}: ", told, re.MULTILINE), parameter
    positional = [p for p in inspect.signature(entry).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    assert all(p.name in ("column", "other", "value", "weight", "signal", "chosen") for p in positional)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_names_all_it_has_and_needs_no_neighbour(family: str) -> None:
    module = importlib.import_module(f"expressions.{family}")
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    public = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    assert public <= set(ex.__all__)
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)} | {
        alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names
    }
    assert imported <= {"__future__", "math", "polars", "rustybt.spec", "rustybt.model"}


def test_expressions_take_expressions() -> None:
    composed = evaluate(ex.sma(ex.rsi("close", window=5), window=3))
    direct = evaluate(ex.rsi("close", window=5).rolling_mean(3))
    assert composed == direct
    held = evaluate(ex.equal_weight(ex.above_average(window=5), invested=1.0))
    per_bar = frame().select("ts", held=pl.Series(held)).group_by("ts").agg(pl.col("held").sum())["held"]
    assert set(per_bar.round(9)) <= {0.0, 1.0}
