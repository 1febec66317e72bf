from __future__ import annotations

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine import Result
from rustybt.engine.confidence import ORDER
from rustybt.testing import markets


@pytest.fixture(scope="module")
def result() -> Result:
    up = pl.col("close") > pl.col("close").rolling_mean(5)
    return rbt.run(rbt.Strategy("up", target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0))), markets.panel(assets=3, bars=300, seed=2))


def test_every_headline_number_lies_in_its_interval(result: Result) -> None:
    found = result.intervals()
    assert found["metric"].to_list() == list(ORDER)
    for row in found.iter_rows(named=True):
        assert row["value"] == result.metrics[row["metric"]]
        assert row["low"] < row["high"]
        if row["metric"] != "max_drawdown":  # one path: others fall deeper or less
            assert row["low"] <= row["value"] <= row["high"], row
    assert found.equals(result.intervals())


def test_a_higher_confidence_is_wider(result: Result) -> None:
    narrow, wide = result.intervals(confidence=0.5), result.intervals(confidence=0.99)
    assert ((wide["high"] - wide["low"]) > (narrow["high"] - narrow["low"])).all()


def test_intraday_exposure_is_that_of_bars() -> None:
    panel = markets.panel(assets=2, bars=500, seed=2, frequency="1h")
    result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.4)), panel)
    row = result.intervals(200).filter(metric="average_exposure").row(0, named=True)
    assert row["low"] <= row["value"] <= row["high"]


def test_a_run_without_trades_has_what_there_is() -> None:
    result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.2)), markets.panel(assets=1, bars=50))
    assert "win_rate" not in result.intervals(100)["metric"]
    idle = rbt.run(rbt.Strategy("idle", target=rbt.weight(0.0)), markets.panel(assets=1, bars=50)).intervals(100)
    assert idle.filter(metric="sharpe")["low"].to_list() == [None]
    assert idle.filter(metric="total_return")["high"].to_list() == [0.0]


def test_what_cannot_be_resampled_is_said(result: Result) -> None:
    with pytest.raises(rbt.ConfigError, match="blocks of 400 do not go into 300"):
        result.intervals(block=400)
    with pytest.raises(rbt.ConfigError, match="confidence 95"):
        result.intervals(confidence=95)
    one = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.2)), markets.panel(assets=1, bars=1))
    with pytest.raises(rbt.ConfigError, match="no track record"):
        one.intervals()
