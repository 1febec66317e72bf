"""Variants evaluated together are the variants evaluated alone, to the last digit."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.engine import configure
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.evaluate import ROOM, Evaluator
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.measure import columns, measure_variant
from rustybt.sweeps.sketch import Sketcher
from rustybt.testing import markets
from tests.sweeps.strategies import cross

COUNTED = sys.modules["rustybt.sweeps.evaluate"]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The variants that were not evaluated together."""
    seen: list[Any] = []

    def counted(strategy: Any, parameters: Any, *rest: Any, **more: Any) -> Any:
        seen.append(parameters)
        return measure_variant(strategy, parameters, *rest, **more)

    monkeypatch.setattr(COUNTED, "measure_variant", counted)
    return seen


def same(strategy: StrategyFunction, panel: Panel, variants: Assignments, **settings: Any) -> pl.DataFrame:
    """The rows of variants, evaluated together and found equal to those of each alone."""
    config = configure(**settings)
    together = Evaluator(panel, config, ROOM).rows(strategy, variants)
    rows = [measure_variant(strategy, variants[at], panel, config) for at in range(variants.count)]
    wanted = pl.DataFrame([one.row for one in rows], schema=columns(config.money_scale))
    assert together.frame.rows() == wanted.rows()
    assert sorted(together.trials, key=repr) == sorted((one.trial for one in rows if one.trial is not None), key=repr)
    return together.frame


def moving(rng: random.Random, n: int, k: float) -> pl.Expr:
    """A random feature that is made of steps."""
    close = pl.col(rng.choice(["close", "adj_close", "volume"]))
    before, move = close.shift(n), close.diff()
    high, low, up = pl.max_horizontal("high", before), pl.min_horizontal("low", before, k), move > k
    return rng.choice(
        [
            (high - low).rolling_mean(n), (high - low).ewm_mean(span=n, adjust=False), (close / before).log().rolling_std(n + 1),
            up.cast(rng.choice([pl.Int32, pl.Int64, pl.Float64])).rolling_sum(n), (close != before).cast(pl.Int64).rolling_mean(n),
            pl.when(up).then(move).otherwise(0).rolling_mean(n), pl.when(up | (close < before)).then(1).otherwise(-1).rolling_sum(n),
            close.rolling_median(n), move.rolling_quantile(min(abs(k), 1.0), "linear", window_size=n), move.rolling_var(n + 1, ddof=0),
            close.rolling_rank(n), (high - close).rolling_rank(n, "min"), move.abs().sqrt().rolling_max(n), (move**2).rolling_mean(n),
        ]
    )  # fmt: skip


def number(rng: random.Random, n: int, k: float, depth: int) -> pl.Expr:
    """A random number per row."""
    close = pl.col(rng.choice(["close", "adj_close", "high", "volume"]))
    if depth == 0 or rng.random() < 0.2:
        leaf = rng.randrange(8)
        if leaf == 0:
            return close
        if leaf == 1:
            return close.rolling_mean(n)
        if leaf == 2:
            return close.rolling_max(n)
        if leaf == 3:
            return close / close.shift(n) - 1
        if leaf == 4:
            return close.rank("ordinal").over("ts")
        if leaf == 5:
            return pl.lit(k)
        if leaf == 6:
            return (close * k).rolling_std(n + 1)
        return close.ewm_mean(span=n + 1)
    one = number(rng, n, k, depth - 1)
    form = rng.randrange(18)
    if form == 0:
        return one + number(rng, n, k, depth - 1)
    if form == 1:
        return one - k
    if form == 2:
        return one * number(rng, n, k, depth - 1)
    if form == 3:
        return one / k
    if form == 4:
        return one / number(rng, n, k, depth - 1)
    if form == 5:
        return -one
    if form == 6:
        return one.abs()
    if form == 7:
        return one.fill_null(k)
    if form == 8:
        return one.fill_nan(None)
    if form == 9:
        return one.clip(-k, k) if rng.random() < 0.5 else rng.choice([one.clip(lower_bound=k), one.clip(upper_bound=k)])
    if form == 10:
        return one.sign()
    if form == 11:
        other = number(rng, n, k, depth - 1)
        return rng.choice([pl.max_horizontal(one, other, k), pl.min_horizontal(one, k, other), pl.coalesce(one, other)])
    if form == 12:
        one, other = (truth(rng, n, k, depth - 1).cast(rng.choice([pl.Int32, pl.Int64, pl.Float64])) for _ in range(2))
        votes = pl.when(truth(rng, n, k, depth - 1)).then(1).otherwise(-n)
        return rng.choice([one, one - other, one + votes, votes - n - (one - other).abs(), -votes, (one - votes) / 49])
    if form in (13, 14):
        held = pl.when(truth(rng, n, k, depth - 1)).then(one).otherwise(rng.choice([pl.lit(None), pl.lit(k), pl.lit(n)]))
        moved = [
            held.shift(n),
            held.shift(1, fill_value=k),
            held.shift(n, fill_value=1),
            held.forward_fill(),
            held.forward_fill().fill_null(k),
        ]
        return rng.choice(moved)
    return pl.when(truth(rng, n, k, depth - 1)).then(one).otherwise(rng.choice([pl.lit(None), pl.lit(n), pl.lit(k), pl.lit(0)]))


