"""Strategies at random from a seed: nested expressions, targets of all kinds, schedules, exits, universes, sleeves."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import polars as pl

import rustybt as rbt
from rustybt.engine import RunConfig, configure
from rustybt.model import Panel
from rustybt.spec import Exits, Schedule, Target, exits
from rustybt.testing import markets

COLUMNS = ("close", "open", "adj_close", "adj_high", "adj_low", "volume")
SCHEDULES: tuple[Callable[[], Schedule], ...] = (
    rbt.month_start,
    rbt.week_start,
    rbt.session_open,
    lambda: rbt.every(bars=3),
    lambda: rbt.every(bars=5, offset=2),
    lambda: rbt.cron("0 9 * * tue,thu", zone="America/New_York"),
)
FILLS = ("next_open", "next_close", "same_bar_close")


def value(random: Random, depth: int) -> pl.Expr:
    """A number per row: a column, or an operation on smaller values, along time or over the assets."""
    if depth == 0:
        return pl.col(random.choice(COLUMNS))
    x, n = value(random, depth - 1), random.randint(2, 9)
    along: tuple[Callable[[], pl.Expr], ...] = (
        lambda: x.rolling_mean(n),
        lambda: x.rolling_std(n),
        lambda: x.rolling_max(n),
        lambda: x.rolling_median(n),
        lambda: x.rolling_rank(n),
        lambda: x.shift(n),
        lambda: x.diff(n),
        lambda: x.ewm_mean(span=n, adjust=False, min_samples=n, ignore_nulls=True),
        lambda: x.cum_max(),
        lambda: pl.when(x > x.shift(1)).then(x).forward_fill(n),
        lambda: x.rolling_mean_by("ts", f"{n}d"),
        lambda: x.cum_sum().over("asset", "session"),
        lambda: x / x.shift(n),
        lambda: x - value(random, depth - 1),
    )
    across: tuple[Callable[[], pl.Expr], ...] = (
        lambda: x.over("asset").rank("ordinal", descending=True).over("ts"),
        lambda: x.over("asset") - x.over("asset").mean().over("ts"),
        lambda: x.over("asset").max().over("ts"),
        lambda: x.over("asset").rank("average").over("ts").rolling_mean(n).over("asset"),
    )
    return random.choice(along if random.random() < 0.75 else across)()


def condition(random: Random) -> pl.Expr:
    """True or false per row, sometimes null."""
    x = value(random, random.randint(1, 2))
    other = random.choice((lambda: x.rolling_mean(random.randint(2, 8)), lambda: x.shift(1), lambda: value(random, 1)))()
    return x > other


def target(random: Random, assets: int, sleeves: int) -> Target:
    """Positions of one of two sizes, or kept as they are where nothing is known."""
    yes, no = condition(random), condition(random)
    kind = random.choice(("weight", "weight", "notional", "quantity"))
    if kind == "weight":
        share = 0.95 / assets / sleeves
        big, small = share, random.choice((0.0, share / 3, -share / 2))
        return rbt.weight(pl.when(yes).then(big).when(no).then(small).otherwise(random.choice((0.0, None))))
    unit = 20_000 // assets if kind == "notional" else 25
    expr = pl.when(yes).then(unit).when(no).then(random.choice((0, unit // 5, -unit // 2))).otherwise(random.choice((0, None)))
    return rbt.notional(expr) if kind == "notional" else rbt.quantity(expr)


def rules(random: Random, scheduled: bool) -> Exits | None:
    """Some exits, or none."""
    if random.random() < 0.4:
        return None
    return exits(
        stop_loss=random.choice((None, "0.03", "0.08")),
        take_profit=random.choice((None, "0.05")),
        trailing=random.choice((None, "0.04", "0.1")),
        max_bars=random.choice((None, 4, 9)),
        cool_down=random.choice((0, 0, 3)),
        reentry="schedule" if scheduled and random.random() < 0.5 else "change",
    )


def strategy(random: Random, assets: int, sleeves: int) -> rbt.Strategy:
    """One strategy of a run."""
    schedule = random.choice(SCHEDULES)() if random.random() < 0.5 else None
    return rbt.Strategy(
        "generated",
        target=target(random, assets, sleeves),
        universe=condition(random) if random.random() < 0.25 else None,
        schedule=schedule,
        exits=rules(random, schedule is not None),
        signals={"feature": value(random, 2)} if random.random() < 0.5 else {},
        warmup=random.choice((None, 5, 12)),
    )


def panel(random: Random) -> Panel:
    """A ragged market with everything that makes data hard."""
    return markets.panel(
        assets=random.randint(1, 5),
        bars=random.randint(25, 60),
        seed=random.randint(0, 10**6),
        frequency=random.choice(("1d", "1d", "4h")),
        gaps=random.choice((0.0, 0.05, 0.3)),
        halts=random.choice((0.0, 0.6)),
        listings=random.choice((0.0, 0.5)),
        delistings=random.choice((0.0, 0.4)),
        ties=random.choice((0.0, 0.2)),
        splits=random.choice((0.0, 0.7)),
        dividends=random.choice((0.0, 0.7)),
    )


def config(random: Random) -> RunConfig:
    """Settings of a run, with and without costs."""
    priced = rbt.costs(commission=rbt.bps("3", minimum="1"), slippage=rbt.bps("2"))
    return configure(
        cash=random.choice(("100000", "2500.37")),
        costs=random.choice((None, priced)),
        fill=random.choice(FILLS),
        sizing=random.choice(("at_decision", "at_fill")),
        max_gross=random.choice((1, 1, 2)),
    )


def case(seed: int) -> tuple[dict[str, rbt.Strategy], Panel, RunConfig]:
    """Everything that a run takes."""
    random = Random(seed)
    made = panel(random)
    count = random.choice((1, 1, 2, 3))
    sleeves = {f"sleeve{i}": strategy(random, len(made.assets), count) for i in range(count)}
    return sleeves, made, config(random)
