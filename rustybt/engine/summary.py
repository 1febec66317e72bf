"""A run measured: statistics, weights over time and what the report shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.analysis.metrics import Benchmark, Curve, RunFacts, Trades, measure
from rustybt.engine.phases import at_phase
from rustybt.ledger.frames import flows_per_bar, settled_per_bar
from rustybt.model import FillAt, Panel, Reason, Status
from rustybt.model.decimals import up_down

if TYPE_CHECKING:
    from rustybt.engine.result import Result


HOLDING = {
    "borrow": Reason.BORROW,
    "margin interest": Reason.INTEREST,
    "financing": Reason.FINANCING,
    "funding": Reason.FUNDING,
    "swap": Reason.SWAP,
    "liquidation": Reason.LIQUIDATION_FEE,
}
"""What holding costs, by kind, and what a venue takes for liquidations."""


def curve_of(result: Result) -> Curve:
    """Balances as the metrics take them."""
    outcome, panel = result.outcome, result.panel
    scale, cash, flows = result.config.money_scale, result.tables.cash, flows_per_bar(result.books)
    settled = settled_per_bar(result.books)
    left = outcome.cash if settled is None else outcome.cash - settled
    use = outcome.use if settled is None else None
    return Curve(panel.ts, panel.sessions, outcome.equity, left, outcome.gross, scale, cash, flows, use, panel.session_ends)


def measure_run(result: Result) -> Mapping[str, Any]:
    """Every metric of a run; conventions in docs/concepts/metrics.md."""
    return measure(curve_of(result), benchmark_of(result), facts_of(result))


def benchmark_of(result: Result) -> Benchmark | None:
    """The benchmark asset's adjusted closes in the account's currency, one per session."""
    name = result.config.benchmark
    if name is None:
        return None
    rows = benchmark_rows(result, name).group_by("session", maintain_order=True).agg(pl.col("benchmark").last())
    return Benchmark(rows["session"].to_physical().to_numpy(), rows["benchmark"].to_numpy(), name)


def benchmark_rows(result: Result, name: str) -> pl.DataFrame:
    """ts, session and benchmark: the adjusted closes of an asset in the account's currency, from the first known rate on."""
    panel = result.panel
    rows = panel.frame.select("ts", "session", "asset", benchmark="adj_close")
    column = panel.symbols.index(name)
    own = rows[int(panel.offsets[column]) : int(panel.offsets[column + 1])]
    currency = int(result.books.currency_of(np.array([column]))[0])
    if currency == 0:
        return own.drop("asset")
    bars = panel.row_bar[int(panel.offsets[column]) : int(panel.offsets[column + 1])]
    num, den = (side[bars, currency].astype(np.float64) for side in result.books.rates)
    rate = np.where(num > 0, num / den, np.nan)
    return own.select("ts", "session", benchmark=pl.col("benchmark") * rate).filter(pl.col("benchmark").is_not_nan())


def facts_of(result: Result) -> RunFacts:
    """Counts, costs, income and trades of a run."""
    from rustybt.ledger.home import AtHome

    log, counts = AtHome(result.books).log, result.counts()
    traded = log.having(Status.FILLED)
    income = {"dividends": Reason.DIVIDEND, "cash in lieu": Reason.SPLIT, "credit interest": Reason.CREDIT}
    paid = {kind: -int(log.notional[log.having(reason)].sum()) for kind, reason in income.items() if (log.having(reason)).any()}
    exchanged = log.having(Reason.CONVERSION)
    costs = {"commission": int(log.fee[~exchanged].sum())} | ({"conversion": tolls} if (tolls := int(log.fee[exchanged].sum())) else {})
    costs |= {kind: int(log.notional[log.having(reason)].sum()) for kind, reason in HOLDING.items() if (log.having(reason)).any()}
    slipped = slippage_paid(result)
    if slipped:
        costs["slippage"] = slipped
    return RunFacts(
        orders=counts["orders"],
        fills=counts["fills"],
        rejected=counts["rejected"],
        cancelled=counts["cancelled"],
        working=counts["working"],
        traded=int(np.abs(log.notional[traded]).sum()),
        costs=costs,
        income=paid,
        trades=Trades.from_frame(result.trades),
    )


