"""One variant, run and reduced to a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from rustybt.engine import Result, RunConfig, run_configured
from rustybt.errors import RustyBTError
from rustybt.model import Panel
from rustybt.model.panel import Ints
from rustybt.spec import StrategyFunction
from rustybt.sweeps.registry import Trial, trial_id

METRICS = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown")
FOR_JUDGING = ("skew", "kurtosis", "periods_per_year")
"""Metrics of each row that `Sweep.top` needs to judge a Sharpe ratio, beside ``returns``, and does not show."""
COUNTS = ("returns", "orders", "fills")


@dataclass(frozen=True)
class Measured:
    """One variant.

    Attributes:
        row: its numbers by column, parameters left out; see `columns`.
        trial: what the registry counts; None where it could not be run.
        curve: (bars,) Int64 equity in money units, where it was asked for.
    """

    row: dict[str, Any]
    trial: Trial | None = None
    curve: Ints | None = None


def columns(money_scale: int) -> dict[str, Any]:
    """What each row holds beside its parameters, with types: final_equity, the metrics, counts, error."""
    kinds: dict[str, Any] = {"final_equity": pl.Decimal(38, money_scale)}
    kinds |= dict.fromkeys((*METRICS, *FOR_JUDGING), pl.Float64)
    return kinds | dict.fromkeys(COUNTS, pl.Int64) | {"error": pl.String}


def measure_variant(
    strategy: StrategyFunction, parameters: Mapping[str, Any], panel: Panel, config: RunConfig, *, curve: bool = False
) -> Measured:
    """One row of a sweep: the numbers of a full run, or its error."""
    try:
        made = strategy(**parameters)
        result = run_configured({made.name: made}, panel, config)
        numbers = row_of(result)
    except RustyBTError as error:
        return failed(str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's function raises, or Polars for such a parameter
        return failed(f"{type(error).__name__}: {error}")
    sharpe = None if numbers["sharpe"] is None else numbers["sharpe"] / numbers["periods_per_year"] ** 0.5
    trial = Trial(trial_id(made.spec_id, config), strategy.name, sharpe)
    return Measured(numbers, trial, result.outcome.equity if curve else None)


def failed(why: str) -> Measured:
    """A variant that could not be run."""
    return Measured({**dict.fromkeys(("final_equity", *METRICS, *FOR_JUDGING, *COUNTS)), "error": why})


def row_of(result: Result) -> dict[str, Any]:
    """The numbers of a finished run that a row keeps."""
    counts, numbers = result.counts(), result.metrics
    row: dict[str, Any] = {"final_equity": Decimal(result.final_equity)}
    row |= {name: numbers[name] for name in (*METRICS, *FOR_JUDGING)}
    returns = round(numbers["years"] * numbers["periods_per_year"])
    return row | {"returns": returns, "orders": counts["orders"], "fills": counts["fills"], "error": None}
