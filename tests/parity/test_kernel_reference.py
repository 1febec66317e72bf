"""The compiled kernel and the Decimal reference give the same outcome to the last digit, and stop on the same overflows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from rustybt import kernel, reference
from rustybt.errors import LedgerError
from rustybt.model import Detail, Outcome, Plan, Reason, Requests, Status
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


def test_kernel_equals_reference_on_long_quiet_sessions() -> None:
    """Hundreds of bars with a target now and then: where the kernel skips what cannot matter, the reference does not."""
    rows = 0
    for seed in range(300_000, 300_060):
        drawn = thinned(session(seed, bars=300), every=29)
        expected, found = both(drawn)
        assert not found, f"seed {seed}: {found}"
        rows += 0 if expected is None else expected.log.rows
    assert rows > 500


def thinned(drawn: Session, every: int) -> Session:
    """The session with the offers of every so-manieth bar only."""
    plan = drawn.plan
    kept = [range(int(plan.start[bar]), int(plan.start[bar + 1])) if bar % every == 0 else range(0) for bar in range(len(plan.start) - 1)]
    rows = np.array([row for part in kept for row in part], dtype=np.int64)
    start = np.cumsum([0, *map(len, kept)]).astype(np.int64)
    return drawn._replace(
        plan=replace(Plan.from_starts(start, plan.slot[rows], plan.value[rows]), requests=thinned_requests(plan.requests, every))
    )


def thinned_requests(requests: Requests | None, every: int) -> Requests | None:
    """The orders of every so-manieth bar only."""
    if requests is None:
        return None
    kept = requests.bar % every == 0
    return replace(requests, bar=requests.bar[kept], told=np.ascontiguousarray(requests.told[kept]))


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
    assert {row[0] for row in seen} == set(Reason) - {Reason.EXTERNAL}
    assert {row[1] for row in seen} == set(Status)
    assert {row[2] for row in seen} == set(Detail)
    assert errors > 5
