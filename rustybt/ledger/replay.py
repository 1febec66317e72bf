"""The journal read back: cash, positions and equity from its postings alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import polars as pl

from rustybt.errors import LedgerError
from rustybt.model.decimals import from_units

SLOT = ("sleeve", "asset")


@dataclass(frozen=True)
class Replay:
    """What a journal says, without the log, the bars or the strategy.

    Attributes:
        entries: number of entries.
        cash: ts, cash: balance after each instant at which it moved.
        positions: ts, asset, sleeve, quantity: as `rustybt.ledger.positions_frame`.
        accounts: account, amount: balance of each account.
        closing_cash, equity: after the last entry.
    """

    entries: int
    cash: pl.DataFrame = field(repr=False)
    positions: pl.DataFrame = field(repr=False)
    accounts: pl.DataFrame = field(repr=False)
    closing_cash: Decimal
    equity: Decimal

    def cash_at(self, ts: pl.Series) -> pl.Series:
        """Balance of cash at instants in order, such as those of every bar."""
        return ts.to_frame("ts").join_asof(self.cash, on="ts", strategy="backward")["cash"]


def replay(journal: pl.DataFrame, rates: Mapping[str, Fraction] | None = None) -> Replay:
    """Rebuild the books from a journal.

    Args:
        rates: what one unit of each foreign currency is worth after the last entry, for a journal in several currencies.
        journal: as `rustybt.ledger.journal_frame` or ``journal.parquet`` of a run directory has it.

    Raises:
        LedgerError: an entry does not add up to zero.

    Example:
        >>> import rustybt as rbt
        >>> result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.19)), "demo")
        >>> again = replay(result.journal)
        >>> str(again.equity) == result.final_equity, again.positions.equals(result.positions)
        (True, True)
    """
    several = ["currency"] if "currency" in journal.columns else []
    uneven = journal.group_by("entry", *several).agg(pl.col("amount").sum()).filter(pl.col("amount") != 0).sort("entry")
    if uneven.height:
        entry, amount = uneven.row(0)[0], uneven.row(0)[-1]
        raise LedgerError(
            f"journal entry {entry} adds up to {amount:f}, not to zero",
            where=f"entry {entry} ({uneven.height} such)",
            do="the file was changed; run again",
        )
    accounts = journal.group_by("account", *several).agg(pl.col("amount").sum()).sort("account", *several)
    zero, own = Decimal(0), journal["currency"][0] if several else None
    journal_of_own = journal.filter(pl.col("currency") == own) if several else journal
    cash = sum(journal_of_own.filter(pl.col("account") == "assets:cash")["amount"].to_list(), zero)
    assets = accounts.filter(pl.col("account").cast(pl.String).str.starts_with("assets:"))
    worth = assets.group_by(*several).agg(pl.col("amount").sum()) if several else assets.select(pl.col("amount").sum())
    known, unit = {own: Fraction(1)} | dict(rates or {}), journal["amount"].dtype
    parts = [converted(row[-1], known.get(row[0] if several else own, Fraction(0)), unit) for row in worth.iter_rows()]
    return Replay(
        entries=journal["entry"].n_unique(),
        cash=_cash(journal_of_own),
        positions=_positions(journal),
        accounts=accounts,
        closing_cash=cash,
        equity=sum(parts, zero),
    )


def converted(amount: Decimal, rate: Fraction, unit: pl.DataType) -> Decimal:
    """An amount at a rate, half-even to the money unit of a Decimal column.

    Example:
        >>> converted(Decimal("0.05"), Fraction(1, 2), pl.Decimal(38, 2))
        Decimal('0.02')
    """
    assert isinstance(unit, pl.Decimal)
    units = round(Fraction(amount) * 10**unit.scale * rate)
    return from_units(units, Decimal(1).scaleb(-unit.scale))


def closing_rates(equity: pl.DataFrame) -> dict[str, Fraction]:
    """What each foreign currency is worth at the end of a run, by its balances."""
    names = [name for name in equity.columns if name.startswith("rate_")]
    return {name.removeprefix("rate_"): Fraction(equity[name][-1] or 0) for name in names}


def check_journal(journal: pl.DataFrame, equity: pl.DataFrame, positions: pl.DataFrame) -> str:
    """Compare what a journal says with the frames of its run, to the last digit.

    Args:
        journal: of a `rustybt.Result` or of a run directory.
        equity: of the same run.
        positions: of the same run.

    Returns:
        What agrees, in a sentence.

    Raises:
        LedgerError: naming the first difference.
    """
    found = replay(journal, closing_rates(equity))
    rebuilt = equity.select("ts", kept="cash").with_columns(found.cash_at(equity["ts"]).alias("rebuilt"))
    wrong = rebuilt.filter(pl.col("kept").ne_missing(pl.col("rebuilt")))
    if wrong.height:
        ts, kept, again = wrong.row(0)
        raise _differs("cash", kept, again, f"bar {ts}")
    if not found.positions.equals(positions):
        raise _differs("positions", f"{positions.height} changes", f"{found.positions.height} changes", _first(positions, found.positions))
    if equity["equity"][-1] != found.equity:
        raise _differs("equity", equity["equity"][-1], found.equity, "end of run")
    counts = f"{found.entries:,} entries alone rebuild cash at {equity.height:,} bars, {positions.height:,} positions"
    return f"{counts} and equity {found.equity:f}"


def _cash(journal: pl.DataFrame) -> pl.DataFrame:
    own = journal.filter(pl.col("account") == "assets:cash").select("ts", cash=pl.col("amount").cum_sum())
    return own.group_by("ts", maintain_order=True).last().sort("ts")


def _positions(journal: pl.DataFrame) -> pl.DataFrame:
    moved = journal.filter(pl.col("quantity").is_not_null())
    held = moved.select("ts", "asset", "sleeve", quantity=pl.col("quantity").cum_sum().over(*SLOT))
    return held.group_by("ts", *SLOT, maintain_order=True).last().sort("ts", *SLOT).select("ts", "asset", "sleeve", "quantity")


def _first(kept: pl.DataFrame, again: pl.DataFrame) -> str:
    """Where two lists of positions part."""
    pairs = zip(kept.iter_rows(), again.iter_rows(), strict=False)
    found = next((one for one, other in pairs if one != other), None)
    return f"{found[1]} at {found[0]}" if found else "the shorter one ends"


def _differs(what: str, kept: object, again: object, where: str) -> LedgerError:
    return LedgerError(
        f"the journal does not give the {what} of the run: {_shown(again)}, not {_shown(kept)}",
        where=where,
        do="the files are not of one run",
    )


def _shown(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
