"""Makes the bundles beside this file with Zipline's own writers: see README.md."""

from __future__ import annotations

# mypy: ignore-errors
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from zipline.assets import AssetDBWriter
from zipline.data.adjustments import SQLiteAdjustmentWriter
from zipline.data.bcolz_daily_bars import BcolzDailyBarReader, BcolzDailyBarWriter
from zipline.data.bcolz_minute_bars import BcolzMinuteBarReader, BcolzMinuteBarWriter
from zipline.data.hdf5_daily_bars import HDF5DailyBarReader, HDF5DailyBarWriter
from zipline.utils.calendar_utils import get_calendar

HERE = Path(__file__).parent
NAMES = {1: "ACME", 2: "BRK.B", 5: "ACME", 300: "ZED"}  # the symbol of 1 was given to 5 later
SPANS = {
    1: ("2024-01-02", "2024-01-31"),
    2: ("2024-01-02", "2024-03-28"),
    5: ("2024-02-05", "2024-03-28"),
    300: ("2024-03-01", "2024-03-28"),
}


def prices(sid: int, index: pd.DatetimeIndex) -> pd.DataFrame:
    draw = np.random.default_rng(sid)
    close = np.round(50 * np.exp(np.cumsum(draw.normal(0, 0.01, len(index)))), 3)
    opened = np.round(close + draw.normal(0, 0.2, len(index)), 3)
    high, low = np.maximum(opened, close) + 0.125, np.minimum(opened, close) - 0.25
    volume = draw.integers(1, 4_000_000_000, len(index))
    frame = pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "volume": volume}, index=index)
    if sid == 2:
        frame.iloc[7] = 0  # a session without a trade, as ingestion fills it
    return frame


def main() -> None:
    calendar = get_calendar("XNYS")
    first, last = pd.Timestamp("2024-01-02"), pd.Timestamp("2024-03-28")
    folder = HERE / "daily" / "2024-04-01T00;00;00.000000"
    minutes, hdf5 = HERE / "minute", HERE / "hdf5"
    for one in (HERE / "daily", minutes, hdf5):
        shutil.rmtree(one, ignore_errors=True)
    for one in (folder, minutes, hdf5):
        one.mkdir(parents=True)
    days = {sid: prices(sid, calendar.sessions_in_range(*map(pd.Timestamp, span))) for sid, span in SPANS.items()}
    BcolzDailyBarWriter(str(folder / "daily_equities.bcolz"), calendar, first, last).write(days.items(), show_progress=False)

    equities = pd.DataFrame(
        [
            {"sid": sid, "symbol": NAMES[sid], "asset_name": f"Company {sid}", "exchange": "NYSE"}
            | {"start_date": pd.Timestamp(a), "end_date": pd.Timestamp(b)}
            for sid, (a, b) in SPANS.items()
        ]
    ).set_index("sid")
    exchanges = pd.DataFrame([{"exchange": "NYSE", "canonical_name": "NYSE", "country_code": "US"}])
    for place in (folder, minutes):
        engine = sa.create_engine(f"sqlite:///{place / 'assets-7.sqlite'}")
        AssetDBWriter(engine).write(equities=equities, exchanges=exchanges)
        engine.dispose()

    reader = BcolzDailyBarReader(str(folder / "daily_equities.bcolz"))
    splits = pd.DataFrame([{"sid": 2, "effective_date": pd.Timestamp("2024-02-20"), "ratio": 1 / 7}])
    paid = {"declared_date": pd.NaT, "record_date": pd.NaT}
    dividends = pd.DataFrame(
        [
            {"sid": 2, "ex_date": pd.Timestamp("2024-02-08"), "pay_date": pd.Timestamp("2024-02-15"), "amount": 0.24, **paid},
            {"sid": 5, "ex_date": pd.Timestamp("2024-03-14"), "pay_date": pd.NaT, "amount": 1.5, **paid},
        ]
    )
    mergers = pd.DataFrame([{"sid": 5, "effective_date": pd.Timestamp("2024-03-20"), "ratio": 0.9}])
    with SQLiteAdjustmentWriter(str(folder / "adjustments.sqlite"), reader, overwrite=True) as writer:
        writer.write(splits=splits, mergers=mergers, dividends=dividends)

    table = minutes / "minute_equities.bcolz"
    table.mkdir()
    writer = BcolzMinuteBarWriter(
        str(table), calendar, pd.Timestamp("2024-07-02"), pd.Timestamp("2024-07-05"), 390, default_ohlc_ratio=10000
    )
    for sid in (1, 300):
        index = calendar.sessions_minutes(pd.Timestamp("2024-07-02"), pd.Timestamp("2024-07-05"))[sid % 7 :: 3]  # the third is a half day
        frame = prices(sid, index)
        frame["volume"] = frame["volume"] % 100_000 + 1
        writer.write_sid(sid, frame)

    names = ("open", "high", "low", "close", "volume")
    wide = {name: pd.DataFrame({sid: frame[name] for sid, frame in days.items() if sid != 2}) for name in names}
    HDF5DailyBarWriter(str(hdf5 / "daily.h5"), 30).write("US", {name: frame.fillna(0) for name, frame in wide.items()})

    write_answers(calendar, reader, str(table), str(hdf5 / "daily.h5"))


def write_answers(calendar: Any, reader: Any, table: str, store_path: str) -> None:
    """What Zipline itself reads back, to be compared with."""
    said = []
    for sid in NAMES:
        for day in calendar.sessions_in_range(*map(pd.Timestamp, SPANS[sid])):
            values = [reader.get_value(sid, day, name) for name in ("open", "high", "low", "close", "volume")]
            said.append(["daily", sid, day.date().isoformat(), *(round(float(value), 3) for value in values)])
    again = BcolzMinuteBarReader(table)
    for sid in (1, 300):
        for minute in calendar.sessions_minutes(pd.Timestamp("2024-07-02"), pd.Timestamp("2024-07-05")):
            values = [again.get_value(sid, minute, name) for name in ("open", "high", "low", "close", "volume")]
            if values[-1]:
                said.append(["minute", sid, minute.isoformat(), *(round(float(value), 4) for value in values)])
    store = HDF5DailyBarReader.from_path(store_path, "US")
    for sid in (1, 5, 300):
        for day in calendar.sessions_in_range(*map(pd.Timestamp, SPANS[sid])):
            values = [store.get_value(sid, day, name) for name in ("open", "high", "low", "close", "volume")]
            said.append(["hdf5", sid, day.date().isoformat(), *(round(float(value), 3) for value in values)])
    columns = ["stored", "sid", "ts", "open", "high", "low", "close", "volume"]
    pd.DataFrame(said, columns=columns).to_csv(HERE / "as_zipline_reads.csv", index=False)


main()
