"""Dividends that a later split was taken out of are found where the prices are as they were traded, and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from rustybt.data.demo import BARS, EVENTS
from rustybt.data.quality import check_bars

REAL = Path(__file__).parent / "real"
CHECK = "dividends already adjusted"


def found(source: pl.DataFrame | Path | str, events: object = None) -> pl.DataFrame:
    return check_bars(source, events=events).findings.filter(pl.col("check") == CHECK)


def test_the_eight_dividends_of_apple_before_its_split_are_one_finding() -> None:
    events = pl.read_parquet(REAL / "restated_events.parquet")
    said = "8 dividends of about 0.43571 before the split of 7.0 and about 0.47 after it: "
    said += "as paid, and as the prices were, they were larger by it"
    rows = found(REAL / "restated.parquet", events.drop("value_as_paid"))
    assert rows.select("severity", "asset", "ts", "detail").rows() == [("warning", "AAPL", datetime(2014, 6, 9, tzinfo=UTC), said)]


def test_dividends_as_they_were_paid_are_no_finding() -> None:
    events = pl.read_parquet(REAL / "restated_events.parquet").drop("value").rename({"value_as_paid": "value"})
    assert found(REAL / "restated.parquet", events).is_empty()
    assert found(BARS, EVENTS).is_empty()


def paying(before: list[float], after: list[float], split: float, shown: float) -> pl.DataFrame:
    """Bars at 100, then divided by what the prices show; dividends every tenth bar, the split between."""
    count, at = 10 * (len(before) + len(after) + 1), 10 * len(before) + 5
    paid = dict(zip([*range(5, at, 10), *range(at + 10, count, 10)], [*before, *after], strict=False))
    number = pl.int_range(count, eager=True)
    price = pl.Series([100.0 if row < at else 100.0 / shown for row in number])
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    return pl.DataFrame(
        {
            "ts": [datetime(2020, 1, 6, tzinfo=UTC) + timedelta(days=int(row)) for row in number],
            "asset": "A",
            **prices,
            "volume": number + 1000.0,
            "dividend": [paid.get(int(row), 0.0) for row in number],
            "split": [split if row == at else 1.0 for row in number],
        }
    )


@pytest.mark.parametrize(
    ("before", "after", "split", "shown", "wrong"),
    [
        ([0.5, 0.5, 0.5], [0.5, 0.5], 2.0, 2.0, True),
        ([0.5, 0.55, 0.5], [0.5, 0.6], 7.0, 7.0, True),
        ([0.5, 0.5], [0.5, 0.5], 0.2, 0.2, True),
        ([1.0, 1.0], [0.5, 0.5], 2.0, 2.0, False),
        ([0.5, 0.5], [0.5, 0.5], 2.0, 1.0, False),
        ([0.5], [0.5, 0.5], 7.0, 7.0, False),
        ([0.5, 0.5], [0.5], 7.0, 7.0, False),
        ([3.5, 3.5], [1.0, 1.0], 7.0, 7.0, False),
        ([0.5, 0.5], [0.5, 0.5], 1.5, 1.5, False),
    ],
    ids=[
        "twice",
        "seven times",
        "reverse",
        "true",
        "prices adjusted too",
        "one before",
        "one after",
        "raised twofold with it",
        "too small to tell",
    ],
)
def test_amounts_that_stay_where_prices_are_divided(
    before: list[float], after: list[float], split: float, shown: float, wrong: bool
) -> None:
    rows = paying(before, after, split, shown)
    at = rows.filter(pl.col("split") != 1)["ts"].to_list()
    assert found(rows)["ts"].to_list() == (at if wrong else [])


def test_a_split_is_judged_by_the_dividends_up_to_the_next_one() -> None:
    first, second = paying([0.5, 0.5], [0.5, 0.5], 7.0, 7.0), paying([0.5, 0.5], [0.25, 0.25], 2.0, 2.0)
    later = second.with_columns(
        pl.col("ts") + pl.duration(days=first.height), *(pl.col(name) / 7 for name in ("open", "high", "low", "close"))
    )
    assert found(pl.concat([first, later]))["ts"].to_list() == first.filter(pl.col("split") != 1)["ts"].to_list()


def test_amounts_and_yields_have_to_agree() -> None:
    """A price that climbs back to that before the split pays as before; a dividend that was raised threefold was no dividend divided."""
    late = pl.int_range(pl.len()) > 30
    for after, climbed, wrong in (([0.5, 0.5], 1.0, True), ([0.5, 0.5], 7.0, False), ([1.5, 1.5], 3.0, False)):
        rows = paying([0.5, 0.5], after, 7.0, 7.0)
        prices = [pl.when(late).then(pl.col(name) * climbed).otherwise(name).alias(name) for name in ("open", "high", "low", "close")]
        assert found(rows.with_columns(prices)).height == wrong, (after, climbed)


def test_dividends_of_long_ago_do_not_count() -> None:
    assert found(paying([0.1] * 12 + [0.5] * 8, [0.5] * 8 + [5.0] * 12, 7.0, 7.0))["detail"].to_list() == [
        "20 dividends of about 0.5 before the split of 7.0 and about 0.5 after it: as paid, and as the prices were, they were larger by it"
    ]
