"""Compiling what a sweep has compiled before the first one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from rustybt.data import load
from rustybt.kernel.cache import folder_for_now
from rustybt.spec import Strategy, quantity, strategy
from rustybt.sweeps.alike import compute_alike, size_alike
from rustybt.sweeps.onepass import evaluate_each
from rustybt.sweeps.run import sweep

DAYS = 40


@strategy
def above(days: int = 3) -> Strategy:
    """One share while the close is above its means, above the highest close before it, or risen over some bars."""
    close = pl.col("close")
    above = (close > close.rolling_mean(days)) & (close > close.ewm_mean(span=days)) | (close > close.shift(1).rolling_max(days))
    return Strategy(target=quantity(pl.when(above | (close.diff().rolling_sum(days) > 0)).then(1).otherwise(0)))


def is_compiled() -> bool:
    """Whether what a sweep has compiled was compiled and kept for this machine."""
    home = folder_for_now()
    return home is not None and all(any(home.rglob(f"*{part.__name__}-*.nbc")) for part in (evaluate_each, compute_alike, size_alike))


def compile_now() -> None:
    """Sweep two variants over a few made-up bars: whatever a sweep has compiled is compiled and kept then."""
    first = datetime(2020, 1, 1, tzinfo=UTC)
    price = pl.Series([100 + day * 7 % 11 for day in range(DAYS)], dtype=pl.Float64)
    bars = {"ts": [first + timedelta(days=day) for day in range(DAYS)], "asset": ["A"] * DAYS} | dict.fromkeys(
        ("open", "high", "low", "close"), price
    )
    sweep(above, load(pl.DataFrame(bars).with_columns(volume=pl.lit(1.0))), grid={"days": [2, 3]}, workers=1, trials="off", progress=False)
