"""Many variants of one strategy as rows of numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from rustybt.engine import configure
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.run import FOR_JUDGING, METRICS, measure_variant


def evaluate(
    strategy: StrategyFunction,
    panel: Panel,
    variants: Sequence[Mapping[str, Any]],
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> pl.DataFrame:
    """One row per variant, in order: the parameters, final_equity, the metrics, counts, error (null when it ran).

    Args:
        strategy: a ``@strategy`` function.
        panel: the bars.
        variants: values by parameter name, the same names in each.
        threads: workers; None = one per core.
        progress: called with (done, total) after each variant.
        **settings: of the run, as in `rustybt.run`.

    Returns:
        The parameters, final_equity (Decimal), the metrics (Float64), returns, orders, fills (Int64), error (String).

    Raises:
        ConfigError: a setting that is wrong. What is wrong with a variant is in its row.
    """
    config = configure(**settings)

    def one(parameters: Mapping[str, Any]) -> dict[str, Any]:
        return measure_variant(strategy, parameters, panel, config).row

    rows = []
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for row in pool.map(one, variants):
            rows.append(row)
            if progress is not None:
                progress(len(rows), len(variants))
    kinds: dict[str, Any] = {"final_equity": pl.Decimal(38, config.money_scale), "error": pl.String}
    kinds |= dict.fromkeys((*METRICS, *FOR_JUDGING), pl.Float64) | dict.fromkeys(("returns", "orders", "fills"), pl.Int64)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())
