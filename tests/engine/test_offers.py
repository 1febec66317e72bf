from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rustybt.engine.offers import Targets, build_plan, changes, check_weights, quantise
from rustybt.errors import ConfigError, SpecError
from rustybt.model import Asset, TargetKind

SHARE = (Asset.of("A"), Asset.of("B"))
COIN = (Asset.of("A", "crypto", lot_size="0.1"),)
ZERO = np.zeros(1, dtype=np.int32)


def columns(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


@pytest.mark.parametrize(
    ("value", "kind", "assets", "expected"),
    [
        (0.5, TargetKind.WEIGHT, SHARE, 500_000_000_000),
        (1 / 3, TargetKind.WEIGHT, SHARE, 333_333_333_333),
        (1000.25, TargetKind.NOTIONAL, SHARE, 100_025_000_000),
        (Decimal("1000.25"), TargetKind.NOTIONAL, SHARE, 100_025_000_000),
        (100, TargetKind.QUANTITY, SHARE, 100),
        (99.9, TargetKind.QUANTITY, SHARE, 99),
        (-99.9, TargetKind.QUANTITY, SHARE, -99),
        (0.3, TargetKind.QUANTITY, COIN, 3),
        (0.29, TargetKind.QUANTITY, COIN, 2),
        (Decimal("0.3"), TargetKind.QUANTITY, COIN, 3),
        (Decimal("-0.39"), TargetKind.QUANTITY, COIN, -3),
    ],
)
def test_targets_become_whole_units(value: object, kind: TargetKind, assets: tuple[Asset, ...], expected: int) -> None:
    assert quantise(pl.Series("target", [value]), ZERO, kind, assets, 8).tolist() == [expected]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300])
@pytest.mark.parametrize("kind", list(TargetKind))
def test_a_target_that_is_no_amount_is_refused_naming_the_asset(value: float, kind: TargetKind) -> None:
    with pytest.raises(SpecError, match="NaN, infinite or too large") as raised:
        quantise(pl.Series("target", [1.0, value]), columns(0, 1), kind, SHARE, 8)
    assert "'B'" in str(raised.value)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (2**61, pl.Int64),
        (-(2**63), pl.Int64),
        (2**64 - 1, pl.UInt64),
        (2**100, pl.Int128),
        (Decimal(10) ** 26, pl.Decimal(38, 2)),
    ],
)
@pytest.mark.parametrize("kind", [TargetKind.QUANTITY, TargetKind.NOTIONAL])
def test_an_exact_target_that_does_not_fit_is_refused_naming_the_asset(value: int | Decimal, dtype: pl.DataType, kind: TargetKind) -> None:
    with pytest.raises(SpecError, match="too large") as raised:
        quantise(pl.Series("target", [type(value)(1), value], dtype=dtype), columns(0, 1), kind, SHARE, 8)
    assert "'B'" in str(raised.value)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=40))
def test_only_changes_of_an_asset_are_kept(cells: list[tuple[int, int]]) -> None:
    cells = sorted(cells, key=lambda cell: cell[0])
    column = np.array([c for c, _ in cells], dtype=np.int32)
    value = np.array([v for _, v in cells], dtype=np.int64)
    bar = np.arange(len(cells), dtype=np.int32)
    kept = changes(Targets(TargetKind.QUANTITY, bar, column, value))
    last: dict[int, int] = {}
    expected = []
    for row, (c, v) in enumerate(cells):
        if last.get(c) != v:
            expected.append((row, c, v))
        last[c] = v
    assert list(zip(kept.bar.tolist(), kept.column.tolist(), kept.value.tolist(), strict=True)) == expected


def test_offers_come_in_bar_then_slot_order() -> None:
    first = Targets(TargetKind.QUANTITY, columns(0, 2, 0), columns(0, 0, 1), np.array([1, 2, 3]))
    second = Targets(TargetKind.QUANTITY, columns(2), columns(1), np.array([9]))
    plan = build_plan([first, second], bars=3, assets=2)
    assert plan.start.tolist() == [0, 2, 2, 4]
    assert plan.slot.tolist() == [0, 1, 0, 3]
    assert plan.value.tolist() == [1, 3, 2, 9]


def test_weights_above_the_limit_are_refused_with_the_sum_and_the_time() -> None:
    heavy = Targets(TargetKind.WEIGHT, columns(0, 1, 1), columns(0, 0, 1), np.array([10**12, 8 * 10**11, -9 * 10**11]))
    with pytest.raises(ConfigError, match=r"add up to 1\.7 but max_gross is 1") as raised:
        check_weights(heavy, 10**8, np.array([0, 86_400_000_000], dtype=np.int64))
    assert "1970-01-02" in str(raised.value)
    check_weights(heavy, 2 * 10**8, np.array([0, 86_400_000_000], dtype=np.int64))


