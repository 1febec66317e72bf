"""One planted defect is one finding, and a clean market has none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from rustybt.data.quality import SEVERITY, check_bars
from rustybt.errors import ConfigError, DataError
from rustybt.testing import markets

ROW = pl.int_range(pl.len()) == 30


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    return markets.market(assets=2, bars=80, seed=4).bars.with_columns(pl.col("volume").cast(pl.Float64))


def put(column: str, value: pl.Expr | float | None) -> pl.Expr:
    return pl.when(ROW).then(value if isinstance(value, pl.Expr) else pl.lit(value, dtype=pl.Float64)).otherwise(column).alias(column)


def test_a_clean_market_has_no_finding(bars: pl.DataFrame) -> None:
    assert check_bars(bars).counts == {}
    assert check_bars(bars).ok


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("null price", [put("open", None)]),
        ("null volume", [put("volume", None)]),
        ("not a finite number", [put("high", float("nan"))]),
        ("zero or negative price", [put("low", 0.0)]),
        ("high below low", [put("high", pl.col("low") - 1)]),
        ("open outside low..high", [put("open", pl.col("high") + 1)]),
        ("close outside low..high", [put("close", pl.col("low") - 1)]),
        ("negative volume", [put("volume", -1.0)]),
        ("zero volume", [put("volume", 0.0)]),
        ("decimal slip", [put(name, pl.col(name) / 100) for name in ("open", "high", "low", "close")]),
        ("spike", [put(name, pl.col(name) * 2) for name in ("open", "high", "low", "close")]),
        ("stale bar", [put(name, pl.col("close").shift(1)) for name in ("open", "high", "low", "close")] + [put("volume", 0.0)]),
    ],
)
def test_a_planted_defect_is_found_where_it_is(bars: pl.DataFrame, check: str, changes: list[pl.Expr]) -> None:
    found = check_bars(bars.with_columns(changes)).findings.filter(pl.col("check") == check)
    assert set(found.select("asset", "ts").rows()) == {(bars["asset"][30], bars["ts"][30])}
    assert found.row(0)[0:3:2] == SEVERITY[check]


@pytest.mark.parametrize("times", [12.7, 1 / 12.7, 3.4])
def test_a_move_that_no_night_makes_and_no_split_explains_is_found(bars: pl.DataFrame, times: float) -> None:
    later = (pl.int_range(pl.len()).over("asset") >= 30) & (pl.col("asset") == bars["asset"][0])
    moved = bars.with_columns(
        pl.when(later).then(pl.col(name) * times).otherwise(name).alias(name) for name in ("open", "high", "low", "close")
    )
    found = check_bars(moved).findings
    assert found.select("check", "asset", "ts").rows() == [("large move", bars["asset"][30], bars["ts"][30])]
    assert found["detail"][0] == f"the price before is {bars['close'][29] / moved['open'][30]:.3f} times the open"


def test_keys_that_repeat_and_rows_out_of_order_are_found(bars: pl.DataFrame) -> None:
    assert check_bars(pl.concat([bars, bars[30:31]])).counts == {"duplicate key": 2, "out of order": 1}


def test_days_that_are_missing_or_closed_are_found(bars: pl.DataFrame) -> None:
    days = bars.filter(pl.col("asset") == bars["asset"][0]).sort("ts")
    start = days["ts"][0].replace(year=2023, month=1, day=9, hour=0, minute=0, second=0, microsecond=0)
    week = days[:5].with_columns(pl.Series("ts", [start + timedelta(days=day) for day in (0, 1, 3, 4, 5)]))
    found = check_bars(week, calendar="XNYS").findings
    assert found.select("check", "ts").rows() == [
        ("not a session", start + timedelta(days=5)),
        ("missing sessions", start + timedelta(days=1)),
    ]


def test_bad_input_is_one_message(bars: pl.DataFrame) -> None:
    with pytest.raises(DataError, match="1 rows have a null asset"):
        check_bars(bars.with_columns(pl.when(ROW).then(None).otherwise("asset").alias("asset")))
    with pytest.raises(DataError, match="column 'close' holds String"):
        check_bars(bars.with_columns(pl.col("close").cast(pl.String)))
    with pytest.raises(ConfigError, match="unknown asset class 'stock'"):
        check_bars(bars, asset_class="stock")


def test_a_long_silence_may_be_another_company(bars: pl.DataFrame) -> None:
    days = bars.filter(pl.col("asset") == bars["asset"][0]).sort("ts")[:4]
    stamps = [
        datetime(2020, 1, 2, tzinfo=UTC),
        datetime(2020, 1, 3, tzinfo=UTC),
        datetime(2021, 1, 4, tzinfo=UTC),
        datetime(2021, 1, 5, tzinfo=UTC),
    ]
    found = check_bars(days.with_columns(pl.Series("ts", stamps)), calendar="XNYS").findings
    assert found.select("check", "ts").rows() == [("reused ticker", stamps[1])]
    assert found["detail"][0].startswith("251 sessions without a bar, then ")


def test_a_dividend_that_the_night_does_not_show_is_out_of_scale(bars: pl.DataFrame) -> None:
    paid = bars.with_columns(pl.when(ROW).then(pl.col("close") * 0.5).otherwise(0.0).alias("dividend"))
    assert check_bars(paid).counts == {"dividend out of scale": 1}
    assert check_bars(bars.with_columns(pl.when(ROW).then(pl.col("close") * 0.01).otherwise(0.0).alias("dividends"))).counts == {}


def of_one(bars: pl.DataFrame, dividends: list[float], split: float = 1.0, shown: float = 1.0) -> pl.DataFrame:
    """Bars of one asset with a dividend every ten bars, a split on the day of the third, and prices that show a ratio."""
    mine = bars.filter(pl.col("asset") == bars["asset"][0]).sort("ts").with_row_index("row")
    paid = dict(zip(range(10, 80, 10), dividends, strict=False))
    later = pl.when(pl.col("row") >= 30).then(shown).otherwise(1.0)
    return mine.with_columns(
        *(pl.col(name) / later for name in ("open", "high", "low", "close")),
        dividend=pl.col("row").replace_strict(paid, default=0.0, return_dtype=pl.Float64),
        split=pl.when(pl.col("row") == 30).then(split).otherwise(1.0),
    ).drop("row")


@pytest.mark.parametrize(
    ("dividends", "split", "shown", "fitting"),
    [
        ([0.5, 0.45, 2.75, 0.5, 0.5], 5.0, 1.0, 0.55),
        ([0.5, 0.45, 0.11, 0.5, 0.5], 5.0, 1.0, 0.55),
        ([0.5, 0.5, 0.05, 0.5, 0.5], 0.1, 1.0, 0.5),
        ([0.5, 0.5, 0.5, 0.1, 0.1], 5.0, 5.0, 0.1),
        ([0.5, 0.5, 0.1, 0.1, 0.1], 5.0, 5.0, None),
        ([0.5, 0.5, 0.5, 0.5, 0.5], 5.0, 1.0, None),
        ([0.25, 0.5, 0.25, 0.5, 0.25], 2.0, 1.0, None),
        ([0.5, 0.25, 0.5, 0.25, 0.5], 2.0, 1.0, None),
        ([0.5, 0.45, 2.75], 5.0, 1.0, None),
    ],
    ids=["too large", "too small", "reverse", "prices show it", "true", "true, adjusted", "interim", "final", "nothing after it"],
)
def test_a_dividend_in_the_units_of_the_other_side_of_a_split(
    bars: pl.DataFrame, dividends: list[float], split: float, shown: float, fitting: float | None
) -> None:
    rows = of_one(bars, dividends, split, shown)
    found = check_bars(rows).findings.filter(pl.col("check") == "dividend out of scale")
    assert found["ts"].to_list() == ([] if fitting is None else [rows["ts"][30]])
    told = f"{dividends[2]} on the day of a split of {split}"
    said = f"{told}: in the units of its other side it would be {fitting}, like the dividends beside it"
    assert found["detail"].to_list() == ([] if fitting is None else [said])


def test_dividends_of_next_to_nothing_are_noted_once_for_an_asset(bars: pl.DataFrame) -> None:
    price = float(bars["close"][0])
    for parts, noted in (([0.0001] * 4, 1), ([0.0001] * 3, 0), ([0.001] * 4, 0), ([0.0001] * 4 + [0.001], 0), ([0.0001] * 4 + [0.3], 1)):
        rows = of_one(bars, [part * price for part in parts])
        quality = check_bars(rows)
        found = quality.findings.filter(pl.col("check") == "dividends of next to nothing")
        assert found["ts"].to_list() == [rows["ts"][10]] * noted, parts
        assert found["severity"].to_list() == ["note"] * noted
        assert all(said.startswith("4 dividends of 0.01") and "hundredths of the currency" in said for said in found["detail"])


def test_a_file_that_ends_within_its_last_line_is_noted_once(bars: pl.DataFrame, tmp_path: Path) -> None:
    text = bars.write_csv()
    for name, left in (("whole", text), ("cut", text[:-3]), ("bare", text[:-1])):
        (tmp_path / f"{name}.csv").write_text(left)
    assert check_bars(tmp_path / "whole.csv").counts == {}
    for name in ("cut", "bare"):
        found = check_bars(tmp_path / f"{name}.csv")
        assert found.counts == {"unfinished last line": 1}
        assert found.ok, "most such files are whole"
        last = bars.row(-1, named=True)
        assert found.findings.row(0, named=True) | {"detail": ""} == {
            "layer": "schema", "check": "unfinished last line", "severity": "note", "asset": last["asset"], "ts": last["ts"], "detail": "",
        }  # fmt: skip
    assert check_bars(f"csv:{tmp_path / 'cut.csv'}").counts == {"unfinished last line": 1}
    several = check_bars([tmp_path / "whole.csv", tmp_path / "bare.csv"])
    assert several.counts["unfinished last line"] == 1
