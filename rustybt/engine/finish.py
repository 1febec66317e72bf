"""The last step of both engines: check the books, then make the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rustybt.engine.carry import carry_notes
from rustybt.engine.config import RunConfig
from rustybt.engine.dated import strangers
from rustybt.engine.idle import idle_notes
from rustybt.engine.increments import unused
from rustybt.engine.notes import notes_of
from rustybt.engine.result import Result
from rustybt.engine.tables import Sleeves
from rustybt.engine.targets import Signals
from rustybt.engine.timing import timing_notes
from rustybt.ledger import check_books, warned
from rustybt.ledger.frames import Books, on_the_path
from rustybt.model import Detail, Outcome, Panel, Reason, Tables


@dataclass(frozen=True)
class Ran:
    """What was run: everything of a result but the outcome.

    Attributes:
        sleeves: strategies by sleeve name.
        config: settings of the run.
        panel: the bars.
        tables: the rules as integers.
        signals: evaluated terms and targets per sleeve.
    """

    sleeves: Sleeves
    config: RunConfig
    panel: Panel
    tables: Tables
    signals: Mapping[str, Signals]


def finish(ran: Ran, outcome: Outcome) -> Result:
    """A result whose books balance.

    Raises:
        LedgerError: they do not.
    """
    books = Books(ran.tables, outcome, ran.panel.ts, ran.panel.sessions, tuple(ran.sleeves))
    notes = notes_of(ran.sleeves, ran.panel, ran.config, [signals.plan for signals in ran.signals.values()])
    notes += tuple(timing_notes(ran.config.timing, ran.panel, outcome.log))
    notes += tuple(idle_notes(ran.sleeves, ran.panel, ran.signals, outcome.log))
    notes += currency_notes(books)
    notes += isolated_notes(books) + margin_notes(books) + unused(ran.config.increments, ran.panel) + strangers(ran.config, ran.panel)
    if outcome.log.detail.any():
        notes += cut_notes(books) + carry_notes(books) + settlement_notes(books)
    notes += tuple(warned(books))
    return Result(ran.sleeves, ran.config, ran.panel, ran.tables, outcome, ran.signals, check_books(books), notes)


def cut_notes(books: Books) -> tuple[str, ...]:
    """That orders were cut to lots in force, or refused below the least notional, in one sentence each."""
    log = books.outcome.log
    off, below = (int(np.count_nonzero(log.having(detail))) for detail in (Detail.LOT_SIZE, Detail.MIN_NOTIONAL))
    said = (
        (off, f"{off:,} orders were cut to whole lots in force: see Result.residuals"),
        (below, f"{below:,} orders were below the least notional and cancelled: see Result.residuals"),
    )
    return tuple(text for count, text in said if count)


def currency_notes(books: Books) -> tuple[str, ...]:
    """That amounts are in more than one currency, in one sentence."""
    given = books.tables.currencies
    if given is None:
        return ()
    foreign = ", ".join(given.names[1:])
    own = f"prices, fees, notionals and pnl of fills and trades are in the currency of their asset ({foreign})"
    return (f"{own}; equity, metrics and the columns that end in _home are in {given.names[0]}",)


def isolated_notes(books: Books) -> tuple[str, ...]:
    """That isolated positions were liquidated, what that cost the account, and that they were topped up, in one sentence each."""
    if not books.tables.row("isolated").any():
        return ()
    log = books.outcome.log
    gone = int(np.count_nonzero(on_the_path(books, log)))
    short = int(np.count_nonzero(log.having(Detail.SHORTFALL)))
    beyond = f", {short:,} of them beyond what was set aside (detail shortfall)" if short else ""
    topped = log.having(Reason.TOP_UP)
    said = (
        (gone, f"{gone:,} isolated positions were liquidated{beyond}: see the orders with the reason liquidation"),
        (topped.any(), f"isolated positions were topped up {int(np.count_nonzero(topped)):,} times: see Result.margin"),
    )
    return tuple(text for count, text in said if count)


def margin_notes(books: Books) -> tuple[str, ...]:
    """That there were margin calls, in one sentence."""
    calls = books.outcome.log.bar[np.flatnonzero(books.outcome.log.having(Reason.MARGIN_CALL))]
    if not len(calls):
        return ()
    first = np.datetime64(int(books.ts[calls[0]]), "us")
    return (
        f"equity was below the maintenance margin at {len(calls):,} bars, first at {first}Z: see the orders with the reason liquidation",
    )


def settlement_notes(books: Books) -> tuple[str, ...]:
    """That orders went short of settled cash, in one sentence."""
    cut = int(np.count_nonzero(books.outcome.log.having(Detail.UNSETTLED) & (books.outcome.log.slot >= 0)))
    if not cut:
        return ()
    return (f"{cut:,} orders were cut or refused because cash from sales was not settled: see the detail unsettled in orders",)
