from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.cut import onward, until
from rustybt.engine import configure, walk
from rustybt.engine.compare import outcome_difference, signal_difference
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.spec import OnBar
from tests.engine.conftest import bars_of


def up(window: int, **more: Any) -> rbt.Strategy:
    rising = pl.col("adj_close") > pl.col("adj_close").rolling_mean(window)
    return rbt.Strategy("up", target=rbt.weight(pl.when(rising).then(0.2).otherwise(0.0)), signals={"rising": rising}, **more)


def both(strategy: rbt.Strategy, panel: Panel, **settings: Any) -> tuple[rbt.Result, rbt.Result]:
    config = configure(**settings)
    from rustybt.engine.begin import begun

    part = begun(panel, config)
    return rbt.run(strategy, panel, **settings), walk({strategy.name: strategy}, part, config)


CASES = {
    "every bar": up(20),
    "scheduled": up(20, schedule=rbt.month_start()),
    "counted": up(20, schedule=rbt.every(7)),
    "unbounded": rbt.Strategy(
        "ewm", target=rbt.weight(pl.when(pl.col("close") > pl.col("close").ewm_mean(span=15)).then(0.2).otherwise(0))
    ),
    "ranked": rbt.Strategy(
        "rank", target=rbt.weight(pl.when(pl.col("close").pct_change(30).over("asset").rank().over("ts") > 2).then(0.2).otherwise(0))
    ),
    "exits": up(20, exits=rbt.exits(stop_loss="0.03")),
    "orders": rbt.Strategy(
        "dips", orders=[rbt.order("limit", 5, when=pl.col("close") < pl.col("close").shift(1), limit=pl.col("low"), tif="gtc")]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bulk_and_bar_by_bar_begin_at_the_same_bar(panel: Panel, name: str) -> None:
    first = panel.ts[120]
    start = pl.Series([first]).cast(pl.Datetime("us", "UTC"))[0]
    bulk, walked = both(CASES[name], panel, trade_from=start, costs=rbt.costs(commission=rbt.bps(10)))
    assert not outcome_difference(bulk.outcome, walked.outcome)
    assert not signal_difference(bulk, walked)
    assert bulk.equity["ts"][0] == start
    assert bulk.panel.bars == panel.bars - 120
    assert bulk.counts()["fills"] > 0


def test_signals_are_those_of_a_run_over_everything(panel: Panel) -> None:
    start = pl.Series([panel.ts[100]]).cast(pl.Datetime("us", "UTC"))[0]
    whole, part = rbt.run(up(50), panel), rbt.run(up(50), panel, trade_from=start)
    assert part.signals.equals(whole.signals.filter(pl.col("ts") >= start))


def test_a_target_that_stands_since_before_is_bought_at_the_beginning() -> None:
    """Ten bars at 10: the target never changes, and the run begins at the fifth: bought at the open of the sixth, 100 units of 1,000."""
    bars = bars_of("A", [(10, 10, 10, 10)] * 10)
    result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.5)), bars, cash="2000", trade_from=bars["ts"][4])
    assert result.fills.select("ts", "quantity").rows() == [(bars["ts"][5], Decimal(100))]
    assert result.equity.height == 6


def test_what_happened_before_is_not_booked() -> None:
    """A gain before the beginning is nobody's."""
    bars = bars_of("A", [(10, 10, 10, 10), (10, 20, 10, 20), (20, 20, 20, 20), (20, 20, 20, 20)])
    result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.5)), bars, cash="1000", trade_from=bars["ts"][2])
    assert result.final_equity == "1000.00000000"


def test_a_callback_sees_the_bars_before(panel: Panel) -> None:
    seen: list[tuple[int, int]] = []

    def look(context: Any) -> None:
        seen.append((context.bars.height, len(seen)))
        if len(seen) == 1:
            context.order(panel.symbols[0], 1)

    start = pl.Series([panel.ts[200]]).cast(pl.Datetime("us", "UTC"))[0]
    result = rbt.run(rbt.Strategy("look", on_bar=OnBar(look, lookback=10)), panel, trade_from=start)
    assert len(seen) == panel.bars - 200
    assert seen[0][0] >= 10
    assert result.fills["ts"][0] > start


