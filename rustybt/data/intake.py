"""Bring bars from any source into the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rustybt.data.actions import read_events
from rustybt.data.calendars import code_of
from rustybt.data.catalog import Catalog, Version
from rustybt.data.catalog.naming import check_name
from rustybt.data.demo import EVENTS
from rustybt.data.door import load
from rustybt.data.names import names_of
from rustybt.errors import ConfigError
from rustybt.model import Panel


def ingest(source: Any, name: str, *, catalog: Catalog | str | Path | None = None, **options: Any) -> Version:
    """Keep bars in the catalog under a name; the same content twice is one snapshot.

    Args:
        source: anything `rustybt.load` takes, but a Panel, whose corporate actions can no longer be told apart.
        name: letters, digits, ``_`` and ``-``.
        catalog: a `Catalog` or its folder; default: the user's.
        options: as in `rustybt.load`.

    Returns:
        The version: `Version.new` tells whether the dataset changed, `Version.name` pins it.

    Raises:
        DataError: the bars cannot be used, or the catalog cannot be written.
        ConfigError: an option or the name is wrong.

    Example:
        >>> import tempfile
        >>> made = ingest("demo", "stocks", catalog=tempfile.mkdtemp())
        >>> made.dataset, made.new
        ('stocks', True)
    """
    check_name(name)
    if isinstance(source, Panel):
        raise ConfigError("a panel cannot be ingested", where="source", do="give the file or the frame that it was loaded from")
    panel = load(source, **options)
    given = options.get("events")
    if given is None and isinstance(source, str) and source == "demo":
        given = EVENTS
    events = None if given is None else read_events(given)
    if events is not None:
        known, events = set(panel.symbols), names_of(events).of(events)
        events = [event for event in events if event.asset in known]
    shelf = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    settled = {key: value for key, value in options.items() if value is not None and key not in ("events", "assets")}
    if "calendar" in settled:
        settled["calendar"] = code_of(settled["calendar"])
    return shelf.publish(panel, name, _said(source), settled, events)


def _said(source: Any) -> str:
    if isinstance(source, (str, Path)):
        return str(source) if source == "demo" else str(Path(source).absolute())
    return f"{len(source)} files" if isinstance(source, (list, tuple)) else f"a {type(source).__module__.split('.')[0]} frame"