def test_thirds_and_sevenths_that_sum_to_one_are_not_refused() -> None:
    for count in (3, 6, 7, 9, 11, 13, 49, 97):
        value = np.full(count, round(10**12 / count), dtype=np.int64)
        targets = Targets(TargetKind.WEIGHT, np.zeros(count, dtype=np.int32), np.arange(count, dtype=np.int32), value)
        check_weights(targets, 10**8, np.array([0], dtype=np.int64))


@pytest.mark.parametrize("kept", [[], [0], [3], [0, 1, 4], [1, 3], [0, 1, 2, 3, 4]])
def test_starts_count_the_offers_before_each_bar(kept: list[int]) -> None:
    bar = np.array(kept, dtype=np.int32)
    targets = Targets(TargetKind.QUANTITY, bar, np.zeros(len(kept), dtype=np.int32), np.arange(len(kept), dtype=np.int64))
    plan = build_plan([targets], bars=5, assets=1)
    assert plan.start.tolist() == [sum(b < t for b in kept) for t in range(6)]
    assert plan.value.tolist() == list(range(len(kept)))


@pytest.mark.parametrize(
    ("value", "scale", "expected"),
    [
        ("1.125", 2, 112),  # a tie goes to the even cent ...
        ("1.135", 2, 114),
        ("-1.125", 2, -112),
        ("-1.135", 2, -114),
        ("0.005", 2, 0),
        ("-0.015", 2, -2),
        ("1.12500000000000000000000001", 2, 113),  # ... and a hair above it is no tie
        ("-1.12500000000000000000000001", 2, -113),
        ("1.12499999999999999999999999", 2, 112),
        ("0.0000000000005", 0, 0),
        ("2.5", 0, 2),
        ("-3.5", 0, -4),
        ("123456789012345.255", 2, 12345678901234526),
        ("7", 8, 700_000_000),
        ("0.99999999999999999999999999999999999999", 8, 100_000_000),
    ],
)
def test_money_in_decimals_is_rounded_half_even_exactly(value: str, scale: int, expected: int) -> None:
    found = quantise(pl.Series("target", [Decimal(value)]), ZERO, TargetKind.NOTIONAL, SHARE, scale)
    assert found.tolist() == [expected]


@given(
    digits=st.integers(-(10**17), 10**17),
    point=st.integers(0, 20),
    scale=st.integers(0, 8),
)
def test_money_in_decimals_is_what_the_decimal_module_gives(digits: int, point: int, scale: int) -> None:
    value = Decimal(digits).scaleb(-point)
    assume(abs(value).scaleb(scale) < 2**61)
    series = pl.Series("target", [value], dtype=pl.Decimal(38, point))
    expected = int(value.scaleb(scale).to_integral_value(ROUND_HALF_EVEN))
    assert quantise(series, ZERO, TargetKind.NOTIONAL, SHARE, scale).tolist() == [expected]


@pytest.mark.parametrize(
    ("value", "lot", "expected"),
    [
        ("9", "3", 3),  # a third has no decimal form: the division is by the lot, not by its reciprocal
        ("8.9999999999999999999999", "3", 2),
        ("-8.9999999999999999999999", "3", -2),
        ("-9", "3", -3),
        ("0.2999999999999999999999", "0.1", 2),
        ("-0.2999999999999999999999", "0.1", -2),
        ("-0.3", "0.1", -3),
        ("1.5", "1", 1),
        ("-1.5", "1", -1),
        ("0.00000000000000000000000000000000000003", "3", 0),
    ],
)
def test_quantities_in_decimals_are_cut_toward_zero_exactly(value: str, lot: str, expected: int) -> None:
    assets = (Asset.of("A", lot_size=lot),)
    assert quantise(pl.Series("target", [Decimal(value)]), ZERO, TargetKind.QUANTITY, assets, 8).tolist() == [expected]


def test_a_decimal_column_keeps_the_rows_apart() -> None:
    values = pl.Series("target", [Decimal("0.005"), Decimal("0.015"), Decimal("-0.025"), Decimal("0.035")])
    assert quantise(values, columns(0, 1, 0, 1), TargetKind.NOTIONAL, SHARE, 2).tolist() == [0, 2, -2, 4]
