"""Several resolutions in one spec: what stands beside a bar was known at it, in bulk and bar by bar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.data.options import Options
from rustybt.engine import same_run, walk
from rustybt.engine.bulk import run_configured
from rustybt.engine.config import configure
from rustybt.errors import ConfigError, DataError, LookaheadError

STAMP = pl.Datetime("us", "UTC")
START = datetime(2024, 1, 2, tzinfo=UTC)
CLOSE = pl.col("close")


def hourly(hours: int = 72, assets: tuple[str, ...] = ("A", "B")) -> pl.DataFrame:
    """Hours around the clock; the close is the number of the hour, of B ten more."""
    parts = []
    for shift, asset in enumerate(assets):
        close = [100.0 + i + 10 * shift for i in range(hours)]
        stamps = pl.Series([START + timedelta(hours=i + 1) for i in range(hours)], dtype=STAMP)
        prices = {"open": close, "high": [c + 1 for c in close], "low": [c - 1 for c in close], "close": close, "volume": [5] * hours}
        parts.append(pl.DataFrame({"ts": stamps, "asset": asset, **prices}))
    return pl.concat(parts)


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides={name: STAMP for name in ("ts", "available_at") if isinstance(rows[0].get(name), datetime)})


def test_a_slower_bar_is_seen_from_its_close() -> None:
    fast = hourly()
    panel = rbt.load(fast, attach={"day": rbt.resample(fast, "1d")})
    a = panel.frame.filter(pl.col("asset") == "A").select("ts", "day_close", "day_ts")
    assert a["day_close"].to_list()[:25] == [*[None] * 23, 123.0, 123.0]
    assert a.row(24) == (START + timedelta(hours=25), 123.0, START + timedelta(days=1))
    assert panel.attached == ("day",)
    assert set(panel.trusted) == {f"day_{name}" for name in ("open", "high", "low", "close", "volume", "ts")}
    assert "Columns day_* are joined as of the instant at which they were known. 46 of 144 bars have none yet." in panel.warnings


def test_dates_are_the_closes_of_sessions() -> None:
    daily = table([{"ts": date(2024, 1, 2), "asset": "A", "close": 1.0}, {"ts": date(2024, 1, 3), "asset": "A", "close": 2.0}])
    known = rbt.load(hourly(), attach={"d": rbt.attached(daily, calendar="XNYS")}).frame.filter(pl.col("asset") == "A")
    assert known.filter(pl.col("d_close") == 1.0)["ts"][0] == datetime(2024, 1, 2, 21, tzinfo=UTC)
    assert known.filter(pl.col("d_close") == 2.0)["ts"][0] == datetime(2024, 1, 3, 21, tzinfo=UTC)
    opened = table([{"ts": datetime(2024, 1, 2, 0, tzinfo=UTC), "asset": "A", "close": 1.0}])
    told = rbt.load(hourly(), attach={"d": rbt.attached(opened, stamp="open", interval="1d")}).frame
    assert told.drop_nulls("d_close")["ts"][0] == START + timedelta(days=1)


def test_values_are_seen_from_when_they_were_available() -> None:
    reports = table(
        [
            {"asset": "A", "period": date(2023, 9, 30), "available_at": START + timedelta(hours=3), "eps": 1.0},
            {"asset": "A", "period": date(2023, 12, 31), "available_at": START + timedelta(hours=6), "eps": 2.0},
            {
                "asset": "A",
                "period": date(2023, 9, 30),
                "available_at": START + timedelta(hours=9),
                "eps": 1.1,
            },  # corrects an earlier quarter
            {"asset": "A", "period": date(2023, 12, 31), "available_at": START + timedelta(hours=12), "eps": 2.2},  # corrects the newest
        ]
    )
    eps = rbt.load(hourly(), attach={"q": reports}).frame.filter(pl.col("asset") == "A")["q_eps"].to_list()
    assert eps[:13] == [None, None, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.2, 2.2]
    assert rbt.load(hourly(), attach={"q": reports}).frame.filter(pl.col("asset") == "B")["q_eps"].null_count() == 72


def test_a_date_of_publication_counts_from_the_end_of_it() -> None:
    filed = table([{"asset": "A", "available_at": date(2024, 1, 2), "eps": 1.0}])
    utc = rbt.load(hourly(), attach={"f": filed}).frame.drop_nulls("f_eps")["ts"][0]
    york = rbt.load(hourly(), calendar="FX", attach={"f": filed}).frame.drop_nulls("f_eps")["ts"][0]
    assert (utc, york) == (datetime(2024, 1, 3, tzinfo=UTC), datetime(2024, 1, 3, 5, tzinfo=UTC))


def test_rows_of_no_asset_stand_beside_all_and_old_ones_go() -> None:
    rate = table([{"ts": START + timedelta(hours=2), "level": 5}])
    panel = rbt.load(hourly(), attach={"rate": rbt.attached(rate, max_age="3h")})
    for asset in ("A", "B"):
        assert panel.frame.filter(pl.col("asset") == asset)["rate_level"].to_list()[:7] == [None, 5, 5, 5, 5, None, None]


def test_signals_are_computed_on_the_slower_bars() -> None:
    fast = hourly(24 * 8)
    days = rbt.load(rbt.resample(fast, "1d"), stamp="close")
    panel = rbt.load(fast, attach={"d": rbt.attached(days, signals={"mean": CLOSE.rolling_mean(3)}, columns=["close"])})
    a = panel.frame.filter(pl.col("asset") == "A")
    assert a["d_mean"].drop_nulls()[0] == (123.0 + 147.0 + 171.0) / 3
    assert a["d_mean"].null_count() == 71
    assert "d_close" in a.columns
    with pytest.raises(LookaheadError, match="1 bar ahead"):
        rbt.attached(days, signals={"next": CLOSE.shift(-1)})


def crossing(name: str = "s") -> rbt.Strategy:
    """Reads the hours, the days and a report."""
    trend = (pl.col("day_close") < CLOSE) & (pl.col("q_eps") > 1.5)
    fresh = (pl.col("ts") - pl.col("day_ts")) < pl.duration(hours=20)
    return rbt.Strategy(
        name, target=rbt.weight(pl.when(trend & fresh).then(0.3).otherwise(0.1)), signals={"mean": pl.col("day_close").rolling_mean(5)}
    )


@settings(max_examples=15)
@given(data=st.data())
def test_bulk_is_bar_by_bar_and_blind_to_the_future(data: st.DataObject) -> None:
    fast = hourly(96, ("A", "B", "C")[: data.draw(st.integers(1, 3))])
    reports = [
        {
            "asset": data.draw(st.sampled_from("ABC")),
            "available_at": START + timedelta(minutes=i * 137 + data.draw(st.integers(1, 130))),
            "eps": float(i % 4),
        }
        for i in range(data.draw(st.integers(1, 40)))
    ]
    slow, frame = rbt.resample(fast, data.draw(st.sampled_from(["1d", "7h", "90m"]))), table(reports)
    panel = rbt.load(fast, attach={"day": slow, "q": frame})
    sleeves = {"s": crossing()}
    bulk, walked = run_configured(sleeves, panel, configure()), walk(sleeves, panel, configure())
    assert same_run("same", bulk, walked).ok
    # What was known at an instant is what later data say of it, frames and bars cut alike.
    cut = START + timedelta(hours=data.draw(st.integers(1, 96)))
    past = [part.filter(pl.col("available_at" if "eps" in part.columns else "ts") <= cut) for part in (slow, frame)]
    if all(part.height for part in past):
        known = rbt.load(fast.filter(pl.col("ts") <= cut), attach={"day": past[0], "q": past[1]})
        names = list(panel.trusted)
        assert known.frame.select("ts", *names).equals(panel.frame.filter(pl.col("ts") <= cut).select("ts", *names))


def test_the_guard_names_them_and_verify_checks_them() -> None:
    fast = hourly()
    frame = table([{"asset": "A", "available_at": START + timedelta(hours=4), "eps": 2.0}])
    panel = rbt.load(fast, attach={"day": rbt.resample(fast, "1d"), "q": frame})
    found = rbt.verify(crossing(), panel, points=4)
    assert found.ok, str(found)
    assert [one.name for one in found.checks if one.name.startswith("attached")] == ["attached 'day'", "attached 'q'"]
    assert "day_close" in str(rbt.explain(crossing()))
    late = replace(panel, frame=panel.frame.with_columns(pl.col("day_ts") + timedelta(days=1)))
    wrong = rbt.verify(rbt.Strategy("hold", target=rbt.weight(0.1)), late, points=2)
    assert [one.ok for one in wrong.checks if one.name == "attached 'day'"] == [False]


def test_a_dataset_keeps_what_was_attached(tmp_path: Path) -> None:
    fast = hourly()
    shelf = rbt.Catalog(tmp_path)
    made = rbt.ingest(fast, "hours", catalog=shelf, attach={"day": rbt.resample(fast, "1d")})
    whole, part = shelf.open("hours"), rbt.load(fast, attach={"day": rbt.resample(fast, "1d")})
    assert whole.snapshot == part.snapshot == made.snapshot
    assert whole.attached == ("day",)
    assert whole.frame["day_close"].equals(part.frame["day_close"])
    more = shelf.open("hours", Options(attach={"two": rbt.resample(fast, "2h")}, assets=["B"]))
    assert more.attached == ("day", "two")
    assert more.frame["two_close"].to_list()[:4] == [None, 111.0, 111.0, 113.0]
    assert more.snapshot != whole.snapshot


@pytest.mark.parametrize(
    ("attach", "said"),
    [
        ({"d": pl.DataFrame({"ts": [], "asset": []})}, "the frame has no rows"),
        ({"d": pl.DataFrame({"asset": ["A"], "close": [1.0]})}, "the frame has no column 'ts'"),
        ({"d": pl.DataFrame({"ts": [datetime(2024, 1, 2)], "close": [1.0]})}, "ts is naive"),  # noqa: DTZ001
        (
            {"d": table([{"ts": START, "asset": "A", "x": 1}, {"ts": START, "asset": "A", "x": 2}])},
            "2 rows are known from the same instant",
        ),
        ({"d": pl.DataFrame({"ts": [START, None], "x": [1, 2]})}, "1 rows have a null ts"),
        ({"d": pl.DataFrame({"ts": [START], "asset": pl.Series([None], dtype=pl.String), "x": [1]})}, "1 rows have a null asset"),
        ({"d": table([{"ts": START, "asset": "A"}])}, "the frame has no column to join"),
    ],
)
def test_bad_frames_are_one_message(attach: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        rbt.load(hourly(), attach=attach)
    assert "attach, 'd'" in caught.value.where


def test_bad_options_are_one_message() -> None:
    slow = table([{"ts": START, "asset": "A", "x": 1}])
    for attach, said in (
        ({"my day": slow}, "attach has the name 'my day'"),
        ({"d": rbt.attached(slow, columns=["y"])}, "column 'y' is missing"),
        ({"adj": slow.rename({"x": "close"})}, "attach makes a column 'adj_close', which is there already"),
    ):
        with pytest.raises(ConfigError, match=said):
            rbt.load(hourly(), attach=attach)
    with pytest.raises(ConfigError, match="need their length"):
        rbt.attached(slow, stamp="open")
    with pytest.raises(ConfigError, match="interval 'soon'"):
        rbt.attached(slow, max_age="soon")
    with pytest.raises(ConfigError, match="columns is the text"):
        rbt.attached(slow, columns="x")
    with pytest.raises(ConfigError, match="attach is a list"):
        rbt.load(hourly(), attach=[slow])  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="attach cannot be applied to a panel"):
        rbt.load(rbt.load(hourly()), attach={"d": slow})


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rbt.Catalog:
    """An empty catalog that is also the user's."""
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    return rbt.Catalog()


