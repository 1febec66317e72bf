"""Panels made from files, kept by the bytes of the files and every option of the door."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.options import Options
from rustybt.data.prepared.built import versions
from rustybt.data.prepared.settings import current
from rustybt.data.prepared.tiers import disk, memory
from rustybt.data.sources import files_of
from rustybt.model import Panel

PLAIN = (str, int, float, bool, type(None))
WORDS = (Decimal, date, Path)


class _Unkept(Exception):
    """Something whose content cannot be told."""


def panel_key(source: Any, options: Options) -> str | None:
    """SHA-256 of all that a panel follows from; None where it is not kept: a frame in memory, a small source, frames among the options.

    Args:
        source: as in `rustybt.load`.
        options: as in `rustybt.load`.
    """
    said = current()
    if not said.panels or not (said.disk or said.memory) or options.attach is not None:
        return None
    files = files_of(source)
    try:
        if not files or sum(Path(file).stat().st_size for file in files) < max(said.least, 1):
            return None
        chosen = {field.name: getattr(options, field.name) for field in fields(options) if field.name not in ("events", "attach")}
        events = options.events
        if isinstance(events, (str, Path)):
            events = [str(events), _digest(str(events))]
        given = ["panel", versions(), [[file, _digest(file)] for file in files], _plain(chosen), _plain(events)]
    except (_Unkept, OSError):
        return None  # the door says what is wrong with a file
    return "panel-" + hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def find_panel(key: str) -> Panel | None:
    """The panel that was kept, or None."""
    held = memory.get(key)
    if held is not None:
        return _own(held)
    # Mapped twice rather than copied: each mapping is copied on write, page by page.
    found = _opened(key, 2 if current().memory else 1)
    if len(found) > 1:
        _remember(key, found[1])
    return found[0] if found else None


def keep_panel(key: str, panel: Panel) -> None:
    """Keep a panel, unless it reads back differently (columns of unusual types)."""
    store = disk()
    if store is None:
        _remember(key, _own(panel))
        return
    if not store.put(key, lambda folder: _write(folder, panel)):
        return
    for again in _opened(key):
        same = again.frame.schema == panel.frame.schema and again.frame.equals(panel.frame, null_equal=True)
        if not same or again.quarantine.schema != panel.quarantine.schema:
            store.remove(key)


def _remember(key: str, panel: Panel) -> None:
    memory.put(key, panel, int(panel.frame.estimated_size()) + 4 * panel.close.nbytes, current().memory)


def _write(folder: Path, panel: Panel) -> dict[str, Any]:
    from rustybt.data.catalog.content import OfPanel, write_ready
    from rustybt.data.catalog.reading import DESCRIPTION, QUARANTINE
    from rustybt.data.catalog.writing import description

    try:
        panel.quarantine.write_parquet(folder / QUARANTINE)
        (folder / DESCRIPTION).write_text(json.dumps(description(OfPanel(panel), None)), encoding="utf-8")
        write_ready(folder, panel)
    except pl.exceptions.PolarsError as error:  # a full disk, or a type that no file takes
        raise OSError(str(error)) from error
    return {}


def _opened(key: str, times: int = 1) -> list[Panel]:
    """An entry that was checked once, as so many panels that share no array; none where there is no such entry."""
    store = disk()
    entry = None if store is None else store.get(key)
    if entry is None or store is None:
        return []
    from rustybt.data.catalog.reading import DAMAGED, described, open_ready

    try:
        about = described(entry.folder)
        return [open_ready(entry.folder, about) for _ in range(times)]
    except FileNotFoundError:  # another process made room meanwhile
        return []
    except DAMAGED:
        store.remove(key)
        return []


def _own(panel: Panel) -> Panel:
    """The same panel with arrays of its own: what a caller writes into them is seen by nobody else."""
    arrays: dict[str, Any] = {name: np.array(value) for name, value in vars(panel).items() if isinstance(value, np.ndarray)}
    made = replace(panel, **arrays)
    made.__dict__["snapshot"] = panel.snapshot
    return made


def _digest(file: str) -> str:
    with Path(file).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _plain(value: Any) -> Any:
    """A value as JSON, types told apart.

    Raises:
        _Unkept: it is of a kind whose content is not known here.
    """
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, WORDS):
        return [type(value).__name__, str(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, {field.name: _plain(getattr(value, field.name)) for field in fields(value)}]
    if isinstance(value, Mapping):
        return {"mapping": [[_plain(name), _plain(one)] for name, one in value.items()]}
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    raise _Unkept
