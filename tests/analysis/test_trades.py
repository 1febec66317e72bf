"""Statistics of round trips, hand-worked."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from rustybt.analysis.metrics import Trades
from rustybt.analysis.metrics.trades import longest_run
from rustybt.errors import DataError


def trades_of(pnl: list[float], returns: list[float] | None = None) -> Trades:
    values = np.array(pnl, dtype=np.float64)
    return Trades(values, np.array(returns if returns is not None else values / 1_000), np.arange(len(pnl)) + 1, values >= 0)


def test_hand_worked_statistics() -> None:
    found = trades_of([100.0, -40.0, 0.0, 60.0, -10.0, -30.0]).statistics()
    assert found["trades"] == 6
    assert found["win_rate"] == pytest.approx(2 / 6)
    assert found["profit_factor"] == pytest.approx(160 / 80)
    assert found["average_win"] == 80.0
    assert found["average_loss"] == pytest.approx(-80 / 3)
    assert found["payoff_ratio"] == pytest.approx(3.0)
    assert found["expectancy"] == pytest.approx(80 / 6)
    assert found["expectancy_return"] == pytest.approx(0.08 / 6)
    assert (found["best_trade"], found["worst_trade"]) == (0.1, -0.04)
    assert found["average_bars_held"] == 3.5
    assert (found["longest_winning_run"], found["longest_losing_run"]) == (1.0, 2.0)
    assert (found["long_trades"], found["short_trades"]) == (3.0, 3.0)


def test_expectancy_is_what_win_rate_and_averages_say() -> None:
    pnl = np.random.default_rng(3).normal(2, 30, 200)
    found = trades_of(pnl.tolist()).statistics()
    said = found["win_rate"] * found["average_win"] + (1 - found["win_rate"]) * found["average_loss"]
    assert found["expectancy"] == pytest.approx(said, rel=1e-9)


def test_a_frame_with_decimals_and_open_trades() -> None:
    at = [datetime(2024, 1, day, tzinfo=UTC) for day in (3, 2)]
    frame = pl.DataFrame(
        {
            "pnl": [Decimal("12.50"), Decimal("-4.25"), None],
            "return": [0.05, -0.02, None],
            "bars_held": [3, 1, None],
            "side": ["long", "short", "long"],
            "exit_ts": [*at, None],
            "mae": [-0.01, -0.03, None],
            "mfe": [0.06, 0.01, None],
        }
    )
    trades = Trades.from_frame(frame)
    found = trades.statistics()
    assert trades.pnl.tolist() == [-4.25, 12.5]
    assert trades.long.tolist() == [False, True]
    assert (found["trades"], found["open_trades"]) == (2.0, 1.0)
    assert found["average_mae"] == pytest.approx(-0.02)
    assert found["average_mfe"] == pytest.approx(0.035)


def test_an_enum_side_and_a_signed_quantity_mean_the_same() -> None:
    frame = pl.DataFrame({"pnl": [1.0, 1.0], "return": [0.1, 0.1], "bars_held": [1, 1], "side": ["short", "long"]})
    enum = frame.with_columns(pl.col("side").cast(pl.Enum(["long", "short"])))
    signed = frame.drop("side").with_columns(quantity=pl.Series([-5, 5]))
    coded = frame.drop("side").with_columns(side=pl.Series([-1, 1]))
    for version in (frame, enum, signed, coded):
        assert Trades.from_frame(version).long.tolist() == [False, True]
    assert Trades.from_frame(frame.drop("side")).long.all()


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="no column return, bars_held"):
        Trades.from_frame(pl.DataFrame({"pnl": [1.0]}))


def test_no_trades_have_no_rates() -> None:
    found = trades_of([]).statistics()
    assert found["trades"] == 0.0
    for name in ("win_rate", "profit_factor", "expectancy", "best_trade", "average_bars_held"):
        assert math.isnan(found[name])


def test_no_loser_means_no_profit_factor() -> None:
    found = trades_of([5.0, 6.0]).statistics()
    assert math.isnan(found["profit_factor"])
    assert math.isnan(found["payoff_ratio"])
    assert found["win_rate"] == 1.0


@pytest.mark.parametrize(
    ("flags", "wanted"), [([], 0), ([False], 0), ([True], 1), ([True, True, False, True], 2), ([False, True, True, True], 3)]
)
def test_longest_run(flags: list[bool], wanted: int) -> None:
    assert longest_run(np.array(flags, dtype=np.bool_)) == wanted
