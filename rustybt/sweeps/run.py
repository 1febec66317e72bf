"""Run every variant, keep one row of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from rustybt.engine.bulk import panel_of
from rustybt.engine.config import configured
from rustybt.errors import ConfigError
from rustybt.model.arguments import flag
from rustybt.model.sizes import bytes_of, shown
from rustybt.spec import StrategyFunction
from rustybt.sweeps.executors import sited
from rustybt.sweeps.gather import Gathered
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.honest import session_sharpes
from rustybt.sweeps.identity import facts_of
from rustybt.sweeps.options import Options
from rustybt.sweeps.outcome import Sweep
from rustybt.sweeps.plan import SweepPlan, planned, room_of
from rustybt.sweeps.progress import Told, check_out, check_progress
from rustybt.sweeps.recount import recount
from rustybt.sweeps.registry import Tally, counted, open_registry
from rustybt.sweeps.sampling import drawing_of, sampled
from rustybt.sweeps.store import Folder, read_manifest
from rustybt.sweeps.variants import Variants, variants_of
from rustybt.sweeps.whole import Files
from rustybt.sweeps.work import Work


def sweep(
    strategy: StrategyFunction | Sequence[StrategyFunction],
    data: Any,
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    variants: Iterable[Mapping[str, Any]] | None = None,
    space: Mapping[str, Any] | None = None,
    samples: int | None = None,
    method: Literal["random", "latin"] | None = None,
    log: Sequence[str] = (),
    seed: int | None = None,
    where: str | None = None,
    budget: str | int = "2GB",
    workers: int | None = None,
    executor: str = "threads",
    address: str | None = None,
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
        samples: how many to draw from the space; None = 100.
        method: ``random`` (None) or ``latin`` (a Latin hypercube, which spreads them evenly along each parameter).
        log: parameters drawn evenly in their logarithm.
        seed: of the drawing; None = 0. Like the three above it is refused without a space.
        where: condition on the parameters, in SQL, such as ``"fast < slow"``.
        budget: most bytes of memory that evaluation may take on one machine beside the data and the rows: ``"2GB"`` or a number.
        workers: how many at a time; None = one per core, of the cluster where there is one. Results depend neither on it nor on the
            executor.
        executor: ``threads``, ``processes`` (each with its own copy of the data), or ``ray``; see docs/how-to/cluster.md.
        address: of a Ray cluster, such as ``"10.0.0.1:6379"`` or ``"auto"``; None = the one that ``RAY_ADDRESS`` names or the program is
            connected to, else Ray on this machine.
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
            variant, a directory of another sweep, a registry of trials that cannot be used, or a cluster that cannot be reached or has
            another version of a library.
        MissingExtraError: ``executor="ray"`` without Ray.

    Example:
        >>> import rustybt as rbt
        >>> @rbt.strategy
        ... def share(weight: float = 0.1) -> rbt.Strategy:
        ...     return rbt.Strategy(target=rbt.weight(weight))
        >>> rbt.sweep(share, "demo", grid={"weight": [0.1, 0.2]}).frame["fills"].to_list()
        [5, 5]
    """
    check_out(out)
    flag(curves, "sweep, curves")
    check_progress(progress)
    asked = Asked(grid, variants, space, {"samples": samples, "method": method, "log": log, "seed": seed}, where)
    with sited(executor, workers, address) as site:
        options = Options(bytes_of(budget), site, None if out is None else Path(out), curves, trials)
        return run_all(*prepared(strategy, data, asked, options, settings), options, progress)


def plan(
    strategy: StrategyFunction | Sequence[StrategyFunction],
    data: Any,
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    variants: Iterable[Mapping[str, Any]] | None = None,
    space: Mapping[str, Any] | None = None,
    samples: int | None = None,
    method: Literal["random", "latin"] | None = None,
    log: Sequence[str] = (),
    seed: int | None = None,
    where: str | None = None,
    budget: str | int = "2GB",
    workers: int | None = None,
    executor: str = "threads",
    address: str | None = None,
    **settings: Any,
) -> SweepPlan:
    """What a sweep would do, before anything runs: features, chunks, bytes. Like a sweep it calls the strategy function where it has to.

    Args:
        strategy: as in `sweep`, like all that follows.
        data: as in `sweep`.
        grid: as in `sweep`.
        variants: as in `sweep`.
        space: as in `sweep`.
        samples: as in `sweep`.
        method: as in `sweep`.
        log: as in `sweep`.
        seed: as in `sweep`.
        where: as in `sweep`.
        budget: as in `sweep`.
        workers: as in `sweep`.
        executor: as in `sweep`.
        address: as in `sweep`.
        **settings: of the run.

    Returns:
        A `SweepPlan`, which prints; `rustybt.explain` takes it too.

    Raises:
        ConfigError: as `sweep`.

    Example:
        >>> import polars as pl
        >>> import rustybt as rbt
        >>> @rbt.strategy
        ... def cross(fast: int = 5, slow: int = 20) -> rbt.Strategy:
        ...     up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
        ...     return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.19).otherwise(0.0)))
        >>> plan(cross, "demo", grid={"fast": [5, 10], "slow": [20, 50, 100]}).features
        5
    """
    asked = Asked(grid, variants, space, {"samples": samples, "method": method, "log": log, "seed": seed}, where)
    with sited(executor, workers, address) as site:
        options = Options(bytes_of(budget), site, None, curves=False, trials="off")
        return planned(*prepared(strategy, data, asked, options, settings), options)


