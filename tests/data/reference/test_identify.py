"""Bars under tickers become bars of assets, on the terms of the reference data."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import Catalog
from rustybt.data.reference import Reference
from rustybt.errors import ConfigError, DataError


def bars(symbol: str, start: date, closes: list[float]) -> pl.DataFrame:
    days = [start + timedelta(days=number) for number in range(len(closes))]
    prices = {"open": closes, "high": [close + 1 for close in closes], "low": [close - 1 for close in closes], "close": closes}
    return pl.DataFrame({"ts": days, "asset": [symbol] * len(closes), **prices, "volume": [1000.0] * len(closes)})


@pytest.fixture
def filled(listed: Reference) -> Reference:
    """One ticker of two companies, of which the second changes its name, its tick, and is split."""
    listed.add(
        [
            {"asset": "OLD", "symbol": "FB", "listed": "2020-01-01", "delisted": "2020-01-04"},
            {"asset": "NEW", "symbol": "FB", "listed": "2020-01-06", "tick_size": "0.0625"},
            {"asset": "NEW", "from_ts": "2020-01-08", "symbol": "META", "tick_size": "0.01"},
        ],
        events=[{"asset": "NEW", "ts": "2020-01-09", "kind": "split", "value": "2"}],
    )
    return listed


BARS = pl.concat([bars("FB", date(2020, 1, 1), [10, 11, 12, 13, 14, 50, 52]), bars("META", date(2020, 1, 8), [54, 27, 28])])


def test_rows_belong_to_the_company_of_their_day(filled: Reference) -> None:
    panel = rbt.load(BARS, stamp="session", reference=filled)
    assert panel.symbols == ("NEW", "OLD")
    closes = {asset: rows["close"].to_list() for (asset,), rows in panel.frame.group_by("asset")}
    assert closes == {"OLD": [10, 11, 12, 13], "NEW": [50, 52, 54, 27, 28]}
    assert panel.quarantine.select("asset", "close", "reason").rows() == [("FB", 14.0, "no asset had the symbol")]
    assert any("'FB', 2020-01-05" in warning for warning in panel.warnings)
    new = panel.assets[0]
    assert new.tick_size == Decimal("0.0025")  # of it 0.0625 and 0.01 are multiples
    adjusted = panel.frame.filter(pl.col("asset") == "NEW")["adj_close"].to_list()
    assert adjusted == [50, 52, 54, 54, 56]


def test_nothing_is_lost(filled: Reference) -> None:
    panel = rbt.load(BARS, stamp="session", reference=filled)
    assert panel.frame.height + panel.quarantine.height == BARS.height


def test_a_day_without_an_owner_is_refused_when_asked(filled: Reference) -> None:
    with pytest.raises(DataError, match=r"1 rows have a symbol that named no asset on their session \(first: 'FB', 2020-01-05\)"):
        rbt.load(BARS, stamp="session", reference=filled, dirty="refuse")


def test_an_unknown_symbol_is_refused_by_name(filled: Reference, tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    pl.concat([BARS, bars("METTA", date(2020, 1, 8), [7])]).write_parquet(path)
    with pytest.raises(DataError, match="asset 'METTA' is not in the source") as caught:
        rbt.load(path, stamp="session", reference=filled)
    assert str(path) in caught.value.where
    assert "'META'" in caught.value.do


def test_ids_may_stand_in_the_column(filled: Reference) -> None:
    one = rbt.load(BARS, stamp="session", reference=filled, assets=["NEW"])
    own = BARS.with_columns(pl.lit("NEW").alias("asset")).filter(pl.col("ts") >= date(2020, 1, 6))
    assert one.snapshot == rbt.load(own, stamp="session", reference=filled).snapshot


def test_terms_by_date_go_into_a_run(filled: Reference) -> None:
    panel = rbt.load(BARS, stamp="session", reference=filled)
    hold = rbt.Strategy("hold", target=rbt.quantity(pl.when(pl.col("asset") == "NEW").then(10.0)))
    slipped = rbt.costs(slippage=rbt.bps(3))
    result = rbt.run(hold, panel, cash="10000", costs=slipped, increments=filled.increments(["NEW"]))
    assert result.fills["price"].to_list() == [Decimal("52.0625")]  # 52.0156 on the sixteenth above
    assert rbt.run(hold, panel, cash="10000", costs=slipped).fills["price"].to_list() == [Decimal("52.0175")]


def test_a_dataset_keeps_what_the_reference_said(filled: Reference, tmp_path: Path) -> None:
    shelf = Catalog(tmp_path / "shelf")
    made = rbt.ingest(BARS, "fb", catalog=shelf, stamp="session", reference=filled)
    assert made.options["reference"] == f"Reference({str(filled.root)!r}, revision=1)"
    for opened in (shelf.open("fb"), shelf.open("fb", rbt.data.options.Options(assets=["NEW"]))):
        own = rbt.load(BARS, stamp="session", reference=filled, assets=list(opened.symbols))
        assert opened.frame.equals(own.frame)
        assert (opened.events == own.events).all()


@pytest.mark.parametrize("term", [{"currency": "EUR"}, {"multiplier": "5"}])
def test_terms_that_an_asset_has_once_may_not_change_among_the_bars(filled: Reference, term: dict[str, Any]) -> None:
    filled.add(
        [
            {"asset": "OLD", "symbol": "FB", "listed": "2020-01-01", "delisted": "2020-01-04"},
            {"asset": "OLD", "from_ts": "2020-01-03", **term},
        ]
    )
    with pytest.raises(DataError, match=f"the {next(iter(term))} changes") as caught:
        rbt.load(BARS, stamp="session", reference=filled)
    assert "start=" in caught.value.do
    before = rbt.load(BARS, stamp="session", reference=filled, end="2020-01-02")
    assert (before.assets[0].currency, before.assets[0].multiplier) == ("USD", Decimal(1))


def test_presets_do_not_go_with_reference_data(filled: Reference) -> None:
    with pytest.raises(ConfigError, match="preset beside reference data"):
        rbt.load(BARS, preset="cme_futures", reference=filled)
    with pytest.raises(ConfigError, match="a mapping of assets beside reference data"):
        rbt.load(BARS, assets={"NEW": {"lot_size": "2"}}, reference=filled)
