"""The corpus: every leak is refused and shown, every clean look-alike passes, and both are what they claim to be on data."""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

from rustybt.errors import RustyBTError, SpecError
from rustybt.spec import Strategy, quantity
from rustybt.spec.bounds import analyse
from rustybt.spec.causality import telling_points, truncation, window_sufficiency
from rustybt.spec.tree import parse, render, walk
from tests.temporal.corpus import pairs
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
    assert error.facts["expression"] in {render(part) for part in walk(parse(leak))}


def test_clean_look_alikes_pass() -> None:
    alarms = [name for name, _, clean in PAIRS if analyse(clean).refused]
    assert len(alarms) <= ALARMS * len(PAIRS), alarms


def _cuts(count: int) -> list[int]:
    """Instants inside the market, at the edges of its null runs and suspensions."""
    return telling_points(bars().frame, count + 2, seed=3)[1:-1]


def test_clean_look_alikes_do_not_change_when_the_future_is_cut_off() -> None:
    study = Terms(**{f"t{at}": clean for at, (_, _, clean) in enumerate(PAIRS)})
    found = truncation(study, bars().frame, _cuts(5), assets=bars().assets)
    assert len(found) == len(PAIRS)
    assert not [f"{name}: {check.detail}" for (name, _, _), check in zip(PAIRS, found, strict=True) if not check.ok]


def test_clean_look_alikes_need_no_more_than_their_window() -> None:
    wrong = []
    for name, _, clean in PAIRS:
        check = window_sufficiency(Terms(x=clean), bars().frame, _cuts(2), assets=bars().assets)[0]
        wrong += [] if check.ok else [f"{name}: {check.detail}"]
    assert not wrong


def test_leaks_really_leak_on_data() -> None:
    shown = 0
    for _, leak, _ in PAIRS:
        try:
            shown += not truncation(Terms(x=leak), bars().frame, _cuts(3), assets=bars().assets)[0].ok
        except (RustyBTError, pl.exceptions.PolarsError):
            shown += 1  # it does not even run
    assert shown >= SHOWN * len(PAIRS), f"{shown} of {len(PAIRS)}"
