"""The ten workloads and their sweeps: their data and their numbers, read by every column. numpy only.

Common to all: a fee of 10 bps of the traded value on each side; a decision at the close of bar t is filled at the open of t + 1; positions
are marked at the close.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.markets import Bars, Floats, Ints, read

FEE = 0.001
SHARES = 100
YEAR = 252
STOP, TAKE, EVERY = 0.02, 0.04, 50
LOTS, BEYOND, REST, FAR = 10, 1, 12, 2
"""Shares of an order of W8 and W9, and how many per cent of the close a limit of W8 lies away; for how many bars one of W9 rests, and how
far away."""
LOOKBACK, SKIP, TOP, REBALANCE, INVESTED = 252, 21, 50, 21, 0.99


@dataclass(frozen=True)
class Case:
    """One workload.

    Attributes:
        name: as in the tables.
        market: name in `markets.MARKETS`; assets, bars: how much of it.
        cash: at the start.
        windows: fast and slow averages, where it has them.
        variants: how many parameter sets are run.
        does: in words.
    """

    name: str
    market: str
    cash: float
    does: str
    assets: int | None = None
    bars: int | None = None
    windows: tuple[int, int] | None = None
    variants: int = 1

    def data(self) -> Bars:
        """Its prices."""
        return read(self.market).part(self.assets, self.bars)

    @property
    def momenta(self) -> list[tuple[int, int]]:
        """Lookbacks and numbers of winners of all variants of W3."""
        if self.variants == 1:
            return [(LOOKBACK, TOP)]
        return [(lookback, top) for lookback in range(63, 273, 21) for top in range(10, 110, 10)][: self.variants]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Window pairs of all variants: those of `windows`, or evenly spread over the 5,050 pairs fast < slow of 2..102."""
        if self.variants == 1:
            return [self.windows] if self.windows else []
        every = [(fast, slow) for fast in range(2, 103) for slow in range(fast + 1, 103)]
        return [every[i] for i in np.rint(np.linspace(0, len(every) - 1, self.variants)).astype(int)]


CASES = {
    case.name: case
    for case in (
        Case("W1", "daily_1", 1e5, "1 asset, 2,520 daily bars: 100 shares while SMA20 > SMA50", windows=(20, 50)),
        Case("W2 x100", "daily_1", 1e5, "W1 for 100 pairs of windows, one run each", windows=(20, 50), variants=100),
        Case("W2 x1000", "daily_1", 1e5, "W1 for 1,000 pairs of windows, one sweep", windows=(20, 50), variants=1_000),
        Case("W2 x5000", "daily_1", 1e5, "W1 for 5,000 pairs of windows, one sweep", windows=(20, 50), variants=5_000),
        Case("W3", "daily_500", 1e7, "500 assets, 2,520 daily bars: 12-1 momentum, top 50, every 21 bars, shared cash"),
        Case("W3 x100", "daily_500", 1e7, "W3 for 10 lookbacks and 10 numbers of winners, one sweep", variants=100),
        Case("W4", "minute_1", 1e7, "W1 on 1,500,000 one-minute bars", windows=(20, 50)),
        Case("W5", "daily_500", 1e6, "10 assets, 451 daily bars: 100 shares while SMA50 > SMA200", assets=10, bars=451, windows=(50, 200)),
        Case("W6", "minute_1", 1e7, "1,000,000 fills: buy 1, sell 1, ... at the open of every bar", bars=1_000_001),
        Case("W7", "stops_1", 1e7, "500,000 bars: every 50 bars, if flat, buy 100 with a 2 % stop and a 4 % take-profit"),
        Case(
            "W7 orders",
            "stops_1",
            1e7,
            "W7 with orders: the fill of a market order sends a stop 2 % below and a limit 4 % above the close before",
        ),
        Case(
            "W8",
            "daily_500",
            1e7,
            "100,800 day limit orders: 40 assets, 2,520 daily bars, in turn a purchase 1 % below and a sale 1 % above",
            assets=40,
        ),
        Case(
            "W9",
            "daily_500",
            1e8,
            "105,000 limit orders that rest: 500 assets, 2,520 daily bars, every 12 bars, in turn a purchase 2 % below and a sale 2 % "
            "above, which replaces what still waits",
        ),
    )
}

EXPECTED = {
    "W1": (97_040.873, 58),
    "W3": (31_730_614.277, 6_858),
    "W3 x100": (26_702_336.791, 811_587),
    "W4": (7_421_308.052, 33_704),
    "W5": (1_010_720.313, 26),
    "W6": (9_155_962.964, 1_000_000),
    "W7": (7_265_023.449, 8_603),
    "W7 orders": (7_178_565.101, 8_681),
    "W8": (6_719_045.564, 55_493),
    "W9": (92_854_078.313, 78_978),
}
"""Final equity and orders as the hand-written pass gave them when the workloads were defined: a change of data or rules shows up here."""


def limits(close: Ints) -> Floats:
    """Limits of W8, (bars, assets) by cents of closes: of the purchase decided at an even bar, of the sale decided at an odd one.

    Whole numbers of hundredths of a cent, so that a limit that a bar just reaches is reached in every product.
    """
    away = np.where(np.arange(close.shape[-1]) % 2, 100 + BEYOND, 100 - BEYOND)
    return np.ascontiguousarray((close * away).T) / 10_000


def resting(close: Ints) -> tuple[Ints, Floats]:
    """Bars at which W9 decides, and the limits of what it sends at each: (decisions,) and (decisions, assets) by cents of closes."""
    decided = np.arange(0, close.shape[-1], REST)
    away = np.where(np.arange(len(decided)) % 2, 100 + FAR, 100 - FAR)
    return decided, np.ascontiguousarray((close[:, decided] * away).T) / 10_000


def momentum_weights(close: Floats, lookback: int = LOOKBACK, top: int = TOP) -> Floats:
    """Targets of W3, (bars, assets): NaN where nothing is decided, else the weight of the day's winners or 0.

    The days are those of the longest lookback, so that all variants decide on the same ones.
    """
    weights = np.full(close.shape, np.nan)
    for t in range(LOOKBACK + SKIP, len(close), REBALANCE):
        score = close[t - SKIP] / close[t - lookback] - 1
        weights[t] = 0.0
        weights[t, np.argsort(-score, kind="stable")[:top]] = INVESTED / top
    return weights
