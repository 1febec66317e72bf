from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.barred import barred_bars, limit_price, reference_closes
from rustybt.engine.bulk import run_configured
from rustybt.engine.clock import clock_of
from rustybt.engine.compare import outcome_difference, signal_difference
from rustybt.engine.config import configure
from rustybt.engine.finer import finer_of
from rustybt.engine.incremental import Incremental, bars_of, walk
from rustybt.engine.manifest import manifest
from rustybt.errors import ConfigError, DataError
from rustybt.model import Barred, Detail, Panel
from rustybt.testing import markets

from .conftest import bars_of as frame_of

EXITS = rbt.exits(stop_loss="0.02", take_profit="0.02", cool_down=1, reentry="schedule")
Settings = dict[str, Any]


@pytest.fixture
def guarded() -> rbt.Strategy:
    return rbt.Strategy("guarded", target=rbt.weight(0.2), exits=EXITS, schedule=rbt.every(bars=2))


def quarters(panel: Panel) -> Panel:
    """Each bar in four: open to an extreme, to the other one, to the close, all within it."""
    rows = []
    for asset, ts, o, h, low, c in panel.frame.select("asset", "ts", "open", "high", "low", "close").iter_rows():
        way = [o, h, low, c] if round(c * 100) % 2 else [o, low, h, c]
        for quarter, (start, end) in enumerate(pairwise(way)):
            rows.append((asset, ts - timedelta(minutes=30 - 10 * quarter), start, max(start, end), min(start, end), end, 1.0))
    names = ["asset", "ts", "open", "high", "low", "close", "volume"]
    frame = pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("asset").cast(pl.String))
    return rbt.load(frame, stamp="close", assets={asset.symbol: asset for asset in panel.assets})


WAYS: dict[str, Callable[[Panel], Settings]] = {
    "optimistic": lambda panel: {"intrabar": "optimistic"},
    "nearest": lambda panel: {"intrabar": "nearest"},
    "finer": lambda panel: {"finer": quarters(panel)},
    "bars": lambda panel: {"latency": rbt.latency(bars=1)},
    "time": lambda panel: {"latency": rbt.latency("20h", bar="6h30m")},
    "random": lambda panel: {"latency": rbt.latency(uniform=("10h", "40h"), seed=4, bar="6h30m")},
    "halts": lambda panel: {"halts": rbt.halts([("*", panel_day(panel, 30), panel_day(panel, 60))], cancel=True)},
    "bands": lambda panel: {"bands": "0.05"},
    "stale": lambda panel: {"stale": rbt.stale(1, zero_volume=True)},
}


def panel_day(panel: Panel, bar: int) -> str:
    return str(np.datetime64(int(panel.sessions[bar]), "D"))


@pytest.mark.parametrize("way", WAYS)
def test_bar_by_bar_gives_the_same_bytes_as_all_at_once(panel: Panel, guarded: rbt.Strategy, way: str) -> None:
    config = configure(**WAYS[way](panel))
    bulk, stepped = run_configured({"s": guarded}, panel, config), walk({"s": guarded}, panel, config)
    assert outcome_difference(bulk.outcome, stepped.outcome) == ""
    assert bulk.warnings == stepped.warnings
    assert bulk.identity == stepped.identity


@pytest.mark.parametrize("way", ["optimistic", "nearest", "finer", "bars", "time", "random", "halts"])
def test_each_of_them_changes_the_run_and_its_identity(panel: Panel, guarded: rbt.Strategy, way: str) -> None:
    plain, other = rbt.run(guarded, panel), rbt.run(guarded, panel, **WAYS[way](panel))
    assert plain.identity["run_id"] != other.identity["run_id"]
    assert plain.outcome.equity.tolist() != other.outcome.equity.tolist()


def test_a_run_that_asks_for_nothing_is_the_run_of_before(panel: Panel, guarded: rbt.Strategy) -> None:
    plain, said = rbt.run(guarded, panel), rbt.run(guarded, panel, intrabar="pessimistic", latency="0ms")
    assert outcome_difference(plain.outcome, said.outcome) == ""
    assert set(plain.config.to_dict()) & {"intrabar", "finer", "latency", "halts", "bands", "stale"} == set()


@pytest.mark.parametrize("policy", ["pessimistic", "optimistic", "nearest"])
def test_the_bars_themselves_as_finer_bars_change_nothing(panel: Panel, guarded: rbt.Strategy, policy: str) -> None:
    plain, finer = rbt.run(guarded, panel, intrabar=policy), rbt.run(guarded, panel, intrabar=policy, finer=panel)
    assert outcome_difference(plain.outcome, finer.outcome) == ""
    assert not (finer.outcome.log.detail == Detail.UNRESOLVED).any()


def test_finer_bars_never_reach_a_signal(panel: Panel, guarded: rbt.Strategy) -> None:
    upside = replace(panel, open=panel.low, low=panel.low)  # other finer bars, the same data
    one, other = rbt.run(guarded, panel, finer=panel), rbt.run(guarded, panel, finer=quarters(upside))
    assert signal_difference(one, other) == ""
    with pytest.raises(rbt.RustyBTError, match="nearest_minute"):
        rbt.run(rbt.Strategy("peek", target=rbt.weight(pl.col("nearest_minute"))), panel, finer=panel)


