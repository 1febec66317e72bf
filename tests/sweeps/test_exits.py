"""Exits that differ in numbers: learned as they are called, run on one desk as on one of their own, and refused with the same words."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.engine import configure
from rustybt.spec import StrategyFunction
from rustybt.spec.exits import Exits
from rustybt.sweeps.evaluate import ROOM, Evaluator
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.taken import FIELDS
from rustybt.testing import markets

from .test_batch import PANELS, SETTINGS, alone, same
from .test_learn import arithmetic, learned, soon, up

__all__ = ["alone", "soon"]

VALUES = Assignments.of_grid({"n": [1, 2, 3, 5, 8, 40], "k": [-1.0, 0.0, 1e-9, 0.03, 0.5, 0.999, 1.0, 7.5, 1e8, 1e9]})


def held(n: int, exits: Exits | None) -> rbt.Strategy:
    return rbt.Strategy(target=rbt.weight(pl.when(up(n + 1)).then(0.2).otherwise(0.0)), exits=exits)


def program(seed: int) -> StrategyFunction:
    """A strategy function with random exits."""
    rng = random.Random(seed)
    chosen = rng.sample(FIELDS, rng.randrange(1, 4))
    numbers = {name: rng.choice([lambda v: v["k"], lambda v: v["n"], arithmetic(rng, 1), arithmetic(rng, 2)]) for name in chosen}
    ways: list[Callable[[Any], Any]] = [
        lambda x: x, lambda x: round(x, 4), lambda x: x / 100, lambda x: round(abs(x)), lambda x: str(x), lambda x: x or None,
        lambda x: None if x < 0 else x, lambda x: Decimal(str(x)), lambda x: min(max(x, 1e-8), 0.75),
    ]  # fmt: skip
    given = {name: rng.choice(ways) for name in chosen}
    odd, reentry, every = rng.random(), rng.random() < 0.2, rng.random() < 0.3

    @rbt.strategy(name="program")
    def made(n: int = 3, k: float = 0.5) -> rbt.Strategy:
        values = {name: given[name](number({"n": n, "k": k})) for name, number in numbers.items()}
        if odd < 0.2 and k > 0.4:
            return held(n, None)
        try:
            exits = rbt.exits(**values, reentry="schedule" if reentry and every else "change")
        except rbt.SpecError:
            if odd < 0.8:
                raise
            exits = rbt.exits(max_bars=n)
        if odd > 0.9 and exits.stop_loss is not None:
            exits = dataclasses.replace(exits, cool_down=n)
        if 0.8 < odd < 0.85 and exits.take_profit is not None and exits.take_profit > 1:
            exits = rbt.exits(take_profit=exits.take_profit / 2)
        strategy = held(n, exits)
        return dataclasses.replace(strategy, schedule=rbt.every(2)) if every else strategy

    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_random_exits_are_filled_in_as_they_are_called(seed: int) -> None:
    learned(program(seed), VALUES)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), panel=st.sampled_from(PANELS), options=st.sampled_from(SETTINGS))
def test_random_exits_give_the_rows_of_calls(seed: int, panel: Any, options: dict[str, Any]) -> None:
    same(program(seed), panel, Assignments.of_grid({"n": [1, 2, 5], "k": [0.0, 0.03, 0.5, 1.0, 7.5]}), **options)


@rbt.strategy
def bracket(stop: float = 0.05, take: float = 0.1, n: int = 3) -> rbt.Strategy:
    return held(n, rbt.exits(stop_loss=stop, take_profit=take, cool_down=n))


@rbt.strategy
def guarded(stop: int = 5, bars: int = 10, n: int = 3) -> rbt.Strategy:
    if stop == 0:
        return held(n, rbt.exits(max_bars=bars))
    return held(n, rbt.exits(trailing=stop / 100, max_bars=bars + 1) if bars > 3 else None)


@pytest.mark.parametrize("assets", [1, 4])
@pytest.mark.parametrize("options", SETTINGS[:5], ids=str)
def test_exits_of_a_grid_are_learned_and_share_a_desk(assets: int, options: dict[str, Any], alone: list[Any]) -> None:
    panel = markets.panel(assets=assets, bars=150, seed=4)
    brackets = Assignments.of_grid({"stop": [0.01, 0.02, 0.05], "take": [0.01, 0.03, 0.5], "n": [2, 5]})
    guards = Assignments.of_grid({"stop": [0, 1, 4], "bars": [2, 3, 9], "n": [2, 5]})
    for family, variants, desks in ((bracket, brackets, 1), (guarded, guards, 3)):
        found = same(family, panel, variants, **options)
        assert found["error"].null_count() == found.height
        assert found["final_equity"].n_unique() > 3
        evaluator = Evaluator(panel, configure(**options), ROOM)
        evaluator.rows(family, variants, counting=False)
        assert evaluator.learners[family].served == variants.count
        assert len(evaluator.batches.rules) == desks
    assert not alone


def test_large_numbers_are_exact() -> None:
    """In 1e-8 they are beyond what a float holds."""
    panel = markets.panel(assets=1, bars=40, seed=3)
    variants = Assignments.of_grid({"take": [123456789.12345678, 99999999.99999999, 5e8, 0.00000001], "n": [2, 3, 4]})
    same(bracket, panel, variants)
    assert learned(bracket, variants, pieces=1)[1] == variants.count


def test_exits_out_of_range_are_rows_with_their_errors(alone: list[Any]) -> None:
    variants = Assignments.of_grid({"stop": [0.01, 1.0, -0.5, 0.02, 1e-9], "take": [0.1, 0.0, 1e9, 0.2], "n": [-1, 2, 3]})
    found = same(bracket, markets.panel(assets=2, bars=60, seed=3), variants)
    assert len(alone) == found.height - 8  # 2 stops, 2 takes, 2 windows are good
    said = set(found["error"].drop_nulls())
    assert any("stop_loss 1.0 is out of range" in text for text in said)
    assert any("stop_loss 1e-09 is finer than 0.00000001" in text for text in said)
    assert any("take_profit 1000000000.0 is too large" in text for text in said)
    assert any("cool_down -1 is not a whole number of bars from 0" in text for text in said)


def by_text(exits: Exits) -> float:
    return len(repr(exits)) / 1000


def by_number(exits: Exits) -> float:
    return float(exits.stop_loss or 0)


def by_units(exits: Exits) -> float:
    return exits.units()["stop"] / 1e9


def by_decimal(exits: Exits) -> float:
    return 0.1 if exits.stop_loss < Decimal("0.05") else 0.2  # type: ignore[operator]  # there is one


def by_float(exits: Exits) -> float:
    return 0.1 if exits.stop_loss < 0.05 else 0.2  # type: ignore[operator]  # 0.05 is below the float: a Decimal is compared as it is


def by_context(exits: Exits) -> float:
    return float(Decimal(2).fma(exits.stop_loss, 0)) / 10  # type: ignore[arg-type]  # code in C that wants a Decimal


def by_mistake(exits: Exits) -> float:
    try:
        return float(Decimal(2).compare(exits.stop_loss)) / 10  # type: ignore[arg-type]  # as above
    except TypeError:
        return 0.1


def by_method(exits: Exits) -> float:
    return float(exits.stop_loss.quantize(Decimal("0.1"))) / 10  # type: ignore[union-attr]  # there is one


def by_equality(exits: Exits) -> float:
    return 0.1 if exits == rbt.exits(stop_loss="0.05", max_bars=3) else 0.2


def by_hash(exits: Exits) -> float:
    return 0.1 if exits in {rbt.exits(stop_loss="0.05", max_bars=3), rbt.exits(max_bars=2)} else 0.2


def by_type(exits: Exits) -> float:
    return 0.1 if type(exits.stop_loss) is Decimal and isinstance(exits.max_bars, int) else 0.2


def by_copy(exits: Exits) -> float:
    return float(sum(dataclasses.astuple(exits)[:1])) / 10


def by_other(exits: Exits) -> float:
    return float(rbt.exits(take_profit=exits.stop_loss).take_profit or 0) / 10


LOOKS = [
    by_text, by_number, by_units, by_decimal, by_float, by_context, by_mistake, by_method, by_equality, by_hash, by_type, by_copy, by_other,
]  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_whatever_a_function_reads_of_its_exits(look: Callable[[Exits], float]) -> None:
    @rbt.strategy(name="look")
    def made(n: int = 3, k: float = 0.5) -> rbt.Strategy:
        exits = rbt.exits(stop_loss=k, max_bars=n)
        target = rbt.weight(pl.when(up(n + 1)).then(look(exits) * 0.9).otherwise(0.0))
        return rbt.Strategy(target=target, exits=exits)

    learned(made, Assignments.of_grid({"n": range(1, 6), "k": [0.01, 0.049, 0.05, 0.06, 0.3]}))


def by_column(word: Any) -> pl.Expr:
    return pl.col("close") > pl.col(word if isinstance(word, str) and not word.startswith("0") else "open")


def by_bare_column(word: Any) -> pl.Expr:
    try:
        return pl.col(word) > 1  # a column that is not there
    except TypeError:  # a Decimal names none
        return up(3)


def by_literal(word: Any) -> pl.Expr:
    return pl.col("close") > pl.lit(word).cast(pl.Float64)


def by_comparison(word: Any) -> pl.Expr:
    return up(2) if word == "0.05" else up(3)


def by_order(word: Any) -> pl.Expr:
    return up(2) if word < type(word)("0.05") else up(3)


def by_size(word: Any) -> pl.Expr:
    return up(2) if Decimal(word) < Decimal("0.05") else up(3)


def by_row(word: Any) -> pl.Expr:
    return pl.col("close").is_in([50.0, 51.0] if [word] == ["0.01"] else pl.Series([str(word), "1"]).cast(pl.Float64))


def by_list(word: Any) -> pl.Expr:
    return ~pl.col("close").cast(pl.String).is_in([str(word) if isinstance(word, Decimal) else word])


def by_truth(word: Any) -> pl.Expr:
    return up(2) if word else up(3)


def by_attribute(word: Any) -> pl.Expr:
    found: pl.Expr = getattr(pl.col("close"), {"0.01": "abs"}.get(str(word), "ceil"))()
    return found > 50


def by_bare_attribute(word: Any) -> pl.Expr:
    return up(3) if getattr(rbt, str.__str__(word) if isinstance(word, str) else "x", None) is None else up(2)


def by_sum(word: Any) -> pl.Expr:
    return up(len("n" + word)) if isinstance(word, str) else pl.col("close") > float(1 + word) * 50


def by_product(word: Any) -> pl.Expr:
    return up(len(word * 2)) if isinstance(word, str) else pl.col("close") > float(word * 2 + Decimal(1)) * 50


def by_part(word: Any) -> pl.Expr:
    return up(len([letter for letter in word if letter in "05"]) + 2) if isinstance(word, str) else up(2 + round(word))


def by_membership(word: Any) -> pl.Expr:
    return up(2) if word in ("0.01", Decimal("0.01")) or word in {"0.3": 1} else up(3)


def by_match(word: Any) -> pl.Expr:
    match word:
        case "0.01" | Decimal(real=Decimal()):
            return up(2)
        case str():
            return up(3)
    return up(4)


def by_nothing(word: Any) -> pl.Expr:
    return up(2) if word is None else up(3)


def by_signal(word: Any) -> pl.Expr:
    return up(3).alias(word) if isinstance(word, str) else up(3)


def by_format(word: Any) -> pl.Expr:
    return up(len("%s" % word))  # noqa: UP031 - as users write it


WORDS = [
    by_row, by_list, by_column, by_bare_column, by_literal, by_comparison, by_order, by_size, by_truth, by_attribute,
    by_bare_attribute, by_sum, by_product, by_part, by_membership, by_match, by_nothing, by_signal, by_format,
]  # fmt: skip


@pytest.mark.parametrize("look", WORDS)
@pytest.mark.parametrize("kind", [str, Decimal])
def test_whatever_a_function_does_with_a_text_or_a_decimal(look: Callable[[Any], pl.Expr], kind: type) -> None:
    def made(stop: Any, n: int = 3) -> rbt.Strategy:
        target = rbt.weight(pl.when(look(stop) & up(n + 1)).then(0.2).otherwise(0.0))
        return rbt.Strategy(target=target, exits=rbt.exits(stop_loss=stop, max_bars=n))

    made.__annotations__["stop"] = kind
    family = rbt.strategy(name="look")(made)
    variants = Assignments.of_grid({"n": range(1, 4), "stop": [kind(text) for text in ("0.01", "0.049", "0.05", "0.050", "0.3", "0")]})
    learned(family, variants)
    same(family, PANELS[0], variants)


@pytest.mark.parametrize("kind", [str, Decimal])
def test_texts_and_decimals_of_exits_are_learned(kind: type) -> None:
    def made(stop: Any, take: Any, n: int = 3) -> rbt.Strategy:
        return held(n, rbt.exits(stop_loss=stop, take_profit=take))

    made.__annotations__ |= {"stop": kind, "take": kind}
    family = rbt.strategy(name="made")(made)
    words = [kind(text) for text in ("0.01", "0.049", "0.05", "0.050", "0.3", "1.0", "1e-3", "0")]
    variants = Assignments.of_grid({"n": range(1, 4), "stop": words, "take": words})
    learner, filled = learned(family, variants, pieces=1)
    assert filled == 3 * 6 * 7
    assert not learner.held
    same(family, PANELS[0], variants)
