"""What costs may and may not do, whatever the numbers: more is never cheaper, and the order of assets does not matter."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import isqrt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rustybt import kernel
from rustybt.kernel import twin
from rustybt.kernel.example import bars_of, offered, table
from rustybt.model import IMPACT_FIELDS, TIER_FIELDS, Reason, Status, Tables, Tape
from rustybt.reference.impact import share_of
from rustybt.testing.outcomes import differences, run_or_error
from tests.properties.alterations import ordinary, with_setting, without_costs

rates = st.integers(0, 10**8)


@given(st.one_of(st.integers(0, 10**16), st.integers(0, 10**8).map(lambda n: n * n), st.integers(1, 10**8).map(lambda n: n * n - 1)))
def test_the_root_is_the_least_whole_number_whose_square_reaches(number: int) -> None:
    twin.load("python")
    from rustybt.kernel_python.impact import root  # type: ignore[import-not-found]

    assert root(number) == (isqrt(number - 1) + 1 if number else 0)


def bought(lots: int, volume: int, **coefficients: int) -> int:
    """The price in ticks at which so many lots are bought at an open of 10000 ticks in a wide bar."""
    model = np.array([[coefficients.get(name, 0)] for name in IMPACT_FIELDS], dtype=np.int64)
    plain = table(cash=10**15, slip_buy=1, slip_sell=1)
    tables = Tables(**{**vars(plain), "impacts": model})
    market = bars_of([10_000, (10_000, 10**9, 1, 10_000)])
    tape = Tape(volume=np.array([[0], [volume]]), feeds=np.zeros((2, 1, 1), dtype=np.int64))
    outcome = twin.load("python").simulate(tables, market, offered(2, {0: lots}), np.zeros((0, 5), dtype=np.int64), tape)
    return int(outcome.log.price[0])


@given(st.integers(1, 10**5), st.integers(1, 10**5), st.integers(0, 10**6), rates, rates)
def test_a_larger_order_is_never_filled_better(one: int, other: int, volume: int, square: int, root: int) -> None:
    small, large = sorted((one, other))
    assert bought(small, volume, square=square, root=root) <= bought(large, volume, square=square, root=root)


@given(st.integers(1, 10**5), st.integers(0, 10**6), rates, rates, rates)
def test_more_of_a_coefficient_is_never_cheaper(lots: int, volume: int, square: int, less: int, more: int) -> None:
    less, more = sorted((less, more))
    assert 10_000 <= bought(lots, volume, square=square, root=less) <= bought(lots, volume, square=square, root=more)


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_the_share_is_at_least_what_it_rounds(lots: int, volume: int) -> None:
    found = Fraction(share_of(Decimal(lots), Decimal(volume)))
    exact = min(Fraction(1), Fraction(lots, volume))
    assert exact <= found < exact + Fraction(1, 10**8)


def test_a_volume_too_large_to_matter_leaves_the_run_as_it_was() -> None:
    """Slippage that goes by the share alone, with next to no share: at most a tick against the trader."""
    for seed, drawn in ordinary(range(720_000, 720_060)):
        free = without_costs(drawn)
        outcome = run_or_error(kernel.simulate, free)
        model = np.zeros((len(IMPACT_FIELDS), 1), dtype=np.int64)
        inert = with_setting(free, slip_buy=1, slip_sell=1)
        again = run_or_error(kernel.simulate, inert._replace(tables=Tables(**{**vars(inert.tables), "impacts": model})))
        assert (outcome is None) == (again is None), seed
        if outcome is not None and again is not None:
            assert outcome.equity.tolist() == again.equity.tolist(), seed


def test_one_tier_is_the_plain_commission() -> None:
    """A ladder of a single step charges what the same rates charge without one."""
    compared = 0
    for seed, drawn in ordinary(range(730_000, 730_080)):
        plain = with_setting(without_costs(drawn), fee_rate=123_457, fee_maker=10_001, fee_lot_num=7, fee_lot_den=3)
        one = np.array([[0], [123_457], [10_001], [7], [3]], dtype=np.int64)
        assert len(one) == len(TIER_FIELDS)
        stepped = with_setting(without_costs(drawn), tier_count=1, tier_first=0, tier_group=0, tier_lots=0)
        stepped = stepped._replace(tables=Tables(**{**vars(stepped.tables), "tiers": one}))
        first, second = run_or_error(kernel.simulate, plain), run_or_error(kernel.simulate, stepped)
        if first is not None and second is not None:
            compared += 1
            assert first.log.fee.tolist() == second.log.fee.tolist(), seed
            assert first.equity.tolist() == second.equity.tolist(), seed
    assert compared > 50


def test_a_cap_that_never_binds_changes_nothing() -> None:
    for seed, drawn in ordinary(range(740_000, 740_060)):
        assert drawn.tape is not None
        free = with_setting(drawn, cap_share=0)
        wide = with_setting(drawn, cap_share=10**8, cap_carry=seed % 2)
        plenty = Tape(drawn.tape.day, np.full(drawn.market.close.shape, 2**61 - 1), drawn.tape.feeds)
        first, second = run_or_error(kernel.simulate, free._replace(tape=plenty)), run_or_error(kernel.simulate, wide._replace(tape=plenty))
        assert differences(first, second) == [], seed


def test_no_order_takes_more_of_a_bar_than_its_cap_and_nothing_asked_for_is_lost() -> None:
    """Whatever is served of a capped order in a bar is at most the cap; what it asked for is in its rows."""
    served = 0
    for seed, drawn in ordinary(range(750_000, 750_080)):
        capped = with_setting(drawn, cap_share=10**7, cap_carry=1)
        outcome = run_or_error(kernel.simulate, capped)
        if outcome is None or capped.tape is None or capped.tape.volume is None:
            continue
        log, assets = outcome.log, len(capped.tables.assets)
        market = np.isin(log.reason, (Reason.TARGET, Reason.MAX_BARS)) & (log.status == Status.FILLED)
        taken: dict[tuple[int, int], int] = {}
        for row in np.flatnonzero(market).tolist():
            key = int(log.bar[row]), int(log.seq[row])
            taken[key] = taken.get(key, 0) + abs(int(log.filled[row]))
            assert taken[key] <= int(capped.tape.volume[key[0], int(log.slot[row]) % assets]) // 10, seed
            served += 1
    assert served > 100