def truth(rng: random.Random, n: int, k: float, depth: int) -> pl.Expr:
    """A random truth value per row."""
    if depth > 0 and rng.random() < 0.15:
        return truth(rng, n, k, depth - 1).over("asset")
    if depth > 0 and rng.random() < 0.5:
        one, other = truth(rng, n, k, depth - 1), truth(rng, n, k, depth - 1)
        if rng.random() < 0.3:
            return rng.choice([one.shift(1), one.shift(n, fill_value=False), one.forward_fill(), one.shift(2).over("asset")])
        return rng.choice([one & other, one | other, one ^ other, ~one, pl.all_horizontal(one, other), pl.any_horizontal(one, other)])
    one, other = number(rng, n, k, depth), rng.choice([number(rng, n, k, depth), pl.lit(k), pl.lit(n)])
    form = rng.randrange(9)
    if form == 8:
        return one.is_between(min(n, k), max(n, k), closed=rng.choice(["both", "left", "right", "none"]))
    if form == 6:
        return one.is_null()
    if form == 7:
        return one.is_nan() if rng.random() < 0.5 else one.is_not_null()
    forms = [one > other, one < other, one >= other, one <= other, one == other, one != other]
    return forms[form]


@rbt.strategy
def drawn(seed: int = 0, n: int = 3, k: float = 0.5, size: float = 0.3) -> rbt.Strategy:
    """A random strategy of one shape for each seed."""
    rng = random.Random(seed)
    up = truth(rng, n, k, 3)
    kind, scale = rng.choice([(rbt.weight, size / 5), (rbt.quantity, size * 100), (rbt.notional, size * 1000)])
    held = rng.choice(
        [pl.lit(scale), pl.lit(scale) * number(rng, n, k, 1) / 1000, pl.when(truth(rng, n, k, 1)).then(scale).otherwise(-scale / 2)]
    )
    target = kind(pl.when(up).then(held).otherwise(rng.choice([0, 0.0, None])))
    more: dict[str, Any] = {}
    if rng.random() < 0.3:
        more["universe"] = truth(rng, n, k, 1)
    if rng.random() < 0.3:
        more["schedule"] = rbt.every(rng.choice([1, 3, n]))
    if rng.random() < 0.3:
        more["exits"] = rbt.exits(stop_loss="0.05", reentry="change")
    if rng.random() < 0.2:
        more["signals"] = {"seen": number(rng, n, k, 1)}
    if rng.random() < 0.2:
        more["warmup"] = rng.randrange(8)
    return rbt.Strategy(target=target, **more)


