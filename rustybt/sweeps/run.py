"""Run every variant, keep one row of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from rustybt.engine import configure
from rustybt.engine.bulk import panel_of
from rustybt.errors import ConfigError
from rustybt.ledger.money import decimal_column
from rustybt.spec import StrategyFunction
from rustybt.sweeps.budget import bytes_of, shown
from rustybt.sweeps.evaluate import Rows
from rustybt.sweeps.executors import Work, executor_of, workers_of
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.honest import session_sharpes
from rustybt.sweeps.identity import facts_of
from rustybt.sweeps.outcome import Sweep
from rustybt.sweeps.progress import Told, telling
from rustybt.sweeps.registry import Tally, Trial, TrialRegistry, counted, open_registry
from rustybt.sweeps.sampling import Drawing, sampled
from rustybt.sweeps.store import Folder
from rustybt.sweeps.variants import Chunk, Variants, variants_of

CHUNK = 64
"""Variants that a worker takes at a time, at most."""
WRITE_EVERY = 5.0
"""Seconds between parts on the disk: what a kill can cost."""


def sweep(
    strategy: StrategyFunction | Sequence[StrategyFunction],
    data: Any,
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    variants: Iterable[Mapping[str, Any]] | None = None,
    space: Mapping[str, Any] | None = None,
    samples: int = 100,
    method: Literal["random", "latin"] = "random",
    log: Sequence[str] = (),
    seed: int = 0,
    where: str | None = None,
    budget: str | int = "2GB",
    workers: int | None = None,
    executor: str = "threads",
    out: str | Path | None = None,
    curves: bool = False,
    progress: Callable[[int, int], None] | bool | None = None,
    trials: str | Path | None = None,
    **settings: Any,
) -> Sweep:
    """Run many variants of a strategy.

    Give one of ``grid``, ``variants`` and ``space``.

    Args:
        strategy: a ``@strategy`` function, or several; each is given the parameters that it has.
        data: a Panel or anything `rustybt.load` takes; or a mapping of names to such, to run everything on each.
        grid: values by parameter name: every combination runs.
        variants: a list of assignments.
        space: a `Range` or a list of choices by parameter name, from which assignments are drawn.
        samples: how many to draw.
        method: ``random`` or ``latin`` (a Latin hypercube, which spreads them evenly along each parameter).
        log: parameters drawn evenly in their logarithm.
        seed: of the drawing.
        where: condition on the parameters, in SQL, such as ``"fast < slow"``.
        budget: most bytes of memory that evaluation may take beside the data and the rows: ``"2GB"`` or a number.
        workers: how many at a time; None = one per core. Results depend neither on it nor on the executor.
        executor: ``threads``, or ``processes`` (each with its own copy of the data).
        out: directory for rows and curves, written while it runs. The same call goes on where a killed one was.
        curves: keep the equity of every bar of every variant.
        progress: called with (done, total); True shows a bar, None shows one on a terminal for work over a second, False is quiet.
        trials: file that counts every trial on these data; None = the user's (``RUSTYBT_TRIALS`` names another), ``"off"`` = count this
            sweep alone.
        **settings: of the run: ``cash``, ``costs``, ``fill`` ... as in `rustybt.run`.

    Returns:
        A `Sweep`. A variant that fails is a row with its error.

    Raises:
        ConfigError: an empty grid, a parameter that the strategy does not have, a condition that leaves nothing, a budget too small for one
            variant, a directory of another sweep, or a registry of trials that cannot be used.

    Example:
        >>> import rustybt as rbt
        >>> @rbt.strategy
        ... def share(weight: float = 0.1) -> rbt.Strategy:
        ...     return rbt.Strategy(target=rbt.weight(weight))
        >>> rbt.sweep(share, "demo", grid={"weight": [0.1, 0.2]}).frame["fills"].to_list()
        [5, 5]
    """
    given = [name for name, value in (("grid", grid), ("variants", variants), ("space", space)) if value is not None]
    if len(given) != 1:
        said = f"{' and '.join(given)} are given together" if given else "there are no variants"
        raise ConfigError(said, where="sweep", do="give one of grid=, variants= and space=")
    if grid is not None:
        chosen = Assignments.of_grid(grid).meeting(where)
    elif variants is not None:
        chosen = Assignments.of_rows(variants).meeting(where)
    else:
        chosen = sampled(space or {}, Drawing(samples, method, seed, tuple(log)), where)
    several = isinstance(strategy, Sequence), isinstance(data, Mapping)
    families = families_of(strategy)
    every = variants_of(families, tuple(data) if several[1] else ("",), chosen, several)
    options = Options(bytes_of(budget), workers_of(workers), executor, None if out is None else Path(out), curves, trials)
    executor_of(executor)
    panels = tuple(panel_of(one) for one in (data.values() if several[1] else (data,)))
    return run_all(every, Work(families, panels, configure(**settings), curves), options, progress)


@dataclass(frozen=True)
class Options:
    """How a sweep is run: nothing here changes a row.

    Attributes:
        budget: bytes.
        workers: how many at a time.
        executor: name.
        out: directory, or None.
        curves: whether they are kept.
        trials: file of the registry; see `sweep`.
    """

    budget: int
    workers: int
    executor: str
    out: Path | None
    curves: bool
    trials: str | Path | None


def families_of(strategy: object) -> tuple[StrategyFunction, ...]:
    """One or several ``@strategy`` functions.

    Raises:
        ConfigError: something else.
    """
    given = tuple(strategy) if isinstance(strategy, Sequence) else (strategy,)
    wrong = [one for one in given if not isinstance(one, StrategyFunction)]
    if wrong or not given:
        what = f"{wrong[0]!r} is not a @strategy function" if wrong else "there are no strategies"
        raise ConfigError(what, where="sweep, strategy", do="decorate it with @rustybt.strategy")
    return given


def run_all(variants: Variants, work: Work, options: Options, progress: Told | bool | None) -> Sweep:
    """Run what is not done yet, and put everything together."""
    registry, notes = open_registry(options.trials)
    check_curves(variants, work, options)
    folder = None
    if options.out is not None:
        folder = Folder(options.out, *facts_of(variants, work.panels, work.config, curves=options.curves))
    gathered = Gathered(variants, work, folder, registry)
    if folder is None:
        gathered.fill(options, progress, 0)
    else:
        with folder.held():
            folder.open()
            gathered.fill(options, progress, variants.count if folder.finished else folder.done)
            if not folder.finished:
                folder.finish()
    tallies: dict[str, Tally] = {}
    rows = gathered.results()
    for number, (name, panel) in enumerate(zip(variants.datasets, work.panels, strict=True)):
        tally, failed = counted(registry, panel.snapshot, gathered.tried.pop(number, []))
        notes += failed
        tallies[name] = tally if tally is not None else Tally.of(_sharpes(rows, variants, number))
    panels = dict(zip(variants.datasets, work.panels, strict=True))
    return Sweep(rows, variants, panels, work.config, tallies, tuple(dict.fromkeys(notes)), options.out, gathered.equity())


def _sharpes(rows: pl.LazyFrame, variants: Variants, data: int) -> list[float | None]:
    own = [(start, block.assignments.count) for start, block in zip(variants.starts, variants.blocks, strict=False) if block.data == data]
    good = [rows.slice(start, count).filter(pl.col("error").is_null()) for start, count in own]
    return session_sharpes(pl.concat(good).collect())


def check_curves(variants: Variants, work: Work, options: Options) -> None:
    """Refuse curves that would not fit into memory.

    Raises:
        ConfigError: naming their size.
    """
    size = sum(block.assignments.count * work.panels[block.data].bars for block in variants.blocks) * 28
    if options.curves and options.out is None and size > options.budget:
        what = f"the curves of {variants.count:,} variants take {shown(size)}, the budget is {shown(options.budget)}"
        raise ConfigError(what, where="sweep, curves", do="give out=, or a larger budget")


@dataclass
class Gathered:
    """Rows as they come."""

    variants: Variants
    work: Work
    folder: Folder | None
    registry: TrialRegistry | None
    tried: dict[int, list[Trial]] = field(default_factory=dict)
    _rows: list[pl.DataFrame] = field(default_factory=list)
    _curves: list[pl.DataFrame] = field(default_factory=list)

    def fill(self, options: Options, progress: Told | bool | None, done: int) -> None:
        """Evaluate the variants from one on. What is there is kept, and counted, when it is broken off."""
        chunks = self.variants.chunks(done, chunk_size(self.variants.count - done, options.workers))
        pending, since = Pending(done), time.monotonic()
        with telling(progress, self.variants.count) as tell:
            if done:
                tell(done, self.variants.count)
            try:
                for chunk, rows in zip(chunks, self._evaluated(chunks, options), strict=True):
                    self.tried.setdefault(chunk.block.data, []).extend(rows.trials)
                    pending.add(rows, self._curves_of(chunk, rows))
                    if self.folder is not None and time.monotonic() - since > WRITE_EVERY:
                        self._count()  # before the rows are safe: a kill in between counts a run twice, never not at all
                        self._keep(pending)
                        since = time.monotonic()
                    tell(pending.reached, self.variants.count)
            except BaseException:
                self._count()
                raise
            finally:
                self._keep(pending)

    def _count(self) -> None:
        """Tell the registry what was tried."""
        for number, trials in self.tried.items():
            counted(self.registry, self.work.panels[number].snapshot, trials)
        self.tried.clear()

    def _evaluated(self, chunks: Sequence[Chunk], options: Options) -> Iterator[Rows]:
        return executor_of(options.executor)(self.work, chunks, options.workers)

    def _keep(self, pending: Pending) -> None:
        """Put what waits where it belongs."""
        if pending.rows:
            first, rows, curves = pending.take()
            rows = pl.concat([self.variants.frame.slice(first, rows.height), rows], how="horizontal")
            if self.folder is not None:
                self.folder.add(first, rows, curves)
            else:
                self._rows.append(rows)
                self._curves += [] if curves is None else [curves]

    def _curves_of(self, chunk: Chunk, rows: Rows) -> pl.DataFrame | None:
        if rows.curves is None:
            return None
        panel, count = self.work.panels[chunk.block.data], len(rows.curves)
        good = np.flatnonzero(rows.frame["error"].is_null().to_numpy())
        numbers = np.arange(chunk.first, chunk.first + count, dtype=np.uint32)[good]
        ts = pl.Series("ts", np.tile(panel.ts, len(good))).cast(pl.Datetime("us", "UTC"))
        equity = decimal_column("equity", rows.curves[good].reshape(-1), self.work.config.money_scale)
        return pl.DataFrame([pl.Series("variant", np.repeat(numbers, panel.bars)), ts, equity])

    def results(self) -> pl.LazyFrame:
        """All rows."""
        return self.folder.rows() if self.folder is not None else pl.concat(self._rows, rechunk=True).lazy()

    def equity(self) -> pl.LazyFrame | None:
        """All curves, or None."""
        if not self.work.curves:
            return None
        return self.folder.curves() if self.folder is not None else pl.concat(self._curves).lazy()


@dataclass
class Pending:
    """Rows that are not kept yet, and the number of the first."""

    first: int
    rows: list[pl.DataFrame] = field(default_factory=list)
    curves: list[pl.DataFrame] = field(default_factory=list)
    reached: int = 0

    def __post_init__(self) -> None:
        self.reached = self.first

    def add(self, rows: Rows, curves: pl.DataFrame | None) -> None:
        """Rows of the next variants."""
        self.rows.append(rows.frame)
        self.curves += [] if curves is None else [curves]
        self.reached += rows.frame.height

    def take(self) -> tuple[int, pl.DataFrame, pl.DataFrame | None]:
        """All that waits, with the number of its first variant."""
        taken = self.first, pl.concat(self.rows, rechunk=True), pl.concat(self.curves) if self.curves else None
        self.first, self.rows, self.curves = self.reached, [], []
        return taken


def chunk_size(count: int, workers: int) -> int:
    """Variants of a chunk: few enough that all workers have something to do."""
    return max(1, min(CHUNK, count // (4 * workers)))
