"""The Strategy itself: terms, refusals, identity as an object."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import polars as pl
import pytest

from rustybt.errors import LookaheadError, SpecError
from rustybt.spec import Context, OnBar, Strategy, Target, every, exits, notional, quantity, weight

CLOSE = pl.col("close")
UP = CLOSE.rolling_mean(20) < CLOSE
LONG = weight(pl.when(UP).then(1.0).otherwise(0.0))


def trade(context: Context) -> None:
    context.order("AAPL", 1)


def test_terms_come_in_a_fixed_order() -> None:
    strategy = Strategy(target=LONG, universe=pl.col("volume") > 0, signals={"trend": CLOSE.rolling_mean(50), "above": UP})
    assert list(strategy.terms()) == ["trend", "above", "universe", "target"]
    assert list(Strategy(target=LONG).terms()) == ["target"]
    assert Strategy(on_bar=trade).terms() == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target", CLOSE), ("target", 0.5), ("universe", True), ("universe", ["AAPL"]), ("universe", "asset"), ("schedule", "month_end"),
        ("schedule", every), ("exits", {"stop_loss": 0.05}), ("on_bar", "callback"), ("warmup", -1), ("warmup", 2.0), ("warmup", True),
        ("cancel_policy", "daily"), ("cancel_policy", True),
    ],
)  # fmt: skip
def test_a_term_of_the_wrong_type_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(SpecError) as error:
        Strategy(**({"name": "s", "target": LONG} | {field: value}))  # type: ignore[arg-type]
    assert error.value.where == f"strategy 's', term '{field}'"
    assert error.value.do


@pytest.mark.parametrize(
    "name", ["close", "ts", "asset", "session", "target", "universe", "ticks_close", "adj_close", "", "two words", "1st", "__x", 3]
)
def test_a_signal_name_that_is_taken_or_no_word_is_refused(name: Any) -> None:
    with pytest.raises(SpecError, match="signal name"):
        Strategy(target=LONG, signals={name: CLOSE})


@pytest.mark.parametrize("signals", [[CLOSE], CLOSE, "close"])
def test_signals_that_are_no_mapping_are_refused(signals: Any) -> None:
    with pytest.raises(SpecError, match="signals is a"):
        Strategy(target=LONG, signals=signals)


def test_a_signal_that_is_no_expression_is_refused_by_name() -> None:
    with pytest.raises(SpecError) as error:
        Strategy(target=LONG, signals={"trend": "close"})  # type: ignore[dict-item]
    assert "'trend'" in error.value.where


def test_a_constant_signal_is_lifted() -> None:
    assert pl.select(Strategy(target=LONG, signals={"one": 1}).signals["one"]).item() == 1  # type: ignore[dict-item]


def test_nothing_to_trade_is_refused() -> None:
    with pytest.raises(SpecError, match="neither a target nor an on_bar"):
        Strategy(signals={"up": UP})


def test_reentry_by_schedule_needs_a_schedule() -> None:
    with pytest.raises(SpecError, match="without a schedule"):
        Strategy(target=LONG, exits=exits(stop_loss="0.1", reentry="schedule"))
    assert Strategy(target=LONG, exits=exits(stop_loss="0.1", reentry="schedule"), schedule=every(5)).exits is not None


@pytest.mark.parametrize("expr", [pl.all(), pl.col("open", "close"), pl.col("^a.*$")])
def test_a_term_of_several_columns_is_refused_by_name(expr: pl.Expr) -> None:
    with pytest.raises(SpecError) as error:
        Strategy(target=LONG, universe=expr)
    assert "'universe'" in error.value.where


@pytest.mark.parametrize("term", ["target", "universe", "peek"])
def test_a_look_ahead_is_refused_at_construction_by_term(term: str) -> None:
    future = CLOSE.shift(-1)
    parts: dict[str, Any] = {
        "target": {"target": weight(future / CLOSE)},
        "universe": {"target": LONG, "universe": future > 0},
        "peek": {"target": LONG, "signals": {"peek": future}},
    }
    with pytest.raises(LookaheadError) as error:
        Strategy("s", **parts[term])
    assert f"'{term}'" in str(error.value)


@pytest.mark.parametrize("params", [{"a": [1]}, {"a": object()}, {1: 2}, {"a": float("nan")}, [("a", 1)]])
def test_parameters_that_are_no_plain_values_are_refused(params: Any) -> None:
    with pytest.raises(SpecError):
        Strategy(target=LONG, params=params)


def test_nothing_in_it_can_be_changed() -> None:
    given = {"fast": 10}
    strategy = Strategy(target=LONG, params=given, signals={"up": UP})
    given["fast"] = 20
    assert strategy.params == {"fast": 10}
    with pytest.raises(dataclasses.FrozenInstanceError):
        strategy.name = "other"  # type: ignore[misc]
    mappings: list[Any] = [strategy.params, strategy.signals, strategy.declared]
    for mapping in mappings:
        with pytest.raises(TypeError):
            mapping["new"] = 1


def test_equal_content_is_equal_and_hashes_alike() -> None:
    def make(window: int, name: str = "s") -> Strategy:
        return Strategy(name, target=weight(CLOSE.rolling_mean(window) / CLOSE))

    assert make(20) == make(20)
    assert hash(make(20)) == hash(make(20))
    assert len({make(20), make(20), make(30)}) == 2
    assert make(20) != make(30)
    assert make(20) != make(20, "other")
    assert make(20) != "s"


def test_windows_that_polars_does_not_print_still_tell_strategies_apart() -> None:
    short, long = CLOSE.rolling_mean(20), CLOSE.rolling_mean(21)
    assert str(short) == str(long)
    assert Strategy(target=weight(short)) != Strategy(target=weight(long))


@pytest.mark.parametrize("make", [weight, notional, quantity])
def test_the_kind_of_a_target_tells_strategies_apart(make: Any) -> None:
    others = {weight, notional, quantity} - {make}
    assert all(Strategy(target=make(1)) != Strategy(target=other(1)) for other in others)


def test_it_survives_pickle_and_deep_copy() -> None:
    strategy = Strategy(
        "s", {"n": 3}, LONG, pl.col("volume") > 0, every(5), exits(trailing="0.1"), {"up": UP}, 50, OnBar(trade, 3, {"n": [1]}), {}
    )
    for twin in (pickle.loads(pickle.dumps(strategy)), copy.deepcopy(strategy), copy.copy(strategy)):
        assert twin == strategy
        assert list(twin.terms()) == list(strategy.terms())
        with pytest.raises(TypeError):
            twin.params["n"] = 4  # type: ignore[index]


def test_declared_bounds_may_be_tuples_and_are_kept_as_json() -> None:
    assert dict(Strategy(target=LONG, declared={"plug": (20, False)}).declared) == {"plug": [20, False]}
    for declared in (3, {1: 2}, {"plug": object()}):
        with pytest.raises(SpecError) as error:
            Strategy(target=LONG, declared=declared)  # type: ignore[arg-type]
        assert error.value.where == "declared"


def test_a_bare_callback_reads_one_bar() -> None:
    strategy = Strategy(on_bar=trade)  # type: ignore[arg-type]
    assert strategy.on_bar is not None
    assert (strategy.on_bar.lookback, strategy.on_bar.callback) == (1, trade)


def test_its_text_shows_every_part_with_windows() -> None:
    strategy = Strategy("s", {"n": 3}, LONG, pl.col("volume") > 0, every(5), exits(trailing="0.1"), {"up": UP}, 50, OnBar(trade, 3))
    text = repr(strategy)
    for part in (
        "Strategy s(n=3)",
        "up: ",
        "rolling_mean(20)",
        "universe: ",
        "weight(",
        "every(bars=5)",
        "trailing=0.1",
        "50 bars",
        "lookback=3",
    ):
        assert part in text


def test_its_page_in_a_notebook_is_escaped() -> None:
    page = Strategy("<b>", target=weight(pl.when(CLOSE < 1).then(1).otherwise(0)))._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_a_target_keeps_its_own_check_when_made_directly() -> None:
    with pytest.raises(SpecError):
        Target(LONG.kind, "close")  # type: ignore[arg-type]
