from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rustybt.errors import ConfigError, LedgerError
from rustybt.ledger.frames import Books
from rustybt.model import SLOT_FIELDS, Asset, FillAt, Log, Outcome, Sizing, Tables
from rustybt.reference import simulate
from rustybt.testing.currencies import in_one_currency
from rustybt.testing.generators import session

TYPES: tuple[Any, ...] = (np.int32, np.int32, np.int32, np.int64, np.int8, np.int8, np.int8, *[np.int64] * 5)
UNIT = 10**4  # money units of one tick and lot of an equity


def make_log(rows: Sequence[tuple[int, ...]]) -> Log:
    """Rows of (bar, submitted, slot, seq, reason, status, detail, requested, filled, price, notional, fee)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 12
    return Log(*(np.array(column, dtype=kind) for column, kind in zip(columns, TYPES, strict=True)))


def fill(bar: int, slot: int, seq: int, lots: int, price: int, fee: int = 0) -> tuple[int, ...]:
    return (bar, bar - 1, slot, seq, 0, 0, 0, lots, lots, price, lots * price * UNIT, fee)


def random_books(seed: int, *, currencies: bool = False) -> Books | None:
    """A random session with splits, dividends, shorts and two sleeves, run by the reference; None where an amount does not fit.

    In one currency unless several are asked for.
    """
    drawn = session(seed)
    if not currencies:
        drawn = drawn._replace(tables=in_one_currency(drawn.tables))
    try:
        outcome = simulate(*drawn)
    except (LedgerError, ConfigError):
        return None
    bars, names = len(outcome.cash), tuple(f"s{k}" for k in range(drawn.tables.sleeves))
    return Books(drawn.tables, outcome, np.arange(bars) * 86_400_000_000, np.arange(bars, dtype=np.int32), names)


@pytest.fixture
def make_books() -> Any:
    def make(rows: Sequence[tuple[int, ...]], assets: int = 2, bars: int = 6, sleeves: tuple[str, ...] = ("main",)) -> Books:
        log = make_log(rows)
        nouns = tuple(Asset.of(f"A{n}") for n in range(assets))
        slots = assets * len(sleeves)
        tables = Tables(
            nouns, len(sleeves), 10**13, 8, 10**8, FillAt.NEXT_OPEN, Sizing.AT_DECISION, np.zeros((len(SLOT_FIELDS), slots), np.int64)
        )
        lots, last = np.zeros(slots, np.int64), np.full(assets, 10_000, np.int64)
        np.add.at(lots, log.slot, log.filled)
        paid = np.zeros(bars, np.int64)
        np.add.at(paid, log.bar, log.notional + log.fee)
        cash = 10**13 - np.cumsum(paid)
        equity = cash + int((lots * np.tile(last, len(sleeves)) * UNIT).sum())
        outcome = Outcome(log, equity, cash, np.zeros(bars, np.int64), lots, last)
        return Books(tables, outcome, np.arange(bars) * 86_400_000_000, np.arange(bars, dtype=np.int32), sleeves)

    return make
