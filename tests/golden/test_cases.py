"""Every golden case, against the reference and against the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from rustybt import kernel, reference
from rustybt.errors import LedgerError
from rustybt.testing.golden import outcome_lines, read_case
from rustybt.testing.outcomes import Simulate

CASES = sorted(Path(__file__).parent.glob("cases/*.txt"))
SIMULATORS: dict[str, Simulate] = {"reference": reference.simulate, "kernel": kernel.simulate}


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_golden_case(path: Path, simulator: str) -> None:
    case = read_case(path.read_text(), path.name)
    if case.error:
        with pytest.raises(LedgerError, match="asset"):
            SIMULATORS[simulator](*case.session)
        return
    outcome = SIMULATORS[simulator](*case.session)
    log, balances, lots = outcome_lines(case.session.tables, outcome)
    listed = {line.split()[0] for line in case.balances}
    assert list(log) == list(case.log)
    assert [line for line in balances if line.split()[0] in listed] == list(case.balances)
    assert list(lots) == list(case.lots)


def test_there_are_cases_for_every_rule() -> None:
    assert len(CASES) >= 60
