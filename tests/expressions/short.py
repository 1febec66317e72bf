"""Parameters with which the ready strategies trade within some dozens of bars of a market of assets A0, A1, ..."""

from __future__ import annotations

from typing import Any

SHORT: dict[str, dict[str, Any]] = {
    "bollinger": {"window": 8, "deviations": 1.2},
    "buy_and_hold": {},
    "donchian_breakout": {"entry": 10, "leave": 5, "trailing": 0.05},
    "equal_weight": {},
    "macd": {"fast": 3, "slow": 6, "signal": 3},
    "momentum": {"lookback": 20, "skip": 3, "top": 2},
    "pairs_zscore": {"first": "A0", "second": "A1", "window": 15, "entry": 1.0},
    "rsi_reversion": {"window": 4},
    "sma_cross": {"fast": 5, "slow": 20},
    "volatility_target": {"window": 10},
}
