"""Trials of rows that an earlier call left in the directory of a sweep: the registry may never have heard of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rustybt.errors import ConfigError
from rustybt.sweeps.gather import PIECE, Gathered
from rustybt.sweeps.registry import Trial, TrialRegistry, trial_under, uncounted, written

ASKED = 32
"""Rows of a part by which the registry is tried; where it lacks one of them it is told of all that it lacks."""


def recount(registry: TrialRegistry, gathered: Gathered, kept: Sequence[range]) -> list[str]:
    """Count what was run before and is not run again: under another registry, under none, or under one that is gone.

    Args:
        registry: that counts.
        gathered: all rows, in their directory.
        kept: numbers of the variants that were there.

    Returns:
        Why they cannot be counted.
    """
    try:
        for start, block, places in gathered.variants.within(kept):
            snapshot = gathered.work.panels[block.data].snapshot
            whole = range(start + places.start, start + places.stop)
            some = whole[:: -(-len(whole) // ASKED)]
            if registry.lacking(snapshot, [trial for number in some for trial in named(gathered, range(number, number + 1))]):
                for first in range(whole.start, whole.stop, PIECE):
                    part = list(named(gathered, range(first, min(first + PIECE, whole.stop))))
                    registry.record(snapshot, registry.lacking(snapshot, part))
    except ConfigError as error:
        return [uncounted(error)]
    return []


def named(gathered: Gathered, numbers: range) -> Iterator[Trial]:
    """Some variants of one block as the registry counts them, without those that failed."""
    variants, settings = gathered.variants, written(gathered.work.config)
    rows = (row for part in gathered.judged(numbers.start, len(numbers)) for row in part.iter_rows())
    for number, (sharpe, periods, error) in zip(numbers, rows, strict=True):
        if error is None:
            block, params = variants.at(number)
            family = variants.strategies[block.strategy]
            each = None if sharpe is None or not periods else sharpe / periods**0.5
            yield Trial(trial_under(f'"{family(**params).spec_id}"', settings), family.name, each)