def test_costs_read_history(panel: Panel) -> None:
    """A term of slippage over 20 bars is known at the first bar of the run."""
    term = rbt.slippage_term(pl.col("close").pct_change().rolling_std(20) * 0.01)
    start = pl.Series([panel.ts[60]]).cast(pl.Datetime("us", "UTC"))[0]
    bulk, walked = both(up(20), panel, trade_from=start, costs=rbt.costs(slippage=term))
    assert not outcome_difference(bulk.outcome, walked.outcome)
    assert bulk.metrics["slippage"] > 0 if "slippage" in bulk.metrics else bulk.fills.height


def test_history_is_part_of_the_identity(panel: Panel) -> None:
    first = pl.Series([panel.ts[60]]).cast(pl.Datetime("us", "UTC"))[0]
    ids = {
        rbt.run(up(20), panel).identity["run_id"],
        rbt.run(up(20), panel, trade_from=first).identity["run_id"],
        rbt.run(up(20), panel, trade_from=first + timedelta(days=9)).identity["run_id"],
        rbt.run(up(20), onward(until(panel, 200), 60)).identity["run_id"],
    }
    assert len(ids) == 4


def test_a_part_may_begin_later_still(panel: Panel) -> None:
    """The bars of a run that began late are data like any other: history stays history."""
    first, later = (pl.Series([panel.ts[bar]]).cast(pl.Datetime("us", "UTC"))[0] for bar in (60, 130))
    part = rbt.run(up(50), panel, trade_from=first).panel
    again, straight = rbt.run(up(50), part, trade_from=later), rbt.run(up(50), panel, trade_from=later)
    assert again.final_equity == straight.final_equity
    assert again.signals.equals(straight.signals)


def test_what_is_cut_away_is_gone(panel: Panel) -> None:
    part = until(panel, 90)
    assert part.frame["ts"].max() == pl.Series([panel.ts[89]]).cast(pl.Datetime("us", "UTC"))[0]
    assert (part.events[:, 0] < 90).all()
    assert part.offsets[-1] == part.frame.height == len(part.row_bar)
    assert until(panel, panel.bars) is panel
    late = onward(until(panel, 90), 40)
    assert (late.history, late.bars) == (40, 50)
    assert (onward(late, 10).history, onward(late, 10).bars) == (50, 40)
    assert onward(late, 10).whole is late.whole
    shorter = until(late, 20)
    assert (shorter.history, shorter.bars) == (40, 20)
    assert shorter.whole is not None
    assert shorter.whole.bars == 60
    assert until(panel, 0).bars == 0


@pytest.mark.parametrize("setting", ["dated_terms", "increments"])
def test_what_was_set_before_is_in_force(panel: Panel, setting: str) -> None:
    """A rate or a lot from the 20th bar on holds in a run that begins at the 120th."""
    early, start = (pl.Series([panel.ts[bar]]).cast(pl.Datetime("us", "UTC"))[0] for bar in (20, 120))
    value = {"commission_rate": "0.001"} if setting == "dated_terms" else {"lot": "10"}
    rows = [{"asset": symbol, "from_ts": early, **value} for symbol in panel.symbols]
    settings: dict[str, Any] = {"trade_from": start, setting: rows}
    bulk, walked = both(up(20), panel, **settings)
    assert not outcome_difference(bulk.outcome, walked.outcome)
    if setting == "increments":
        assert {quantity % 10 for quantity in bulk.fills["quantity"]} == {0}
    else:
        assert (bulk.fills["fee"] > 0).all()


def test_verify_proves_a_run_that_begins_late(panel: Panel) -> None:
    start = pl.Series([panel.ts[120]]).cast(pl.Datetime("us", "UTC"))[0]
    assert rbt.verify(up(20), panel, points=2, trade_from=start).ok


@pytest.mark.parametrize(("given", "says"), [("soon", "'soon' is no date"), (7, "7 is no date"), ("2999-01-01", "there is no bar from")])
def test_a_beginning_that_cannot_be(panel: Panel, given: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        rbt.run(up(5), panel, trade_from=given)
