"""Targets taken stretch by stretch are those of the whole frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.engine import configure
from rustybt.engine.arriving import Arriving
from rustybt.engine.bulk import arriving_of
from rustybt.engine.offers import altered
from rustybt.engine.stretched import pick_altered, piece_of, stretches_on
from rustybt.engine.targets import Signals, decision_bars, evaluate, is_long, pick_targets, terms_of, warmup_bars
from rustybt.errors import LedgerError, RustyBTError, SpecError
from rustybt.kernel.entrance import roller
from rustybt.model import Panel
from rustybt.spec import evaluate as evaluation
from rustybt.spec.planner import plan
from rustybt.spec.stretches import Span, Stretches
from rustybt.testing import markets

close, open_, volume, number = pl.col("close"), pl.col("open"), pl.col("volume"), pl.int_range(pl.len()).over("asset")
GAPS: Any = {"gaps": 0.1, "listings": 0.5, "delistings": 0.5}
type Numbers = st.SearchStrategy[pl.Expr]
WINDOWS: list[Callable[[pl.Expr, int], pl.Expr]] = [
    lambda x, n: x.rolling_mean(n),
    lambda x, n: x.rolling_sum(n),
    lambda x, n: x.rolling_std(max(n, 2)),
    lambda x, n: x.rolling_mean(n).shift(n),
    lambda x, n: x.shift(n),
    lambda x, _: x,
]


def numbers() -> Numbers:
    """Terms that are numbers."""
    leaf = st.builds(
        lambda how, x, n: how(x, n).over("asset"), st.sampled_from(WINDOWS), st.sampled_from([close, open_, volume]), st.integers(1, 9)
    ) | st.just(number)

    def more(inner: Numbers) -> Numbers:
        return st.one_of(
            st.builds(lambda x, y: x + y, inner, inner),
            st.builds(lambda x, y: x - y, inner, inner),
            st.builds(lambda x, y: x / y, inner, inner),
            st.builds(lambda x, n: x.shift(n).over("asset"), inner, st.integers(0, 4)),
            st.builds(lambda x: x.fill_null(0.25), inner),
            st.builds(lambda x, y, z: pl.when(x > y).then(z).otherwise(x), inner, inner, inner),
            st.builds(lambda x, y: pl.when((x <= y) | y.is_null()).then(3).otherwise(0), inner, inner),
            st.builds(lambda x, y: pl.when(x < y).then(1.0), inner, inner),
        )

    return st.recursive(leaf | st.builds(lambda n, m: number % n // m, st.integers(1, 5), st.integers(1, 3)), more, max_leaves=5)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows are many."""
    monkeypatch.setattr(evaluation, "MANY", 1)
    monkeypatch.setattr(evaluation, "STRETCH", 7)


def both(strategy: rbt.Strategy, panel: Panel) -> tuple[Any, Any]:
    """What is picked stretch by stretch, and from the whole frame."""
    made = plan(strategy)
    found = stretches_on(made, panel, warmup_bars(strategy, made), roller())
    fast = None if found is None else pick_altered(*found, panel)
    picked = pick_targets(terms_of(made, panel, None), panel, decision_bars(strategy, made, panel))
    return fast, (altered(*picked), len(picked[0]))


def threads() -> list[str]:
    """What still makes targets."""
    return [thread.name for thread in threading.enumerate() if "_make" in thread.name]


def same(fast: Any, slow: Any) -> None:
    (values, bar, column), seen = fast
    (expected, at, columns), count = slow
    assert seen == count
    assert bar.tolist() == at.tolist()
    assert column.tolist() == columns.tolist()
    assert values.dtype == expected.dtype
    assert values.equals(expected, null_equal=True) or values.to_numpy().tobytes() == expected.to_numpy().tobytes()


PANELS = {
    (assets, bars): markets.panel(assets, bars, assets + bars, volatility=0.002, ties=0.2, **({} if assets == 1 else GAPS))
    for assets, bars in [(1, 8), (1, 61), (3, 40)]
}


