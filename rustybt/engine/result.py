"""What a run gives back: frames, metrics, a report, and a directory that other tools can read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from rustybt import ledger
from rustybt._output import path_of
from rustybt.engine.config import RunConfig
from rustybt.engine.tables import Sleeves
from rustybt.engine.targets import Signals
from rustybt.ledger.frames import Books
from rustybt.model import NOWHERE, Outcome, Panel, Status, Tables

if TYPE_CHECKING:
    from rustybt.ledger import BooksVerdict, Lots


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run. Frames are built when they are first asked for and then kept.

    Attributes:
        sleeves: the strategies by sleeve name.
        config: settings of the run.
        panel: the bars it ran on.
        tables: the rules as integers.
        outcome: the kernel's answer as integers.
        evaluated: signals and targets per sleeve.
        verdict: that the books balance.
        notes: what a reader should know (assumptions, quarantined rows, look-ahead flags), one sentence each.

    Example:
        >>> import rustybt as rbt
        >>> result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.19)), "demo")
        >>> result.fills.height, result.metrics["trades"]
        (5, 0.0)
    """

    sleeves: Sleeves
    config: RunConfig
    panel: Panel
    tables: Tables
    outcome: Outcome
    evaluated: Mapping[str, Signals]
    verdict: BooksVerdict
    notes: tuple[str, ...] = ()

    @cached_property
    def books(self) -> Books:
        """The run as the ledger sees it."""
        return Books(self.tables, self.outcome, self.panel.ts, self.panel.sessions, tuple(self.sleeves))

    @cached_property
    def orders(self) -> pl.DataFrame:
        """Every order and what became of it; see `rustybt.ledger.orders_frame`."""
        return ledger.orders_frame(self.books)

    @cached_property
    def fills(self) -> pl.DataFrame:
        """Every execution; see `rustybt.ledger.fills_frame`."""
        return ledger.fills_frame(self.books)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """Round trips; see `rustybt.ledger.trades_frame`."""
        return ledger.trades_frame(self.books)

    @cached_property
    def positions(self) -> pl.DataFrame:
        """Position changes; see `rustybt.ledger.positions_frame`."""
        return ledger.positions_frame(self.books)

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Balances after each bar; see `rustybt.ledger.equity_frame`."""
        return ledger.equity_frame(self.books)

    @cached_property
    def flows(self) -> pl.DataFrame:
        """Deposits and withdrawals, the refused ones too; see `rustybt.ledger.flows_frame`."""
        return ledger.flows_frame(self.books)

    @cached_property
    def carry(self) -> pl.DataFrame:
        """What holding cost or earned; see `rustybt.ledger.carry_frame`."""
        return ledger.carry_frame(self.books)

    @cached_property
    def margin(self) -> pl.DataFrame:
        """Margin calls, top-ups of isolated positions, fees of liquidations; see `rustybt.ledger.margin_frame`."""
        return ledger.margin_frame(self.books)

    @cached_property
    def currencies(self) -> pl.DataFrame:
        """What each currency holds and brought, in itself and in the account's; see `rustybt.ledger.currencies_frame`."""
        return ledger.currencies_frame(self.books, self.config.currency)

    @cached_property
    def journal(self) -> pl.DataFrame:
        """Double-entry postings; see `rustybt.ledger.journal_frame`."""
        return ledger.journal_frame(self.books)

    def lots(self, method: str = "fifo") -> Lots:
        """Tax lots, open and closed, with their gains.

        Args:
            method: ``fifo``, ``lifo``, ``hifo`` (highest cost first) or ``average``; see `rustybt.ledger.lots_of`.

        Returns:
            `rustybt.ledger.Lots`: frames ``open`` and ``closed``; ``realised``, ``unrealised``, ``income`` and ``fx`` add up to the profit.
            In a run of several currencies these four are in the account's, and the frames have both.

        Raises:
            ConfigError: there is no such method.
        """
        return ledger.lots_of(self.books, method)

    @cached_property
    def violations(self) -> pl.DataFrame:
        """Limits that orders or the account passed; see `rustybt.ledger.violations_frame`."""
        return ledger.violations_frame(self.books)

    @cached_property
    def signals(self) -> pl.DataFrame:
        """Evaluated terms: ts, asset, (sleeve,) then the named signals, universe and target."""
        frames = []
        for name, signals in self.evaluated.items():
            keys = self.panel.frame.select("ts", "asset")
            terms = signals.frame
            keys = keys if terms.height == keys.height else keys[terms["row"]]
            frame = pl.concat([keys, terms.drop("row")], how="horizontal")
            frames.append(frame if len(self.evaluated) == 1 else frame.insert_column(2, pl.lit(name).alias("sleeve")))
        return pl.concat(_alike(frames), how="diagonal_relaxed").sort("ts", "asset", maintain_order=True)

    @cached_property
    def weights(self) -> pl.DataFrame:
        """What was held at each session's close as a fraction of equity; see `rustybt.engine.summary.weights_frame`."""
        from rustybt.engine.summary import weights_frame

        return weights_frame(self)

    @cached_property
    def residuals(self) -> pl.DataFrame:
        """What whole ticks, lots and money units left on the table; see `rustybt.engine.residuals.residuals_frame`."""
        from rustybt.engine.residuals import residuals_frame

        return residuals_frame(self)

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """``run_id`` and what it is made of: ``spec_id`` per sleeve, data ``snapshot``, ``engine`` version."""
        from rustybt import __version__

        specs = {name: strategy.spec_id for name, strategy in self.sleeves.items()}
        parts = {"spec_id": specs, "snapshot": self.panel.snapshot, "config": self.config.to_dict(), "engine": __version__}
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        spec = next(iter(specs.values())) if len(specs) == 1 else json.dumps(specs, sort_keys=True)
        return {"run_id": digest, "spec_id": spec, "snapshot": self.panel.snapshot, "engine": __version__}

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """Statistics by name; conventions in docs/concepts/metrics.md."""
        from rustybt.engine.summary import measure_run

        return measure_run(self)

    def intervals(self, count: int = 1000, *, block: float | None = None, confidence: float = 0.95, seed: int = 0) -> pl.DataFrame:
        """How far each headline number may be from the truth, by resampling in blocks of random length.

        Args:
            count: resamples.
            block: mean sessions (trades) that stay together; None chooses it from the run (Politis and White 2004).
            confidence: share of the resamples that an interval holds.
            seed: of the random numbers.

        Returns:
            metric, value, low, high (Float64), in the order of the command line; nulls where most resamples have no such number.

        Raises:
            ConfigError: fewer than two sessions, equity at or below zero, or a number out of its range.
        """
        from rustybt.analysis.honesty import Draw
        from rustybt.engine.confidence import intervals_frame

        return intervals_frame(self, Draw(count, block, seed=seed, confidence=confidence))

    @property
    def final_equity(self) -> str:
        """Equity after the last bar, exact, as a decimal string."""
        return self.verdict.equity

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know, one sentence each."""
        return self.notes

    def counts(self) -> dict[str, int]:
        """Number of bars, assets, orders, fills, rejected orders and order rows by outcome."""
        log = self.outcome.log
        asked = (Status.REJECTED, Status.CANCELLED, Status.WORKING)
        of = {status: int(np.count_nonzero(log.having(status))) for status in asked}
        filled = int(np.count_nonzero((log.filled != 0) & log.having(Status.FILLED)))
        return {
            "bars": self.panel.bars,
            "rows": self.panel.frame.height,
            "assets": len(self.panel.assets),
            "decisions": sum(signals.decisions for signals in self.evaluated.values()),
            "orders": int(log.seq.max(initial=0)),
            "fills": filled,
            "rejected": int(np.count_nonzero(log.having(Status.REJECTED) & (log.slot != NOWHERE))) if of[Status.REJECTED] else 0,
            "cancelled": of[Status.CANCELLED],
            "working": of[Status.WORKING],
        }

    def report(self, path: str | Path) -> Path:
        """Write the HTML report, one file that works offline.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
            ConfigError: the file cannot be written.
        """
        from rustybt.engine.page import write_report

        return write_report(self, path_of(path, "report"))

    def to_beancount(self, path: str | Path, method: str = "fifo") -> Path:
        """Write the books as plain-text accounting: a file that Beancount and Fava open, with every lot, cost and gain.

        Args:
            path: of the file, such as ``books.beancount``.
            method: which lot a closing fill takes: ``fifo``, ``lifo`` or ``hifo``.

        Returns:
            The path. The file ends with the closing balances, which Beancount checks without tolerance.

        Raises:
            ConfigError: the method is none of these, or the file cannot be written.
        """
        from rustybt.engine.page import write_page

        return write_page(
            ledger.beancount_text(self.books, self.config.currency, method, ", ".join(self.sleeves)),
            path_of(path, "to_beancount"),
            "the ledger",
        )

    def save(self, folder: str | Path) -> Path:
        """Write the run directory: Parquet frames and a manifest; see `rustybt.engine.store.save`."""
        from rustybt.engine.store import save

        return save(self, path_of(folder, "save"))

    def _repr_html_(self) -> str:
        from rustybt.engine.page import summary

        return summary(self)

    def __repr__(self) -> str:
        counts = self.counts()
        names = ", ".join(self.sleeves)
        return (
            f"Result({names}: {counts['assets']} assets x {counts['bars']:,} bars, {counts['fills']:,} fills, "
            f"final equity {self.final_equity} {self.config.currency})"
        )


def _alike(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """Frames that can be stacked: numbers widen by themselves, other columns of one name and different types become text."""
    kinds: dict[str, set[pl.DataType]] = {}
    for frame in frames:
        for name, kind in frame.schema.items():
            kinds.setdefault(name, set()).add(kind)
    mixed = {name for name, found in kinds.items() if len(found) > 1 and not all(k.is_numeric() or k == pl.Null for k in found)}
    return [frame.with_columns(pl.col(name).cast(pl.String) for name in frame.columns if name in mixed) for frame in frames]
