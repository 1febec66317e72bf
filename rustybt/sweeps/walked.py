"""What a walk-forward gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.honesty import Interval, Moments, deflated_sharpe, intervals
from rustybt.analysis.metrics.curve import simple_returns
from rustybt.engine import Result, RunConfig
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.choose import Choice, Chosen
from rustybt.sweeps.given import read_back
from rustybt.sweeps.honest import sentence
from rustybt.sweeps.names import METRICS, SMALLER
from rustybt.sweeps.registry import Tally
from rustybt.sweeps.splits import EPOCH, Window
from rustybt.sweeps.stitch import Piece, run_span


@dataclass(frozen=True)
class WalkForward:
    """Parameters that were chosen on the past, and what they did afterwards.

    Attributes:
        strategy, panel, config: what was run.
        windows: one row per window; see `window_rows`.
        equity: balances through all tests, one behind the other: ts, session, step, equity (Decimal). Nothing is scaled.
        metrics: of that curve, by name; conventions in docs/concepts/metrics.md.
        variants: the rows of all variants on all training stretches, with their ``step``.
        choice: by what variants were chosen.
        positions: ``flat`` or ``carry``.
        steps: the spans of bars.
        tally: the trials that were ever run on these data; this walk-forward is one.
        notes: what a reader should know, one sentence each.
    """

    strategy: StrategyFunction
    panel: Panel
    config: RunConfig
    windows: pl.DataFrame
    equity: pl.DataFrame
    metrics: Mapping[str, Any]
    variants: pl.DataFrame
    choice: Choice
    positions: str
    steps: tuple[Window, ...]
    tally: Tally
    notes: tuple[str, ...] = ()

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters that vary."""
        known = set(self.strategy.parameters)
        return [name for name in self.windows.columns if name in known]

    @property
    def efficiency(self) -> float | None:
        """Mean yearly growth of the tests over that of the trainings: about 1 where the past told the future, near 0 where it did not.

        None where the trainings did not grow on average. Source: Pardo, The Evaluation and Optimization of Trading Strategies, 2008,
        ch. 11.
        """
        both = self.windows.select("in_sample_cagr", "out_of_sample_cagr").drop_nulls()
        before, after = both["in_sample_cagr"].mean(), both["out_of_sample_cagr"].mean()
        if not isinstance(before, float) or not isinstance(after, float) or before <= 0:
            return None
        return after / before

    @cached_property
    def intervals(self) -> Mapping[str, Interval]:
        """95 % intervals of the stitched numbers, by 1,000 block resamples of its sessions; empty where they cannot be resampled.

        They are of one record that nobody chose among others: what the search for parameters cost is in it already.
        """
        closes = self.equity.group_by("session", maintain_order=True).agg(pl.col("equity").last())["equity"].cast(pl.Float64).to_numpy()
        returns = simple_returns(np.concatenate(([float(self.windows["opening"][0])], closes)))
        try:
            return intervals(returns, float(self.metrics["periods_per_year"] or 0.0))
        except ConfigError:
            return {}

    def compared(self) -> pl.DataFrame:
        """Out of sample beside in sample, metric by metric.

        Returns:
            metric, in_sample and out_of_sample (means over the windows), stitched (of the whole curve), low and high (its 95 % interval by
            block bootstrap), worse (share of the windows in which the test was worse than the training).
        """
        rows = []
        for name in METRICS:
            pair = self.windows.select(f"in_sample_{name}", f"out_of_sample_{name}").drop_nulls()
            before, after = pair.to_series(0), pair.to_series(1)
            worse = (after > before) if name in SMALLER else (after < before)
            around = self.intervals.get(name, Interval(None, None, None))
            rows.append((name, before.mean(), after.mean(), self.metrics.get(name), around.low, around.high, worse.mean()))
        kinds = {"metric": pl.String} | dict.fromkeys(("in_sample", "out_of_sample", "stitched", "low", "high", "worse"), pl.Float64)
        return pl.DataFrame(rows, schema=kinds, orient="row")

    def run(self, window: int) -> Result:
        """The test of a window again, in full, with identical numbers. It begins flat, with the cash that the window had.

        Raises:
            ConfigError: there is no such window, no variant ran in it, or positions are carried (a window alone would begin flat).
        """
        if isinstance(window, bool) or not isinstance(window, Integral) or not 0 <= window < len(self.steps):
            raise ConfigError(f"there is no window {window!r}", where="walk_forward, run", do=f"give 0 to {len(self.steps) - 1}")
        if self.positions != "flat":
            raise ConfigError("positions are carried from window to window", where="walk_forward, run", do='use positions="flat"')
        row = self.windows.row(window, named=True)
        if row["error"] is not None:
            raise ConfigError(f"no variant ran in window {window}", where="walk_forward, run", do="look at the column 'error'")
        strategy = self.strategy(**read_back(self.strategy, row, self.parameters))
        return run_span(strategy, self.panel, self.steps[window].test, replace(self.config, cash=row["opening"]))

    @property
    def luck(self) -> str:
        """One sentence on the stitched Sharpe ratio and the number of trials."""
        numbers = self.metrics
        if any(numbers.get(name) is None for name in ("sharpe", "skew", "kurtosis")):
            return sentence(self.tally, None)
        count = round(numbers["years"] * numbers["periods_per_year"])
        try:
            record = Moments(numbers["sharpe"] / numbers["periods_per_year"] ** 0.5, count, numbers["skew"], numbers["kurtosis"])
            found = deflated_sharpe(record, max(1, self.tally.trials), self.tally.variance)
        except ConfigError:
            return sentence(self.tally, None)
        return sentence(self.tally, found).replace("of the first row", "out of sample")

    def report(self, path: str | Path) -> Path:
        """Write a page about it, one file that works offline.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
            ConfigError: the file cannot be written.
        """
        from rustybt.sweeps.pages import write_walk

        return write_walk(self, path)

    def figures(self) -> dict[str, Any]:
        """The pictures of its page by title, as Plotly figures that a notebook shows.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
        """
        from rustybt.analysis.report import plotly_figures
        from rustybt.sweeps.pages import walk_inputs

        return plotly_figures(walk_inputs(self))

    def _repr_html_(self) -> str:
        from rustybt.sweeps.pages import walk_summary

        return walk_summary(self)

    def __repr__(self) -> str:
        efficiency = "no" if self.efficiency is None else f"{self.efficiency:.2f}"
        shown = self.windows.select(
            "step", "test_from", "test_to", *self.parameters, "in_sample", "out_of_sample", "degradation", "efficiency", "final_equity"
        )
        return (
            f"WalkForward({self.strategy.name}: {len(self.steps)} windows, {self.choice.pick} by {self.choice.metric}, "
            f"efficiency {efficiency})\n{shown}\n{self.luck}"
        )


