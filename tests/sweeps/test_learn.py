"""What is learned from a call with traced numbers is what every call gives."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.spec import StrategyFunction
from rustybt.spec.strategy import stamped
from rustybt.sweeps import learn
from rustybt.sweeps.forms import agrees
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.learn import Learner, keys_of
from rustybt.sweeps.sketch import Sketcher, exactly, quietly
from rustybt.testing import markets

from .test_batch import PANELS, SETTINGS, same

close = pl.col("close")
WIDE = Assignments.of_grid({"n": range(1, 13), "k": [-1.5, -0.0, 0.0, 0.1, 0.5, 2.0, 1e-7, 1e17]})


def learned(family: StrategyFunction, variants: Assignments = WIDE, pieces: int = 3) -> tuple[Learner, int]:
    """A learner that was shown variants in pieces, each of which was compared with a call; and how many were filled in."""
    learner, filled = Learner(Sketcher(family)), 0
    for rows in np.array_split(np.arange(variants.count), pieces):
        part = variants.taken(rows.tolist())
        found, left = learner.fill(part)
        seen = [*left, *(at for one in found for at in one.at.tolist())]
        assert sorted(seen) == list(range(part.count))
        for one in found:
            names = one.form.names
            assert names is not None
            for place, at in enumerate(one.at.tolist()):
                with quietly(family):
                    plain = Sketcher(family).read(at, part[at])
                if plain is None:  # a number that Polars writes as we do not; rows are compared below
                    continue
                assert agrees(one, place, plain), part[at]
                assert names.of([tuple(plain.params.values())]) == [stamped(plain.strategy, family.name, plain.params).spec_id]
            filled += len(one.at)
    return learner, filled


type Numbers = dict[str, Any]


def arithmetic(rng: random.Random, depth: int) -> Callable[[Numbers], Any]:
    """A random computation on parameters, as any user may write one."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice([lambda v: v["n"], lambda v: v["k"], lambda v: v["n"], lambda _: 3, lambda _: 0.5, lambda _: -2])
    one, other, test = arithmetic(rng, depth - 1), arithmetic(rng, depth - 1), arithmetic(rng, depth - 1)
    forms: list[Callable[[Numbers], Any]] = [
        lambda v: one(v) + other(v), lambda v: one(v) - other(v), lambda v: one(v) * other(v), lambda v: one(v) / other(v),
        lambda v: one(v) // other(v), lambda v: one(v) % other(v), lambda v: -one(v), lambda v: abs(one(v)), lambda v: one(v) ** 2,
        lambda v: max(one(v), other(v)), lambda v: min(one(v), other(v), 4), lambda v: one(v) if test(v) > 1 else other(v),
        lambda v: one(v) if test(v) else other(v), lambda v: round(one(v)), lambda v: round(one(v), 2), lambda v: int(one(v)),
        lambda v: math.floor(one(v)), lambda v: float(one(v)), lambda v: math.sqrt(abs(one(v))), lambda v: sum(range(int(one(v)) % 5)),
        lambda v: float(Decimal("0.5") * Decimal(str(one(v)))), lambda v: 2.5 * one(v), lambda v: len(f"{one(v)}"),
        lambda v: {1: 5, 2: 7}.get(v["n"], 9), lambda v: [4, 8, 2][v["n"] % 3], lambda v: divmod(one(v), 3)[1],
        lambda v: sum([one(v), other(v), 1]), lambda v: sorted([one(v), other(v), 2])[1], lambda v: float(np.float64(2) * one(v)),
        lambda v: one(v) if 1 < test(v) <= 6 and v["n"] != 4 else other(v), lambda v: np.array([one(v), 1.0]).sum().item(),
    ]  # fmt: skip
    return rng.choice(forms)


