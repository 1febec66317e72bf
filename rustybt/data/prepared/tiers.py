"""Memory before disk: what was used last stays at hand, up to a number of bytes."""

from __future__ import annotations

from typing import Any

from rustybt.data.prepared.settings import current
from rustybt.data.prepared.store import Store
from rustybt.data.recent import Recent

memory: Recent[Any] = Recent()
"""Of this process, panels and features together."""


def disk() -> Store | None:
    """The store on the disk, or None where it is switched off."""
    said = current()
    return Store(said.folder, said.disk) if said.disk else None