PANELS = [
    markets.panel(assets=assets, bars=bars, seed=seed) for assets, bars, seed in ((1, 60, 1), (3, 50, 2), (2, 1, 3), (1, 2, 4), (5, 30, 5))
]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"cash": "20000", "costs": rbt.costs(commission=rbt.bps(10), slippage=rbt.bps(3)), "max_gross": 2},
    {"fill": "next_close", "sizing": "at_fill", "money_scale": 4},
    {"margin": rbt.margin("0.5", "0.25"), "carry": rbt.carry(borrow="0.01")},
    {"controls": rbt.controls(long_only=True)},
    {"controls": rbt.controls(price_move="0.02", position="500", drawdown="0.05", orders_per_day=2)},
    {"latency": rbt.latency(bars=1), "intrabar": "nearest", "stale": rbt.stale(2)},
    {"costs": rbt.costs(commission=rbt.per_share("0.01"), slippage=rbt.volume_share("0.1"), volume_cap="0.05")},
    {"increments": [{"asset": "A0", "from_ts": "2020-01-20", "lot": "5", "tick": "0.05"}], "settlement": "T+2"},
    {"controls": rbt.controls(value_at_risk="0.02", risk_bars=10, correlated_exposure="0.9", correlated_bars=10, correlated_above="0.5")},
    {"flows": [("2020-02-03", "1000")]},
    {"trade_from": "2020-01-20", "costs": rbt.costs(commission=rbt.bps(10))},
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**9),
    panel=st.sampled_from(PANELS),
    options=st.sampled_from(SETTINGS),
    ns=st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True),
    ks=st.lists(st.sampled_from([0.5, 2.0, -1.0, 3.0, 1e-7, 0.0, 1.0]), min_size=1, max_size=3, unique=True),
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_random_strategies_together_and_alone(seed: int, panel: Panel, options: dict[str, Any], ns: list[int], ks: list[float]) -> None:
    same(drawn, panel, Assignments.of_grid({"seed": [seed, seed + 1], "n": ns, "k": ks, "size": [0.3, 0.1]}), **options)


@rbt.strategy
def stepped(seed: int, n: int, k: float) -> rbt.Strategy:
    """In by one feature that is made of steps, out by another."""
    rng = random.Random(seed)
    one, other, third = (moving(rng, n, k) for _ in range(3))
    return rbt.Strategy(target=rbt.quantity(pl.when(one > other).then(7).when(third < k).then(0)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**9),
    panel=st.sampled_from(PANELS),
    ns=st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True),
    ks=st.lists(st.sampled_from([0.5, 2.0, -1.0, 0.0, 1.0]), min_size=1, max_size=3, unique=True),
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_features_of_steps_together_and_alone(seed: int, panel: Panel, ns: list[int], ks: list[float]) -> None:
    same(stepped, panel, Assignments.of_grid({"seed": [seed], "n": ns, "k": ks}))


def ready() -> list[str]:
    folder = Path(__file__).parents[2] / "expressions" / "strategies"
    return sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")