@settings(max_examples=80)
@given(
    target=numbers(), masked=st.booleans(), where=st.sampled_from([*PANELS]), size=st.integers(1, 30), warmup=st.none() | st.integers(0, 50)
)
def test_any_target_is_that_of_the_whole_frame(
    target: pl.Expr, masked: bool, where: tuple[int, int], size: int, warmup: int | None
) -> None:
    universe = open_ > close.shift(1) if masked else None
    strategy = rbt.Strategy("any", target=rbt.quantity(target), universe=universe, warmup=warmup)
    panel = PANELS[where]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "MANY", 1)
        patch.setattr(evaluation, "STRETCH", size)
        fast, slow = both(strategy, panel)
        if fast is None:
            return
        same(fast, slow)
        arriving = arriving_of({"any": strategy}, panel, configure())
        assert (arriving is None) == (where[0] > 1 or size > panel.frame.height)
        if arriving is not None:
            assert offers(lambda: arrived(arriving)) == offers(lambda: evaluate(strategy, panel, configure()))


def arrived(arriving: Arriving) -> Signals:
    """All that arrives."""
    with arriving:
        stages = list(arriving.plan().arriving or ())
    found = arriving.signals()
    assert stages == sorted(stages)
    assert stages[-1] == (len(found.targets.value), arriving.panel.bars)
    assert all(bar < stop for (count, stop) in stages for bar in found.targets.bar[:count].tolist())
    return found


def offers(made: Callable[[], Signals]) -> Any:
    """What is offered, or what was said."""
    try:
        signals = made()
    except RustyBTError as error:
        return str(error)
    return signals.targets.bar.tolist(), signals.targets.value.tolist(), signals.decisions


CROSS = pl.when(close.rolling_mean(3) > close.rolling_mean(8)).then(5).otherwise(0)
TAKEN = {
    "averages that cross": CROSS,
    "in and out": 1 - pl.int_range(pl.len()) % 2,
    "each its own number": number,
    "a level": close.rolling_mean(4),
    "a shifted choice": CROSS.shift(2).over("asset"),
    "null in between": pl.when(close > close.rolling_mean(5)).then(2).when(close < close.shift(3)).then(0),
    "deviations": (close - close.rolling_mean(5)) / close.rolling_std(5),
}


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("target", TAKEN.values(), ids=[*TAKEN])
@pytest.mark.parametrize("where", [(1, 61), (3, 40)])
def test_usual_targets_are_taken(target: pl.Expr, where: tuple[int, int]) -> None:
    fast, slow = both(rbt.Strategy("usual", target=rbt.quantity(target)), PANELS[where])
    assert fast is not None
    same(fast, slow)


LEFT = {
    "across assets": close.rank().over("ts"),
    "no exact window": close.ewm_mean(span=3),
    "too few values do": close.rolling_mean(5, min_samples=2),
    "a constant": pl.lit(1),
    "truth": close > open_,
}


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("target", LEFT.values(), ids=[*LEFT])
def test_what_takes_more_is_left_to_the_planner(target: pl.Expr) -> None:
    assert stretches_on(plan(rbt.Strategy("more", target=rbt.quantity(target))), PANELS[3, 40], 0, None) is None