@dataclass(frozen=True)
class Asked:
    """Which variants were asked for: one of the first three."""

    grid: Mapping[str, Iterable[Any]] | None
    variants: Iterable[Mapping[str, Any]] | None
    space: Mapping[str, Any] | None
    drawing: Mapping[str, Any]
    where: str | None

    def assignments(self) -> Assignments:
        """Their parameters.

        Raises:
            ConfigError: none, or several ways at once, or a setting of a drawing where nothing is drawn.
        """
        ways = {"grid": self.grid, "variants": self.variants, "space": self.space}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) != 1:
            said = f"{' and '.join(given)} are given together" if given else "there are no variants"
            raise ConfigError(said, where="sweep", do="give one of grid=, variants= and space=")
        if self.space is not None:
            return sampled(self.space, drawing_of(**self.drawing), self.where)
        idle = [name for name, value in self.drawing.items() if not (value is None or (isinstance(value, tuple | list) and not value))]
        if idle:
            what = f"{idle[0]}= is of a drawing, and {given[0]}= runs whole"
            raise ConfigError(what, where=f"sweep, {idle[0]}", do='leave it out, or draw: space={"fast": rbt.Range(2, 50)}')
        if self.grid is not None:
            return Assignments.of_grid(self.grid).meeting(self.where)
        return Assignments.of_rows(() if self.variants is None else self.variants).meeting(self.where)


def prepared(strategy: object, data: Any, asked: Asked, options: Options, settings: Mapping[str, Any]) -> tuple[Variants, Work]:
    """What is to be run, checked.

    Raises:
        ConfigError: as `sweep`.
    """
    chosen, families = asked.assignments(), families_of(strategy)
    several = isinstance(strategy, Sequence), isinstance(data, Mapping)
    if several[1] and not data:
        raise ConfigError("there are no data", where="sweep, data", do='give a dataset, or several as {"eu": ..., "us": ...}')
    every = variants_of(families, tuple(data) if several[1] else ("",), chosen, several)
    panels = tuple(panel_of(one) for one in (data.values() if several[1] else (data,)))
    room = room_of(options, panels)
    return every, Work(families, panels, configured(settings, "sweep"), options.curves, budget=room)


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
    work = replace(work, counting=registry is not None)
    check_curves(variants, work, options)
    folder = None
    if options.out is not None:
        folder = Folder(options.out, *facts_of(variants, work.panels, work.config, curves=options.curves))
    gathered = Gathered(variants, work, folder, registry)
    if folder is None:
        gathered.fill(options, progress, [range(variants.count)])
    else:
        with folder.held():
            there = folder.open()
            notes += [f"{why}: its variants were run again." for why in there.damaged.values()]
            gathered.fill(options, progress, there.gaps(variants.count))
            if not folder.finished:
                folder.notes["seconds"] = gathered.seconds
                folder.finish()
            if registry is not None and not gathered.notes:
                gathered.notes += recount(registry, gathered, there.whole)
    tallies: dict[str, Tally] = {}
    rows = gathered.results()
    for number, (name, panel) in enumerate(zip(variants.datasets, work.panels, strict=True)):
        tally, failed = counted(None if gathered.notes else registry, panel.snapshot, [])
        notes += failed
        tallies[name] = tally if tally is not None else Tally.of_parts(_sharpes(gathered, number), variants.count)
    notes += gathered.notes
    panels = dict(zip(variants.datasets, work.panels, strict=True))
    took = gathered.seconds if folder is None else read_manifest(folder.path).get("seconds")
    files = Files({}) if folder is None else folder.files().trusted()
    return Sweep(
        rows,
        variants,
        panels,
        work.config,
        tallies,
        tuple(dict.fromkeys(notes)),
        options.out,
        gathered.equity(),
        took,
        options.budget,
        files,
    )


def _sharpes(gathered: Gathered, data: int) -> Iterator[pl.Series]:
    variants = gathered.variants
    own = [(start, block.assignments.count) for start, block in zip(variants.starts, variants.blocks, strict=False) if block.data == data]
    return (session_sharpes(rows) for start, count in own for rows in gathered.judged(start, count))


def check_curves(variants: Variants, work: Work, options: Options) -> None:
    """Refuse curves that would not fit into memory.

    Raises:
        ConfigError: naming their size.
    """
    size = sum(block.assignments.count * work.panels[block.data].bars for block in variants.blocks) * 28
    if options.curves and options.out is None and size > options.budget:
        what = f"the curves of {variants.count:,} variants take {shown(size)}, the budget is {shown(options.budget)}"
        raise ConfigError(what, where="sweep, curves", do="give out=, or a larger budget")
