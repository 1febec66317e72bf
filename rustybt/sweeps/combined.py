"""What a combinatorial cross-validation gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.engine import RunConfig
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.choose import Choice
from rustybt.sweeps.names import METRICS
from rustybt.sweeps.registry import Tally
from rustybt.sweeps.splits import Span


@dataclass(frozen=True)
class CrossValidation:
    """Several histories out of sample.

    Attributes:
        strategy, panel, config: what was run.
        groups: spans of bars.
        splits: one row per split: split, groups (List of UInt32: those that test), train_bars, the parameters that were chosen, in_sample
            and out_of_sample (the metric), rank (share of the variants that the choice beats out of sample).
        paths: one row per path: path, final_equity (Decimal), the metrics, fills.
        equity: balances along each path: path, ts, session, group, equity (Decimal).
        routes: (paths, groups) the split that each group of a path is tested in.
        choice: by what variants were chosen.
        parameters: names of what varies.
        variants: how many were tried.
        tally: the trials that were ever run on these data; this is one.
        notes: what a reader should know, one sentence each.
    """

    strategy: StrategyFunction
    panel: Panel
    config: RunConfig
    groups: tuple[Span, ...]
    splits: pl.DataFrame
    paths: pl.DataFrame
    equity: pl.DataFrame
    routes: tuple[tuple[int, ...], ...]
    choice: Choice
    parameters: tuple[str, ...]
    variants: int
    tally: Tally
    notes: tuple[str, ...] = ()

    @property
    def overfit(self) -> float | None:
        """Share of the splits whose choice is at or below the middle of all variants out of sample; None where none can be ranked."""
        ranks = self.splits["rank"].drop_nulls()
        return float((ranks <= 0.5).to_numpy().mean()) if len(ranks) else None

    def summary(self) -> pl.DataFrame:
        """The paths, metric by metric: metric, low, median, high, below_zero (share of the paths)."""
        rows = []
        for name in METRICS:
            column = self.paths[name].drop_nulls()
            below = float((column < 0).to_numpy().mean()) if len(column) else None
            rows.append((name, column.min(), column.median(), column.max(), below))
        kinds = {"metric": pl.String} | dict.fromkeys(("low", "median", "high", "below_zero"), pl.Float64)
        return pl.DataFrame(rows, schema=kinds, orient="row")

    def report(self, path: str | Path) -> Path:
        """Write a page about it, one file that works offline.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
            ConfigError: the file cannot be written.
        """
        from rustybt.sweeps.pages import write_combined

        return write_combined(self, path)

    def figures(self) -> dict[str, Any]:
        """The pictures of its page by title, as Plotly figures that a notebook shows.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
        """
        from rustybt.analysis.report import plotly_figures
        from rustybt.sweeps.pages import combined_inputs

        return plotly_figures(combined_inputs(self))

    def _repr_html_(self) -> str:
        from rustybt.sweeps.pages import combined_summary

        return combined_summary(self)

    def __repr__(self) -> str:
        overfit = "unknown" if self.overfit is None else f"{self.overfit:.0%}"
        counts = f"{self.variants:,} variants, {self.splits.height:,} splits, {self.paths.height:,} paths"
        return (
            f"CrossValidation({self.strategy.name}: {counts}, below the middle out of sample in {overfit} of the splits)\n{self.summary()}"
        )
