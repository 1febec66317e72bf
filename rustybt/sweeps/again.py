"""Variants run once more for their session returns, which a sweep does not keep: batch after batch, so that memory does not grow."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import polars as pl

from rustybt.analysis.metrics.curve import Floats, simple_returns
from rustybt.engine import RunConfig, run_configured
from rustybt.engine.begin import begun
from rustybt.engine.summary import curve_of
from rustybt.errors import ConfigError, RustyBTError
from rustybt.model import Panel
from rustybt.sweeps.evaluate import ROOM, Rows
from rustybt.sweeps.executors import evaluated
from rustybt.sweeps.options import CHUNK, Site, chunk_size
from rustybt.sweeps.variants import Block, Chunk, Variants
from rustybt.sweeps.work import Work


@dataclass(frozen=True, eq=False)
class Tried:
    """Variants that were tried and can be run again.

    Attributes:
        variants: strategies and parameters.
        panels: bars of each dataset.
        config: settings of the runs.
        rows: of those that ran, in order: ``variant``, ``total_return``, ``volatility``, ``sharpe``, ``periods_per_year``.
        seconds: what one variant took by the clock; None where nobody looked.
        room: bytes for features.
        most: variants that are run together, at most.
    """

    variants: Variants
    panels: tuple[Panel, ...]
    config: RunConfig
    rows: pl.DataFrame
    seconds: float | None = None
    room: int = ROOM
    most: int = CHUNK

    @property
    def numbers(self) -> list[int]:
        """Of the variants that ran."""
        found: list[int] = self.rows["variant"].to_list()
        return found

    def sessions(self) -> int:
        """Session returns of a variant.

        Raises:
            ConfigError: no variant has run, or the datasets have different sessions.
        """
        if not self.rows.height:
            raise ConfigError("no variant has run", where="sweep, returns", do="look at the column 'error'")
        used = {block.data for block in self.variants.blocks}
        counts = {len(begun(self.panels[data], self.config).session_ends) for data in used}
        if len(counts) > 1:
            raise ConfigError("the datasets have different sessions", where="sweep, returns", do="sweep one dataset at a time")
        return counts.pop()

    def leading(self, count: int) -> list[int]:
        """Numbers of the variants with the highest mean return, the first of equal ones first."""
        wanted = self.rows.select(
            "variant",
            mean=pl.when(pl.col("volatility") > 0)
            .then(pl.col("sharpe") * pl.col("volatility") / pl.col("periods_per_year"))
            .otherwise(pl.col("total_return"))
            .fill_null(-np.inf),
        )
        found: list[int] = wanted.sort("mean", "variant", descending=[True, False])["variant"].head(count).to_list()
        return found

    def returns(self, numbers: Sequence[int], site: Site) -> Generator[Floats]:
        """Session returns of some variants, given in ascending order.

        Returns:
            One batch after the other: (sessions, variants) Float64; NaN after a session that left nothing.

        Raises:
            RustyBTError: a variant that ran cannot be run again.
        """
        if self.config.flows:  # money that comes in is no return: a full run knows
            for number in numbers:
                block, parameters = self.variants.at(number)
                made = self.variants.strategies[block.strategy](**parameters)
                yield curve_of(run_configured({made.name: made}, self.panels[block.data], self.config)).closes().returns[:, None]
            return
        work = Work(self.variants.strategies, self.panels, self.config, curves=True, counting=False, budget=self.room)
        chunks = self._chunks(numbers, min(self.most, chunk_size(len(numbers), site.workers, self.panels)))
        with closing(evaluated(work, chunks, site)) as found:
            for chunk, rows in zip(chunks, found, strict=True):
                yield self._closes(chunk, rows)

    def _chunks(self, numbers: Sequence[int], size: int) -> list[Chunk]:
        wanted, found = np.array(numbers, dtype=np.int64), []
        for block, start in zip(self.variants.blocks, self.variants.starts, strict=False):
            own = wanted[(wanted >= start) & (wanted < start + block.assignments.count)]
            for first in range(0, len(own), size):
                at = (own[first : first + size] - start).tolist()
                together = range(at[0], at[-1] + 1)  # taken without looking at each where none is missing
                taken = block.assignments.taken(together if len(together) == len(at) else at)
                found.append(Chunk(int(own[first]), Block(block.data, block.strategy, taken)))
        return found

    def _closes(self, chunk: Chunk, rows: Rows) -> Floats:
        wrong = rows.frame["error"].drop_nulls()
        if len(wrong) or rows.curves is None:
            do = "give the same data and the same strategy: it has to do the same thing every time"
            raise RustyBTError(f"a variant that ran before fails now: {wrong[0]}", where=f"variant {chunk.first} and after", do=do)
        panel, scale = begun(self.panels[chunk.block.data], self.config), 10.0**self.config.money_scale
        opening = float(self.config.cash.scaleb(self.config.money_scale))
        ends = rows.curves[:, panel.session_ends]
        table = np.empty((ends.shape[1], len(ends)))
        for at, units in enumerate(ends):
            table[:, at] = simple_returns(np.concatenate(([opening], units)) / scale)
        return table
