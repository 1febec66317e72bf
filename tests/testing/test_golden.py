from __future__ import annotations

import numpy as np
import pytest

from rustybt import reference
from rustybt.errors import ConfigError
from rustybt.testing.generators import session
from rustybt.testing.golden import outcome_lines, read_case, write_case
from rustybt.testing.outcomes import run_or_error

CURRENCY_BY_NAME = 981
"""A session with a charge on cash of a currency that no asset is quoted in and no rate is known of."""


def test_a_written_session_reads_back_as_itself() -> None:
    for seed in (*range(150), CURRENCY_BY_NAME):
        drawn = session(seed)
        outcome = run_or_error(reference.simulate, drawn)
        case = read_case(write_case(drawn, outcome, "a title"))
        again = case.session
        assert (again.tables.cash, again.tables.gross, again.tables.sleeves) == (
            drawn.tables.cash,
            drawn.tables.gross,
            drawn.tables.sleeves,
        ), seed
        assert (again.tables.fill_at, again.tables.sizing) == (drawn.tables.fill_at, drawn.tables.sizing), seed
        for name in ("open", "high", "low", "close"):
            assert np.array_equal(getattr(again.market, name), getattr(drawn.market, name)), (seed, name)
        for name in ("start", "slot", "value"):
            assert np.array_equal(getattr(again.plan, name), getattr(drawn.plan, name)), (seed, name)
        assert np.array_equal(again.events, drawn.events), seed
        assert case.error == (outcome is None), seed
        if outcome is not None:
            assert outcome_lines(again.tables, reference.simulate(*again)) == (case.log, case.balances, case.lots), seed


def test_remarks_and_blank_lines_are_skipped() -> None:
    case = read_case("# title\n\n[run]\ncash=5 # remark\n[assets]\nA\n[bars]\n0 A 1 1 1 1\n")
    assert case.session.tables.cash == 500
    assert case.session.market.close.tolist() == [[1]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[run]\n[nonsense]\n", "unknown section 'nonsense'"),
        ("[assets]\nA\n[terms]\nB stop=1\n", "unknown slot 'B'"),
        ("cash=1\n", "unknown section ''"),
    ],
)
def test_a_word_that_is_not_known_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        read_case(text, "case")
