"""Random trees against the guard, and the guard with one rule broken against the corpus: each broken rule must be noticed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl
import pytest

from rustybt.spec import bounds, findings, hints, past, proof
from rustybt.spec.bounds import Bounds, analyse
from rustybt.spec.causality import _Bars, _Windows, telling_points
from rustybt.spec.paths import Step
from rustybt.spec.planner import plan_terms
from rustybt.spec.reach import Stamps
from tests.temporal.corpus import pairs
from tests.temporal.fuzz import Tally, check, run
from tests.temporal.markets import Shape, market

TREES = 300


def test_random_trees_that_pass_are_past_only_and_fit_their_window() -> None:
    tally = run(TREES, seed=20_000)
    assert not tally.problems
    assert tally.passed > TREES / 2
    assert tally.refused > TREES / 20
    assert tally.windows > TREES / 4


def test_fuzzer_notices_a_leak_that_passes() -> None:
    tally = Tally()
    check({"leak": pl.col("close").shift(-1), "fine": pl.col("close")}, market(3), 3, tally)
    assert len(tally.problems) == 2
    assert "truncation 'leak'" in tally.problems[0]


behind = past.behind


def _reach(name: str, made: Callable[[Any], Step | None]) -> Callable[[Any, str], Any]:
    """`behind` with one operation answered differently."""

    def broken(node: Any, word: str) -> Any:
        return made(behind(node, word)) if word == name else behind(node, word)

    return broken


def _kept(step: Any, other: Step | None) -> Any:
    return other if isinstance(step, str) else step


def _no_refusal(what: str) -> Callable[..., Bounds]:
    """`refuse` that lets one kind of trouble pass."""
    original = findings.refuse

    def broken(found: Bounds, node: Any, said: str, do: str = "", *, wrong: bool = False) -> Bounds:
        return found if said == what else original(found, node, said, do, wrong=wrong)

    return broken


def _dropped(name: str) -> Callable[[Any], Any]:
    def broken(step: Any) -> Any:
        return (name, max(step[1] - 1, 0)) if step is not None and step[0] == name else step

    return broken


BROKEN: dict[str, tuple[Any, str, Any]] = {
    "a negative shift is past": (proof, "behind", _reach("Shift", lambda step: _kept(step, ("rows", 1)))),
    "a negative difference is past": (proof, "behind", _reach("Diff", lambda step: _kept(step, ("rows", 1)))),
    "a centred window is past": (proof, "behind", _reach("RollingExpr", lambda step: _kept(step, ("rows", 5)))),
    "a window is one row shorter": (proof, "behind", _reach("RollingExpr", _dropped("rows"))),
    "a shift is one row shorter": (proof, "behind", _reach("Shift", _dropped("rows"))),
    "a limited fill is one row shorter": (proof, "behind", _reach("FillNullWithStrategy.Forward", _dropped("rows"))),
    "an unlimited fill is three rows": (proof, "behind", _reach("FillNullWithStrategy.Forward", lambda step: step or ("rows", 3))),
    "a cumulative maximum is ten rows": (proof, "behind", _reach("CumMax", lambda step: step or ("rows", 10))),
    "a reverse accumulation is past": (proof, "behind", _reach("CumSum", lambda step: _kept(step, None))),
    "the first value is close by": (proof, "behind", _reach("Agg.First", lambda step: ("rows", 4))),
    "a row number needs no rows": (proof, "behind", _reach("Range.IntRange", lambda step: ("rows", 0))),
    "a mean is past": (proof, "behind", _reach("Agg.Mean", lambda step: None)),
    "a rank is past": (proof, "behind", _reach("Rank", lambda step: None)),
    "an interpolation is past": (proof, "behind", _reach("Interpolate", lambda step: None)),
    "a backward fill is past": (proof, "behind", _reach("FillNullWithStrategy.Backward", lambda step: None)),
    "a peak is past": (proof, "behind", _reach("PeakMax", lambda step: ("rows", 1))),
    "any column measures time": (past, "is_column", lambda node, name: True),
    "an offset window is past": (proof, "behind", _reach("Rolling", lambda step: _kept(step, ("span", 1)))),
    "a duration is an hour shorter": (past, "longest", lambda duration, real=past.longest: (real(duration) or 0) - 3_600_000_000),
    "a session is two hours": (proof, "bucket", lambda key, real=past.bucket: real(key) and ("span", 7_200_000_000)),
    "any key is a session": (proof, "bucket", lambda key: ("session", 1)),
    "a hop keeps to its asset": (proof, "HOP", ("rows", 0)),
    "whole columns may be arguments": (proof, "arguments", lambda name, count: (count, count)),
    "codes are values": (proof, "_categorical", lambda node: False),
    "claimed order is order": (proof, "refuse", _no_refusal(hints.SET_SORTED[0])),
    "a literal series is a value": (proof, "refuse", _no_refusal(hints.SERIES[0])),
    "any group is a group": (proof, "refuse", _no_refusal(hints.FRAME[0])),
    "any order is order": (proof, "refuse", _no_refusal(hints.ORDER[0])),
    "any mapping is row by row": (proof, "refuse", _no_refusal(hints.MAPPING[0])),
    "fields may move": (proof, "refuse", _no_refusal(hints.IN_STRUCT[0])),
    "time may pass across assets": (proof, "refuse", _no_refusal(hints.ACROSS[0])),
    "windows may nest": (proof, "refuse", _no_refusal(hints.NESTED[0])),
}


EXTRA = [
    ("cumulative across assets", pl.col("close").cum_sum().over("ts"), pl.col("close")),
    ("window in a window", pl.col("close").max().rolling("ts", period="2h").max().rolling("ts", period="1d"), pl.col("close")),
]
PAIRS = [*pairs(), *EXTRA]


SHAPES = ((1, Shape()), (2, Shape(assets=5, missing=0.1)))


@cache
def sound() -> dict[str, Bounds]:
    """Bounds of the clean specs as the guard finds them."""
    return {name: analyse(clean) for name, _, clean in PAIRS}


def _noticed() -> str:
    """Where the guard as it is now is wrong about the corpus: it lets a leak pass, or a window is too short. Empty when nowhere."""
    passed = [name for name, leak, _ in PAIRS if not analyse(leak).refused]
    if passed:
        return passed[0]
    for name, _, clean in PAIRS:
        found = analyse(clean)
        if found.paths not in (None, sound()[name].paths) and not _enough(clean, found):
            return name
    return ""


def _enough(clean: pl.Expr, found: Bounds) -> bool:
    """Whether a window as wide as some bounds gives the same values as all bars."""
    for seed, shape in SHAPES:
        held = market(seed, shape)
        bars = _Bars.of(held.frame, held.assets)
        windows = _Windows(bars, Stamps.of(held.frame), telling_points(held.frame, 12, seed)[2:])
        if not windows.compare({"x": clean}, found, plan_terms({"x": clean}).exact)["x"].ok:
            return False
    return True


def test_guard_as_it_is_passes_what_its_broken_forms_fail() -> None:
    bounds._analyse.cache_clear()
    assert not _noticed()
    assert len(sound()) == len(PAIRS)


def test_windows_of_the_sound_guard_are_wide_enough_where_the_broken_ones_are_not() -> None:
    telling = ("limited", "lag of the bar's best lag", "row number", "duration", "session")
    for name, _, clean in PAIRS:
        if any(word in name for word in telling) and not sound()[name].unbounded:
            assert _enough(clean, sound()[name]), name


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_rule_is_noticed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sound()
    module, name, value = BROKEN[rule]
    bounds._analyse.cache_clear()
    monkeypatch.setattr(module, name, value)
    try:
        assert _noticed()
    finally:
        bounds._analyse.cache_clear()
