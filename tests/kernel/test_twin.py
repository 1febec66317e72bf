"""The compiled kernel, the same source run by the interpreter on unbounded integers, and the Decimal reference agree in every number."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rustybt import kernel, reference
from rustybt.errors import ConfigError, LedgerError
from rustybt.model import Outcome
from rustybt.testing.generators import Session, session
from rustybt.testing.outcomes import differences, run_or_error

from .builds import COMPILED, compiled_only, twin

SEEDS = range(900_000, 900_000 + (320 if COMPILED else 100))


def verdict(built: ModuleType, drawn: Session) -> Outcome | str:
    """The outcome, or the error in words: what does not fit, which asset, which bar."""
    try:
        outcome: Outcome = built.simulate(*drawn)
    except (LedgerError, ConfigError) as error:
        return f"{type(error).__name__} {error} {sorted(error.facts.items())}"
    return outcome


def unequal(one: Outcome | str, other: Outcome | str) -> list[str]:
    if isinstance(one, str) or isinstance(other, str):
        return [] if isinstance(one, str) and one == other else [f"{one} and {other}"]
    return differences(one, other)


@compiled_only
def test_compiled_and_interpreter_agree_in_every_column_curve_and_verdict() -> None:
    stopped = rows = 0
    for seed in SEEDS:
        drawn = session(seed)
        fast, slow = verdict(kernel, drawn), verdict(twin(), drawn)
        assert unequal(fast, slow) == [], seed
        stopped += isinstance(fast, str)
        rows += 0 if isinstance(fast, str) else fast.log.rows
    assert stopped > 2
    assert rows > 4_000


def test_the_interpreter_twin_and_the_decimal_reference_agree() -> None:
    for seed in SEEDS:
        drawn = session(seed)
        assert differences(run_or_error(reference.simulate, drawn), run_or_error(twin().simulate, drawn)) == [], seed


@compiled_only
@pytest.mark.parametrize("parts", [False, True], ids=["whole bars", "part by part"])
def test_compiled_and_interpreter_books_hold_the_same_state_after_every_bar(parts: bool) -> None:
    for seed in range(910_000, 910_030):
        drawn = session(seed)
        fast, slow = states(kernel.Book(drawn.tables), drawn, parts), states(twin().Book(drawn.tables), drawn, parts)
        assert len(fast) == len(slow), seed
        for bar, (one, other) in enumerate(zip(fast, slow, strict=True)):
            for name, array in one.items():
                assert array.dtype == other[name].dtype, name
                assert array.tolist() == other[name].tolist(), (seed, bar, name)


def states(book: Any, drawn: Session, parts: bool) -> list[dict[str, Any]]:
    """What the book saves after each bar, up to the first amount that does not fit."""
    market, found = drawn.market, []
    for bar in range(len(market.close)):
        prices = [getattr(market, name)[bar] for name in ("open", "high", "low", "close")]
        events = drawn.events[drawn.events[:, 0] == bar]
        offers = slice(int(drawn.plan.start[bar]), int(drawn.plan.start[bar + 1]))
        wishes = drawn.plan.slot[offers], drawn.plan.value[offers]
        try:
            book.timed(market.timing_at(bar))
            if parts:
                book.tell(drawn.tape_at(bar))
                book.rate(*drawn.rates_at(bar))
                book.accrue(bar, events)
                book.meet(bar, *prices)
                book.mark(bar, *prices)
                book.decide(bar, *wishes)
            else:
                book.tell(drawn.tape_at(bar))
                book.rate(*drawn.rates_at(bar))
                book.step(bar, *prices, events, *wishes)
        except LedgerError:
            break
        found.append({name: np.array(array) for name, array in book.save().items()})
    return found
