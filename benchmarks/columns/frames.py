"""Bars as the pandas frames that other products take. numpy and pandas only."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.markets import FIELDS, Bars

pd: Any = importlib.import_module("pandas")


def frames_of(bars: Bars) -> list[Any]:
    """One frame per asset: open, high, low, close in currency, volume."""
    index = pd.DatetimeIndex(bars.ts.astype("datetime64[us]"))
    columns = [*FIELDS, "volume"]
    scale = {name: 1.0 if name == "volume" else 100.0 for name in columns}
    return [pd.DataFrame({name: getattr(bars, name)[j] / scale[name] for name in columns}, index) for j in range(len(bars.close))]
