"""The corpus: every leak is refused and shown, every clean look-alike passes, and both are what they claim to be on data."""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

from rustybt.errors import SpecError
from rustybt.spec import Strategy, quantity
from rustybt.spec.bounds import analyse
from rustybt.spec.causality import telling_points, truncation, window_sufficiency
from rustybt.spec.tree import parse, render, walk
from tests.temporal.corpus import pairs
from tests.temporal.fuzz import Tally, Terms, runnable
from tests.temporal.markets import Market, market

PAIRS = pairs()
ALARMS = 0.01
SHOWN = 0.9


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
    study = Terms({f"t{at}": clean for at, (_, _, clean) in enumerate(PAIRS)})
    found = truncation(study, bars().frame, _cuts(5), assets=bars().assets)
    assert len(found) == len(PAIRS)
    assert not [f"{name}: {check.detail}" for (name, _, _), check in zip(PAIRS, found, strict=True) if not check.ok]


def test_clean_look_alikes_need_no_more_than_their_window() -> None:
    study = Terms({f"t{at}": clean for at, (_, _, clean) in enumerate(PAIRS)})
    found = window_sufficiency(study, bars().frame, _cuts(4), assets=bars().assets)
    assert not [f"{name}: {check.detail}" for (name, _, _), check in zip(PAIRS, found, strict=True) if not check.ok]


def test_leaks_really_leak_on_data() -> None:
    leaks = {f"t{at}": leak for at, (_, leak, _) in enumerate(PAIRS)}
    tally = Tally()
    running = dict(runnable(leaks, bars(), tally))
    found = truncation(Terms(running), bars().frame, _cuts(4), assets=bars().assets)
    shown = sum(not check.ok for check in found) + tally.failed_to_run
    assert tally.failed_to_run < 0.1 * len(PAIRS)
    assert shown >= SHOWN * len(PAIRS), f"{shown} of {len(PAIRS)}"
