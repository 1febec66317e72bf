from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine import requests
from rustybt.model import Clock, Panel, Requests
from rustybt.model.panel import Ints
from rustybt.testing import markets

START = datetime(2024, 1, 1, 21, tzinfo=UTC)


def bars_of(asset: str, prices: list[tuple[float, float, float, float]], first: int = 0) -> pl.DataFrame:
    """Daily bars from (open, high, low, close)."""
    rows = [{"ts": START + timedelta(days=first + day), "asset": asset, "open": o, "high": h, "low": low, "close": c, "volume": 1000.0}
            for day, (o, h, low, c) in enumerate(prices)]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"ts": pl.Datetime("us", "UTC")})


@pytest.fixture(scope="session")
def panel() -> Panel:
    return markets.panel(assets=4, bars=260, seed=11, gaps=0.05, listings=0.5, splits=0.5, dividends=0.8)


@pytest.fixture
def cross() -> rbt.Strategy:
    up = pl.col("adj_close").rolling_mean(5) > pl.col("adj_close").rolling_mean(20)
    return rbt.Strategy("cross", target=rbt.weight(pl.when(up).then(0.2).otherwise(0.0)))


@pytest.fixture(autouse=True)
def doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever orders come to, the kernel looks at the requests as if anybody had made them."""

    def made(bar: npt.NDArray[np.int32], told: Ints, patterns: Ints, clock: Clock, *, checked: bool, most: int) -> Requests:
        assert checked
        assert most == Requests(bar, told, patterns, clock).busiest
        return Requests(bar, told, patterns, clock)

    monkeypatch.setattr(requests, "Requests", made)