def test_exits_that_no_finer_bar_explains_are_counted(panel: Panel, guarded: rbt.Strategy) -> None:
    some = rbt.load(
        quarters(panel).frame.filter(pl.col("ts").dt.day() < 15).select("asset", "ts", "open", "high", "low", "close", "volume")
    )
    result = rbt.run(guarded, panel, finer=replace(some, assets=panel.assets))
    left = int((result.outcome.log.detail == Detail.UNRESOLVED).sum())
    assert left > 0
    assert any(note.startswith(f"{left} exits fell in a bar") for note in result.warnings)


def test_optimistic_is_flagged_as_an_upper_bound(panel: Panel, guarded: rbt.Strategy) -> None:
    result = rbt.run(guarded, panel, intrabar="optimistic")
    assert any("upper bound" in note for note in result.warnings)
    assert manifest(result)["verdict"]["flags"] == ["intrabar optimistic: the target comes before the stop, an upper bound"]


def test_daily_bars_with_a_calendar_open_with_their_session() -> None:
    panel = rbt.load("demo", start="2012-03-08", end="2012-03-14")
    _, opens, closes = clock_of(panel, None)
    at = [datetime.fromtimestamp(int(open_) / 1e6, UTC).strftime("%d %H:%M") for open_ in opens]
    assert at == ["08 14:30", "09 14:30", "12 13:30", "13 13:30", "14 13:30"]  # summer time from the 11th
    assert (opens < closes).all()


def test_bars_without_a_calendar_open_one_spacing_before_their_end(panel: Panel) -> None:
    spacing = int(np.diff(panel.ts).min())
    assert (panel.ts - clock_of(panel, None)[1] == spacing).all()
    assert (panel.ts - clock_of(panel, 3_600_000_000)[1] == 3_600_000_000).all()


def test_latency_past_the_open_waits_for_the_next_open() -> None:
    """Decided at the close of 2012-03-08 (21:00 UTC); the next session opens 17.5 hours later."""
    panel = rbt.load("demo", start="2012-03-08", end="2012-03-14", assets=["IBM"])
    hold = rbt.Strategy("hold", target=rbt.weight(0.5))
    in_time, late = (rbt.run(hold, panel, latency=time).outcome.log.bar[0] for time in ("17h30m", "17h31m"))
    assert (int(in_time), int(late)) == (1, 2)


def test_a_spacing_that_was_assumed_is_said(panel: Panel, guarded: rbt.Strategy) -> None:
    assert any("without a calendar" in note for note in rbt.run(guarded, panel, latency="1s").warnings)
    assert not any("without a calendar" in note for note in rbt.run(guarded, panel, latency=rbt.latency("1s", bar="1h")).warnings)


def test_halted_bars_end_after_the_start_and_up_to_the_end(panel: Panel) -> None:
    first, last = (datetime.fromtimestamp(int(panel.ts[bar]) / 1e6, UTC) for bar in (10, 13))
    name = panel.symbols[1]
    barred = barred_bars(panel, rbt.halts([(name, first, last)]), None, None)
    assert np.argwhere(barred).tolist() == [[11, 1], [12, 1], [13, 1]]
    every = barred_bars(panel, rbt.halts([("*", first, last)], cancel=True), None, None)
    assert (every[11:14] == Barred.ALL | Barred.CANCELS).all()


def test_nothing_is_filled_in_a_halt(panel: Panel, guarded: rbt.Strategy) -> None:
    halted = rbt.halts([("*", panel_day(panel, 40), panel_day(panel, 90))])
    log = rbt.run(guarded, panel, halts=halted).outcome.log
    inside = barred_bars(panel, halted, None, None).any(axis=1)
    traded = log.bar[(log.filled != 0) & np.isin(log.reason, (0, 1, 2, 3, 4))]
    assert len(traded) > 20
    assert not inside[traded].any()


def test_a_bar_locked_at_its_limit_bars_one_side() -> None:
    frame = frame_of(
        "A", [(100, 100, 100, 100), (110, 110, 110, 110), (99, 99, 99, 99), (108.9, 109, 108.9, 108.9), (98.01, 98.01, 98.01, 98.01)]
    )
    limits = rbt.bands("0.10")
    barred = barred_bars(rbt.load(frame), None, limits, None)[:, 0].tolist()
    assert barred == [0, Barred.BUYING, Barred.SELLING, 0, Barred.SELLING]
    one_sided = barred_bars(rbt.load(frame), None, rbt.bands(by_asset={"A": rbt.bands("0.2", "0.1")}), None)[:, 0].tolist()
    assert one_sided == [0, 0, Barred.SELLING, 0, Barred.SELLING]


def test_a_limit_is_rounded_half_up_to_the_tick() -> None:
    from decimal import Decimal

    assert [limit_price(ticks, Decimal("1.05")) for ticks in (10, 30, 50)] == [11, 32, 53]
    for ticks in range(1, 400):
        exact = Fraction(ticks) * Fraction(21, 20)
        assert limit_price(ticks, Decimal("1.05")) == (2 * exact + 1) // 2


