"""A saved run checked from its own files: no strategy, no bars, no kernel."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl

from rustybt.engine.store import read_manifest
from rustybt.engine.verify import Verification
from rustybt.errors import ConfigError, LedgerError
from rustybt.ledger import check_journal, replay
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
    books = replay(journal)
    paid = fills["fee"].sum()
    fees = dict(books.accounts.iter_rows()).get("expenses:commission", Decimal(0))
    checks.append(Check("fills", paid == fees, f"{fills.height:,} fills, commissions {paid:f}; in the journal {fees:f}"))
    said = Decimal(found["final_equity"])
    checks.append(Check("manifest", said == books.equity, f"final equity {said:f}; of the journal {books.equity:f}"))
    return Verification(tuple(checks))