@pytest.mark.parametrize("name", ready())
def test_the_ready_strategies_go_together(name: str, alone: list[Any]) -> None:
    family = getattr(importlib.import_module(f"expressions.strategies.{name}"), name)
    panel = markets.panel(assets=3, bars=300, seed=9)
    rows: list[dict[str, Any]] = [{}]
    for parameter in family.parameters.values():
        if parameter.type is int and not parameter.required and parameter.default:
            rows += [{parameter.name: max(2, parameter.default // 2)}, {parameter.name: parameter.default + 1}]
        if parameter.type is float and parameter.default:
            rows.append({parameter.name: parameter.default * 0.9})
    found = same(family, panel, Assignments.of_rows(rows))
    if name != "pairs_zscore":
        assert found["error"].null_count() > 1
        assert len(alone) == found.height - found["error"].null_count()  # only what fails is run alone, to say why


@rbt.strategy
def odd(form: str = "plain", n: int = 3) -> rbt.Strategy:
    close = pl.col("close")
    if form == "ahead":
        return rbt.Strategy(target=rbt.weight(pl.when(close > close.shift(-n)).then(0.1).otherwise(0.0)))
    if form == "missing":
        return rbt.Strategy(target=rbt.weight(pl.when(pl.col("clothes") > n).then(0.1).otherwise(0.0)))
    if form == "text":
        return rbt.Strategy(target=rbt.weight(pl.when(pl.col("asset").cast(pl.String) == "A0").then(0.1).otherwise(0.0)))
    if form == "truth":
        return rbt.Strategy(target=rbt.weight(close > n))
    if form == "nan":
        return rbt.Strategy(target=rbt.weight(close.log() * float("inf") * 0))
    if form == "large":
        return rbt.Strategy(target=rbt.quantity(close * 1e18))
    if form == "gross":
        return rbt.Strategy(target=rbt.weight(n * 1.0))
    if form == "int32":
        return rbt.Strategy(target=rbt.quantity(close.cast(pl.Int32) * n))
    if form == "decimal":
        return rbt.Strategy(target=rbt.quantity(pl.lit(n).cast(pl.Decimal(10, 2))))
    if form == "orders":
        return rbt.Strategy(orders=[rbt.order("market", pl.when(close > close.shift(1)).then(n))])
    if form == "raises":
        raise ValueError(f"no {n}")
    if form == "exits":
        return rbt.Strategy(target=rbt.weight(0.1), exits=rbt.exits(stop_loss=f"0.0{n}", max_bars=n))
    if form == "folded":
        return rbt.Strategy(target=rbt.quantity(close / (pl.lit(n) * 3)))
    return rbt.Strategy(target=rbt.weight(0.01 * n))


@rbt.strategy
def tiny(k: float = 1e-7, n: int = 3) -> rbt.Strategy:
    """Numbers that Polars and Python write differently, before other literals."""
    seen = (pl.col("close") * k).rolling_mean(n)
    return rbt.Strategy(target=rbt.weight(pl.when(seen > 1e-5).then(pl.when(seen > 0.5).then(None).otherwise(0.25)).otherwise(0.0)))


def test_numbers_that_are_written_in_two_ways() -> None:
    found = same(tiny, markets.panel(assets=2, bars=40, seed=3), Assignments.of_grid({"k": [1e-7, 1e17, 1e-5, 0.5], "n": [2, 3]}))
    assert found["error"].null_count() == 8


FORMS = "plain ahead missing text truth nan large gross int32 decimal orders raises exits folded".split()


def test_what_is_out_of_the_ordinary_is_a_row_with_its_own_error(alone: list[Any]) -> None:
    panel = markets.panel(assets=2, bars=60, seed=3)
    found = same(odd, panel, Assignments.of_grid({"form": FORMS, "n": [2, 3, 4]}), max_gross=1)
    bad = {FORMS[at // 3] for at, error in enumerate(found["error"]) if error is not None}
    assert {"ahead", "missing", "truth", "nan", "large", "gross", "raises"} <= bad
    assert not {"plain", "text", "int32", "decimal", "exits", "folded"} & bad
    assert not {"plain", "text", "exits"} & {one["form"] for one in alone}


def test_a_budget_that_holds_few_features_changes_nothing() -> None:
    panel = markets.panel(assets=1, bars=200, seed=3)
    variants = Assignments.of_grid({"seed": [31], "n": list(range(2, 40)), "k": [0.5], "size": [0.1]})
    config = configure()
    whole = Evaluator(panel, config, ROOM).rows(drawn, variants).frame
    small = Evaluator(panel, config, room=9 * 200 * 9).rows(drawn, variants).frame
    assert small.rows() == whole.rows()
    with pytest.raises(rbt.ConfigError, match="larger budget"):
        Evaluator(panel, config, room=1).rows(drawn, variants)


def test_a_budget_that_holds_few_features_of_a_form_changes_nothing() -> None:
    """Halves of the variants of a form asked for the features of all of them, and were refused."""
    panel = markets.panel(assets=1, bars=200, seed=3)
    variants = Assignments.of_grid({"fast": list(range(2, 20)), "slow": list(range(20, 40))})
    whole = Evaluator(panel, configure(), ROOM).rows(cross, variants).frame
    small = Evaluator(panel, configure(), room=9 * 200 * 9).rows(cross, variants).frame
    assert small.rows() == whole.rows()
    with pytest.raises(rbt.ConfigError, match="larger budget"):
        Evaluator(panel, configure(), room=1).rows(cross, variants)


@rbt.strategy
def remembered(n: int = 3, low: float = 0.1, lag: int = 1) -> rbt.Strategy:
    """What was decided last is held, some bars later."""
    rise = pl.col("close").pct_change(n)
    side = pl.when(rise > low / 10).then(0.2).when(rise < -low / 20).then(0.0).otherwise(None).forward_fill().fill_null(0.0)
    return rbt.Strategy(target=rbt.weight(side.shift(lag)))


@rbt.strategy
def late(n: int = 3, low: float = 0.1, lag: int = 1) -> rbt.Strategy:
    """A condition of some bars ago, counted."""
    up = (pl.col("close") > pl.col("close").rolling_mean(n)) & pl.col("close").pct_change(2).is_between(-low, low)
    return rbt.Strategy(target=rbt.quantity(up.cast(pl.Int32).shift(lag, fill_value=1).over("asset")))


@rbt.strategy
def leaning(n: int = 3, low: float = 0.1, lag: int = 1) -> rbt.Strategy:
    """By the sign of a move, within bounds."""
    gap = pl.col("close") / pl.col("close").rolling_mean(n) - 1
    return rbt.Strategy(target=rbt.weight((gap.sign() * low / lag).clip(-0.15, 0.15)))


@rbt.strategy
def voted(n: int = 3, low: float = 0.1, lag: int = 1) -> rbt.Strategy:
    """As many as agree."""
    close = pl.col("close")
    up, high = close > close.rolling_mean(n), close.pct_change(lag) > low / 10
    votes = up.cast(pl.Int32) - (~up).cast(pl.Int32) + pl.when(high).then(1).otherwise(0)
    return rbt.Strategy(target=rbt.weight(pl.when(votes >= 2).then(0.2).otherwise(votes / 49)))


@pytest.mark.parametrize("assets", [1, 3])
@pytest.mark.parametrize("family", [remembered, late, leaning, voted], ids=lambda family: family.name)
@pytest.mark.parametrize("options", [{}, {"trade_from": "2020-02-20"}], ids=str)
def test_tops_that_look_back(family: StrategyFunction, assets: int, options: dict[str, Any]) -> None:
    """Bars of more than one block, lags beyond a block and ahead; where every bar decides, features are those below the conditions."""
    panel = markets.panel(assets=assets, bars=600 if assets == 1 else 190, seed=3)
    plain = family in (leaning, voted)
    lags = [1, 2] if plain else [1, 2, 300, -1, 0]
    grid = Assignments.of_grid({"n": [2, 9, 30], "low": [0.05, 0.1, 0.2], "lag": lags})
    found = same(family, panel, grid, max_gross=3, **options)
    assert found["error"].null_count() == (found.height if plain else found.height * 4 // 5)
    if not options:
        evaluator = Evaluator(panel, configure(max_gross=3), ROOM)
        evaluator.rows(family, grid, counting=False)
        (group,) = evaluator.batches.groups.values()
        assert group is not None
        assert group.now.used <= 8


@rbt.strategy
def on_day(part: str = "weekday", at: int = 1, n: int = 3) -> rbt.Strategy:
    when = getattr(pl.col("ts").dt, part)() == at
    return rbt.Strategy(target=rbt.quantity(pl.when(when & (pl.col("close") > pl.col("close").rolling_mean(n))).then(5).otherwise(0)))


@pytest.mark.parametrize("part", ["weekday", "month", "ordinal_day", "year"])
def test_parts_of_dates_are_features_of_their_own(part: str) -> None:
    """Whole numbers of 8, 16 and 32 bits: what they are compared with is no part of the feature."""
    panel = markets.panel(assets=1, bars=300, seed=3)
    grid = Assignments.of_grid({"part": [part], "at": [1, 2, 3, 40, 200, 300, 2020], "n": [2, 9]})
    same(on_day, panel, grid)
    evaluator = Evaluator(panel, configure(), ROOM)
    evaluator.rows(on_day, grid, counting=False)
    (group,) = evaluator.batches.groups.values()
    assert group is not None
    assert group.now.used <= 4  # the part of the date, the close, two averages


@rbt.strategy
def said_of_each(n: int = 5, k: float = 0.01, every: int = 1, narrow: bool = False) -> rbt.Strategy:
    """A decision that is said to be of each asset as a whole, with a step back inside it."""
    close = pl.col("close")
    up = ((close > close.rolling_mean(n)) & (close / close.shift(n) - 1 > k) & (close > close.rolling_max(3).shift(1))).over("asset")
    more: dict[str, Any] = {"universe": (pl.col("volume") > pl.col("volume").rolling_mean(4)).over("asset")} if narrow else {}
    return rbt.Strategy(target=rbt.quantity(pl.when(up).then(10).otherwise(0)), schedule=rbt.every(every), **more)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("options", [{}, {"trade_from": "2020-01-20"}])
def test_a_decision_of_each_asset_is_taken_apart_with_any_schedule(narrow: bool, every: int, options: dict[str, Any]) -> None:
    panel = markets.panel(assets=6, bars=80, seed=8)
    grid = {"n": range(2, 9), "k": [-0.02, 0.01], "every": [every], "narrow": [narrow]}
    assert len(set(same(said_of_each, panel, Assignments.of_grid(grid), **options)["final_equity"])) > 3
    group = Sketcher(said_of_each).read(0, {"n": 3, "k": 0.0, "every": every, "narrow": narrow})
    assert group is not None
    assert len(group.template.features) > 3