def program(seed: int) -> StrategyFunction:
    """A random strategy function."""
    rng = random.Random(seed)
    numbers = [arithmetic(rng, rng.randrange(4)) for _ in range(4)]
    window = rng.choice([lambda v: v["n"], lambda v: v["n"] + 2, lambda v: v["n"] * 2, lambda v: max(2, v["n"] // 2), numbers[0]])
    shape, kind = rng.randrange(8), rng.choice([rbt.weight, rbt.quantity, rbt.notional])
    more = rng.random()

    @rbt.strategy(name="program")
    def made(n: int = 3, k: float = 0.5) -> rbt.Strategy:
        values = {"n": n, "k": k}
        size, level, other = (number(values) for number in numbers[1:])
        feature = [
            lambda: close.rolling_mean(window(values)), lambda: close / close.shift(window(values)) - 1,
            lambda: close.ewm_mean(span=window(values)), lambda: close.rolling_std(window(values), min_samples=1) * k,
            lambda: close.rank("ordinal").over("ts"), lambda: close.rolling_quantile(0.5, window_size=window(values)),
            lambda: (close * k).rolling_max(window(values)), lambda: close.clip(k, None).diff(n),
        ][shape]()  # fmt: skip
        up = feature > level
        if k > 1 or n == 5:
            up &= pl.col("volume") >= other
        settings: dict[str, Any] = {}
        if more < 0.2:
            settings["schedule"] = rbt.every(n)
        if 0.1 < more < 0.3:
            settings["exits"] = rbt.exits(stop_loss="0.05", max_bars=n)
        if 0.3 < more < 0.4:
            settings["signals"] = {"seen": feature * k}
        if 0.4 < more < 0.5:
            settings["universe"] = pl.col("volume") > n
        if 0.5 < more < 0.6:
            settings["warmup"] = 2 * n
        return rbt.Strategy(target=kind(size if more > 0.95 else pl.when(up).then(size).otherwise(0.0)), **settings)

    return made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms are learned for two variants already, and in any number."""
    monkeypatch.setattr(learn, "FEW", 2)
    monkeypatch.setattr(learn, "TRIES", 10**6)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_random_functions_are_filled_in_as_they_are_called(seed: int) -> None:
    learned(program(seed))


def test_most_random_functions_are_learned() -> None:
    counts = [learned(program(seed))[1] for seed in range(40)]
    assert sum(count > WIDE.count // 3 for count in counts) > 15


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), panel=st.sampled_from(PANELS), options=st.sampled_from(SETTINGS))
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_random_functions_give_the_rows_of_calls(seed: int, panel: Any, options: dict[str, Any]) -> None:
    same(program(seed), panel, Assignments.of_grid({"n": [2, 3, 5, 8], "k": [0.1, 0.5, 2.0]}), **options)


def up(n: Any) -> pl.Expr:
    return close > close.rolling_mean(n)


def holding(size: Any, when: pl.Expr) -> rbt.Strategy:
    return rbt.Strategy(target=rbt.weight(pl.when(when).then(size).otherwise(0.0)))


@rbt.strategy
def branching(n: int = 3, k: float = 0.5) -> rbt.Strategy:
    if k < 0.3 and n % 2:
        return holding(k * 0.1, up(n) & (pl.col("volume") > n))
    return holding(0.99 / n, up(2 * n + 1))


def test_a_branch_is_learned_on_each_of_its_paths() -> None:
    learner, filled = learned(branching, pieces=1)
    assert (filled, learner.learned, learner.held) == (WIDE.count, 3, frozenset())  # k < 0.3 or not, and what n says where it is asked


@rbt.strategy
def raising(n: int = 3, k: float = 0.5) -> rbt.Strategy:
    if n > 6:
        raise ValueError(n)
    return holding(0.1, up(n))


def test_what_raises_is_called() -> None:
    assert learned(raising)[1] == WIDE.count // 2
    found = same(raising, PANELS[0], WIDE)
    assert found["error"].drop_nulls().to_list() == [f"ValueError: {n}" for n in range(7, 13) for _ in range(8)]


MEMORY: dict[Any, pl.Expr] = {}
LIST: list[int] = [7, 5, 3, 2, 9, 8, 4, 6, 2, 3, 5, 7, 9]
TABLE = pl.DataFrame({"n": range(1, 13), "size": [at / 100 for at in range(12)]})


@functools.cache
def remembered(n: int) -> pl.Expr:
    return up(n)


def kept(n: int) -> pl.Expr:
    if n not in MEMORY:
        MEMORY[n] = up(n)
    return MEMORY[n]


def kept_by_name(n: int) -> pl.Expr:
    found = up(n)
    return MEMORY.setdefault(f"up{n}", found)


def by_class(n: Any) -> pl.Expr:
    return up(n) if type(n) is not int or n < 6 else ~up(n)


def by_object(n: Any) -> pl.Expr:
    return ~up(n) if any(n is one for one in range(6, 100)) else up(n)


def by_name_of_class(n: Any) -> pl.Expr:
    return up(n if n.__class__.__name__ == "int" and n < 6 else 2)


def rows(n: int) -> Any:
    return close > TABLE.filter(pl.col("n") == n)["size"][0] * 1000


def lazy_rows(n: int) -> Any:
    return close > TABLE.lazy().filter(pl.col("n") == n).select("size").collect().item() * 1000


def selected(n: int) -> Any:
    return close > pl.select(pl.lit(n) * 100).item()


def read_back(n: int) -> pl.Expr:
    return close > len(str(close.shift(n))) + n


def serialised(n: int) -> pl.Expr:
    return close > len(close.shift(n).meta.serialize(format="json"))


def swallowed(n: int) -> pl.Expr:
    try:
        return up([2, 3, 4, 5][n])
    except BaseException:  # noqa: BLE001 - as careless as any user
        return up(n)


class Asked:
    """A number of the user's own, asked by Polars, that looks at a parameter meanwhile."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __index__(self) -> int:
        return 2 if len(range(self.n)) < 6 else 3


def asked(n: int) -> pl.Expr:
    return up(Asked(n)) & (pl.col("volume") > n)


def series(n: int) -> Any:
    return close > pl.Series([1.0, 2.0]).shift(n % 2, fill_value=9.0)[0]


def unrolled(n: int) -> pl.Expr:
    return functools.reduce(lambda one, other: one & other, [up(at + 2) for at in range(n)])


def compared_late(n: int) -> pl.Expr:
    x = 1.0
    for _ in range(60):
        x = x * 1.01 + x / (n + 1)
    return close > x


def doubled(n: int) -> pl.Expr:
    x: float = n
    for _ in range(80):
        x = x + x
    return close > x / 2.0**80


def nothing_left(n: int) -> pl.Expr:
    1 / (n - 6)
    return up(n)


WAYS = [
    remembered, kept, kept_by_name, by_class, by_object, by_name_of_class, rows, lazy_rows, selected, read_back, serialised, swallowed,
    asked, series, unrolled, compared_late, doubled, nothing_left,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_function_does_with_a_number(way: Callable[[int], pl.Expr]) -> None:
    def made(n: int = 3, k: float = 0.5) -> rbt.Strategy:
        return holding(k / 10, way(n))

    MEMORY.clear()
    remembered.cache_clear()
    learned(rbt.strategy(name="way")(made))
    assert not any("9150" in str(expr) or "0.7310" in str(expr) for expr in MEMORY.values())
    before = [str(remembered(n)) for n in range(1, 5)]
    remembered.cache_clear()
    assert before == [str(remembered(n)) for n in range(1, 5)]


def test_parameters_that_are_no_numbers_are_told_apart() -> None:
    @rbt.strategy
    def mixed(n: int = 3, side: str = "long", k: float | None = None, exact: Decimal = Decimal("0.5"), on: bool = True) -> rbt.Strategy:
        size = 0.1 if k is None else k / 10
        return holding(size if side == "long" else -size, up(n) if on else ~up(n) & (close > float(exact)))

    grid = {"n": range(2, 12), "side": ["long", "short"], "k": [None, 0.5, 1], "exact": [Decimal("0.5"), "0.50"], "on": [True, False]}
    learner, filled = learned(mixed, Assignments.of_grid(grid))
    assert filled == 240
    assert not learner.opaque


def test_a_type_that_polars_is_told_is_no_number() -> None:
    @rbt.strategy
    def counted(n: int = 3, k: float = 0.5) -> rbt.Strategy:
        return rbt.Strategy(target=rbt.weight((up(n).cast(pl.Float64) * k).shift(1)))

    learner, filled = learned(counted, Assignments.of_grid({"n": range(2, 12), "k": [0.1, 0.2]}))
    assert filled == 20
    assert not learner.opaque


def test_wrong_values_are_left_to_the_call() -> None:
    @rbt.strategy
    def bounded(n: int, k: float = 0.5) -> rbt.Strategy:
        return holding(k / 10, up(n))

    variants = Assignments.of_rows([{"n": n} for n in (2, 3, "x", 4, 2.5, True, 5, np.int64(6))] + [{"k": 0.1}])
    found = same(bounded, markets.panel(assets=1, bars=40, seed=1), variants)
    assert found["error"].is_null().to_list() == [True, True, False, True, False, False, True, True, False]


@pytest.mark.parametrize("column", [[1, 2, 1], [0.5, -0.0, 0.0], [0.5, math.inf], [1, 1.0, True, "1", Decimal(1)], []])
def test_values_are_keys_that_tell_their_types_apart(column: list[Any]) -> None:
    assert list(keys_of(column)) == [value if type(value) is int else exactly(value) for value in column]
    assert len(set(keys_of([1, 1.0, True, Decimal(1), 0.0, -0.0]))) == 6
