"""The builds of the kernel: what of a desk is known when it is compiled, and which build a desk takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rustybt.model.decimals import RATE

from .flags import EVERY_FLAG, HAS_FEES, HAS_GUARDS, HAS_LEVELS, HAS_MAX_BARS, HAS_SLIPPAGE
from .state import ALL, Desk


class Kind(NamedTuple):
    """A build.

    Attributes:
        name: for people, and of its file.
        known: numbers of the desk that are constants of the machine code.
        off: bits of ``flags`` that are not set.
    """

    name: str
    known: Mapping[str, int]
    off: int = 0

    def takes(self, desk: Desk) -> bool:
        """Whether the build is made for a desk."""
        if desk.flags & self.off != 0:
            return False
        values = desk.__dict__
        for name, number in self.known.items():  # no generator: it is asked before each bar that is fed alone
            if values[name] != number:
                return False
        return True


ONES, ZEROS = ("assets", "sleeves", "slots"), ("fill_at", "at_fill", "flags", "errand")
PLAIN = Kind("plain", dict.fromkeys(ONES, 1) | dict.fromkeys(ZEROS, 0) | {"gross": RATE, "parts": ALL})
"""One asset and one strategy, market orders at the next open, a commission by rate at most: the plainest run. For it these numbers are
constants of the machine code, and what they rule out is left out of it."""
USUAL_FLAGS = HAS_FEES | HAS_SLIPPAGE | HAS_LEVELS | HAS_MAX_BARS | HAS_GUARDS
USUAL = Kind("usual", {"errand": 0, "parts": ALL}, EVERY_FLAG & ~USUAL_FLAGS)
"""Any assets and strategies with commissions, slippage by rate or tick, and exits; whole bars."""
ANY = Kind("any", {})
"""Everything else."""
BUILDS = (PLAIN, USUAL, ANY)
"""Narrow ones first."""


def kind_of(desk: Desk) -> Kind:
    """The narrowest build that the desk's numbers allow."""
    return PLAIN if PLAIN.takes(desk) else USUAL if USUAL.takes(desk) else ANY
