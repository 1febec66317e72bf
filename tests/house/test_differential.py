"""The comparison with other engines: what counts as equal, what as a cause. The engines themselves run in `make differential`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import differential, peers
from benchmarks.episodes import ENTRY_BAR, ENTRY_HIGH, UNEXPLAINED, compare
from benchmarks.peers import Fill, ours, plays_of

BOUGHT: Fill = [1, 0, 100, 10.0]


def test_parts_of_a_fill_are_one_fill() -> None:
    found = compare([BOUGHT, [5, 0, -100, 11.0]], [[1, 0, 60, 10.0], [1, 0, 40, 10.0], [5, 0, -100, 11.0]])
    assert (found.equal, found.ours, found.theirs, found.episodes) == (2, 2, 2, ())


@pytest.mark.parametrize(("price", "equal"), [(10.0001, 1), (10.0002, 0)])
def test_a_price_may_be_a_tick_apart_and_no_more(price: float, equal: int) -> None:
    assert compare([BOUGHT], [[1, 0, 100, price]]).equal == equal


def test_another_quantity_or_session_or_side_is_not_equal() -> None:
    for other in ([1, 0, 101, 10.0], [2, 0, 100, 10.0], [1, 0, -100, 10.0], [1, 1, 100, 10.0]):
        found = compare([BOUGHT], [other])
        assert (found.equal, found.unexplained > 0) == (0, True)


def test_a_stop_on_the_bar_of_entry_is_a_cause_until_both_hold_the_same() -> None:
    mine = [BOUGHT, [1, 0, -100, 9.5], [11, 0, 100, 12.0], [21, 0, -100, 13.0]]
    other = [BOUGHT, [8, 0, -100, 9.5], [11, 0, 100, 12.0], [21, 0, -100, 13.0]]
    found = compare(mine, other)
    assert [(one.start, one.end, one.cause) for one in found.episodes] == [(1, 8, ENTRY_BAR)]
    assert (found.equal, found.unexplained) == (3, 0)


def test_the_high_of_the_first_day_is_a_cause_only_where_it_is_the_peak() -> None:
    mine, other = [BOUGHT, [4, 0, -100, 9.9]], [BOUGHT, [5, 0, -100, 9.4]]
    first = np.array([[10.0], [11.0], [10.5], [10.6], [10.2], [10.0]])
    later = np.array([[10.0], [11.0], [10.5], [11.2], [10.2], [10.0]])
    assert [one.cause for one in compare(mine, other, first).episodes] == [ENTRY_HIGH]
    assert [one.cause for one in compare(mine, other, later).episodes] == [UNEXPLAINED]
    assert [one.cause for one in compare(mine, other).episodes] == [UNEXPLAINED]


def test_our_fills_of_the_crossing_are_those_of_a_plain_loop(tmp_path: Path) -> None:
    case = {"file": str(differential.stored(tmp_path)), "plays": [("cross", ("FB",), 0.0)]}
    (play,) = plays_of(case)
    opened, close = play.prices["open"][:, 0], play.prices["close"][:, 0]
    wanted, held = [], False
    for bar in range(peers.SLOW, len(close)):
        before = close[:bar]
        above = before[-peers.FAST :].mean() > before[-peers.SLOW :].mean()
        if above != held:
            wanted.append([bar, 0, 100 if above else -100, opened[bar]])
            held = bool(above)
    assert ours.prepare(case).run()["fills"]["cross FB"] == wanted
    assert len(wanted) > 1


def test_our_fills_of_limit_orders_are_those_of_a_plain_loop(tmp_path: Path) -> None:
    case = {"file": str(differential.stored(tmp_path)), "plays": [("limit", ("FB",), 0.0)]}
    (play,) = plays_of(case)
    opened, high, low, close = (play.prices[name][:, 0].tolist() for name in ("open", "high", "low", "close"))
    wanted, held = [], False
    for bar in range(1, len(close)):
        limit = round(close[bar - 1] * (peers.OFFER if held else peers.BID), 4)
        if high[bar] >= limit if held else low[bar] <= limit:
            better = max if held else min
            wanted.append([bar, 0, -100 if held else 100, better(opened[bar], limit)])
            held = not held
    assert ours.prepare(case).run()["fills"]["limit FB"] == wanted
    assert len(wanted) > 20


def test_every_strategy_of_the_page_is_compared_with_every_engine_that_can_say_it() -> None:
    said = {engine.name: set(engine.plays) for engine in differential.ENGINES}
    assert said["backtrader"] == said["backtesting"] == {"cross", "rebalance", "bracket", "trail", "limit"}
    assert said["vectorbt"] == {"cross", "fractional", "bracket", "trail"}, "it has no limit orders"
    assert set(differential.PLAYS) == set(differential.WORDS) == set().union(*said.values())


def test_every_history_lies_after_the_last_split_of_its_assets() -> None:
    from rustybt.data.demo import demo_events

    last = {asset: ts.date() for asset, ts in demo_events().filter(kind="split").sort("ts").select("asset", "ts").iter_rows()}
    assert last
    assert all(start >= last.get(asset, start) for assets, start in differential.HISTORIES.items() for asset in assets)


def test_the_page_counts_places_by_cause_and_names_versions() -> None:
    part = compare([BOUGHT, [1, 0, -100, 9.5]], [BOUGHT, [8, 0, -100, 9.5]])
    row = differential.Row("bracket", "vectorbt", (part,), (10.0, 12.5))
    page = differential.page_of([row], ["rustybt 0", "vectorbt 1"])
    assert "**Exits on the bar of entry** (1 places)" in page
    assert "| bracket | vectorbt | 1 | 2 | 2 | 1 | 0.0000 | 1 | 0 | -2.50 |" in page
    assert "Versions: rustybt 0, vectorbt 1." in page


def test_the_page_in_the_docs_has_no_unexplained_difference() -> None:
    rows = [
        line.split("|")[1:-1]
        for line in differential.PAGE.read_text().splitlines()
        if line.startswith(("| cross |", "| trail |", "| bracket |", "| limit |", "| rebalance |"))
    ]
    assert len(rows) == 3 * len(differential.ENGINES) + 2 + 2, "three strategies in all, two that vectorbt cannot say"
    assert {row[8].strip() for row in rows} == {"0"}
