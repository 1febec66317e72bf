"""The same daily bars as a bundle of Zipline, read by its own reader. Runs in an environment of its own: numpy and Zipline alone."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.markets import FIELDS, Market, draw
from benchmarks.models import Job


def prepare(case: dict[str, Any]) -> Job:
    """A bcolz table with the bars of the opening suite."""
    import pandas as pd
    from zipline.data.bcolz_daily_bars import BcolzDailyBarReader, BcolzDailyBarWriter
    from zipline.utils.calendar_utils import get_calendar

    drawn = draw(Market(5, case["assets"], case["bars"], 0.0, 0.01, 100.0, daily=True))
    days = pd.DatetimeIndex(drawn.ts.astype("datetime64[us]")).normalize()
    calendar = get_calendar("24/5", start=days[0] - pd.Timedelta(days=30), end=days[-1] + pd.Timedelta(days=30))
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    table = str(folder / "daily_equities.bcolz")

    def frames() -> Any:
        for sid in range(case["assets"]):
            columns = {name: getattr(drawn, name)[sid] / 100 for name in FIELDS}
            yield sid, pd.DataFrame({**columns, "volume": drawn.volume[sid]}, index=days)

    BcolzDailyBarWriter(table, calendar, days[0], days[-1]).write(frames(), show_progress=False)

    def run() -> dict[str, Any]:
        reader = BcolzDailyBarReader(table)
        arrays = reader.load_raw_arrays([*FIELDS, "volume"], days[0], days[-1], list(range(case["assets"])))
        return {"rows": int(np.isfinite(arrays[3]).sum()), "sum": float(np.nansum(arrays[3]))}

    return Job(run)
