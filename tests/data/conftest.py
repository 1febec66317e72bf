"""Small frames of bars for the tests of the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

Make = Callable[..., pl.DataFrame]


def make_bars(
    closes: Mapping[str, Sequence[float | None]],
    *,
    start: datetime = datetime(2020, 1, 6, 21, tzinfo=UTC),
    every: timedelta = timedelta(days=1),
    volume: float = 100.0,
) -> pl.DataFrame:
    """One bar per close: open = low = close, high one above. Sorted by asset and time."""
    parts = [
        pl.DataFrame(
            {
                "ts": [start + i * every for i in range(len(values))],
                "asset": [asset] * len(values),
                "open": pl.Series(values, dtype=pl.Float64),
                "high": pl.Series(values, dtype=pl.Float64) + 1,
                "low": pl.Series(values, dtype=pl.Float64),
                "close": pl.Series(values, dtype=pl.Float64),
                "volume": [volume] * len(values),
            },
            schema_overrides={"ts": pl.Datetime("us", "UTC")},
        )
        for asset, values in closes.items()
    ]
    return pl.concat(parts)


@pytest.fixture
def make() -> Make:
    """The factory of small frames."""
    return make_bars
