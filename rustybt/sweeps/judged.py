"""The judgement of a sweep in its directory: made once, read by every later look.

``judgement.json`` holds the numbers, ``judgement.parquet`` the splits one by one. They belong to one manifest, whose digest is with them:
what another sweep left behind is not read. Nor is what was changed since: it is named, and made again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt._output import written
from rustybt.analysis.honesty import Overfitting, Superiority
from rustybt.errors import ConfigError
from rustybt.sweeps.judgement import SHAPE, Judgement
from rustybt.sweeps.store import MANIFEST
from rustybt.sweeps.whole import digest_of, rows_in, sealed, unsealed

NUMBERS, SPLITS, KIND = "judgement.json", "judgement.parquet", "rustybt judgement 2"
COLUMNS = ("logits", "inside", "outside", "chosen")


def read_judgement(folder: Path, by: str | None) -> tuple[Judgement | None, str]:
    """What is kept of a judgement.

    Args:
        folder: of the sweep.
        by: metric of the leaderboard; None = of any, for its tests.

    Returns:
        The judgement, None where there is none or what is there cannot be used: it will be made again. And a sentence on what was damaged
        since it was written; empty where nothing was.
    """
    file = folder / NUMBERS
    try:
        kept = unsealed(file.read_text(encoding="utf-8"))
        if kept["kind"] != KIND or kept["manifest"] != _digest(folder):  # of another sweep
            return None, ""
        given = kept["by"].get(by) if by is not None else next(iter(kept["by"].values()), None)
        file = folder / SPLITS
        return None if given is None else _opened(given, file, kept["splits"]), ""
    except OSError:
        return None, ""
    except ConfigError as error:
        return None, f"{error.what}: the judgement was made again." if file.exists() else ""
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return None, f"{file.name} cannot be read, it is damaged: {error}: the judgement was made again."


def write_judgement(folder: Path, by: str, found: Judgement) -> None:
    """Keep a judgement; a directory that cannot be written is left as it is, and the next look makes it again."""
    try:
        kept = _kept(folder)
        if found.tested:  # what was left out before is there now
            kept["by"] = {name: one for name, one in kept["by"].items() if one["reality_check"] is not None}
        kept["by"][by] = found.to_dict()
        if found.overfitting is not None:
            with written(folder / SPLITS) as staged:
                pl.DataFrame({name: getattr(found.overfitting, name) for name in COLUMNS}).write_parquet(staged)
                kept["splits"] = digest_of(staged)
        with written(folder / NUMBERS) as staged:
            staged.write_text(sealed(kept), encoding="utf-8")
    except ConfigError:
        return


def _kept(folder: Path) -> dict[str, Any]:
    """What the file holds of this sweep."""
    manifest = _digest(folder)
    try:
        kept = unsealed((folder / NUMBERS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    ours = kept.get("kind") == KIND and kept.get("manifest") == manifest
    return kept if ours else {"kind": KIND, "manifest": manifest, "splits": None, "by": {}}


def _opened(given: dict[str, Any], file: Path, digest: str | None) -> Judgement:
    split, around = given["overfitting"], pl.DataFrame(given["intervals"], schema=SHAPE, orient="row")
    check, better = (None if given[name] is None else Superiority(**given[name]) for name in ("reality_check", "superior_ability"))
    if split is not None:
        rows_in(file, "the judgement is made again", digest)
        rows = {name: column.to_numpy() for name, column in pl.read_parquet(file).to_dict().items()}
        slope = np.nan if split["slope"] is None else split["slope"]
        split = Overfitting(split["probability"], **{name: rows[name] for name in COLUMNS}, loss=split["loss"], slope=slope)
    return Judgement(given["variants"], given["sessions"], split, check, better, around, tuple(given["notes"]))


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
