"""What is large follows the length of a bar and the usual moves of its asset."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from rustybt.data.columns import PRICES
from rustybt.data.quality import check_bars
from rustybt.data.quality.outliers import MOVES, SPIKES
from rustybt.testing import markets

REAL = Path(__file__).parent / "real"
LAYER = ("spike", "sudden move", "volume slip")


def calm(frequency: str) -> pl.DataFrame:
    rows = markets.market(assets=1, bars=200, seed=4, frequency=frequency).bars.with_columns(pl.col("volume").cast(pl.Float64))
    move = pl.int_range(pl.len()) % 2 * 0.0002 + 1.0
    return rows.with_columns(*((100.0 * move).alias(name) for name in PRICES), (pl.int_range(pl.len()) % 7 + 1000.0).alias("volume"))


def counts(rows: pl.DataFrame, asset_class: str = "equity") -> dict[str, int]:
    return {check: count for check, count in check_bars(rows, asset_class=asset_class).counts.items() if check in LAYER}


def times(rows: pl.DataFrame, factor: float, *, until: int = 101, names: tuple[str, ...] = PRICES) -> pl.DataFrame:
    changed = pl.int_range(pl.len()).is_between(100, until - 1)
    return rows.with_columns(pl.when(changed).then(pl.col(name) * factor).otherwise(name).alias(name) for name in names)


@pytest.mark.parametrize(
    ("frequency", "asset_class", "factor", "wrong"),
    [
        ("1d", "equity", 1.4, True),
        ("1d", "equity", 1.12, True),
        ("1d", "equity", 1.09, False),
        ("1m", "equity", 1.03, True),
        ("1m", "equity", 1.015, False),
        ("1h", "equity", 1.03, True),
        ("1h", "equity", 1.015, False),
        ("1d", "crypto", 1.2, False),
        ("1m", "crypto", 1.6, True),
        ("1m", "crypto", 1 / 1.6, True),
        ("1m", "crypto", 1.04, False),
        ("1m", "fx", 1.007, True),
    ],
)
def test_a_spike_is_large_for_its_time(frequency: str, asset_class: str, factor: float, wrong: bool) -> None:
    assert counts(times(calm(frequency), factor), asset_class) == ({"spike": 1} if wrong else {})


def test_a_move_that_stays_has_to_be_larger() -> None:
    rows = calm("1m")
    for factor, found in ((1.1, {}), (1.25, {"sudden move": 1})):
        assert counts(times(rows, factor, until=200), "crypto") == found
    assert counts(times(rows, 1.1), "crypto") == {"spike": 1}
    half = times(rows, 1.5).with_columns(
        pl.when(pl.int_range(pl.len()) > 100).then(pl.col(name) * 1.3).otherwise(name).alias(name) for name in PRICES
    )
    assert counts(half, "crypto") == {"sudden move": 1}, "a third of it was taken back"
    stays = check_bars(half, asset_class="crypto").findings.filter(pl.col("check") == "sudden move")
    assert stays["severity"].to_list() == ["note"]


def test_moves_are_measured_by_those_that_are_usual() -> None:
    """A price of few ticks moves by one of them now and then, and that is as large as it is."""
    rows = calm("1d")
    ticks = pl.when(pl.int_range(pl.len()) % 9 == 0).then(1.3).otherwise(1.0)
    assert counts(rows.with_columns(ticks.alias(name) for name in PRICES)) == {}


@pytest.mark.parametrize(("factor", "wrong"), [(1000.0, 1), (100.0, 1), (0.01, 1), (0.001, 1), (30.0, 0), (0.05, 0)])
def test_a_volume_that_slipped_is_a_note(factor: float, wrong: int) -> None:
    rows = times(calm("1d"), factor, names=("volume",))
    found = check_bars(rows).findings
    assert found.select("check", "severity", "ts").rows() == [("volume slip", "note", rows["ts"][100])] * wrong


def test_volumes_of_a_wild_market_are_its_own() -> None:
    wild = pl.int_range(pl.len()) * 7919 % 5
    assert counts(calm("1m").with_columns((10.0**wild).alias("volume"))) == {}


def test_every_asset_class_has_its_measure() -> None:
    assert set(SPIKES) == set(MOVES)
    assert all(MOVES[one] > SPIKES[one] for one in MOVES)


def test_outliers_of_real_sets_are_found() -> None:
    rows = pl.read_parquet(REAL / "moves.parquet")
    found: dict[str, list[tuple[str, str]]] = {}
    for one in ("equity", "crypto"):
        quality = check_bars(rows.filter(pl.col("class") == one).drop("class"), asset_class=one)
        for check, asset, ts in quality.findings.select("check", "asset", pl.col("ts").dt.strftime("%m-%d %H:%M")).rows():
            found.setdefault(check, []).append((asset, ts))
    day = "09-14 00:00"
    assert found["spike"] == [("FLR", day), ("LNT", "05-19 00:00"), ("MRO", day), ("NWL", day)]
    assert found["sudden move"] == [("BA", "02-08 00:00"), ("EOSUSD", "12-22 07:21"), ("EOSUSD", "12-22 07:23")]
    assert [asset for asset, _ in found["volume slip"]] == ["COST", *["GOOG"] * 4, *["WRK"] * 4, "BTC-PERP"]
