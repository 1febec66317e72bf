"""The entries against TA-Lib, an implementation of other hands, where it has the function.

Exponential averages that start from the first value differ from TA-Lib's, which start from the mean of the first window; the directional
indicators start from one value more than TA-Lib's. There the two are compared after the difference has died out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import expressions as ex
from rustybt.testing import markets

talib: Any = pytest.importorskip("talib")
BARS = 700
SETTLED = 500
"""Bars after which the weight of the start is below 1e-9 for the windows used here."""


@lru_cache
def bars() -> pl.DataFrame:
    return markets.market(assets=1, bars=BARS, seed=1).bars.sort("ts")


def column(name: str) -> Any:
    return bars()[name].to_numpy().astype(np.float64)


def before(values: Any) -> Any:
    """The values of the bar before."""
    return np.concatenate([[np.nan], values[:-1]])


OPEN, H, L, C, V = "open", "high", "low", "close", "volume"

SAME: dict[str, tuple[pl.Expr, Callable[[], Any]]] = {
    "sma": (ex.sma(window=14), lambda: talib.SMA(column(C), 14)),
    "wma": (ex.wma(window=14), lambda: talib.WMA(column(C), 14)),
    "linear_slope": (ex.linear_slope(window=14), lambda: talib.LINEARREG_SLOPE(column(C), 14)),
    "aroon_up": (ex.aroon_up(window=14), lambda: talib.AROON(column(H), column(L), 14)[1]),
    "aroon_down": (ex.aroon_down(window=14), lambda: talib.AROON(column(H), column(L), 14)[0]),
    "aroon_oscillator": (ex.aroon_oscillator(window=14), lambda: talib.AROONOSC(column(H), column(L), 14)),
    "roc": (ex.roc(window=10), lambda: talib.ROC(column(C), 10)),
    "change": (ex.change(window=10), lambda: talib.MOM(column(C), 10)),
    "rsi": (ex.rsi(window=14), lambda: talib.RSI(column(C), 14)),
    "stochastic_k": (ex.stochastic_k(window=14), lambda: talib.STOCHF(column(H), column(L), column(C), 14, 1)[0]),
    "stochastic_d": (ex.stochastic_d(window=14, smooth=3), lambda: talib.STOCHF(column(H), column(L), column(C), 14, 3)[1]),
    "williams_r": (ex.williams_r(window=14), lambda: talib.WILLR(column(H), column(L), column(C), 14)),
    "cci": (ex.cci(window=20), lambda: talib.CCI(column(H), column(L), column(C), 20)),
    "ultimate_oscillator": (ex.ultimate_oscillator(), lambda: talib.ULTOSC(column(H), column(L), column(C))),
    "true_range": (ex.true_range(), lambda: talib.TRANGE(column(H), column(L), column(C))),
    "atr": (ex.atr(window=14), lambda: talib.ATR(column(H), column(L), column(C), 14)),
    "natr": (ex.natr(window=14), lambda: talib.NATR(column(H), column(L), column(C), 14) / 100),
    "bollinger_upper": (ex.bollinger_upper(window=20), lambda: talib.BBANDS(column(C), 20)[0]),
    "bollinger_lower": (ex.bollinger_lower(window=20), lambda: talib.BBANDS(column(C), 20)[2]),
    "donchian_high": (ex.donchian_high(window=20), lambda: before(talib.MAX(column(H), 20))),
    "donchian_low": (ex.donchian_low(window=20), lambda: before(talib.MIN(column(L), 20))),
    "mfi": (ex.mfi(window=14), lambda: talib.MFI(column(H), column(L), column(C), column(V), 14)),
    "ad_line": (ex.ad_line(), lambda: talib.AD(column(H), column(L), column(C), column(V))),
    "obv": (ex.obv(), lambda: np.where(np.arange(BARS) > 0, talib.OBV(column(C), column(V)) - column(V)[0], np.nan)),
    "rolling_correlation": (ex.rolling_correlation(C, V, window=30), lambda: talib.CORREL(column(C), column(V), 30)),
    # TA-Lib regresses the returns of its second series on those of its first.
    "rolling_beta": (
        ex.rolling_beta(ex.simple_return(OPEN), ex.simple_return(C), window=30),
        lambda: talib.BETA(column(C), column(OPEN), 30),
    ),
}
SETTLING: dict[str, tuple[pl.Expr, Callable[[], Any]]] = {
    "ema": (ex.ema(window=14), lambda: talib.EMA(column(C), 14)),
    "dema": (ex.dema(window=14), lambda: talib.DEMA(column(C), 14)),
    "tema": (ex.tema(window=14), lambda: talib.TEMA(column(C), 14)),
    "macd_line": (ex.macd_line(), lambda: talib.MACD(column(C))[0]),
    "macd_signal": (ex.macd_signal(), lambda: talib.MACD(column(C))[1]),
    "macd_histogram": (ex.macd_histogram(), lambda: talib.MACD(column(C))[2]),
    "trix": (ex.trix(window=9), lambda: talib.TRIX(column(C), 9)),
    "ppo": (ex.ppo(), lambda: talib.PPO(column(C), 12, 26, 1)),
    "plus_di": (ex.plus_di(window=10), lambda: talib.PLUS_DI(column(H), column(L), column(C), 10)),
    "minus_di": (ex.minus_di(window=10), lambda: talib.MINUS_DI(column(H), column(L), column(C), 10)),
    "adx": (ex.adx(window=10), lambda: talib.ADX(column(H), column(L), column(C), 10)),
}


def both(expr: pl.Expr, theirs: Callable[[], Any]) -> tuple[Any, Any]:
    ours = bars().select(expr.cast(pl.Float64).fill_null(float("nan"))).to_series().to_numpy()
    return ours, theirs()


@pytest.mark.parametrize("name", SAME)
def test_equals_talib_from_the_first_value_on(name: str) -> None:
    ours, theirs = both(*SAME[name])
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", SETTLING)
def test_equals_talib_once_the_start_has_died_out(name: str) -> None:
    ours, theirs = both(*SETTLING[name])
    assert not np.isnan(ours[SETTLED:]).any()
    np.testing.assert_allclose(ours[SETTLED:], theirs[SETTLED:], rtol=1e-6, atol=1e-7)
    first = np.flatnonzero(~np.isnan(ours) & ~np.isnan(theirs))[0]
    assert abs(ours[first] - theirs[first]) > 1e-9, "the start is the same: say so in the docstring, and move it to SAME"
