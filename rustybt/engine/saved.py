"""A saved run checked from its own files: no strategy, no bars, no kernel."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl

from rustybt.engine.store import read_manifest
from rustybt.engine.verify import Verification
from rustybt.errors import ConfigError, LedgerError
from rustybt.ledger import check_journal, replay
from rustybt.ledger.replay import closing_rates
from rustybt.spec.causality import Check


def verify_saved(folder: Path) -> Verification:
    """Check a run directory: its journal alone rebuilds cash at every bar, positions and equity, and the manifest says the same.

    Args:
        folder: a run directory, as `rustybt.Result.save` writes it.

    Returns:
        A `Verification`; nothing is raised for a check that fails.

    Raises:
        ConfigError: there is no run in the folder, or it cannot be read.
    """
    found = read_manifest(folder)
    try:
        journal, equity, positions, fills = (
            pl.read_parquet(folder / f"{name}.parquet") for name in ("journal", "equity", "positions", "fills")
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"the run cannot be read: {str(error).splitlines()[0]}", where=str(folder), do="write the run again") from None
    try:
        checks = [Check("journal", True, check_journal(journal, equity, positions))]
    except LedgerError as error:
        return Verification((Check("journal", False, f"{error.what}; {error.where}"),))
    books = replay(journal, closing_rates(equity))
    checks.append(commissions(fills, journal))
    said = Decimal(found["final_equity"])
    checks.append(Check("manifest", said == books.equity, f"final equity {said:f}; of the journal {books.equity:f}"))
    return Verification(tuple(checks))


def commissions(fills: pl.DataFrame, journal: pl.DataFrame) -> Check:
    """Whether the journal has the commissions of the fills, asset by asset; each is in one currency."""
    booked = journal.filter(pl.col("account") == "expenses:commission")
    paid, found = (
        rows.group_by("asset").agg(pl.col(amount).sum().alias("amount")).filter(pl.col("amount") != 0).sort("asset")
        for rows, amount in ((fills, "fee"), (booked, "amount"))
    )
    detail = f"{fills.height:,} fills, commissions {_summed(paid, journal)}; in the journal {_summed(found, journal)}"
    return Check("fills", paid.equals(found), detail)


def _summed(amounts: pl.DataFrame, journal: pl.DataFrame) -> str:
    """Amounts by asset added up, those of each currency by themselves."""
    if "currency" not in journal.columns:
        return format(amounts["amount"].sum(), "f")
    of_asset = journal.filter(pl.col("asset").is_not_null()).select("asset", "currency").unique("asset")
    sums = amounts.join(of_asset, on="asset", how="left").group_by("currency").agg(pl.col("amount").sum()).sort("currency")
    return " and ".join(f"{amount:f} {currency}" for currency, amount in sums.iter_rows()) or "0"
