from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.analysis.honesty import stationary_indices
from rustybt.data.reprice import noisy_prices, synthetic_bars, with_flags
from rustybt.model import Panel
from rustybt.testing import markets

PRICES = ("open", "high", "low", "close")


@pytest.fixture(scope="module")
def ragged() -> Panel:
    """Gaps, listings, delistings, splits and dividends."""
    return markets.panel(assets=6, bars=300, seed=4, gaps=0.05, listings=0.5, delistings=0.5, splits=1.0, dividends=1.0)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def sound(panel: Panel) -> None:
    """Everything that the door promises of prices holds."""
    frame = panel.frame
    low, high = frame["ticks_low"], frame["ticks_high"]
    assert low.min() >= 1  # type: ignore[operator]
    for name in PRICES:
        assert ((low <= frame[f"ticks_{name}"]) & (frame[f"ticks_{name}"] <= high)).all()
        steps = np.repeat([float(asset.tick_size) for asset in panel.assets], np.diff(panel.offsets))
        assert frame[name].to_numpy() == pytest.approx(frame[f"ticks_{name}"].to_numpy() * steps, rel=1e-15)
        cells = getattr(panel, name)
        assert np.count_nonzero(cells) == frame.height
        columns = np.repeat(np.arange(len(panel.assets)), np.diff(panel.offsets))
        assert (cells[panel.row_bar, columns] == frame[f"ticks_{name}"].to_numpy()).all()


@pytest.mark.parametrize("size", [0.0, 0.0005, 0.05, 1.0])
def test_noise_keeps_every_bar_whole(ragged: Panel, size: float) -> None:
    moved = noisy_prices(ragged, size, rng())
    sound(moved)
    assert moved.frame.select("ts", "asset", "session", "volume").equals(ragged.frame.select("ts", "asset", "session", "volume"))
    assert (moved.snapshot == ragged.snapshot) == (size == 0)
    assert moved.frame.columns == ragged.frame.columns


def test_noise_is_as_large_as_it_was_asked_to_be(ragged: Panel) -> None:
    moved = noisy_prices(ragged, 0.01, rng())
    change = np.log(moved.frame["close"].to_numpy() / ragged.frame["close"].to_numpy())
    assert change.std() == pytest.approx(0.01, rel=0.05)
    assert abs(change.mean()) < 0.001


def test_noise_without_size_keeps_the_adjusted_columns_to_the_last_digit(ragged: Panel) -> None:
    assert ragged.adj_digits
    moved = noisy_prices(ragged, 0.0, rng())
    for name in ("close", "ticks_close", "ticks_adj_close", "adj_close"):
        assert moved.frame[name].equals(ragged.frame[name]), name
    for name in ("ticks_adj_open", "ticks_adj_high"):
        # rebuilt from the factor that the close shows, so within its rounding: a few of 10,000 parts of a tick
        assert (moved.frame[name] - ragged.frame[name]).abs().max() <= 4, name  # type: ignore[operator]


def test_a_synthetic_market_in_the_old_order_is_the_old_one() -> None:
    panel = markets.panel(assets=3, bars=200, seed=2)
    same = synthetic_bars(panel, np.arange(panel.bars))
    for name in (*PRICES, "volume"):
        assert same.frame[name].equals(panel.frame[name]), name


def test_a_synthetic_market_is_sound_and_has_its_bars_where_they_were(ragged: Panel) -> None:
    for seed in range(5):
        made = synthetic_bars(ragged, stationary_indices(ragged.bars, 10, 1, rng(seed))[0])
        sound(made)
        assert made.frame.select("ts", "asset", "session").equals(ragged.frame.select("ts", "asset", "session"))
        assert made.adj_digits == 0
        assert not len(made.events)
        assert made.frame["adj_close"].equals(made.frame["close"].rename("adj_close"))


def test_what_assets_do_together_stays_together() -> None:
    panel = markets.panel(assets=2, bars=400, seed=3)
    made = synthetic_bars(panel, stationary_indices(panel.bars, 5, 1, rng())[0])
    old, new = (np.diff(np.log(p.close.astype(np.float64)), axis=0) for p in (panel, made))
    pairs = {(round(a, 3), round(b, 3)) for a, b in old}
    assert np.mean([(round(a, 3), round(b, 3)) in pairs for a, b in new]) > 0.9


def test_moves_are_those_of_adjusted_prices() -> None:
    """A split is no move: raw prices halve at it, the synthetic market never does."""
    bars = pl.DataFrame({"ts": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 10), eager=True), "asset": "A", "volume": 100})
    closes = [100.0, 101.0, 102.0, 51.0, 52.0, 51.5, 52.5, 52.0, 51.0, 52.0]
    bars = bars.with_columns(pl.Series(name, closes) for name in PRICES)
    events = pl.DataFrame({"asset": ["A"], "ts": [bars["ts"][3]], "kind": ["split"], "value": [2.0]})
    panel = rbt.load(bars, events=events, tick_size="0.01")
    made = synthetic_bars(panel, np.arange(10)[::-1].copy())
    assert made.frame["close"].pct_change().abs().max() < 0.03  # type: ignore[operator]
    assert made.assets[0].tick_size == Decimal("0.01")


def test_a_flag_is_part_of_the_identity() -> None:
    panel = markets.panel(assets=1, bars=20, seed=2)
    flagged = with_flags(panel, "kept", np.ones(20, dtype=np.bool_))
    assert flagged.trusted == ("kept",)
    assert flagged.snapshot != panel.snapshot


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda p: noisy_prices(p, -0.1, rng()), "noise of -0.1"),
        (lambda p: noisy_prices(p, float("nan"), rng()), "noise of nan"),
        (lambda p: synthetic_bars(p, np.arange(3)), "not one bar for each bar"),
        (lambda p: synthetic_bars(p, np.full(p.bars, p.bars)), "not one bar for each bar"),
        (lambda p: synthetic_bars(p, np.full(p.bars, 0.5)), "not one bar for each bar"),
        (lambda p: with_flags(p, "close", np.ones(p.frame.height, dtype=np.bool_)), "column 'close' already"),
    ],
)
def test_what_cannot_be_done_is_said(ragged: Panel, wrong: Any, words: str) -> None:
    with pytest.raises(rbt.ConfigError, match=words):
        wrong(ragged)


def test_prices_that_grow_beyond_the_scale_are_refused() -> None:
    closes = [1.0, 1000.0] + [1000.0] * 18
    bars = pl.DataFrame({"ts": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 20), eager=True), "asset": "A", "volume": 1})
    panel = rbt.load(bars.with_columns(pl.Series(name, closes) for name in PRICES))
    with pytest.raises(rbt.DataError, match="beyond the scale"):
        synthetic_bars(panel, np.ones(20, dtype=np.int64))