def slippage_paid(result: Result) -> int:
    """Money lost to slippage by market orders against the open or close they were filled at, in money units of the account's currency.

    Stops are left out: their reference is the stop level or a gap, not one price of the bar. See `at_phase` for which orders count.
    """
    if not any(result.tables.row(name).any() for name in ("slip_rate", "slip_ticks", "slip_buy", "slip_sell")):
        return 0
    log, panel = result.outcome.log, result.panel
    rows = np.flatnonzero(at_phase(result))
    column = log.slot[rows] % len(panel.assets)
    field = panel.open if result.config.fill is FillAt.NEXT_OPEN else panel.close
    lost = (log.price[rows] - field[log.bar[rows], column]) * log.filled[rows]
    total = 0
    for j in np.unique(column):
        asset = panel.assets[j]
        up, down = up_down(asset.tick_size, asset.lot_size, asset.multiplier, result.config.money_scale)
        own = column == j
        if result.tables.currencies is None:
            total += int(lost[own].sum()) * up // down
            continue
        from rustybt.ledger.home import at_rates

        paid = np.array([ticks * up // down for ticks in lost[own].tolist()], dtype=np.int64)
        total += int(at_rates(result.books, log.slot[rows[own]], log.bar[rows[own]], paid).sum())
    return total


def weights_frame(result: Result) -> pl.DataFrame:
    """What was held at each session's close as a fraction of equity.

    Returns:
        ts, asset, weight (Float64, signed), one row per session and asset held, by ts then asset.
    """
    panel, width = result.panel, len(result.panel.assets)
    last = panel.session_ends
    log = result.outcome.log
    moved = log.filled != 0
    held = np.zeros((len(last), width), dtype=np.int64)
    np.add.at(held, (np.searchsorted(last, log.bar[moved]), log.slot[moved] % width), log.filled[moved])
    held = np.cumsum(held, axis=0)
    session, column = np.nonzero(held)
    prices = last_closes(panel, last)[session, column].astype(np.float64)
    worth = np.array([_per_lot(panel, j, result.config.money_scale) for j in range(width)])
    equity = result.outcome.equity[last].astype(np.float64)
    num, den = (side[last].astype(np.float64) for side in result.books.rates)
    rate = (num / den)[session, result.books.currency_of(column)]
    weight = held[session, column] * prices * worth[column] * rate / np.where(equity == 0, np.nan, equity)[session]
    return pl.DataFrame(
        {
            "ts": pl.Series(panel.ts[last][session]).cast(pl.Datetime("us", "UTC")),
            "asset": pl.Series(column.astype(np.uint32)).cat.to(pl.Enum(panel.symbols))
            if len(column)
            else pl.Series([], dtype=pl.Enum(panel.symbols)),
            "weight": weight,
        }
    )


def _per_lot(panel: Panel, column: int, money_scale: int) -> float:
    asset = panel.assets[column]
    up, down = up_down(asset.tick_size, asset.lot_size, asset.multiplier, money_scale)
    return up / down


def last_closes(panel: Panel, bars: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The last known close of every asset at some bars, (bars, assets) ticks."""
    if panel.dense:
        return panel.close[bars]
    known = np.where(panel.close != 0, np.arange(panel.bars, dtype=np.int64)[:, None], 0)
    np.maximum.accumulate(known, axis=0, out=known)
    return np.take_along_axis(panel.close, known[bars], axis=0)


def benchmark_series(result: Result) -> pl.DataFrame | None:
    """ts and adjusted close of the benchmark in the account's currency, or None."""
    name = result.config.benchmark
    return None if name is None else benchmark_rows(result, name).select("ts", "benchmark")
