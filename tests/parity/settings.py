"""Settings of a run at random from a seed, and markets for them: everything that `rustybt.run` takes, alone and together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import polars as pl

import rustybt as rbt
from rustybt.model import Panel
from rustybt.testing import markets
from tests.parity.strategies import FILLS, troubles

SIZES = {"tick_size": ("0.01", "0.0001"), "lot_size": ("1", "0.01", "10"), "multiplier": ("1", "5", "0.1")}
PAIRS = (("EUR/USD", 1.1), ("USD/GBP", 0.8))
COMMISSIONS: tuple[Any, ...] = (
    rbt.bps("3", minimum="1"),
    rbt.per_share("0.005", minimum="1", cap="0.01"),
    rbt.maker_taker(2, "5.5"),
    rbt.per_contract("0.85", maximum="20"),
    rbt.tiered({0: rbt.bps(10), "20000": rbt.bps(5), "80000": rbt.maker_taker(1, 2)}),
    rbt.tiered({0: rbt.per_share("0.01"), 500: rbt.per_share("0.002")}, by="quantity", minimum="0.5"),
)
SLIPPAGES: tuple[Any, ...] = (
    rbt.bps("2"),
    rbt.volume_share("0.1"),
    rbt.square_root("0.02") + rbt.ticks(1),
    rbt.volatility_share("0.7"),
    rbt.slippage_term(pl.col("high") / pl.col("low") - 1),
    rbt.asymmetric(buy="0.0001", sell=rbt.ticks(3)),
    rbt.half_spread("0.0004"),
)
CAPS: tuple[Any, ...] = ("0.0001", rbt.volume_cap("0.00005", unfilled="cancel"), "balanced")
CONTROLS: dict[str, tuple[Any, ...]] = {
    "order_quantity": (10,),
    "order_notional": (3000, rbt.limit(3000, "reduce")),
    "orders_per_day": (2,),
    "position": (15,),
    "concentration": ("0.3",),
    "long_only": (True,),
    "drawdown": ("0.1", "0.02"),
    "daily_loss": ("0.01",),
    "price_collar": ("0.02",),
    "price_move": ("0.03",),
    "duplicate": (3,),
    "gross_exposure": ("0.9",),
    "net_exposure": ("0.5",),
    "max_leverage": ("1.2", "0.5"),
}
RISKS: tuple[dict[str, Any], ...] = (
    {"value_at_risk": "0.02", "risk_bars": 5, "risk_confidence": "0.8"},
    {"max_value_at_risk": "0.02", "risk_bars": 10},
    {"correlated_exposure": "0.6", "correlated_bars": 5, "correlated_above": "0.2"},
    {"min_leverage": rbt.limit("0.1", "halt"), "min_leverage_after": 5},
)
LATENCIES: tuple[Any, ...] = (
    "2h",
    rbt.latency(bars=1),
    rbt.latency(uniform=("1h", "30h"), seed=3),
    rbt.latency(lognormal=("40ms", "0.5")) + rbt.latency("3h"),
)
TERMS: tuple[dict[str, Any], ...] = (
    {"commission": rbt.bps(7)},
    {"commission_minimum": "2"},
    {"commission_flat": "0.3"},
    {"commission": rbt.tiered({0: rbt.bps(4), 9000: rbt.bps(1)})},
)


@dataclass(frozen=True)
class World:
    """A market, and what settings have to know of it."""

    panel: Panel
    bars: pl.DataFrame
    foreign: bool

    @property
    def names(self) -> tuple[str, ...]:
        return self.panel.symbols

    @property
    def days(self) -> list[date]:
        return self.bars["ts"].dt.date().unique().sort().to_list()

    @property
    def instants(self) -> list[datetime]:
        return self.bars["ts"].unique().sort().to_list()


def world(random: Random) -> World:
    """A ragged market of assets of several classes, sizes and currencies, with and without a calendar."""
    frequency = random.choice(("1d", "1d", "4h"))
    made = markets.market(
        assets=random.randint(1, 5),
        bars=random.choice((2, 30, 60, 60, 60, 90)),
        seed=random.randint(0, 10**6),
        frequency=frequency,
        **troubles(random),
        volatility=random.choice((0.02, 0.1)),
    )
    foreign, mixed = random.random() < 0.35, random.random() < 0.5
    assets: dict[str, dict[str, Any]] = {}
    for name in sorted(made.bars["asset"].unique()):
        assets[name] = {size: random.choice(given) for size, given in SIZES.items()} if mixed else {}
        assets[name] |= {"asset_class": random.choice(("equity", "future"))} if mixed else {}
        assets[name] |= {"min_notional": "50"} if random.random() < 0.1 else {}
        assets[name] |= {"currency": random.choice(("USD", "EUR", "GBP"))} if foreign else {}
    calendar = random.choice((None, "24/5" if frequency == "1d" else "24/7"))
    panel = rbt.load(made.bars, stamp="close", events=made.events, assets=assets, calendar=calendar)
    return World(panel, made.bars, foreign)


def settings(random: Random, given: World) -> dict[str, Any]:
    """What a run may be told, each now and then."""
    found: dict[str, Any] = {
        "cash": random.choice(("100000", "2500.37", "1000000")),
        "fill": random.choice(FILLS),
        "sizing": random.choice(("at_decision", "at_decision", "at_fill")),
        "money_scale": random.choice((8, 8, 2, 4)),
        "intrabar": random.choice(("pessimistic", "nearest", "optimistic")),
        "cancel_policy": random.choice((None, "never", "end_of_day")),
    }
    found |= lending(random, given)
    parts: Sequence[tuple[str, float, Callable[[Random, World], Any]]] = (
        ("costs", 0.8, costs),
        ("flows", 0.3, flows),
        ("controls", 0.35 if found["sizing"] == "at_decision" else 0.0, controls),
        ("carry", 0.35, carry),
        ("latency", 0.3, lambda random, _: random.choice(LATENCIES)),
        ("halts", 0.2, halts),
        ("bands", 0.2, lambda random, _: random.choice(("0.01", rbt.bands("0.02", "0.01")))),
        ("stale", 0.2, lambda random, _: random.choice((2, rbt.stale(1)))),
        ("increments", 0.25, increments),
        ("dated_terms", 0.3, lambda random, world: terms(random, world, margin="margin" in found)),
        ("finer", 0.2 if len(given.days) == len(given.instants) else 0.0, finer),
        ("trade_from", 0.25 if len(given.days) > 6 else 0.0, lambda random, world: random.choice(world.days[1 : len(world.days) // 2])),
        ("benchmark", 0.2, lambda random, world: random.choice(world.names)),
    )
    for name, chance, make in parts:
        if random.random() < chance:
            found[name] = make(random, given)
    if given.foreign:
        found |= {"rates": rates(random, given), "convert": random.choice((True, False, rbt.conversion(2, minimum="0.5", least=10)))}
    return found


def lending(random: Random, given: World) -> dict[str, Any]:
    """Cash only, margin of one kind or the other, or a multiple of equity."""
    isolated = random.random() < 0.5
    levels = random.choice((("0.5", "0.25"), ("0.1", "0.05"), ("0.05", "0.045")))
    own = {random.choice(given.names): rbt.margin("50", "40", per_contract=True)} if random.random() < 0.4 else {}
    fee = random.choice((0, "0.005"))
    kept = rbt.margin(*levels, isolated=isolated, top_up=isolated and random.random() < 0.5, liquidation_fee=fee, by_asset=own)
    options: list[dict[str, Any]] = [{}, {"margin": kept}, {"margin": kept}, {"max_gross": random.choice((2, 3))}]
    return random.choice(options if given.foreign else [*options, {"settlement": random.choice(("T+1", "T+2"))}])


def costs(random: Random, given: World) -> rbt.costs:  # type: ignore[valid-type]
    """A commission, slippage and a cap on the volume, or some of them."""
    parts = {"commission": COMMISSIONS, "slippage": SLIPPAGES, "volume_cap": CAPS}
    own = {random.choice(given.names): rbt.costs(commission=rbt.bps(1))} if random.random() < 0.3 else {}
    return rbt.costs(**{name: random.choice(options) for name, options in parts.items() if random.random() < 0.6}, by_asset=own)


def flows(random: Random, given: World) -> list[tuple[date, Any]]:
    """Money in and out, on days that the run has whenever it begins."""
    days = given.days[len(given.days) // 2 :]
    return [(random.choice(days), random.choice((1000, -500, "250.25", -100_000))) for _ in range(random.randint(1, 3))]


def controls(random: Random, given: World) -> Any:
    """Some limits."""
    wanted = {name: random.choice(CONTROLS[name]) for name in random.sample(sorted(CONTROLS), random.randint(1, 5))}
    wanted |= random.choice(RISKS) if random.random() < 0.5 else {}
    listed = {random.choice(given.names): (random.choice(given.days), None)}
    wanted |= random.choice(({}, {"restricted": listed}, {"asset_dates": listed}))
    return rbt.controls(**wanted, flatten=random.random() < 0.5)


def carry(random: Random, given: World) -> Any:
    """What holding costs."""
    one = random.choice(given.names)
    instants = [random.choice(given.instants) - timedelta(minutes=random.choice((0, 30))) for _ in range(4)]
    funding = pl.DataFrame({"asset": [one] * 4, "ts": instants, "rate": ["0.0001", "-0.0002", "0.001", "0"]}).unique(
        "ts", maintain_order=True
    )
    options: dict[str, Any] = {
        "borrow": random.choice(("0.003", {"*": "0.01", one: "0.3"}, {one: "0.02"})),
        "interest": "0.06",
        "credit": "0.02",
        "financing": random.choice(("0.05", ("0.05", "-0.01"))),
        "swap": {one: ("-0.01", "0.005")},
        "funding": funding.unique("ts", maintain_order=True),
    }
    wanted = {name: options[name] for name in random.sample(sorted(options), random.randint(1, 4))}
    wanted |= {"triple": "wednesday"} if "swap" in wanted and random.random() < 0.5 else {}
    return rbt.carry(**wanted, day_count=random.choice((360, 365)), rollover=random.choice((None, "21:00")))


def halts(random: Random, given: World) -> Any:
    """A span in which an asset, or none, is traded."""
    start = random.choice(given.instants)
    which = random.choice((*given.names, "*"))
    return rbt.halts([(which, start, start + timedelta(days=random.randint(1, 5)))], cancel=random.random() < 0.5)


def increments(random: Random, given: World) -> list[dict[str, Any]]:
    """Coarser ticks and lots from a day on."""
    days = random.sample(given.days, min(2, len(given.days)))
    return [
        {"asset": random.choice(given.names), "from_ts": day, "tick": "0.05", "lot": "10", "min_notional": random.choice((None, "100"))}
        for day in days
    ]


def terms(random: Random, given: World, *, margin: bool) -> list[dict[str, Any]]:
    """Another commission or margin from a day on."""
    rows = [{"asset": random.choice(given.names), "from_ts": day} | random.choice(TERMS) for day in given.days[::20]]
    later = {"margin_initial": "0.6", "margin_maintenance": "0.3"} if margin and random.random() < 0.5 else {}
    return [row | later for row in rows]


def finer(random: Random, given: World) -> Panel:
    """Some of the bars four times, as steps of the day."""
    some = given.bars.filter(pl.Series([random.random() < 0.9 for _ in range(given.bars.height)]) | pl.lit(given.bars.height < 3))
    steps = [some.with_columns(pl.col("ts") - pl.duration(hours=hours)) for hours in (9, 6, 3, 0)]
    return rbt.load(pl.concat(steps).sort("asset", "ts"), stamp="close", assets={asset.symbol: asset for asset in given.panel.assets})


def rates(random: Random, given: World) -> list[dict[str, Any]]:
    """Rates that walk, and in part come late."""
    first, step = random.choice((0, 0, min(3, len(given.days) - 1))), random.choice((1, 5))
    return [
        {"pair": pair, "ts": day, "rate": f"{start * (0.975 + 0.05 * random.random()):.5f}"}
        for pair, start in PAIRS
        for day in given.days[first::step]
    ]
