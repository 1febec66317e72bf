"""What a report is made from: plain frames and mappings, no object of another room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.metrics import Closes, Value
from rustybt.analysis.metrics.curve import links, simple_returns
from rustybt.errors import DataError

type Amount = Decimal | float | int


@dataclass(frozen=True)
class ReportInputs:
    """Everything a page can show. Only ``title``, ``metrics`` and ``curve`` are needed; what is left out is not shown.

    Attributes:
        title: heading, usually the strategy's name.
        metrics: as `rustybt.analysis.metrics.measure` gives them.
        curve: ts (Datetime), session (Date), equity, cash, gross (Decimal or Float64), ``benchmark`` when there is one
            (any positive scale, null where unknown), ``flow`` when money came in before a bar or went out,
            ``settled`` when ``cash`` has value of positions in it; one row per bar, ascending.
        spec: the strategy: ``name``, ``params`` (mapping) and whatever else describes it; shown in full at the end.
        identity: ``run_id``, ``spec_id``, ``snapshot``, ``engine`` and further names to text.
        positions: ts, asset, weight (signed fraction of equity); one row per ts and held asset, no row = 0.
        trades: asset, sleeve, side, quantity, entry_ts, exit_ts, entry_price, exit_price, pnl, fees, return, bars_held; further columns
            are shown after these. Open trades have a null exit_ts.
        orders: status, reason, detail; one row per order outcome, or with a ``count`` column one row per kind.
        currencies: as `rustybt.ledger.currencies_frame` gives it; shown where a run has several.
        residuals: asset, sleeve and what whole ticks, lots and money units left on the table, one row each; further columns as they are.
        costs, income: paid and received by kind, in currency.
        verdict: of the guard: ``ok`` (bool), ``summary``, ``lookback``, ``terms`` (mappings with name, expr, lookback, note; other keys
            become columns), ``trusted``, ``opaque``, ``flags`` (lists of text).
        books: of the ledger: ``ok`` (bool), ``summary``, ``checks`` (mappings with name, ok, detail); other keys are shown as they are.
        warnings: what a reader should know, one sentence each.
        config: settings of the run.
        assets: symbols, in order.
        currency: of the account.
        opening: cash before the first bar; None: the first bar's equity.
        benchmark_name: what to call the benchmark.
        periods_per_year: for the rolling numbers; None takes it from ``metrics``.

    Raises:
        DataError: a frame lacks a column, or the curve has no row.
    """

    title: str
    metrics: Mapping[str, Value]
    curve: pl.DataFrame
    spec: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, str] = field(default_factory=dict)
    positions: pl.DataFrame | None = None
    trades: pl.DataFrame | None = None
    orders: pl.DataFrame | None = None
    currencies: pl.DataFrame | None = None
    residuals: pl.DataFrame | None = None
    costs: Mapping[str, Amount] = field(default_factory=dict)
    income: Mapping[str, Amount] = field(default_factory=dict)
    verdict: Mapping[str, Any] = field(default_factory=dict)
    books: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    assets: Sequence[str] = ()
    currency: str = "USD"
    opening: Amount | None = None
    benchmark_name: str = "Benchmark"
    periods_per_year: float | None = None

    def __post_init__(self) -> None:
        needs = {
            "curve": (self.curve, ("ts", "session", "equity", "cash", "gross")),
            "positions": (self.positions, ("ts", "asset", "weight")),
            "trades": (self.trades, ("asset", "pnl", "return", "exit_ts")),
            "orders": (self.orders, ("status",)),
            "currencies": (self.currencies, ("currency", "rate", "cash", "value", "pnl", "pnl_home")),
            "residuals": (self.residuals, ("asset",)),
        }
        for name, (frame, columns) in needs.items():
            missing = [column for column in columns if frame is not None and column not in frame.columns]
            if missing:
                raise DataError(f"no column {', '.join(missing)}", where=f"report, {name}", do=f"give the columns {', '.join(columns)}")
        if not self.curve.height:
            raise DataError("no bars", where="report, curve", do="report a run of at least one bar")

    @cached_property
    def bars(self) -> pl.DataFrame:
        """The curve with money as Float64, and ``linked``: equity as it would be if no money had come in or gone out on the way."""
        money = [name for name in ("equity", "cash", "gross", "benchmark", "flow") if name in self.curve.columns]
        rows = self.curve.with_columns(pl.col(money).cast(pl.Float64))
        if "settled" in rows.columns:
            rows = rows.with_columns(pl.col("cash") - pl.col("settled").cast(pl.Float64))
        if "flow" not in rows.columns:
            return rows.with_columns(linked=pl.col("equity"))
        scale = links(rows["equity"].to_numpy(), rows["flow"].to_numpy(), None if self.opening is None else float(self.opening))
        return rows.with_columns(linked=pl.col("equity") * pl.Series(scale))

    @cached_property
    def session_rows(self) -> pl.DataFrame:
        """The last row of each session of the curve, money as Float64."""
        return self.bars.filter((pl.col("session") != pl.col("session").shift(-1)).fill_null(True))

    @cached_property
    def closes(self) -> Closes:
        """Session closes, as the metrics see them."""
        days = self.session_rows["session"].cast(pl.Date).to_physical().to_numpy().astype(np.int32)
        values = self.session_rows["linked"].to_numpy()
        if self.opening is not None:
            days = np.concatenate((days[:1], days))
            values = np.concatenate((np.array([float(self.opening)]), values))
        return Closes(days, values, simple_returns(values), self.opening is not None)

    @cached_property
    def periods(self) -> float:
        """Sessions per year."""
        stated = self.periods_per_year or self.metrics.get("periods_per_year")
        return float(stated) if isinstance(stated, int | float) and stated > 0 else 252.0

    @property
    def has_benchmark(self) -> bool:
        """Whether there is a benchmark to draw."""
        return "benchmark" in self.curve.columns and self.curve["benchmark"].null_count() < self.curve.height
