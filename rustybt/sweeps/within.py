"""What a judgement takes, in bytes, and how it is kept within a budget: chunks of fewer variants, fewer threads, and parts left out.

The numbers of bytes were counted with `tracemalloc`; `tests/sweeps/test_judgement.py` holds them to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rustybt.analysis.honesty.superiority import CHUNK, VARIANTS
from rustybt.model.sizes import shown
from rustybt.sweeps.work import AHEAD

DRAWN, TAKEN = 34, 50
"""Bytes of a number while resamples are drawn, `CHUNK` at a time, and of a return while variants are tested, `VARIANTS` at a time."""
AROUND = 44
"""Bytes of a number while an interval is found; half as many numbers at a time."""
A_SPLIT = 400
"""Bytes of a split of the sessions."""


@dataclass(frozen=True)
class Within:
    """A judgement and its budget.

    Attributes:
        budget: bytes.
        variants: that are judged.
        sessions: of each.
        bars: of each, at most.
        working: bytes of a worker beside curves and features.
        workers: that run variants side by side on this machine.
        count: resamples.
        parts: of the sessions, or None.
    """

    budget: int
    variants: int
    sessions: int
    bars: int
    working: int
    workers: int
    count: int
    parts: int | None

    @property
    def features(self) -> int:
        """Bytes for features while variants run."""
        return self.budget // 4

    @property
    def chunk(self) -> int:
        """Variants of a chunk, at most: those under way and those that wait take a quarter of the budget; 0: none fits."""
        return max(0, self.budget // 4 - self.workers * self.working) // self._each

    @property
    def least(self) -> int:
        """The budget in which variants can be run again."""
        return 4 * (self.workers * self.working + self._each)

    @property
    def _each(self) -> int:
        """Bytes of one variant of every chunk that is there at a time: its curve, its closes, and twice its returns."""
        return ((AHEAD + 1) * self.workers + 1) * (8 * self.bars + 24 * self.sessions)

    @property
    def around(self) -> int:
        """Bytes of the intervals of one variant."""
        return AROUND * min(self.sessions * self.count, CHUNK // 2)

    @property
    def threads(self) -> int:
        """How many variants' intervals are found side by side; 0: none fits."""
        return self.budget // 2 // self.around

    @property
    def tests(self) -> int:
        """Bytes of the tests against cash."""
        numbers = self.sessions * self.count
        return 8 * numbers + max(DRAWN * min(numbers, CHUNK), TAKEN * self.sessions * VARIANTS + 48 * self.variants)

    @property
    def splits(self) -> int:
        """Bytes of the probability of overfitting; 0 where there is none."""
        if self.parts is None:
            return 0
        return self.variants * (16 * self.parts + 80) + A_SPLIT * math.comb(self.parts, self.parts // 2) + 2**22

    def fitting(self) -> tuple[bool, bool]:
        """Whether the tests against cash fit, and whether the probability of overfitting fits beside them."""
        left = self.budget // 2
        tested = self.tests <= left
        return tested, self.splits <= left - (self.tests if tested else 0)

    def sentence(self, what: str, needed: int, how: str) -> str:
        """Why a part was left out."""
        return f"{what} not computed: {shown(needed)} are needed, and {LIMIT} {shown(self.budget)}; {how} with budget= computes them."


LIMIT = "the budget is"
"""Words of every such sentence."""
