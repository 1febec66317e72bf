"""A way into the kernel that compiles in a second, for tests of what is kept of compiled code."""

from __future__ import annotations

from rustybt.kernel.compile import entry
from rustybt.kernel.decisions import ask, recall
from rustybt.kernel.state import Desk


@entry
def withdraw(desk: Desk, t: int, slot: int) -> None:
    """Cancel the working orders of a slot."""
    recall(desk, t, slot)


@entry
def enter(desk: Desk, t: int, slot: int, lots: int) -> None:
    """Submit a market order."""
    ask(desk, t, slot, lots, 1)