def test_the_reference_close_is_of_an_earlier_session_and_restated_by_splits() -> None:
    panel = markets.panel(assets=3, bars=200, seed=5, splits=1.0, gaps=0.1)
    splits = {(bar, column): Fraction(old, new) for bar, column, kind, new, old, *_ in panel.events.tolist() if kind == 0}
    assert splits
    for column in range(3):
        before, found = 0, []
        for bar in range(panel.bars):
            if before and (bar, column) in splits:
                before = max(1, int((2 * before * splits[bar, column] + 1) // 2))
            found.append(before)
            before = int(panel.close[bar, column]) or before
        assert reference_closes(panel, column).tolist() == found


def test_the_reference_close_of_intraday_bars_is_that_of_the_session_before() -> None:
    stamps = [datetime(2024, 1, day, hour, tzinfo=UTC) for day in (2, 3) for hour in (15, 16)]
    frame = pl.DataFrame(
        {"ts": stamps, "asset": "A", **{name: [10.0, 11.0, 12.0, 13.0] for name in ("open", "high", "low", "close")}, "volume": 1.0}
    )
    assert reference_closes(rbt.load(frame, stamp="close"), 0).tolist() == [0, 0, 110_000, 110_000]


def test_bars_that_repeat_are_stale_from_the_nth_repetition_on() -> None:
    same, other = (10.0, 11.0, 9.0, 10.0), (10.0, 11.0, 9.0, 10.5)
    panel = rbt.load(frame_of("A", [same, same, same, other, same, same, same, same]))
    for repeats in (1, 2, 3):
        prices = np.stack([panel.open[:, 0], panel.high[:, 0], panel.low[:, 0], panel.close[:, 0]], axis=1).tolist()
        wanted = [bar >= repeats and all(prices[bar - k] == prices[bar] for k in range(1, repeats + 1)) for bar in range(panel.bars)]
        assert (barred_bars(panel, None, None, rbt.stale(repeats))[:, 0] == Barred.ALL).tolist() == wanted


def test_bars_without_volume_are_stale_and_volume_that_is_not_known_is_refused() -> None:
    frame = frame_of("A", [(10, 10, 10, 10)] * 3).with_columns(volume=pl.Series([5.0, 0.0, 7.0]))
    assert barred_bars(rbt.load(frame), None, None, rbt.stale(zero_volume=True))[:, 0].tolist() == [0, Barred.ALL, 0]
    with pytest.raises(DataError, match="no volume"):
        rbt.run(rbt.Strategy("h", target=rbt.weight(0.5)), rbt.load(frame.drop("volume")), stale=rbt.stale(zero_volume=True))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"intrabar": "hopeful"}, "intrabar 'hopeful' is unknown"),
        ({"latency": "soon"}, "delay 'soon' is not a time"),
        ({"halts": 5}, "is not a table of halts"),
        ({"halts": [("ZZZ", "2020-01-01", "2020-01-02")]}, "asset 'ZZZ' is not in the data"),
        ({"bands": "2"}, "up 2 is not a fraction"),
        ({"bands": rbt.bands(by_asset={"ZZZ": rbt.bands("0.1")})}, "asset 'ZZZ' is not in the data"),
        ({"stale": 0}, "nothing makes a bar stale"),
    ],
)
def test_bad_settings_are_refused_by_name(panel: Panel, guarded: rbt.Strategy, settings: Settings, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        rbt.run(guarded, panel, **settings)


def test_finer_bars_with_other_ticks_are_refused(panel: Panel, guarded: rbt.Strategy) -> None:
    frame = panel.frame.select("asset", "ts", "open", "high", "low", "close", "volume")
    other = rbt.load(frame.with_columns(pl.col("asset").cast(pl.String)), tick_size="0.01")
    with pytest.raises(ConfigError, match=r"the finer bars have ticks of 0.01"):
        rbt.run(guarded, panel, finer=other)


def test_a_finer_bar_lies_in_the_first_bar_that_does_not_end_before_it(panel: Panel) -> None:
    finer = quarters(panel)
    found = finer_of(panel, finer)
    assets = len(panel.assets)
    for row in range(0, panel.frame.height, 37):
        bar, column = int(panel.row_bar[row]), int(np.searchsorted(panel.offsets, row, side="right")) - 1
        place = bar * assets + column
        inside = slice(int(found.start[place]), int(found.start[place + 1]))
        assert len(found.open[inside]) == 3
        assert found.open[inside][0] == panel.open[bar, column]
        assert found.high[inside].max() == panel.high[bar, column]
        assert found.low[inside].min() == panel.low[bar, column]


def test_bars_that_are_fed_without_a_clock_are_refused_when_orders_need_one(panel: Panel, guarded: rbt.Strategy) -> None:
    engine = Incremental({"s": guarded}, panel.assets, configure(latency="1s"), panel.adj_digits)
    first = next(bars_of(panel))
    with pytest.raises(DataError, match="no clock"):
        engine.on_bar(first)
