"""Strategies at random from a seed: nested expressions, targets of all kinds, schedules, exits, universes, sleeves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import polars as pl

import rustybt as rbt
from rustybt.engine import RunConfig, configure
from rustybt.model import Panel
from rustybt.spec import Exits, Order, Schedule, Target, exits
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


def price(random: Random) -> pl.Expr:
    """Somewhere near the close."""
    near = random.choice((pl.col("close"), pl.col("low").rolling_min(3), pl.col("high").rolling_max(3), pl.col("open")))
    return near * random.choice((0.97, 0.99, 1.0, 1.01, 1.03))


def batch(random: Random, assets: int) -> Order:
    """An order, sometimes with others that it sends or that cancel each other."""
    first = asked(random, assets)
    if first.measure.name == "POSITION" or random.random() < 0.6:
        return first
    if random.random() < 0.3:
        return replace(first, oco=(rbt.order("limit", 5, side="sell", limit=price(random), tif="gtc"),))
    stop = rbt.order("stop", "filled", stop=price(random), tif="gtc", reduce_only=True)
    trail = rbt.order("trailing_stop", "filled", trail_fraction=0.03, tif="day")
    target = rbt.order("limit", "filled", limit=price(random), tif="gtd", until=4, reduce_only=True)
    return rbt.bracket(first, stop=random.choice((stop, trail)), target=target)


def asked(random: Random, assets: int) -> Order:
    """An order of any kind, with parts that are numbers or expressions."""
    kinds = ("market", "limit", "stop", "stop_limit", "market_if_touched", "limit_if_touched", "trailing_stop", "trailing_stop_limit")
    kind = random.choice(kinds)
    trails: dict[str, dict[str, Any]] = {
        "trailing_stop": {"trail_fraction": 0.04},
        "trailing_stop_limit": {"trail": pl.col("close") * 0.03, "limit_offset": 0.5},
    }
    times = ("day", "gtc", "gtd") if kind not in ("market", "limit") else ("day", "gtc", "gtd", "ioc", "fok", "at_open")
    tif = random.choice(times)
    sizes: tuple[dict[str, Any], ...] = (
        {"weight": 0.3 / assets},
        {"quantity": 20},
        {"notional": 5000},
        {"quantity": "position"},
        {"quantity": pl.col("volume") % 9},
    )
    size = random.choice(sizes)
    sided = not isinstance(size.get("quantity"), str) and random.random() < 0.7
    return rbt.order(
        kind,
        **size,
        side=random.choice(("buy", "sell", condition(random))) if sided else None,
        limit=price(random) if kind in ("limit", "stop_limit", "limit_if_touched") else None,
        stop=price(random) if kind not in ("market", "limit", *trails) else None,
        **trails.get(kind, {}),
        when=condition(random) if random.random() < 0.8 else None,
        cancel=condition(random) if random.random() < 0.3 else None,
        tif=tif,
        until=random.choice((2, pl.col("session") + timedelta(days=3), pl.col("ts") + timedelta(hours=30))) if tif == "gtd" else None,
        replace=random.random() < 0.6,
        post_only=kind == "limit" and tif in ("day", "gtc", "gtd") and random.random() < 0.3,
        reduce_only=random.random() < 0.2,
        display=random.choice((None, None, 1)) if "limit" in kind and kind != "limit_if_touched" and tif in ("day", "gtc", "gtd") else None,
    )


def strategy(random: Random, assets: int, sleeves: int) -> rbt.Strategy:
    """One strategy of a run."""
    schedule = random.choice(SCHEDULES)() if random.random() < 0.5 else None
    orders = [batch(random, assets) for _ in range(random.choice((0, 0, 1, 3)))]
    return rbt.Strategy(
        "generated",
        target=target(random, assets, sleeves) if not orders or random.random() < 0.4 else None,
        orders=orders,
        universe=condition(random) if random.random() < 0.25 else None,
        schedule=schedule,
        exits=rules(random, schedule is not None),
        signals={"feature": value(random, 2)} if random.random() < 0.5 else {},
        warmup=random.choice((None, 5, 12)),
    )


def troubles(random: Random) -> dict[str, Any]:
    """What makes a market ragged, each of it in some markets."""
    return {
        "gaps": random.choice((0.0, 0.05, 0.3)),
        "halts": random.choice((0.0, 0.6)),
        "listings": random.choice((0.0, 0.5)),
        "delistings": random.choice((0.0, 0.4)),
        "ties": random.choice((0.0, 0.2)),
        "splits": random.choice((0.0, 0.7)),
        "dividends": random.choice((0.0, 0.7)),
    }


def panel(random: Random) -> Panel:
    """A ragged market with everything that makes data hard."""
    return markets.panel(
        assets=random.randint(1, 5),
        bars=random.randint(25, 60),
        seed=random.randint(0, 10**6),
        frequency=random.choice(("1d", "1d", "4h")),
        **troubles(random),
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
