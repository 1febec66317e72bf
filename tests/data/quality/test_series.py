"""Traded bars that are repeated, and assets with hardly any bar."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from rustybt.data.columns import FIELDS
from rustybt.data.quality import check_bars
from rustybt.testing import markets

REAL = Path(__file__).parent / "real"


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    return markets.market(assets=2, bars=150, seed=4).bars.with_columns(pl.col("volume").cast(pl.Float64)).sort("asset", "ts")


def repeated(bars: pl.DataFrame, times: int, *, range_of: float = 1.0, volume: float | None = None, often: int = 0) -> pl.DataFrame:
    """The bar of row 30 again in those after it, with a range and a volume that a number of other bars have too."""
    number = pl.int_range(pl.len())
    rows = bars.with_columns(pl.when(number.is_between(31, 30 + times)).then(pl.col(name).gather(30)).otherwise(name) for name in FIELDS)
    again = number.is_between(30, 30 + times)
    middle = pl.when(again).then((pl.col("high") + pl.col("low")) / 2)
    flat = [pl.coalesce(middle, name).alias(name) for name in ("open", "high", "low", "close")] if not range_of else []
    amount = pl.when(again | number.is_between(100, 99 + often)).then(volume).otherwise("volume").alias("volume")
    return rows.with_columns(*flat, *([] if volume is None else [amount]))


@pytest.mark.parametrize(
    ("times", "traits", "wrong"),
    [
        (1, {}, True),
        (5, {}, True),
        (1, {"volume": 70_000.0, "often": 1}, False),
        (9, {"volume": 70_000.0, "often": 1}, False),
        (10, {"volume": 70_000.0, "often": 1}, True),
        (19, {"range_of": 0.0}, False),
        (20, {"range_of": 0.0}, True),
        (5, {"volume": 0.0}, False),
    ],
)
def test_a_run_of_repeats_is_one_finding(bars: pl.DataFrame, times: int, traits: dict[str, float], wrong: bool) -> None:
    rows = repeated(bars, times, **traits)  # type: ignore[arg-type]
    found = check_bars(rows).findings.filter(pl.col("check") == "repeated bar")
    assert found.select("severity", "asset", "ts").rows() == [("warning", bars["asset"][31], bars["ts"][31])] * wrong
    assert [said.split(", ")[1] for said in found["detail"]] == [f"{times} times again"] * wrong


def test_a_bar_with_one_key_twice_is_a_duplicate_and_no_repeat(bars: pl.DataFrame) -> None:
    assert check_bars(pl.concat([bars, bars[30:31]])).counts == {"duplicate key": 2, "out of order": 1}


def test_repeats_of_real_sets_are_found() -> None:
    rows = pl.read_parquet(REAL / "moves.parquet").filter(pl.col("class") == "equity").drop("class")
    found = check_bars(rows).findings.filter(pl.col("check") == "repeated bar")
    days = datetime(2014, 8, 4, tzinfo=UTC), datetime(2017, 10, 25, tzinfo=UTC)
    assert found.select("asset", "ts").rows() == [("A", days[0]), ("DD", days[1])]
    assert found["detail"][1] == "the bar before with its volume of 34861021.0, 10 times again"


def test_an_asset_with_a_handful_of_bars_among_many_is_noted(bars: pl.DataFrame) -> None:
    def with_few(count: int, others: int) -> pl.DataFrame:
        few = bars[:count].with_columns(pl.lit("FEW").alias("asset"))
        return pl.concat([bars.filter(pl.int_range(pl.len()).over("asset") < others), few])

    found = check_bars(with_few(5, 150)).findings
    assert found.row(0) == ("temporal", "few bars", "note", "FEW", bars["ts"][0], "5 bars, others have 150")
    assert check_bars(with_few(5, 150)).ok
    for count, others in ((10, 150), (5, 90), (0, 150)):
        assert check_bars(with_few(count, others)).counts == {}, (count, others)
