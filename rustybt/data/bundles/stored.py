"""The bars of a bundle as whole numbers: what bcolz and HDF5 hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt._extras import require
from rustybt.data.bundles.bundle import Bundle
from rustybt.data.bundles.carrays import DO, attributes, read_column
from rustybt.data.calendars import covering
from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.hours import DAY, MINUTE
from rustybt.errors import DataError

USUAL = 1000
"""Steps of a unit of price that Zipline keeps where it does not say otherwise."""


@dataclass(frozen=True)
class Stored:
    """Bars as they lie in the files.

    Attributes:
        rows: ``sid, ts`` (Date, or Datetime in UTC for minutes: the end of each), and ``open .. volume`` as whole numbers.
        digits: decimals of the prices of each asset: a price is the number divided by a power of ten.
        empty: rows of zeros, which stand for sessions and minutes without a bar; they were not taken.
        calendar: its code, or None.
    """

    rows: pl.DataFrame
    digits: dict[int, int]
    empty: int
    calendar: str | None


def read_bcolz_daily(bundle: Bundle) -> Stored:
    """Daily bars in one table of all assets.

    Raises:
        DataError: a file is missing or damaged.
    """
    about = attributes(bundle.bars)
    columns = {name: read_column(bundle.bars / name) for name in ("id", "day", *FIELDS)}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the columns differ in length: {lengths}", where=str(bundle.bars), do=DO)
    days = pl.Series((columns["day"].astype(np.int64) // 86_400).astype(np.int32)).cast(pl.Date)
    frame = pl.DataFrame({"sid": columns["id"].astype(np.int64), "ts": days, **{name: columns[name].astype(np.int64) for name in FIELDS}})
    sids = frame["sid"].unique().to_list()
    return _without_empty(frame, dict.fromkeys(sids, _digits(USUAL, bundle.bars)), about.get("calendar_name"))


def read_bcolz_minute(bundle: Bundle, say: Callable[[int, int], None]) -> Stored:
    """Minute bars, a table of its own for each asset, one place for every minute of every session.

    Raises:
        DataError: a file is missing or damaged.
    """
    try:
        about = json.loads((bundle.bars / "metadata.json").read_text())
        first, last = (int(np.datetime64(str(about[name])[:10], "D").astype(np.int64)) for name in ("start_session", "end_session"))
        length, ratios = (
            int(about["minutes_per_day"]),
            {int(sid): int(one) for sid, one in (about.get("ohlc_ratios_per_sid") or {}).items()},
        )
        usual, calendar = int(about["ohlc_ratio"]), str(about["calendar_name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"the metadata cannot be read: {error}", where=str(bundle.bars / "metadata.json"), do=DO) from error
    spans = covering(calendar, first, last)
    kept = (spans.days >= first) & (spans.days <= last)
    minutes = (spans.opens[kept][:, None] + MINUTE * np.arange(1, length + 1)[None, :]).ravel()
    tables = sorted(bundle.bars.glob("??/??/*.bcolz"))
    frames, digits = [], dict[int, int]()
    for number, table in enumerate(tables):
        sid = int(table.stem)
        columns = {name: read_column(table / name) for name in FIELDS}
        rows = {len(column) for column in columns.values()}
        if len(rows) > 1 or max(rows) > len(minutes):
            raise DataError(f"the columns have {sorted(rows)} numbers, the sessions {len(minutes)} minutes", where=str(table), do=DO)
        there = np.flatnonzero(columns["close"])
        part: dict[str, Any] = {"sid": np.full(len(there), sid, dtype=np.int64), "ts": minutes[there]}
        frames.append(pl.DataFrame(part | {name: columns[name][there].astype(np.int64) for name in FIELDS}))
        digits[sid] = _digits(ratios.get(sid, usual), table)
        say(number + 1, len(tables))
    if not frames:
        raise DataError("there is no asset", where=str(bundle.bars), do=DO)
    found = pl.concat(frames).with_columns(pl.col("ts").cast(pl.Datetime("us", "UTC")))
    return Stored(found.sort("sid", "ts"), digits, 0, calendar)


def read_hdf5(bundle: Bundle) -> Stored:
    """Daily bars of one or several countries.

    Raises:
        DataError: the file is damaged, or of another layout.
        MissingExtraError: h5py is not installed.
    """
    h5py = require("h5py", extra="zipline")
    frames, digits = [], dict[int, int]()
    try:
        with h5py.File(bundle.bars, "r") as file:
            for country in sorted(file):
                group = file[country]
                sids, days = group["index/sid"][:].astype(np.int64), group["index/day"][:]
                dates = days.astype(np.int64) // (DAY * 1000)
                ratios = {name: float(group[f"data/{name}"].attrs["scaling_factor"]) for name in FIELDS}
                if ratios["volume"] != 1.0 or len({ratios[name] for name in PRICES}) > 1:
                    raise ValueError(f"prices and volume are scaled by {ratios}")
                columns = {name: group[f"data/{name}"][:].astype(np.int64).ravel() for name in FIELDS}
                part = pl.DataFrame({"sid": np.repeat(sids, len(dates)), "day": np.tile(dates.astype(np.int32), len(sids)), **columns})
                frames.append(part.with_columns(pl.col("day").cast(pl.Date)).rename({"day": "ts"}))
                digits |= dict.fromkeys(sids.tolist(), _digits(round(ratios["close"]), bundle.bars))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"the file cannot be read: {error}", where=str(bundle.bars), do="give a file of Zipline's daily bars") from error
    if not frames:
        raise DataError("there is no country in the file", where=str(bundle.bars), do="give a file of Zipline's daily bars")
    return _without_empty(pl.concat(frames), digits, None)


def _without_empty(frame: pl.DataFrame, digits: dict[int, int], calendar: str | None) -> Stored:
    there = frame.filter(pl.sum_horizontal(pl.col(*PRICES)) > 0)
    return Stored(there.sort("sid", "ts"), digits, frame.height - there.height, calendar)


def _digits(ratio: int, where: Path) -> int:
    """Decimals of a price that was multiplied by a ratio."""
    found = len(str(ratio)) - 1
    if 10**found != ratio:
        do = "ingest the bundle again with a power of ten: prices would not come out exactly"
        raise DataError(f"prices were multiplied by {ratio}, which is no power of ten", where=str(where), do=do)
    return found


def exact(rows: pl.DataFrame, digits: dict[int, int], symbols: dict[int, str]) -> pl.DataFrame:
    """Rows for the door: ``ts, asset`` and exact decimals."""
    most = max(digits.values())
    steps = pl.Series(
        [10 ** (most - digits[sid]) for sid in rows["sid"].to_list()] if len(set(digits.values())) > 1 else [1], dtype=pl.Int64
    )
    prices = [(rows[name] * steps).cast(pl.Int128).reinterpret(dtype=pl.Decimal(38, most)).alias(name) for name in PRICES]
    names = rows["sid"].replace_strict(list(symbols), list(symbols.values()), return_dtype=pl.String).alias("asset")
    return pl.DataFrame([rows["ts"], names, *prices, rows["volume"]])


def tick_sizes(digits: dict[int, int], symbols: dict[int, str]) -> dict[str, dict[str, str]]:
    """The step of prices that the files keep, by symbol."""
    return {symbols[sid]: {"tick_size": f"{Decimal(1).scaleb(-number):f}"} for sid, number in digits.items() if sid in symbols}