@pytest.mark.parametrize("many", [1, 40, 41])
@pytest.mark.parametrize("stretch", [1, 13, 14])
def test_only_many_rows_of_an_asset_are_taken(many: int, stretch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MANY", many)
    monkeypatch.setattr(evaluation, "STRETCH", stretch)
    panel = markets.panel(3, 40 // 3, seed=1)
    assert panel.frame.height == 39
    strategy = rbt.Strategy("cross", target=rbt.quantity(CROSS))
    taken = isinstance(evaluate(strategy, panel, configure()).terms, Panel)
    assert taken == (many == 1 and stretch <= 13)
    assert not is_long(rbt.Strategy("scheduled", target=rbt.quantity(CROSS), schedule=rbt.every(2)), panel)
    assert not is_long(rbt.Strategy("weights", target=rbt.weight(CROSS / 100)), panel)


@pytest.mark.usefixtures("short")
def test_a_run_is_the_same_and_its_signals_come_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = rbt.Strategy("cross", target=rbt.weight(CROSS / 10), signals={"fast": close.rolling_mean(3)})
    panel = PANELS[1, 61]
    fast = rbt.run(strategy, panel)
    assert fast.evaluated["cross"].terms is panel
    monkeypatch.setattr(evaluation, "MANY", 10**9)
    slow = rbt.run(strategy, panel)
    assert slow.evaluated["cross"].terms is not panel
    assert fast.counts() == slow.counts()
    assert fast.orders.equals(slow.orders)
    assert fast.signals.equals(slow.signals)
    assert fast.signals["fast"].null_count() == 2


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("target", [close / (close - close), (close - close) / (close - close)], ids=["infinite", "NaN"])
def test_a_target_that_is_no_number_is_refused_at_its_bar(target: pl.Expr, monkeypatch: pytest.MonkeyPatch) -> None:
    strategy, panel, said = rbt.Strategy("odd", target=rbt.quantity(target), warmup=20), PANELS[1, 61], []
    for many in (1, 10**9):
        monkeypatch.setattr(evaluation, "MANY", many)
        for call in (lambda: evaluate(strategy, panel, configure()), lambda: rbt.run(strategy, panel)):
            with pytest.raises(SpecError) as error:
                call()
            said.append(str(error.value))
    assert len(set(said)) == 1
    assert not threads()


@pytest.mark.usefixtures("short")
def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(SpecError, match="unknown column 'clse'"):
        rbt.run(rbt.Strategy("typo", target=rbt.quantity(pl.col("clse").rolling_mean(3))), PANELS[1, 61])


@pytest.mark.usefixtures("short")
def test_a_signal_that_cannot_be_computed_is_refused_by_the_run() -> None:
    strategy = rbt.Strategy("bad", target=rbt.quantity(CROSS), signals={"text": pl.col("asset").cast(pl.String).cast(pl.Int64)})
    with pytest.raises(SpecError, match="text"):
        rbt.run(strategy, PANELS[1, 61])


def test_a_stretch_without_targets_has_none() -> None:
    class Nothing(Stretches):
        def on(self, span: Span) -> Any:
            return np.zeros(span.stop - span.start), np.zeros(span.stop - span.start, np.bool_)

    piece = piece_of(Span(0, 0, 4), Nothing((), 0, None, 4))
    assert piece.seen == 0
    assert len(piece.values) == 0


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("where", [(1, 61), (3, 40)])
def test_an_amount_that_does_not_fit_ends_the_run_and_the_thread(where: tuple[int, int]) -> None:
    strategy = rbt.Strategy("huge", target=rbt.quantity(CROSS * 10**9))
    with pytest.raises(LedgerError):
        rbt.run(strategy, PANELS[where], cash=10**10, max_gross=1000)
    assert not threads()


@pytest.mark.usefixtures("short")
def test_a_run_that_is_given_up_ends_the_thread() -> None:
    arriving = arriving_of({"cross": rbt.Strategy("cross", target=rbt.quantity(CROSS))}, PANELS[1, 61], configure())
    assert arriving is not None
    with pytest.raises(KeyboardInterrupt), arriving:
        raise KeyboardInterrupt
    assert not threads()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    "rules", [{}, {"fill": "same_bar_close"}, {"fill": "next_close", "sizing": "at_fill"}, {"trade_from": "2020-02-03"}]
)
@pytest.mark.parametrize("exits", [None, rbt.exits(stop_loss="0.002", take_profit="0.003")], ids=["plain", "exits"])
def test_runs_in_stages_are_runs_in_one(rules: dict[str, Any], exits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = rbt.Strategy("cross", target=rbt.quantity(CROSS), exits=exits)
    runs = []
    for many in (1, 10**9):
        monkeypatch.setattr(evaluation, "MANY", many)
        runs.append(rbt.run(strategy, PANELS[1, 61], costs=rbt.costs(commission=rbt.bps(5)), **rules))
    assert runs[0].orders.equals(runs[1].orders)
    assert runs[0].equity.equals(runs[1].equity)
    assert runs[0].counts() == runs[1].counts()
    assert runs[0].orders.height > 0
