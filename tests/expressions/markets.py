"""The bars on which the expressions are tested: ragged, with halts, ties, splits, and the same once more with holes in every column."""

from __future__ import annotations

from functools import lru_cache
from random import Random

import polars as pl

from rustybt.model import Panel
from rustybt.spec.planner import plan_terms
from rustybt.testing import markets
from tests.expressions import oracles as o
from tests.expressions.oracles import Bars, Numbers, Series, Value

PRICES = ("open", "high", "low", "close", "volume")
HOLES = "holes_"
"""Prefix of the columns with nulls."""


@lru_cache
def panel() -> Panel:
    """Four assets, some 90 bars each."""
    return markets.panel(assets=4, bars=100, seed=11, gaps=0.05, halts=0.5, listings=0.5, delistings=0.25, ties=0.1, splits=0.5)


@lru_cache
def frame() -> pl.DataFrame:
    """The signal frame with columns ``holes_*``, ``x`` (ties and nulls), ``sector``, and ``sigma`` (deviation of 5 log returns)."""
    base = panel().frame
    random = Random(5)
    holes = {HOLES + name: pl.Series([None if random.random() < 0.04 else v for v in base[name]], dtype=pl.Float64) for name in PRICES}
    x = [None if random.random() < 0.2 else random.choice((-0.5, 0.25, 0.3, 0.8)) for _ in range(base.height)]
    sectors = pl.Series(["s" + str(int(str(a)[1:]) % 2) for a in base["asset"]])
    made = base.with_columns(**holes, x=pl.Series(x, dtype=pl.Float64), sector=sectors)
    sigma = [v for symbol in symbols() for v in o.rolled(o.std, o.logs_of(bars_of(made, symbol)["close"]), 5)]
    return made.with_columns(sigma=pl.Series(sigma, dtype=pl.Float64))


def symbols() -> list[str]:
    """In the order of the frame."""
    return [asset.symbol for asset in panel().assets]


def bars_of(data: pl.DataFrame, symbol: str, prefix: str = "") -> Bars:
    """Columns of one asset by plain name."""
    rows = data.filter(pl.col("asset").cast(pl.String) == symbol)
    found: dict[str, Numbers] = {name: rows[prefix + name].to_list() for name in PRICES}
    found["session"] = rows["session"].cast(pl.Int32).to_list()
    return found


def evaluate(expr: pl.Expr, data: pl.DataFrame | None = None) -> list[Value]:
    """One value per row, through the planner."""
    values: list[Value] = plan_terms({"value": expr}).evaluate(frame() if data is None else data, panel())["value"].to_list()
    return values


def distance(found: Series, expected: Series) -> str:
    """The first row in which two columns differ by more than rounding, or an empty text."""
    if len(found) != len(expected):
        return f"{len(found)} and {len(expected)} rows"
    numbers = [abs(v) for v in expected if isinstance(v, float)]
    slack = 1e-9 * max(numbers, default=1.0)
    for row, (a, b) in enumerate(zip(found, expected, strict=True)):
        if isinstance(a, int | float) and isinstance(b, int | float):
            if a != b and not abs(a - b) <= slack + 1e-9 * abs(b):
                return f"row {row}: {a} and {b}"
        elif a != b:
            return f"row {row}: {a} and {b}"
    return ""
