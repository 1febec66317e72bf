"""Every defect that is known in the real sets is found. The numbers were counted without these checks, when the sets were collected."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from rustybt.data.demo import BARS
from rustybt.data.quality import Quality, check_bars

REAL = Path(__file__).parent / "real"
INCONSISTENT = ("high below low", "open outside low..high", "close outside low..high")


def checked(name: str) -> Quality:
    return check_bars(REAL / f"{name}.parquet", calendar="XNYS")


def keys(quality: Quality, *checks: str) -> pl.DataFrame:
    """The rows that at least one of the checks names."""
    return quality.findings.filter(pl.col("check").is_in(checks)).select("asset", "ts").unique()


@pytest.mark.parametrize(
    ("name", "inconsistent", "null", "silent"), [("djia", 151, 25, 1), ("sp500", 12, 11, 4), ("long", 4, 0, 60), ("zipline9", 0, 0, 20)]
)
def test_broken_rows_are_all_found(name: str, inconsistent: int, null: int, silent: int) -> None:
    quality = checked(name)
    assert keys(quality, *INCONSISTENT).height == inconsistent
    assert keys(quality, "null price").height == null
    assert keys(quality, "zero volume").height == silent


def test_a_low_of_zero_is_found() -> None:
    assert keys(checked("djia"), "zero or negative price").rows() == [("HD", datetime(2009, 4, 17, tzinfo=UTC))]


def test_fields_ten_times_too_small_are_found() -> None:
    """Four of them contradict their row; the low of 1994-01-25 does not, and only its neighbours tell."""
    quality = checked("long")
    slips = keys(quality, "decimal slip")
    assert set(slips["asset"]) == {"DE"}
    assert set(slips["ts"].dt.year()) == {1994}
    assert slips.height == 5
    assert keys(quality, *INCONSISTENT).join(slips, on=["asset", "ts"], how="anti").is_empty()


def test_bars_on_days_without_trading_are_found() -> None:
    storm = keys(checked("long"), "not a session")
    hurricane, good_friday = datetime(1985, 9, 27, tzinfo=UTC), datetime(1978, 3, 24, tzinfo=UTC)
    assert set(storm.rows()) == {("AAPL", hurricane), ("AMGN", hurricane), ("INTC", hurricane), ("WMT", good_friday)}
    holidays = checked("zipline9")
    assert keys(holidays, "not a session").height == 20
    assert set(keys(holidays, "not a session")["asset"]) == {"DELL"}
    assert set(keys(holidays, "stale bar").rows()) == set(keys(holidays, "not a session").rows())


def test_splits_that_prices_already_hold_are_found() -> None:
    found = keys(checked("csvdir4"), "split without a jump").sort("asset")
    assert found.rows() == [("AAPL", datetime(2014, 6, 9, tzinfo=UTC)), ("KO", datetime(2012, 8, 13, tzinfo=UTC))]


def test_wrong_splits_and_prices_a_hundred_times_too_small_are_found_in_every_asset() -> None:
    frame = pl.read_parquet(REAL / "vendor.parquet")
    for variant, checks in (("bad-stock-split", ("split without a jump",)), ("100x-error", ("jump like a split",))):
        bars = frame.filter(pl.col("variant") == variant).drop("variant")
        assert set(keys(check_bars(bars), *checks)["asset"]) == set(bars["asset"]), variant
    repaired = frame.filter(pl.col("variant") == "100x-error-fixed").drop("variant")
    assert keys(check_bars(repaired), "jump like a split").is_empty()


def test_the_clean_set_has_its_three_splits_and_one_false_alarm() -> None:
    """AAPL fell by half in the night to 2000-09-29: no price alone can tell that from a split."""
    quality = check_bars(BARS, calendar="XNYS")
    assert quality.counts == {"jump like a split": 4}
    days = {(asset, ts.date().isoformat()) for asset, ts in keys(quality, "jump like a split").rows()}
    splits = {("AAPL", "2000-06-21"), ("AAPL", "2005-02-28"), ("MSFT", "2003-02-18")}
    assert days == splits | {("AAPL", "2000-09-29")}


PAYMENTS = (
    "dividend out of scale",
    "dividends of next to nothing",
    "dividend paid twice",
    "dividend not adjusted for",
    "dividend adjusted wrongly",
    "gain counted twice",
)


def paid(variant: str) -> Quality:
    frame = pl.read_parquet(REAL / "payments.parquet")
    return check_bars(frame.filter(pl.col("variant") == variant).drop("variant"))


def test_wrong_dividends_are_found_in_all_assets() -> None:
    assets = set(pl.read_parquet(REAL / "payments.parquet").filter(pl.col("variant") == "bad-div")["asset"])
    assert len(assets) == 22
    assert set(keys(paid("bad-div"), *PAYMENTS)["asset"]) == assets
    assert set(keys(paid("bad-div"), "dividend paid twice")["asset"]) >= {"KAP-IL", "KEN-TA", "TEP-PA", "SAND"}
    assert keys(paid("missing-div-adjust"), "dividend not adjusted for")["asset"].to_list() == ["8TRA-DE"]
    assert keys(paid("missing-div-adjust-fixed"), *PAYMENTS).is_empty()


def test_dividends_of_another_unit_say_so() -> None:
    """4063-T was split 5:1 on the day of its dividend, TENT-L paid pence that were divided by 100 once more."""
    found = paid("bad-div").findings
    split = found.filter((pl.col("asset") == "4063-T") & pl.col("check").is_in(PAYMENTS))
    said = "275.0 on the day of a split of 5.0: in the units of its other side it would be 55.0, like the dividends beside it"
    assert split.select("check", "ts", "detail").rows() == [("dividend out of scale", datetime(2023, 3, 30, tzinfo=UTC), said)]
    tiny = found.filter(pl.col("check") == "dividends of next to nothing")
    assert tiny.select("severity", "asset", "ts").rows() == [("note", "TENT-L", datetime(2022, 3, 3, tzinfo=UTC))]
    assert tiny["detail"][0].startswith("11 dividends of 0.0222 % of the close before at most")


def test_gains_that_are_counted_twice_are_found() -> None:
    assert set(keys(paid("cg-double-count"), "gain counted twice")["asset"]) == {"DODFX", "JENYX", "VWILX"}
    assert keys(paid("cg-double-count"), "gain counted twice").height == 8
    assert keys(paid("cg-double-count-fixed"), *PAYMENTS).is_empty()


def test_repaired_and_true_dividends_give_four_alarms() -> None:
    """Two of them are dividends that the repair left wrong."""
    alarms = [row for variant in ("bad-div-fixed", "no-bad-divs") for row in keys(paid(variant), *PAYMENTS).sort("asset", "ts").rows()]
    assert [(asset, ts.date().isoformat()) for asset, ts in alarms] == [
        ("SAND", "2024-01-16"),
        ("SCR-TO", "2023-03-15"),
        ("SCR-TO", "2023-06-14"),
        ("HSBK-IL", "2023-05-30"),
    ]
