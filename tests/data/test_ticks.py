"""Numbers of a source become whole ticks exactly."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.data.exact import CHUNK, mul_div, nearest_doubles, scale_by
from rustybt.data.ticks import Run, Scaled, scale_column
from rustybt.errors import DataError


def scaled(values: list[object] | pl.Series, step: str, dtype: pl.DataType | type[pl.DataType] = pl.Float64) -> Scaled:
    column = values.alias("close") if isinstance(values, pl.Series) else pl.Series("close", values, dtype=dtype)
    return scale_column(column, [Run(0, len(column), Decimal(step))], "tick_size", lambda row: f"A{row}")


def exact(value: object, step: str) -> int:
    with localcontext() as context:
        context.prec = 80
        return int((Decimal(str(value)) / Decimal(step)).to_integral_value(ROUND_HALF_EVEN))


@given(st.integers(1, 2**61 - 1), st.integers(0, 8))
def test_every_double_that_prints_with_the_scale_becomes_the_ticks_that_it_prints(ticks: int, digits: int) -> None:
    step = Decimal(1).scaleb(-digits)
    price = float(Decimal(ticks) * step)
    printed = Decimal(repr(price))
    if printed * 10**digits == int(printed * 10**digits) and int(printed * 10**digits) < 2**61:
        found = scaled([price], str(step))
        assert found.ticks[0] == int(printed * 10**digits)
        assert found.floats[0] == price
        assert found.moved == 0


@given(st.floats(1e-6, 1e9), st.sampled_from(["0.01", "0.0001", "0.00000001", "0.25", "0.05", "0.03125", "1", "5", "100", "0.3"]))
def test_a_price_between_ticks_is_rounded_half_even_as_it_prints(price: float, step: str) -> None:
    assert scaled([price], step).ticks[0] == exact(price, step)


@pytest.mark.parametrize(
    ("price", "step", "ticks"),
    [
        (0.29, "0.01", 29),
        (1.005, "0.001", 1005),
        (4.35, "0.01", 435),
        (0.00005, "0.0001", 0),
        (0.00015, "0.0001", 2),
        (0.125, "0.25", 0),
        (0.375, "0.25", 2),
        (101.5, "1", 102),
        (100.5, "1", 100),
        (99999999.99999999, "0.00000001", 9999999999999999),
        (123456789012.12345, "0.0001", 1234567890121234),
        (2305843009213.6934, "0.000001", 2305843009213693400),
    ],
)
def test_ticks_of_known_prices(price: float, step: str, ticks: int) -> None:
    assert scaled([price], step).ticks[0] == ticks


@given(st.decimals(0, 10**9, places=6), st.sampled_from(["0.000001", "0.0001", "0.01", "0.25", "2", "0.00000001"]))
def test_decimal_columns_are_exact(value: Decimal, step: str) -> None:
    assert scaled([value], step, pl.Decimal(20, 6)).ticks[0] == exact(value, step)


@given(st.integers(0, 2**53), st.sampled_from(["1", "0.5", "3", "100"]))
def test_integer_columns_are_exact(value: int, step: str) -> None:
    assert scaled([value], step, pl.Int64).ticks[0] == exact(value, step)


def test_float32_counts_as_it_prints() -> None:
    found = scaled(pl.Series([100.1, 0.3], dtype=pl.Float32), "0.00000001")
    assert found.ticks.tolist() == [10_010_000_000, 30_000_000]


def test_nulls_and_values_that_are_not_finite_have_no_ticks() -> None:
    found = scaled([1.0, None, float("nan"), float("inf"), -float("inf")], "0.01")
    assert found.ticks.tolist() == [100, 0, 0, 0, 0]
    assert np.isnan(found.floats[1:]).all()
    assert scaled([Decimal("1.5"), None], "0.01", pl.Decimal(10, 2)).ticks.tolist() == [150, 0]


def test_rounding_is_counted_with_its_largest_residual() -> None:
    found = scaled([1.0, 1.00004, 2.00001], "0.0001")
    assert found.moved == 2
    assert found.residual == pytest.approx(0.00004)
    exactly = scaled([Decimal("1.00"), Decimal("1.07")], "0.05", pl.Decimal(10, 2))
    assert (exactly.moved, exactly.residual) == (1, pytest.approx(0.02))


def test_noise_of_doubles_is_not_reported_as_rounding() -> None:
    found = scaled([0.1 + 0.2, 1.1 * 3, 29.000000000000004], "0.01")
    assert found.ticks.tolist() == [30, 330, 2900]
    assert found.moved == 0
    assert found.floats.tolist() == [0.3, 3.3, 29.0]


def test_pieces_of_a_column_keep_their_own_step() -> None:
    column = pl.Series("close", [1.5, 1.5, 1.5])
    runs = [Run(0, 1, Decimal("0.5")), Run(1, 3, Decimal("0.01"))]
    assert scale_column(column, runs, "tick_size", str).ticks.tolist() == [3, 150, 150]


def test_columns_longer_than_a_chunk_are_whole() -> None:
    values = np.arange(2 * CHUNK + 3) / 100
    assert (scaled(pl.Series(values), "0.01").ticks == np.arange(2 * CHUNK + 3)).all()


def test_a_value_beyond_the_scale_names_the_asset_and_the_setting() -> None:
    with pytest.raises(DataError) as caught:
        scaled([1.0, 3e10], "0.00000001")
    assert caught.value.what.startswith("close 3e+10 is beyond the scale: a tick_size of 1E-8")
    assert "'A1'" in caught.value.where
    assert 'tick_size="0.0001' in caught.value.do


def test_text_is_not_a_price() -> None:
    with pytest.raises(DataError, match="holds String, not numbers"):
        scaled(["1.5"], "0.01", pl.String)


@given(st.lists(st.tuples(st.integers(0, 2**61), st.integers(1, 2**62), st.integers(1, 2**62)), min_size=1, max_size=8))
def test_mul_div_equals_whole_numbers(rows: list[tuple[int, int, int]]) -> None:
    def rounded(v: int, u: int, d: int) -> int:
        whole, rest = divmod(v * u, d)
        return whole + (2 * rest > d or (2 * rest == d and whole % 2 == 1))

    v, u, d = (pl.Series([row[i] for row in rows], dtype=pl.Int64) for i in range(3))
    expected = [rounded(*row) for row in rows]
    assert mul_div(v, u, d).to_list() == expected
    piece = np.arange(len(rows), dtype=np.int32)
    found = scale_by(v.to_numpy(), u.to_numpy(), d.to_numpy(), piece)
    assert found.tolist() == [min(value, 2**61) for value in expected]


@given(st.integers(0, 10**7), st.sampled_from([(1, 2), (3, 2), (1, 8), (5, 4), (1, 7), (7, 1)]))
def test_ties_of_small_factors_go_to_even(value: int, factor: tuple[int, int]) -> None:
    up, down = factor
    whole, rest = divmod(value * up, down)
    expected = whole + (2 * rest > down or (2 * rest == down and whole % 2 == 1))
    assert scale_by(np.array([value]), np.array([up]), np.array([down]), np.zeros(1, dtype=np.int32)).tolist() == [expected]


@given(st.integers(-(2**61), 2**61), st.sampled_from(["0.01", "0.0001", "0.00000001", "0.25", "7", "0.3"]))
def test_nearest_doubles_are_correctly_rounded(ticks: int, step: str) -> None:
    with localcontext() as context:
        context.prec = 80
        assert nearest_doubles(np.array([ticks]), Decimal(step))[0] == float(Decimal(ticks) * Decimal(step))
