"""The corpus: every leak is refused and shown, every clean look-alike passes, and both are what they claim to be on data."""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

from rustybt.errors import RustyBTError, SpecError
from rustybt.spec import Strategy, quantity
from rustybt.spec.bounds import analyse
from rustybt.spec.causality import truncation, window_sufficiency
from tests.temporal.corpus import Pair, pairs
from tests.temporal.markets import Market, market

PAIRS = pairs()
ALARMS = 0.01
SHOWN = 0.9


class Terms:
    """Named expressions, as the checks take them; the guard has not seen them."""

    def __init__(self, **terms: pl.Expr) -> None:
        self._terms = terms

    def terms(self) -> dict[str, pl.Expr]:
        return self._terms


@cache
def bars() -> Market:
    return market(1)


def test_corpus_is_large_and_has_no_name_twice() -> None:
    assert len(PAIRS) >= 200
    assert len({name for name, _, _ in PAIRS}) == len(PAIRS)
    texts = [expr.meta.serialize(format="json") for _, leak, clean in PAIRS for expr in (leak, clean)]
    assert len(set(texts)) >= 0.95 * len(texts)


@pytest.mark.parametrize(("name", "leak", "clean"), PAIRS, ids=[name for name, _, _ in PAIRS])
def test_leak_is_refused_with_the_offending_part_shown(name: str, leak: pl.Expr, clean: pl.Expr) -> None:
    with pytest.raises(SpecError) as caught:
        Strategy("study", target=quantity(1), signals={"leaky": leak})
    error = caught.value
    assert error.facts["expression"] in error.what
    assert "term 'leaky'" in error.what
    assert "strategy 'study'" in error.where
    assert error.do
    from rustybt.spec.tree import parse, render, walk

    assert error.facts["expression"] in {render(part) for part in walk(parse(leak))}


def test_clean_look_alikes_pass() -> None:
    alarms = [name for name, _, clean in PAIRS if analyse(clean).refused]
    assert len(alarms) <= ALARMS * len(PAIRS), alarms


def _checked(pair: Pair) -> str:
    """What is wrong with a clean spec on data; empty when nothing is."""
    name, _, clean = pair
    study = Terms(x=clean)
    found = [*truncation(study, bars().frame, 4, 3, bars().assets), *window_sufficiency(study, bars().frame, 4, 5, bars().assets)]
    return "; ".join(f"{name}: {check.name} {check.detail}" for check in found if not check.ok)


def test_clean_look_alikes_are_clean_on_data() -> None:
    wrong = [told for pair in PAIRS if (told := _checked(pair))]
    assert not wrong


def test_leaks_really_leak_on_data() -> None:
    shown = 0
    for _, leak, _ in PAIRS:
        try:
            shown += not truncation(Terms(x=leak), bars().frame, 4, 3, bars().assets)[0].ok
        except (RustyBTError, pl.exceptions.PolarsError):
            shown += 1  # it does not even run
    assert shown >= SHOWN * len(PAIRS), f"{shown} of {len(PAIRS)}"