def window_rows(panel: Panel, steps: Sequence[Window], chosen: Sequence[Chosen], pieces: Sequence[Piece], choice: Choice) -> pl.DataFrame:
    """One row per window.

    Returns:
        step (number of the window); train_from, train_to, (validation_from, validation_to,) test_from, test_to (Date, both included);
        train_bars, test_bars;
        variants and failed (counts); the parameters that were chosen; in_sample, (validated,) out_of_sample (of the metric that chose);
        degradation (in sample less out of sample; the other way round where less is better); efficiency (yearly growth of the test over
        that of the training, null where that did not grow); in_sample_<metric> and out_of_sample_<metric>; fills; opening and final_equity
        (Decimal); held (gross value at the end as a fraction of equity); error.
    """
    rows = []
    for step, one, piece in zip(steps, chosen, pieces, strict=True):
        row: dict[str, Any] = {"step": step.number, **_dates(panel, "train", step.train)}
        if step.validation is not None:
            row |= _dates(panel, "validation", step.validation)
        row |= _dates(panel, "test", step.test)
        row |= {"train_bars": step.train[1] - step.train[0], "test_bars": step.test[1] - step.test[0]}
        row |= {"variants": one.frame.height, "failed": one.frame.height - one.frame["error"].null_count()}
        row |= one.parameters or {}
        before, after = one.row.get(choice.metric), piece.metrics.get(choice.metric)
        row |= {"in_sample": before}
        if step.validation is not None:
            row["validated"] = None if one.validated is None else one.validated[choice.metric]
        row |= {"out_of_sample": after, "degradation": _lost(before, after, choice), "efficiency": _share(one, piece)}
        row |= {f"in_sample_{name}": one.row.get(name) for name in METRICS}
        row |= {f"out_of_sample_{name}": piece.metrics.get(name) for name in METRICS}
        row |= {"fills": piece.fills, "opening": piece.opening, "final_equity": piece.final, "held": piece.held, "error": one.error}
        rows.append(row)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    money = pl.Decimal(38, pieces[0].curve.money_scale)
    numbers = [n for n in frame.columns if n in ("in_sample", "validated", "out_of_sample", "degradation", "efficiency", "held")]
    numbers += [f"{part}_{name}" for part in ("in_sample", "out_of_sample") for name in METRICS]
    return frame.with_columns(
        pl.col("step").cast(pl.UInt32),
        pl.col("opening", "final_equity").cast(money),
        pl.col(numbers).cast(pl.Float64),
        pl.col("error").cast(pl.String),
    )


def _dates(panel: Panel, name: str, span: tuple[int, int]) -> dict[str, Any]:
    first, last = (EPOCH.fromordinal(EPOCH.toordinal() + int(panel.sessions[bar])) for bar in (span[0], span[1] - 1))
    return {f"{name}_from": first, f"{name}_to": last}


def _lost(before: float | None, after: float | None, choice: Choice) -> float | None:
    if before is None or after is None:
        return None
    return before - after if choice.largest else after - before


def _share(one: Chosen, piece: Piece) -> float | None:
    before, after = one.row.get("cagr"), piece.metrics.get("cagr")
    return None if before is None or after is None or before <= 0 else after / before
