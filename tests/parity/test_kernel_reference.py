"""The compiled kernel and the Decimal reference give the same outcome to the last digit, and stop on the same overflows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

from rustybt import kernel, reference
from rustybt.errors import LedgerError
from rustybt.model import Detail, Outcome, Reason, Status
from rustybt.testing.generators import Session, session, sessions
from rustybt.testing.golden import write_case
from rustybt.testing.outcomes import differences, identity_breaches, run_or_error

BLOCK, BLOCKS = 250, 8
"""2,000 seeded sessions in all; `make soak` runs 100,000 from later seeds."""


def both(drawn: Session) -> tuple[Outcome | None, list[str]]:
    expected = run_or_error(reference.simulate, drawn)
    return expected, differences(expected, run_or_error(kernel.simulate, drawn))


@pytest.mark.parametrize("block", range(BLOCKS))
def test_kernel_equals_reference_on_seeded_sessions(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        drawn = session(seed)
        expected, found = both(drawn)
        assert not found, f"seed {seed}: {found}\n{write_case(drawn, expected, f'seed {seed}')}"
        if expected is not None:
            assert identity_breaches(drawn, expected) == [], f"seed {seed}"


@settings(max_examples=300)
@given(sessions())
def test_kernel_equals_reference_on_hypothesis_sessions(drawn: Session) -> None:
    expected, found = both(drawn)
    assert not found, f"{found}\n{write_case(drawn, expected, 'shrunk by Hypothesis')}"


def test_seeded_sessions_reach_every_kind_of_row_and_both_verdicts() -> None:
    seen: Counter[tuple[Reason, Status, Detail]] = Counter()
    errors = 0
    for seed in range(2 * BLOCK):
        try:
            log = kernel.simulate(*session(seed)).log
        except LedgerError:
            errors += 1
            continue
        codes = np.stack([log.reason, log.status, log.detail], axis=1).tolist()
        seen.update((Reason(reason), Status(status), Detail(detail)) for reason, status, detail in codes)
    reasons = {Reason.TARGET, Reason.STOP_LOSS, Reason.TRAILING_STOP, Reason.TAKE_PROFIT, Reason.MAX_BARS, Reason.SPLIT, Reason.DIVIDEND}
    assert {row[0] for row in seen} == reasons
    assert {row[1] for row in seen} == set(Status)
    assert {row[2] for row in seen} == set(Detail)
    assert errors > 5
