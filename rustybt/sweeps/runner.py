"""Variants run for a study that asks for batch after batch, such as a search or a walk-forward, by the same workers all along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import polars as pl

from rustybt.engine import RunConfig
from rustybt.model import Panel
from rustybt.model.panel import Ints
from rustybt.spec import StrategyFunction
from rustybt.sweeps.evaluate import ROOM, Rows
from rustybt.sweeps.executors import Crew, crew, sited
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.options import Site, chunk_size
from rustybt.sweeps.registry import Trial
from rustybt.sweeps.variants import Block, Variants
from rustybt.sweeps.work import Work

KEPT = 2
"""Works that are kept: a search that prunes takes turns with a part of the bars."""


class Runner:
    """Runs variants; what a batch has prepared serves the next on the same bars.

    Args:
        workers: who runs them.
        site: where they are.
    """

    def __init__(self, workers: Crew, site: Site) -> None:
        self.workers, self.site = workers, site
        self.works: list[Work] = []
        self.trials: tuple[Trial, ...] = ()

    def rows(
        self,
        strategy: StrategyFunction,
        panel: Panel,
        config: RunConfig,
        variants: Iterable[Mapping[str, Any]],
        progress: Callable[[int, int], None] | None = None,
        *,
        counting: bool = False,
    ) -> pl.DataFrame:
        """One row per variant in the order given, as `rustybt.sweeps.evaluate` has them.

        Args:
            strategy: their family.
            panel: bars.
            config: settings of the runs.
            variants: parameter values.
            progress: called with (done, total) variants.
            counting: whether `trials` become what the registry counts of them.

        Raises:
            ConfigError: no variants, or a strategy that cannot be sent to where it is to run.
        """
        given, work = Assignments.of_rows(variants), self._work(strategy, panel, config, counting=counting)
        found = list[pl.DataFrame]()
        self.trials = ()
        for rows in self._parts(work, given, progress):
            found.append(rows.frame)
            self.trials += rows.trials
        return pl.concat([given.frame(), pl.concat(found)], how="horizontal")

    def curves(
        self,
        strategy: StrategyFunction,
        panel: Panel,
        config: RunConfig,
        variants: Iterable[Mapping[str, Any]],
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Ints, list[str | None]]:
        """Equity of each variant in the order given: (variants, bars) Int64 money units, 0 where it failed; and why it did.

        Args:
            strategy: as in `rows`, like all that follows.
            panel: as in `rows`.
            config: as in `rows`.
            variants: as in `rows`.
            progress: as in `rows`.

        Raises:
            ConfigError: as `rows`.
        """
        work = Work((strategy,), (panel,), config, curves=True, counting=False, budget=ROOM)
        found, errors = list[Ints](), list[str | None]()
        for rows in self._parts(work, Assignments.of_rows(variants), progress):
            assert rows.curves is not None
            found.append(rows.curves)
            errors += rows.frame["error"].to_list()
        return np.concatenate(found), errors

    def _parts(self, work: Work, given: Assignments, progress: Callable[[int, int], None] | None) -> Iterator[Rows]:
        size, done = chunk_size(given.count, self.site.workers, work.panels), 0
        every = Variants(work.strategies, ("",), (Block(0, 0, given),), (False, False))
        with closing(self.workers.rows(work, every.chunks(size))) as parts:
            for rows in parts:
                yield rows
                for _ in range(rows.count):
                    done += 1
                    if progress is not None:
                        progress(done, given.count)

    def _work(self, strategy: StrategyFunction, panel: Panel, config: RunConfig, *, counting: bool) -> Work:
        for one in self.works:
            if one.strategies[0] is strategy and one.panels[0] is panel and one.config is config and one.counting == counting:
                return one
        made = Work((strategy,), (panel,), config, counting=counting, budget=ROOM)
        self.works = [*self.works, made][-KEPT:]
        return made


@contextmanager
def running(executor: str, workers: int | None, address: str | None) -> Iterator[Runner]:
    """A runner, whose workers are let go at the end of the block.

    Args:
        executor: as in `rustybt.sweep`.
        workers: as in `rustybt.sweep`.
        address: as in `rustybt.sweep`.

    Raises:
        ConfigError: as `rustybt.sweeps.executors.sited`.
    """
    with sited(executor, workers, address) as site, crew(site) as found:
        yield Runner(found, site)
