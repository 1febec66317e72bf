from __future__ import annotations

from dataclasses import replace

from rustybt import reference
from rustybt.testing.generators import session
from rustybt.testing.outcomes import differences, float_columns, identity_breaches, run_or_error

DRAWN = session(3)
OUTCOME = reference.simulate(*DRAWN)


def test_one_unit_of_difference_is_named() -> None:
    cash = OUTCOME.cash.copy()
    cash[2] += 1
    assert differences(OUTCOME, replace(OUTCOME, cash=cash)) == [f"cash[2]: {OUTCOME.cash[2]} and {cash[2]}"]


def test_a_missing_row_a_type_and_an_error_are_differences() -> None:
    shorter = replace(OUTCOME, log=replace(OUTCOME.log, fee=OUTCOME.log.fee[:-1]))
    rows = OUTCOME.log.rows
    assert differences(OUTCOME, shorter) == [f"log.fee: ({rows},) and ({rows - 1},) entries"]
    assert differences(OUTCOME, replace(OUTCOME, lots=OUTCOME.lots.astype("int32"))) == ["lots: types int64 and int32"]
    assert differences(OUTCOME, None) == ["the second alone stopped with an error"]
    assert differences(None, None) == []


def test_no_money_of_random_sessions_is_a_float_and_one_that_is_has_a_name() -> None:
    for seed in range(40):
        drawn = session(seed)
        outcome = run_or_error(reference.simulate, drawn)
        assert outcome is None or float_columns(drawn, outcome) == [], seed
    assert float_columns(DRAWN, replace(OUTCOME, gross=OUTCOME.gross.astype("float64"))) == ["gross"]


def test_a_fee_that_is_not_in_the_cash_is_a_breach() -> None:
    fee = OUTCOME.log.fee.copy()
    fee[-1] += 1
    assert identity_breaches(DRAWN, OUTCOME) == []
    assert identity_breaches(DRAWN, replace(OUTCOME, log=replace(OUTCOME.log, fee=fee)))
    assert identity_breaches(DRAWN, replace(OUTCOME, lots=OUTCOME.lots + 1))
