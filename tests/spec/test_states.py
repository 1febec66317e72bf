"""States against the installed Polars, to the last bit."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.spec.rings import Ring
from rustybt.spec.states import Bar, faithful, state_of
from rustybt.spec.tree import parse

x = pl.col("x")
CARRIED = [
    x.rolling_mean(3),
    x.rolling_mean(5, min_samples=2),
    x.rolling_sum(4),
    x.rolling_sum(1),
    x.rolling_var(5),
    x.rolling_std(7, min_samples=2),
    x.rolling_std(4, ddof=0),
    x.rolling_var(2, min_samples=1, ddof=0),
    x.ewm_mean(span=5),
    x.ewm_mean(alpha=0.1, adjust=False),
    x.ewm_mean(half_life=3, ignore_nulls=True, min_samples=4),
    x.cum_sum(),
    x.cum_max(),
    x.cum_min(),
    x.forward_fill(),
]


@pytest.mark.parametrize("expr", CARRIED)
def test_states_are_used_with_the_installed_polars(expr: pl.Expr) -> None:
    assert faithful(parse(expr))


FLOATS = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-9, 1e12, float("nan"), float("inf"), float("-inf")]))


@pytest.mark.parametrize("expr", CARRIED)
@settings(max_examples=30)
@given(values=st.lists(FLOATS, min_size=1, max_size=40))
def test_states_give_the_bits_of_polars(expr: pl.Expr, values: list[float | None]) -> None:
    series = pl.Series("x", values, dtype=pl.Float64)
    state = state_of(parse(expr))
    assert state is not None
    ring, found = Ring(state.width), []
    slots = np.zeros(1, np.int64)
    for at in range(len(series)):
        one = series.slice(at, 1)
        ring.push(slots, one)
        found.append(state.update(Bar(one.fill_null(0.0).to_numpy(), one.is_not_null().to_numpy(), ring, slots)))
    assert pl.concat(found).equals(series.to_frame().select(expr).to_series(), check_names=False)


@pytest.mark.parametrize(
    "expr", [x.ewm_std(span=3), x.rolling_mean(3, center=True), x.rolling_mean(2, weights=[1.0, 2.0]), x.cum_sum(reverse=True)]
)
def test_operations_without_a_state(expr: pl.Expr) -> None:
    assert state_of(parse(expr)) is None
