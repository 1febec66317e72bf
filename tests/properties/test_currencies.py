"""Several currencies: at rates of 1 nothing changes, every book balances by itself, and what is converted is nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rustybt import kernel, reference
from rustybt.model import CurrencyTable, Reason
from rustybt.model.tables import NO_DATED
from rustybt.testing.currencies import in_one_currency
from rustybt.testing.generators import Session, session
from rustybt.testing.outcomes import differences, run_or_error
from tests.properties.alterations import with_setting, without_margin

SEEDS = range(740_000, 740_200)


def at_par(drawn: Session, *, convert: bool) -> Session:
    """The session with every second asset in a currency that is worth as much as the account's."""
    bars, assets = len(drawn.market.close), len(drawn.tables.assets)
    par = np.ones((bars, 2), dtype=np.int64)
    currencies = CurrencyTable(("AAA", "BBB"), np.arange(assets, dtype=np.int64) % 2, par, par, convert)
    return drawn._replace(tables=replace(drawn.tables, currencies=currencies))


def test_at_rates_of_one_nothing_changes() -> None:
    compared = 0
    for seed in SEEDS:
        drawn = session(seed)
        drawn = drawn._replace(events=drawn.events[:0], tables=replace(in_one_currency(drawn.tables), flows=drawn.tables.flows[:0]))
        drawn = drawn._replace(tables=replace(drawn.tables, carry=None, pending_days=0))
        plain = run_or_error(kernel.simulate, drawn)
        if plain is None:
            continue
        for convert in (True, False):
            found = run_or_error(kernel.simulate, at_par(drawn, convert=convert))
            assert found is not None, seed
            assert found.equity.tolist() == plain.equity.tolist(), (seed, convert)
            assert found.gross.tolist() == plain.gross.tolist(), (seed, convert)
            assert found.lots.tolist() == plain.lots.tolist(), (seed, convert)
            fills = found.log.reason != Reason.CONVERSION
            for name in ("bar", "slot", "seq", "status", "detail", "filled", "price", "notional", "fee"):
                assert getattr(found.log, name)[fills].tolist() == getattr(plain.log, name).tolist(), (seed, convert, name)
        compared += plain.log.rows
    assert compared > 1000


def test_what_leaves_one_book_enters_the_account_at_the_rate_of_its_bar() -> None:
    conversions = 0
    for seed in SEEDS:
        drawn = session(seed)
        table, outcome = drawn.tables.currencies, run_or_error(kernel.simulate, drawn)
        if table is None or outcome is None:
            continue
        log = outcome.log
        rows = np.flatnonzero(log.reason == Reason.CONVERSION)
        assert table.convert or not len(rows)
        for foreign, own in rows.reshape(-1, 2).tolist():
            assert log.slot[own] == -1, seed
            place, bar = int(table.of_slots(log.slot[foreign : foreign + 1])[0]), int(log.bar[foreign])
            known = np.flatnonzero(table.num[: bar + 1, place])[-1]
            num, den = int(table.num[known, place]), int(table.den[known, place])
            exact, received = int(log.notional[foreign]) * num, -int(log.notional[own])
            assert abs(2 * (received * den - exact)) <= den, seed
            conversions += 1
    assert conversions > 20


def seldom(drawn: Session, *, convert: bool) -> Session:
    """The session with a decision at every seventh bar at most, and nothing else that looks at every bar."""
    kept = drawn.plan.bar % 7 == 0
    plan = replace(drawn.plan, bar=drawn.plan.bar[kept], slot=drawn.plan.slot[kept], value=drawn.plan.value[kept], requests=None)
    plain = with_setting(without_margin(drawn._replace(plan=plan)), settles=0, scheduled=0)
    assert plain.tables.currencies is not None
    currencies = replace(plain.tables.currencies, convert=convert)
    return plain._replace(tables=replace(plain.tables, controls=None, dated=NO_DATED, currencies=currencies))


def test_bars_at_which_only_rates_move_are_marked_as_any_other() -> None:
    quiet = 0
    for seed in range(741_000, 741_300):
        drawn = session(seed, bars=30)
        for convert in (True, False) if drawn.tables.currencies is not None else ():
            one = seldom(drawn, convert=convert)
            found = run_or_error(kernel.simulate, one)
            assert differences(found, run_or_error(reference.simulate, one)) == [], (seed, convert)
            quiet += 0 if found is None else len(found.equity) - len(np.unique(found.log.bar))
    assert quiet > 500
