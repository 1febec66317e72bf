"""Walk forward: choose on the past, trade the choice on what follows, and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.metrics import Curve, measure
from rustybt.data.cut import until
from rustybt.engine import RunConfig, run_configured
from rustybt.engine.bulk import panel_of
from rustybt.engine.config import configured
from rustybt.engine.summary import curve_of
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.model.arguments import word
from rustybt.spec import Strategy, StrategyFunction
from rustybt.sweeps.choose import Choice, Learning, learn
from rustybt.sweeps.progress import showing
from rustybt.sweeps.registry import Tally, Trial, counted, open_registry, trial_id
from rustybt.sweeps.runner import running
from rustybt.sweeps.splits import Length, Walk, Window, instant, windows
from rustybt.sweeps.stitch import Piece, cash_piece, joined, run_span, stitched_frame
from rustybt.sweeps.switch import numbered, switched
from rustybt.sweeps.walked import WalkForward, window_rows

POSITIONS = ("flat", "carry")


def walk_forward(
    strategy: StrategyFunction,
    data: Any,
    *,
    train: Length,
    test: Length,
    grid: Mapping[str, Iterable[Any]] | None = None,
    search: Mapping[str, Any] | None = None,
    where: str | None = None,
    validation: Length | None = None,
    embargo: Length = 0,
    mode: str = "rolling",
    metric: str = "sharpe",
    pick: str = "peak",
    finalists: int | None = None,
    positions: str = "flat",
    workers: int | None = None,
    executor: str = "threads",
    address: str | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
    trials: str | Path | None = None,
    **settings: Any,
) -> WalkForward:
    """Choose parameters on one stretch of the data, trade them on the next, and walk on.

    In each window every variant is run on the training bars alone, the best by ``metric`` is chosen, and the choice is traded on the test
    bars. Indicators read the bars before a stretch (all that there are), but nothing is decided or traded on them: a run begins with the
    first bar of its stretch, and its first order is filled on the second. Data after a stretch are not there while it is run.

    Args:
        strategy: a ``@strategy`` function.
        data: a Panel or anything `rustybt.load` takes.
        train: length of the training: bars, or a time such as ``"2y"``, ``"6mo"``, ``"3w"``, ``"10d"``.
        test: length of each test; tests follow each other without a gap, and the last may be shorter.
        grid: values by parameter name, as in `rustybt.sweep`.
        search: instead of a grid, arguments of `rustybt.search` such as ``{"method": "tpe", "trials": 50}``; it searches by ``metric``.
        where: condition on the parameters, such as ``"fast < slow"``.
        validation: length of a stretch between the two: the ``finalists`` of the training are compared on it, and the best there is traded.
        embargo: length that is left out before each stretch that follows another, so that what is known late cannot leak.
        mode: ``rolling`` moves the training along; ``expanding`` (or ``anchored``) lets it begin with the first bar for ever.
        metric: a column of a sweep.
        pick: ``peak`` takes the best variant, ``plateau`` the one with the best neighbours; see `rustybt.sweeps.pick`.
        finalists: how many variants reach the validation; None = 5.
        positions: ``flat``: each test begins with cash, the exact equity that the one before ended with; what is held at its end is
            valued at its last close, and no cost of closing is paid. ``carry``: one run through all tests, in which the parameters change
            at the first bar of each; positions are carried over and every trade is paid for.
        workers: how many variants at a time; None = one per core, of the cluster where there is one. The result does not depend on who
            runs them.
        executor: ``threads``, ``processes`` or ``ray``, as in `rustybt.sweep`.
        address: of a Ray cluster, as in `rustybt.sweep`.
        progress: called with (done, total) variants; True shows a bar.
        trials: file that counts trials, as in `rustybt.sweep`. A walk-forward is one trial: its result was not chosen among its variants.
        **settings: of the run: ``cash``, ``costs``, ``fill`` ... as in `rustybt.run`.

    Returns:
        A `WalkForward`.

    Raises:
        ConfigError: windows that do not fit the data, a metric that does not exist, no variant that ran, or a setting that is wrong.

    Example:
        >>> import rustybt as rbt, polars as pl
        >>> @rbt.strategy
        ... def above(window: int = 50) -> rbt.Strategy:
        ...     up = pl.col("close") > pl.col("close").rolling_mean(window)
        ...     return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.2).otherwise(0.0)))
        >>> found = rbt.walk_forward(above, "demo", grid={"window": [20, 50, 100]}, train="3y", test="1y")
        >>> found.windows["step"].len(), found.equity.height == found.windows["test_bars"].sum()
        (10, True)
    """
    word(positions, POSITIONS, "walk_forward, positions")
    for name in ("flows", "trade_from"):
        if settings.get(name) is not None:
            raise ConfigError(f"{name} cannot be divided among windows", where=f"walk_forward, {name}", do="leave it out")
    if finalists is not None and validation is None:
        raise ConfigError(
            "there are finalists and no validation", where="walk_forward, finalists", do='leave it out, or give validation="1y"'
        )
    choice = Choice(metric, pick, 5 if finalists is None else finalists)
    learning = Learning(strategy, grid, search, where, choice, settings)
    registry, notes = open_registry(trials)
    panel, config = panel_of(data), configured(settings, "walk_forward")
    steps = windows(panel, Walk(train, test, validation, embargo, mode))
    with running(executor, workers, address) as runner, showing(progress, "walk_forward") as tell:
        watch = None if tell is None else _Watch(tell, learning.count * len(steps))
        chosen = [learn(learning, runner, panel, step, watch) for step in steps]
    if all(one.parameters is None for one in chosen):
        raise ConfigError(f"no variant ran in any window: {chosen[0].error}", where="walk_forward", do="try one of them with rustybt.run")
    made = [None if one.parameters is None else strategy(**one.parameters) for one in chosen]
    if positions == "flat":
        pieces = _alone(made, panel, steps, config)
    else:
        pieces = _carried(made, panel, steps, config)
    curve = joined(pieces, config)
    numbers = measure(curve)
    sharpe = numbers["sharpe"]
    each = None if sharpe is None else float(sharpe) / float(numbers["periods_per_year"] or 1.0) ** 0.5
    what = [None if one is None else one.spec_id for one in made], [(s.train, s.test) for s in steps], positions
    trial = Trial(trial_id(repr(what), config), f"walk-forward {strategy.name}", each)
    tally, failed = counted(registry, panel.snapshot, [trial])
    return WalkForward(
        strategy=strategy,
        panel=panel,
        config=config,
        windows=window_rows(panel, steps, chosen, pieces, learning.choice),
        equity=stitched_frame(pieces, config),
        metrics=numbers,
        variants=pl.concat(
            [one.frame.insert_column(0, pl.lit(at, pl.UInt32).alias("step")) for at, one in enumerate(chosen)], how="diagonal_relaxed"
        ),
        choice=learning.choice,
        positions=positions,
        steps=tuple(steps),
        tally=tally or Tally.of([each]),
        notes=(*notes, *failed, *_notes(chosen, pieces, positions)),
    )


class _Watch:
    """Counts variants over all windows."""

    def __init__(self, tell: Callable[[int, int], None], total: int) -> None:
        self.tell, self.total, self.before = tell, total, 0

    def __call__(self, done: int, total: int) -> None:
        self.tell(self.before + done, max(self.total, self.before + total))
        if done == total:
            self.before += total


def _alone(made: list[Strategy | None], panel: Panel, steps: list[Window], config: RunConfig) -> list[Piece]:
    """Each window from cash, with what the one before has left."""
    cash, found = config.cash, []
    for strategy, step in zip(made, steps, strict=True):
        if strategy is None or cash <= 0:
            found.append(cash_piece(panel, step.test, cash, config))
            continue
        result = run_span(strategy, panel, step.test, replace(config, cash=cash))
        found.append(Piece(step.test, curve_of(result), cash, result.counts()["fills"], result.metrics))
        cash = Decimal(result.final_equity)
    return found


def _carried(made: list[Strategy | None], panel: Panel, steps: list[Window], config: RunConfig) -> list[Piece]:
    """One run through all windows, cut into them afterwards."""
    missing = next((at for at, one in enumerate(made) if one is None), None)
    if missing is not None:
        raise ConfigError(f"no variant ran in window {missing}", where="walk_forward, positions", do='use positions="flat"')
    spans = [step.test for step in steps]
    part = numbered(until(panel, spans[-1][1]), spans)
    both = switched([one for one in made if one is not None])
    result = run_configured({both.name: both}, part, replace(config, trade_from=instant(panel, spans[0][0])))
    curve, begin = curve_of(result), spans[0][0]
    found, opening = [], curve.opening
    fills = np.searchsorted(panel.ts, result.fills["ts"].to_physical().to_numpy())
    for first, stop in spans:
        at = slice(first - begin, stop - begin)
        piece = Curve(curve.ts[at], curve.sessions[at], curve.equity[at], curve.cash[at], curve.gross[at], curve.money_scale, opening)
        cash = Decimal(int(opening or 0)).scaleb(-curve.money_scale)
        found.append(Piece((first, stop), piece, cash, int(((fills >= first) & (fills < stop)).sum()), measure(piece)))
        opening = int(piece.equity[-1])
    return found


def _notes(chosen: list[Any], pieces: list[Piece], positions: str) -> list[str]:
    notes = []
    empty = [str(at) for at, one in enumerate(chosen) if one.parameters is None]
    if empty:
        notes.append(f"No variant ran in window {', '.join(empty)}: cash was held there.")
    held = [piece.held for piece in pieces]
    if positions == "flat" and any(held):
        most = max(held)
        notes.append(
            f"{sum(share > 0 for share in held)} of {len(held)} windows ended with something held (at most {most:.0%} of equity), valued at"
            ' the last close; closing it and buying again is paid for with positions="carry".'
        )
    if any(piece.bankrupt for piece in pieces):
        notes.append("Equity fell to zero or below: nothing was traded from there on.")
    return notes