def test_a_dataset_is_attached_by_its_name(shelf: rbt.Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = hourly()
    days = rbt.resample(fast, "1d")
    made = rbt.ingest(days, "days", stamp="close")
    want = rbt.load(fast, attach={"day": rbt.load("days")})
    assert want.frame["day_close"].null_count() == 46
    for named in ("days", made.name, rbt.attached("days", columns=["open", "high", "low", "close", "volume"])):
        assert rbt.load(fast, attach={"day": named}).snapshot == want.snapshot
    rbt.ingest(fast, "hours", stamp="close")
    assert rbt.load("hours", attach={"day": "days"}).frame["day_close"].equals(want.frame["day_close"])
    kept = rbt.ingest(fast, "both", stamp="close", attach={"day": "days"})
    assert (kept.options["attach"], rbt.load("both").attached) == (["day"], ("day",))
    monkeypatch.chdir(tmp_path)
    days.with_columns(pl.col("close") + 1).rename({"close": "last"}).write_parquet("days")  # a file comes first, and this has no suffix
    with pytest.raises(DataError, match="unknown file type"):
        rbt.load(fast, attach={"day": "days"})


def test_a_name_that_is_no_dataset_and_what_was_settled_by_ingesting_are_refused(shelf: rbt.Catalog) -> None:
    with pytest.raises(DataError, match="no such file"):
        rbt.load(hourly(), attach={"day": "days"})
    rbt.ingest(rbt.resample(hourly(), "1d"), "days", stamp="close")
    with pytest.raises(DataError, match="there is no dataset 'day'"):
        rbt.load(hourly(), attach={"day": "day"})
    with pytest.raises(ConfigError, match="stamp cannot be applied to a dataset"):
        rbt.load(hourly(), attach={"day": rbt.attached("days", stamp="session")})
