"""Random rows: all at once = plain Python = one push at a time, to the last byte."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rustybt as rbt
from tests.data.aggregate.oracle import Hours, bars_of, filled

START = datetime(2024, 2, 26, tzinfo=UTC)
DESK = rbt.calendar(
    "desk", zone="America/New_York", week={"mon-thu": "18:00-09:00 10:00-16:30", "fri": "18:00-12:10"},
    closed=["2024-02-28"], special={"2024-03-05": "08:00-11:07"},
)  # fmt: skip
EVERY: dict[str, str | timedelta] = {
    "250ms": timedelta(milliseconds=250), "1s": timedelta(seconds=1), "5m": timedelta(minutes=5), "7m": timedelta(minutes=7),
    "1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": "1d", "1w": "1w", "1mo": "1mo",
}  # fmt: skip
PRICE = st.integers(1, 10_000).map(lambda cents: cents / 100)
SIZE = {
    "float": st.integers(0, 10**12).map(lambda steps: steps / 10**8),
    "whole": st.integers(0, 10**12),
    "decimal": st.integers(0, 10**12).map(lambda steps: Decimal(steps).scaleb(-4)),
}
SIZES = {"float": pl.Float64(), "whole": pl.Int64(), "decimal": pl.Decimal(20, 4)}


def hours() -> list[Hours]:
    """The sessions of the desk, as plain values."""
    found = []
    for day, begin, end, pause, again, _ in DESK.sessions("2024-02-20", "2024-04-20").rows():
        found.append(Hours(day, ((begin, end),) if pause is None else ((begin, pause), (again, end))))
    return found


@st.composite
def frames(draw: st.DrawFn, trades: bool) -> tuple[pl.DataFrame, str]:
    """Rows of one to three assets in any spacing, some of them at the very edges."""
    kind = draw(st.sampled_from(sorted(SIZES)))
    rows: list[dict[str, Any]] = []
    step = draw(st.sampled_from([1, 60, 1800, 20_000])) * 1_000_000
    edges = [0, 5 * 60 * 10**6, 3_600 * 10**6, 14 * 3_600 * 10**6, 15 * 3_600 * 10**6, 86_400 * 10**6]
    for asset in draw(st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=3, unique=True)):
        at = draw(st.sampled_from([0, 14 * 3_600 * 10**6, 23 * 3_600 * 10**6]))
        for _ in range(draw(st.integers(0, 25))):
            at += draw(st.integers(0 if trades else 1, 2 * step)) if draw(st.booleans()) else draw(st.sampled_from(edges)) + (not trades)
            if draw(st.booleans()):
                at -= at % (300 * 10**6)
            ts, size = START + timedelta(microseconds=at), draw(SIZE[kind])
            if rows and rows[-1]["asset"] == asset and (rows[-1]["ts"] > ts or (not trades and rows[-1]["ts"] == ts)):
                continue
            if trades:
                rows.append({"ts": ts, "asset": asset, "price": draw(PRICE), "size": size})
            else:
                prices = [draw(PRICE) for _ in range(4)]
                bar = dict(zip(("open", "high", "low", "close"), prices, strict=True))
                rows.append({"ts": ts, "asset": asset, **bar, "volume": size})
    names = ("price", "size") if trades else ("open", "high", "low", "close", "volume")
    types = {name: SIZES[kind] if name in ("size", "volume") else pl.Float64() for name in names}
    return pl.DataFrame(rows, schema={"ts": pl.Datetime("us", "UTC"), "asset": pl.String, **types}), kind


def plain(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return [(*row[:6], Decimal(str(row[6]))) for row in frame.rows()]


def pushed(frame: pl.DataFrame, every: str, **options: Any) -> pl.DataFrame:
    """The bars of a resampler that sees one instant after the other."""
    maker, done = rbt.Resampler(every, **options), []
    for part in frame.sort("ts", maintain_order=True).partition_by("ts", maintain_order=True):
        done.append(maker.push(part))
        assert done[-1].filter(pl.col("ts") > part["ts"][0]).is_empty()
    return pl.concat(done).sort("asset", "ts")


@pytest.mark.parametrize("calendar", [None, DESK], ids=["utc", "desk"])
@pytest.mark.parametrize("trades", [False, True], ids=["bars", "trades"])
@settings(max_examples=60)
@given(data=st.data())
def test_all_at_once_is_row_by_row(data: st.DataObject, trades: bool, calendar: Any) -> None:
    frame, _ = data.draw(frames(trades))
    every = data.draw(st.sampled_from(sorted(EVERY)))
    if every in ("250ms", "1s") and frame.height and frame["ts"].max() - frame["ts"].min() > timedelta(minutes=30):  # type: ignore[operator]
        every = "7m" if calendar is not None else "5m"  # so that plain Python ends
    if calendar is None and every == "7m":
        every = "5m"
    made = rbt.resample(frame, every, calendar=calendar)
    assert plain(made) == bars_of(frame.rows(named=True), EVERY[every], None if calendar is None else hours())
    if frame.height:
        told = pushed(frame, every, calendar=calendar)
        assert told.schema == made.schema
        assert told.equals(made, null_equal=True)


@pytest.mark.parametrize("trades", [False, True], ids=["bars", "trades"])
@settings(max_examples=60)
@given(data=st.data())
def test_bars_by_amount_are_the_same_row_by_row(data: st.DataObject, trades: bool) -> None:
    frame, _ = data.draw(frames(trades))
    kind, most = data.draw(
        st.sampled_from([("ticks", 1), ("ticks", 4), ("volume", 2000), ("volume", 10**9), ("value", 10**5), ("value", 7)])
    )
    made = rbt.resample(frame, f"{most} {kind}")
    assert plain(made) == filled(frame.rows(named=True), kind, Decimal(most))
    if frame.height:
        assert pushed(frame, f"{most} {kind}").equals(made, null_equal=True)


@settings(max_examples=40)
@given(data=st.data())
def test_bars_by_amount_end_with_their_spell(data: st.DataObject) -> None:
    frame, _ = data.draw(frames(trades=True))
    every = data.draw(st.sampled_from(["3 ticks", "5000 volume", "100000 value"]))
    outside: Any = data.draw(st.sampled_from(["drop", "keep"]))
    made = rbt.resample(frame, every, calendar=DESK, outside=outside)
    if not frame.height:
        return
    assert pushed(frame, every, calendar=DESK, outside=outside).equals(made, null_equal=True)
    spells = [(start, end) for one in hours() for start, end in one.spells]
    if outside == "drop":
        assert all(any(start <= ts <= end for start, end in spells) for ts in made["ts"])
        # What is in complete bars, and what is left of the spells that are over, is all there is.
        over = [end for _, end in spells if end <= frame["ts"].max()]  # type: ignore[operator]
        assert sum(plain(made)[i][6] for i in range(made.height)) <= sum(Decimal(str(size)) for size in frame["size"])
        assert {ts for ts in made["ts"] if ts in over} <= set(over)


@settings(max_examples=40)
@given(data=st.data())
def test_every_option_gives_the_same_bars_both_ways(data: st.DataObject) -> None:
    frame, _ = data.draw(frames(trades=False))
    if not frame.height:
        return
    frame = frame.with_columns(pl.Series("oi", range(frame.height)), pl.lit(2.5).alias("fee"), pl.col("close").alias("vwap"))
    frame = frame.with_columns(pl.when(pl.col("oi") % 3 == 0).then(None).otherwise("oi").alias("oi"))
    options = {
        "calendar": data.draw(st.sampled_from([None, "FX", "XTKS", DESK])),
        "outside": data.draw(st.sampled_from(["drop", "keep"])),
        "anchor": data.draw(st.sampled_from(["session", "clock"])),
        "extras": {"oi": data.draw(st.sampled_from(["first", "last", "max", "min", "sum"])), "fee": "sum"},
    }
    if data.draw(st.booleans()):
        options |= {"stamp": "open", "interval": "1m"}
    every = data.draw(st.sampled_from(["5m", "1h", "1d", "1w", "1mo", "1q", "4 ticks"]))
    made = rbt.resample(frame, every, **options)  # type: ignore[arg-type]
    maker = rbt.Resampler(every, **options)  # type: ignore[arg-type]
    done = [maker.push(part) for part in frame.sort("ts", maintain_order=True).partition_by("ts", maintain_order=True)]
    assert pl.concat(done).sort("asset", "ts").equals(made, null_equal=True)
    assert rbt.resample(frame.lazy(), every, **options).collect().equals(made, null_equal=True)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(data=st.data())
def test_later_rows_change_no_bar_that_was_seen(data: st.DataObject) -> None:
    frame, _ = data.draw(frames(trades=data.draw(st.booleans())))
    if not frame.height:
        return
    every = data.draw(st.sampled_from(["5m", "1h", "1d", "1w", "3 ticks", "1000 volume"]))
    cut = data.draw(st.sampled_from(frame["ts"].to_list()))
    whole = rbt.resample(frame, every, calendar=DESK)
    known = rbt.resample(frame.filter(pl.col("ts") <= cut), every, calendar=DESK)
    assert known.equals(whole.filter(pl.col("ts") <= cut))
    assert rbt.resample(frame, every, calendar=DESK, until=cut).equals(known)
