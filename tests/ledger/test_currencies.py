"""Books in several currencies: rebuilt from the log, replayed from the journal, loaded by Beancount, all to the last unit."""

from __future__ import annotations

from beancount import loader

from rustybt.ledger import beancount_text, check_journal, equity_frame, journal_frame, positions_frame
from rustybt.ledger.books import check_books
from tests.ledger.conftest import random_books

SEEDS = range(500)


def test_random_books_in_several_currencies_replay_and_load() -> None:
    replayed, loaded = 0, 0
    for seed in SEEDS:
        books = random_books(seed, currencies=True)
        if books is None or books.tables.currencies is None:
            continue
        check_books(books)
        check_journal(journal_frame(books), equity_frame(books), positions_frame(books))
        replayed += 1
        if loaded < 25 and len(books.outcome.log.bar) > 5:
            _, errors, _ = loader.load_string(beancount_text(books, currency=books.tables.currencies.names[0]))
            assert not errors, (seed, errors[:2])
            loaded += 1
    assert replayed > 60
    assert loaded == 25
