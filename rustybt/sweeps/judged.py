"""The judgement of a sweep in its directory: made once, read by every later look.

``judgement.json`` holds the numbers, ``judgement.parquet`` the splits one by one. They belong to one manifest, whose digest is with them:
what another sweep left behind is not read.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.honesty import Overfitting, Superiority
from rustybt.sweeps.judgement import SHAPE, Judgement
from rustybt.sweeps.store import MANIFEST

NUMBERS, SPLITS, KIND = "judgement.json", "judgement.parquet", "rustybt judgement 1"
COLUMNS = ("logits", "inside", "outside", "chosen")


def read_judgement(folder: Path, by: str | None) -> Judgement | None:
    """What is kept of a judgement.

    Args:
        folder: of the sweep.
        by: metric of the leaderboard; None = of any, for its tests.

    Returns:
        None where there is none, or what is there cannot be read: it will be made again.
    """
    try:
        kept = _kept(folder)
        given = kept["by"].get(by) if by is not None else next(iter(kept["by"].values()), None)
        return None if given is None else _opened(given, folder)
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def write_judgement(folder: Path, by: str, found: Judgement) -> None:
    """Keep a judgement; a directory that cannot be written is left as it is, and the next look makes it again."""
    try:
        try:
            kept = _kept(folder)
        except (OSError, ValueError, KeyError, TypeError):
            kept = {"kind": KIND, "manifest": _digest(folder), "by": {}}
        if found.tested:  # what was left out before is there now
            kept["by"] = {name: one for name, one in kept["by"].items() if one["reality_check"] is not None}
        kept["by"][by] = found.to_dict()
        if found.overfitting is not None:
            _put(pl.DataFrame({name: getattr(found.overfitting, name) for name in COLUMNS}), folder / SPLITS)
        staged = folder / f"{NUMBERS}.tmp"
        staged.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        staged.replace(folder / NUMBERS)
    except OSError:
        return


def _kept(folder: Path) -> dict[str, Any]:
    """What the file holds.

    Raises:
        ValueError: it belongs to another sweep.
    """
    kept: dict[str, Any] = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))
    if kept["kind"] != KIND or kept["manifest"] != _digest(folder):
        raise ValueError(kept["kind"])
    return kept


def _opened(given: dict[str, Any], folder: Path) -> Judgement:
    split, around = given["overfitting"], pl.DataFrame(given["intervals"], schema=SHAPE, orient="row")
    check, better = (None if given[name] is None else Superiority(**given[name]) for name in ("reality_check", "superior_ability"))
    if split is not None:
        rows = {name: column.to_numpy() for name, column in pl.read_parquet(folder / SPLITS).to_dict().items()}
        slope = np.nan if split["slope"] is None else split["slope"]
        split = Overfitting(split["probability"], **{name: rows[name] for name in COLUMNS}, loss=split["loss"], slope=slope)
    return Judgement(given["variants"], given["sessions"], split, check, better, around, tuple(given["notes"]))


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def _put(frame: pl.DataFrame, place: Path) -> None:
    staged = place.with_suffix(".tmp")
    frame.write_parquet(staged)
    staged.replace(place)
