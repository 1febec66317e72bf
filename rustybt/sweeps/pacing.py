"""Chunks of variants that take their time one by one: small at first, then as many as a worker does in a second or two.

Variants that are evaluated together share what they need, and go in large chunks. Those that run one by one, or whose function itself is
slow, share nothing: small chunks cost nothing there, and a process that is killed loses little.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rustybt.sweeps.sketch import Sketcher, quietly
from rustybt.sweeps.variants import Block, Chunk, Variants
from rustybt.sweeps.work import Work

TARGET = 1.5
"""Seconds that a chunk is to take."""
GROWTH = 4
"""How much larger a chunk may be than those before it."""
SLOW = 0.01
"""Seconds of a call of the strategy function from which on variants are slow."""


@dataclass
class Paced:
    """Chunks whose size is decided when they are handed out.

    Attributes:
        variants: all of them.
        wanted: stretches of numbers that are to be run.
        most: variants of a chunk.
        size: variants of the next chunk.
        handed: chunks that were handed out and are not back.
    """

    variants: Variants
    wanted: Sequence[range]
    most: int
    size: int = 1
    handed: deque[Chunk] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Chunk]:
        for start, block, part in self.variants.within(self.wanted):
            low = part.start
            while low < part.stop:
                rows = range(low, min(low + self.size, part.stop))
                chunk = Chunk(start + low, Block(block.data, block.strategy, block.assignments.taken(rows)))
                self.handed.append(chunk)
                low = rows.stop
                yield chunk

    def took(self, seconds: float) -> None:
        """Choose the size of the next from the seconds of a variant."""
        self.size = max(1, min(self.most, GROWTH * self.size, int(TARGET / max(seconds, 1e-9))))


def slowly(variants: Variants, work: Work, *, apart: bool) -> bool:
    """Whether variants take their time one by one: told by the first of a strategy, whose function is called here.

    Args:
        variants: all of them.
        work: what they share.
        apart: whether they run in other processes, which a variant may end: then the first of all is asked alone, as before every sweep
            with a directory.
    """
    firsts = {block.strategy: block for block in reversed(variants.blocks)}
    asked = [variants.blocks[0]] if apart else list(firsts.values())
    return any(_slow(block, work) for block in asked)


def _slow(block: Block, work: Work) -> bool:
    if not work.evaluator(block.data).batches.can:
        return True
    family = work.strategies[block.strategy]
    with quietly(family):
        for _ in range(2):  # once more, since the first call imports what it needs
            began = time.perf_counter()
            if Sketcher(family).read(0, block.assignments[0]) is None:
                return True
            if time.perf_counter() - began < SLOW:
                return False
    return True
