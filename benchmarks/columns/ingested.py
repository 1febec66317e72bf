"""A CSV file of bars with every check: the door, the catalog, and a pandas script that checks the same."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.models import Job


def prepare(case: dict[str, Any]) -> Job:
    """One way to bring a file in."""
    path, folder = case["path"], Path(tempfile.mkdtemp(dir=Path(case["path"]).parent))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    def door() -> dict[str, Any]:
        import rustybt as rbt

        panel = rbt.load(path, stamp="close")
        return {"rows": panel.frame.height, "bad": panel.quarantine.height, "sum": int(panel.frame["ticks_close"].sum())}

    def catalog() -> dict[str, Any]:
        import rustybt as rbt

        shelf = rbt.Catalog(folder)
        made = rbt.ingest(path, "set", catalog=shelf, stamp="close")
        panel = shelf.open(made.name)
        return {"rows": panel.frame.height, "bad": panel.quarantine.height, "sum": int(panel.frame["ticks_close"].sum())}

    def ingest_alone() -> dict[str, Any]:
        import rustybt as rbt

        return {"new": rbt.ingest(path, "set", catalog=folder, stamp="close").new}

    def pandas_checks() -> dict[str, Any]:
        frame, bad = checked_by_pandas(path)
        return {"rows": len(frame), "bad": bad, "sum": int(frame["ticks_close"].sum())}

    def pandas_parquet() -> dict[str, Any]:
        frame, bad = checked_by_pandas(path)
        frame.to_parquet(folder / "bars.parquet", compression="zstd")
        return {"rows": len(frame), "bad": bad, "sum": int(frame["ticks_close"].sum())}

    def pandas_snapshot() -> dict[str, Any]:
        import hashlib

        import numpy as np
        import pandas as pd

        frame, bad = checked_by_pandas(path)
        digest = hashlib.sha256()
        for name in frame:
            digest.update(np.ascontiguousarray(numbers_of(frame[name])))
        file = folder / f"{digest.hexdigest()}.parquet"
        frame.to_parquet(file, compression="zstd", index=False)
        with file.open("rb") as written:
            os.fsync(written.fileno())
        back = pd.read_parquet(file)
        if not all(np.array_equal(numbers_of(back[name]), numbers_of(frame[name])) for name in frame):
            raise ValueError("what was written is not what was read")
        return {"rows": len(frame), "bad": bad, "sum": int(frame["ticks_close"].sum())}

    ways = {"door": door, "catalog": catalog, "ingest alone": ingest_alone}
    ways |= {"pandas": pandas_checks, "pandas and Parquet": pandas_parquet, "pandas, the same": pandas_snapshot}
    way = ways[case["way"]]

    def timed() -> dict[str, Any]:
        busy = time.process_time()
        found = way()
        return {**found, "cpu_s": time.process_time() - busy}

    def emptied() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

    return Job(timed, before=emptied)


def numbers_of(column: Any) -> Any:
    """A column of pandas as the numbers that it is kept as: instants and names too."""
    if column.dtype == "category":
        return column.cat.codes.to_numpy()
    return column.dt.tz_localize(None).to_numpy().view("int64") if column.name == "ts" else column.to_numpy()


def checked_by_pandas(path: str) -> tuple[Any, int]:
    """What the door does to rows, in pandas: times, zone, keys, order, nulls, signs, relations, whole ticks."""
    import numpy as np
    import pandas as pd

    frame = pd.read_csv(path, dtype={"asset": "category"})
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True, format="ISO8601")
    if frame["ts"].isna().any() or frame["asset"].isna().any():
        raise ValueError("a row has no key")
    prices = ["open", "high", "low", "close"]
    numbers = frame[[*prices, "volume"]]
    bad = numbers.isna().any(axis=1) | ~np.isfinite(numbers.to_numpy()).all(axis=1)
    bad |= (numbers[prices] <= 0).any(axis=1) | (numbers["volume"] < 0)
    bad |= numbers["high"] < numbers["low"]
    for name in ("open", "close"):
        bad |= (numbers[name] > numbers["high"]) | (numbers[name] < numbers["low"])
    frame = frame.sort_values(["asset", "ts"], kind="stable")
    bad = bad.reindex(frame.index)
    if frame.duplicated(["asset", "ts"]).any():
        raise ValueError("a key is there twice")
    for name in prices:
        frame[f"ticks_{name}"] = (frame[name] * 10_000).round().fillna(0).astype("int64")
    nights = frame["ts"].dt.normalize().diff() > pd.Timedelta(0)
    apart = frame["open"] / frame["close"].shift()
    jumped = nights & (frame["asset"] == frame["asset"].shift()) & ((apart <= 1 / 1.4) | (apart >= 1.4))
    frame.attrs["jumped"] = frame[jumped].index.tolist()
    moved = sum((abs(frame[f"ticks_{name}"] / 10_000 - frame[name]) > 1e-9).sum() for name in prices)
    frame.attrs["moved"] = int(moved)
    return frame[~bad], int(bad.sum())
