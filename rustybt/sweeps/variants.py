"""The variants of a sweep: every strategy on every dataset with every assignment, numbered from 0."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from numbers import Integral
from typing import Any, overload

import polars as pl

from rustybt.errors import ConfigError
from rustybt.spec import StrategyFunction
from rustybt.sweeps.grid import Assignments, series
from rustybt.sweeps.limits import check_count
from rustybt.sweeps.measure import columns
from rustybt.sweeps.names import LUCK, refuse_taken


@dataclass(frozen=True)
class Block:
    """The assignments of one strategy on one dataset.

    Attributes:
        data: number of the dataset.
        strategy: number of the strategy.
        assignments: parameter values.
    """

    data: int
    strategy: int
    assignments: Assignments


@dataclass(frozen=True)
class Chunk:
    """Variants that are evaluated together, all of one block.

    Attributes:
        first: number of the first in the sweep.
        block: as above, with these variants alone.
    """

    first: int
    block: Block

    @property
    def count(self) -> int:
        """Number of variants."""
        return self.block.assignments.count


class Chunks(Sequence[Chunk]):
    """Chunks, each made when it is asked for: all at once they would hold every parameter a second time.

    Args:
        parts: number of the first variant of a block, the block, and which of its variants.
    """

    def __init__(self, parts: Sequence[tuple[int, Block, range]]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts)

    @overload
    def __getitem__(self, at: int) -> Chunk: ...
    @overload
    def __getitem__(self, at: slice) -> Chunks: ...
    def __getitem__(self, at: int | slice) -> Chunk | Chunks:
        if isinstance(at, slice):
            return Chunks(self.parts[at])
        start, block, rows = self.parts[at]
        return Chunk(start + rows.start, Block(block.data, block.strategy, block.assignments.taken(rows)))


@dataclass(frozen=True)
class Variants:
    """All variants, in order.

    Attributes:
        strategies: families of strategies.
        datasets: names of the data; one empty name when there is only one dataset.
        blocks: the assignments of each strategy on each dataset.
        several: whether strategies are told apart in a column, and datasets.
    """

    strategies: tuple[StrategyFunction, ...]
    datasets: tuple[str, ...]
    blocks: tuple[Block, ...]
    several: tuple[bool, bool]

    @cached_property
    def starts(self) -> list[int]:
        """Number of the first variant of each block, and the number of all."""
        return [0, *accumulate(block.assignments.count for block in self.blocks)]

    @property
    def count(self) -> int:
        """Number of variants."""
        return self.starts[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that vary, in the order they were given."""
        return tuple(dict.fromkeys(name for block in self.blocks for name in block.assignments.columns))

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that say what a variant is, beside its number."""
        return (*(("data",) if self.several[1] else ()), *(("strategy",) if self.several[0] else ()), *self.names)

    def at(self, variant: int) -> tuple[Block, dict[str, Any]]:
        """The block and the parameters of one variant.

        Raises:
            ConfigError: there is no such variant.
        """
        if isinstance(variant, bool) or not isinstance(variant, Integral) or not 0 <= variant < self.count:
            raise ConfigError(f"there is no variant {variant!r}", where="sweep, run", do=f"give 0 to {self.count - 1}")
        place = bisect_right(self.starts, variant) - 1
        return self.blocks[place], self.blocks[place].assignments[variant - self.starts[place]]

    def within(self, wanted: Sequence[range]) -> Iterator[tuple[int, Block, range]]:
        """Stretches of variants cut at the blocks: number of the block's first variant, the block, and which of its variants."""
        for part in wanted:
            for block, start in zip(self.blocks, self.starts, strict=False):
                low, high = max(0, part.start - start), min(block.assignments.count, part.stop - start)
                if low < high:
                    yield start, block, range(low, high)

    def chunks(self, size: int, workers: int = 1, wanted: Sequence[range] | None = None) -> Chunks:
        """Variants in chunks of a size at most.

        Args:
            size: variants of a chunk.
            workers: that take them in turns. Their first chunks are of different sizes, so that they do not all come for more at a time.
            wanted: stretches of numbers, in order; None = all.
        """
        found, sizes = [], [max(1, size * part // workers) for part in range(1, workers)]
        for start, block, rows in self.within((range(self.count),) if wanted is None else wanted):
            low = rows.start
            while low < rows.stop:
                high = min(low + (sizes.pop(0) if sizes else size), rows.stop)
                found.append((start, block, range(low, high)))
                low = high
        return Chunks(found)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """What each variant is: ``variant`` (UInt32), ``data`` and ``strategy`` where there are several, the parameters."""
        columns: dict[str, pl.Series] = {"variant": pl.int_range(self.count, dtype=pl.UInt32, eager=True).alias("variant")}
        if self.several[1]:
            columns["data"] = _repeated(self, [self.datasets[block.data] for block in self.blocks])
        if self.several[0]:
            columns["strategy"] = _repeated(self, [self.strategies[block.strategy].name for block in self.blocks])
        for name in self.names:
            if len(self.blocks) == 1:
                columns[name] = series(name, self.blocks[0].assignments.columns[name])
                continue
            values: list[Any] = []
            for block in self.blocks:
                values += block.assignments.columns.get(name, [None] * block.assignments.count)
            columns[name] = series(name, values)
        return pl.DataFrame(columns)

    def digest(self) -> str:
        """SHA-256 of what all variants are."""
        parts = [[self.datasets[b.data], self.strategies[b.strategy].name, b.assignments.digest()] for b in self.blocks]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def variants_of(
    strategies: Sequence[StrategyFunction], datasets: Sequence[str], assignments: Assignments, several: tuple[bool, bool]
) -> Variants:
    """Every strategy on every dataset; each strategy is given the parameters that it has.

    Raises:
        ConfigError: a parameter that no strategy has or that is called like a column of the results, a strategy that has none of them,
            two strategies of one name, or more variants than can be kept.
    """
    names = [strategy.name for strategy in strategies]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(f"two strategies are called {twice[0]!r}", where="sweep, strategy", do="name one: @rbt.strategy(name=...)")
    refuse_taken(assignments.columns, ("variant", "data", "strategy", *columns(8), *LUCK), "sweep")
    for name in assignments.columns:
        having = [strategy for strategy in strategies if name in strategy.parameters]
        if not having:
            whose = f"strategy {names[0]!r} has" if len(names) == 1 else "no strategy has"
            known = (
                ", ".join(dict.fromkeys(known for strategy in strategies for known in strategy.parameters))
                or "none: it takes no parameters"
            )
            no = "no " if len(names) == 1 else ""
            raise ConfigError(
                f"{whose} {no}parameter {name!r}".replace("has no no", "has no"), where="sweep, grid", do=f"use one of {known}"
            )
    check_count(len(strategies) * len(datasets) * assignments.count, "sweep")
    blocks = []
    for data in range(len(datasets)):
        for number, strategy in enumerate(strategies):
            own = {name: column for name, column in assignments.columns.items() if name in strategy.parameters}
            blocks.append(Block(data, number, Assignments(own, assignments.count) if len(strategies) == 1 else _different(own, strategy)))
    return Variants(tuple(strategies), tuple(datasets), tuple(blocks), several)


def _different(own: Mapping[str, Sequence[Any]], strategy: StrategyFunction) -> Assignments:
    """Each assignment of some of the parameters once."""
    if not own:
        raise ConfigError(f"strategy {strategy.name!r} has none of the parameters", where="sweep, strategy", do="leave it out, or vary one")
    rows = list(dict.fromkeys(zip(*own.values(), strict=True)))
    return Assignments({name: [row[k] for row in rows] for k, name in enumerate(own)}, len(rows))


def _repeated(variants: Variants, names: Sequence[str]) -> pl.Series:
    parts = [pl.repeat(name, block.assignments.count, eager=True) for name, block in zip(names, variants.blocks, strict=True)]
    return pl.concat(parts)
