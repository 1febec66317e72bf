"""Adjusted columns: forward from the first row, exact, and never changed by what comes later."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.data import demo_data, load
from rustybt.errors import DataError
from rustybt.model import Panel
from rustybt.testing import market
from tests.data.conftest import Make


def frame_of(rows: list[tuple[str, str, str, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "asset": [row[0] for row in rows],
            "ts": [date.fromisoformat(row[1]) for row in rows],
            "kind": [row[2] for row in rows],
            "value": [row[3] for row in rows],
        }
    )


def oracle(panel: Panel) -> list[Fraction]:
    """The price factor of every row, in exact fractions."""
    out: list[Fraction] = []
    for column, asset in enumerate(panel.assets):
        first, stop = int(panel.offsets[column]), int(panel.offsets[column + 1])
        factor = Fraction(1)
        for row in range(first, stop):
            split = Fraction(1)
            for bar, owner, kind, up, down, *_ in panel.events.tolist():
                if owner != column or bar != panel.row_bar[row] or row == first:
                    continue
                if kind == 0:
                    split *= Fraction(up, down)
                    factor *= Fraction(up, down)
                else:
                    close = int(panel.frame["ticks_close"][row - 1]) * Fraction(asset.tick_size) / split
                    factor *= close / (close - Fraction(up, down))
            out.append(factor)
    return out


def test_a_split_multiplies_prices_and_divides_volume(make: Make) -> None:
    panel = load(make({"A": [10, 12, 6, 7]}), stamp="close", events=frame_of([("A", "2020-01-08", "split", 2.0)]))
    assert panel.adj_digits == 4
    assert panel.frame["adj_close"].to_list() == [10, 12, 12, 14]
    assert panel.frame["adj_high"].to_list() == [11, 13, 14, 16]
    assert panel.frame["adj_volume"].to_list() == [100, 100, 50, 50]
    assert panel.frame["ticks_adj_close"].to_list() == [10**9, 12 * 10**8, 12 * 10**8, 14 * 10**8]
    assert panel.frame["ticks_adj_volume"].to_list() == [1_000_000, 1_000_000, 500_000, 500_000]
    assert panel.frame["close"].to_list() == [10, 12, 6, 7]


def test_a_dividend_reinvests_at_the_close_before_it(make: Make) -> None:
    panel = load(make({"A": [10, 10, 9, 9.9]}), stamp="close", events=frame_of([("A", "2020-01-08", "dividend", 1.0)]))
    # 10 / (10 - 1) makes the drop of exactly the dividend a return of zero.
    assert panel.frame["adj_close"].to_list() == [10, 10, 10, 11]
    assert panel.frame["adj_volume"].to_list() == [100] * 4


def test_a_dividend_on_the_day_of_a_split_is_in_new_units(make: Make) -> None:
    events = frame_of([("A", "2020-01-08", "dividend", 1.0), ("A", "2020-01-08", "split", 2.0)])
    panel = load(make({"A": [20, 20, 9, 9]}), stamp="close", events=events)
    assert panel.frame["adj_close"].to_list() == [20, 20, 20, 20]


def test_only_the_asset_of_the_event_is_adjusted(make: Make) -> None:
    panel = load(make({"A": [10, 5], "B": [10, 5]}), stamp="close", events=frame_of([("B", "2020-01-07", "split", 2.0)]))
    assert panel.frame["adj_close"].to_list() == [10, 5, 10, 10]


def test_forward_returns_equal_those_of_backward_adjustment() -> None:
    panel = demo_data()
    frame = panel.frame.with_columns(factor=pl.col("adj_close") / pl.col("close"))
    last = pl.col("factor").last().over("asset")
    backward = frame.with_columns(back=pl.col("close") * pl.col("factor") / last)
    forward_return = pl.col("adj_close").pct_change().over("asset")
    backward_return = pl.col("back").pct_change().over("asset")
    assert backward.select((forward_return - backward_return).abs().max()).item() < 1e-12


@settings(max_examples=30)
@given(
    st.integers(0, 10_000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from(["0.0001", "0.01", "0.00000001"]),
)
def test_adjusted_ticks_equal_exact_fractions(seed: int, splits: float, dividends: float, tick: str) -> None:
    bars, events = market(2, 150, seed, splits=splits, dividends=dividends, gaps=0.2, volatility=0.05)
    panel = load(bars, stamp="close", events=events, tick_size=tick)
    raw, adjusted = panel.frame["ticks_close"].to_list(), panel.frame["ticks_adj_close"].to_list()
    step = Decimal(tick) / 10**panel.adj_digits
    with localcontext() as context:
        context.prec = 60
        for ticks, found, double, factor in zip(raw, adjusted, panel.frame["adj_close"].to_list(), oracle(panel), strict=True):
            exact = ticks * 10**panel.adj_digits * factor
            whole = int((Decimal(exact.numerator) / exact.denominator).to_integral_value(ROUND_HALF_EVEN))
            # A factor of more than 62 bits is rounded once: that may tip a value that lies on a half to 17 digits.
            assert found == whole or abs(exact - whole) > Fraction(1, 2) - Fraction(1, 10**4)
            assert double == float(found * step)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 119))
def test_later_data_never_change_earlier_adjusted_values(seed: int, cut: int) -> None:
    bars, events = market(3, 120, seed, splits=1.0, dividends=1.0, gaps=0.1, listings=0.5)
    whole = load(bars, stamp="close", events=events)
    last = whole.ts[cut % whole.bars]
    known = bars.filter(pl.col("ts").dt.epoch("us") <= last)
    part = load(known, stamp="close", events=events, assets=known["asset"].unique().to_list())
    columns = ["ts", "asset", "adj_open", "adj_close", "adj_volume", "ticks_adj_close", "ticks_adj_volume"]
    before = whole.frame.filter(pl.col("ts").dt.epoch("us") <= last).select(columns).with_columns(pl.col("asset").cast(pl.String))
    assert part.frame.select(columns).with_columns(pl.col("asset").cast(pl.String)).equals(before)


def test_increments_differ_between_assets(make: Make) -> None:
    bars = make({"A": [10, 5], "B": [10, 5], "C": [10, 5]})
    events = frame_of([("A", "2020-01-07", "split", 2.0), ("B", "2020-01-07", "split", 2.0)])
    panel = load(bars, stamp="close", events=events, assets={"A": {"tick_size": "0.5"}, "B": {"tick_size": "0.01"}})
    assert panel.frame["adj_close"].to_list() == [10, 10, 10, 10, 10, 5]
    assert panel.frame["ticks_adj_close"].to_list() == [200_000, 200_000, 10**7, 10**7, 10**9, 5 * 10**8]


def test_an_adjusted_price_beyond_the_scale_is_refused(make: Make) -> None:
    bars = make({"A": [3e10, 1e10]})
    assert load(bars, stamp="close").bars == 2
    with pytest.raises(DataError, match="the adjusted open is beyond the scale") as caught:
        load(bars, stamp="close", events=frame_of([("A", "2020-01-07", "split", 2.0)]))
    assert "tick_size" in caught.value.do
    with pytest.raises(DataError, match="the adjusted open is beyond the scale"):
        load(make({"A": [1e5, 1e5]}), stamp="close", events=frame_of([("A", "2020-01-07", "split", 10.0**9)]))


def test_factors_that_explode_are_refused(make: Make) -> None:
    events = frame_of([("A", "2020-01-07", "split", 1e6), ("A", "2020-01-08", "split", 1e6), ("A", "2020-01-09", "split", 1e7)])
    with pytest.raises(DataError, match="multiply to a factor that does not fit"):
        load(make({"A": [1] * 5}), stamp="close", events=events)


def test_no_adjusted_value_is_lost_to_many_events() -> None:
    bars, events = market(1, 4000, 3, dividends=1.0)
    panel = load(bars, stamp="close", events=events)
    assert len(panel.events) > 60
    ratio = panel.frame["adj_close"].to_numpy() / panel.frame["close"].to_numpy()
    expected = np.array([float(factor) for factor in oracle(panel)])
    assert np.abs(ratio / expected - 1).max() < 1e-9
