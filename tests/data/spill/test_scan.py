"""One compiled pass finds what the functions of the door find, or leaves it to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rustybt.data import scan
from rustybt.data.metadata import listings
from rustybt.data.options import Options
from rustybt.data.spill import part
from rustybt.data.timing import time_rows

INF = float("inf")
PRICES = st.one_of(
    st.integers(-5, 300).map(lambda n: n / 100),
    st.floats(0.0001, 1000, allow_nan=False),
    st.sampled_from([10.0, 10.25, 10.3, 1e-9, -1.0, 0.0, float("nan"), INF, -INF]),
)
VOLUMES = st.one_of(st.integers(-2, 10**7).map(float), st.floats(0, 1e6), st.sampled_from([float("nan"), INF, -INF, 0.5, 1e9]))
STEPS = st.sampled_from(["0.01", "0.0001", "0.05", "0.25", "0.00000001", "1", "5", "0.3"])
ROWS = st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES, VOLUMES), min_size=1, max_size=12)


def both(rows: list[tuple[float, ...]], steps: tuple[str, str]) -> tuple[Any, Any]:
    """Rows of two assets, judged in one pass and by the door's functions."""
    half = (len(rows) + 1) // 2
    stamps = [*range(half), *range(len(rows) - half)]
    names = ["open", "high", "low", "close", "volume"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64), orient="row").with_columns(
        pl.Series("ts", [day * 60_000_000 for day in stamps]).cast(pl.Datetime("us", "UTC")),
        pl.Series("asset", ["A"] * half + ["B"] * (len(rows) - half), dtype=pl.String),
    )
    options = Options(stamp="close", tick_size=steps[0], volume_step=steps[1], assets={"B": {"tick_size": "0.5"}})
    timed = time_rows(frame, options, "here")
    listed = listings(timed.keyed.symbols, options)
    return part._scanned(timed, listed), part._judged(timed, listed)


@pytest.mark.parametrize("interpreted", [False, True])
@settings(max_examples=150, deadline=None)
@given(rows=ROWS, steps=st.tuples(STEPS, STEPS))
@example(rows=[(10.0, 11.0, 9.0, 10.0, 5.0)], steps=("0.01", "1"))
@example(rows=[(10.001, 11.0, 9.0, 10.0, -3.0)], steps=("0.01", "1"))
@example(rows=[(10.0, 9.0, 11.0, 10.0, INF)], steps=("0.05", "1"))
@example(rows=[(12.0, 11.0, 9.0, 10.0, INF)], steps=("0.3", "5"))
def test_one_pass_finds_what_the_door_finds(interpreted: bool, rows: list[tuple[float, ...]], steps: tuple[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if interpreted:
            patch.setattr(scan, "scan", scan.scan.py_func)  # type: ignore[attr-defined]
        found, expected = both(rows, steps)
    if found is None:
        return
    assert expected is not None
    assert found.found.tolist() == expected.found.tolist()
    assert [column.tolist() for column in found.ticks] == [column.tolist() for column in expected.ticks]
    assert found.moved == expected.moved


@pytest.mark.parametrize(
    "row",
    [
        (10.005, 11.0, 9.0, 10.0, 5.0),
        (10.0, 11.0, 9.0, 10.0, 2.0**51),
        (10.0, 11.0, 9.0, 10.0, -0.0),
        (1e300, 1e308, 9.0, 10.0, 1.0),
    ],
)
def test_what_doubles_cannot_tell_is_left_to_the_door(row: tuple[float, ...]) -> None:
    options = Options(stamp="close", tick_size="0.01")
    names = ["open", "high", "low", "close", "volume"]
    frame = pl.DataFrame([row], schema=dict.fromkeys(names, pl.Float64), orient="row").with_columns(
        pl.Series("ts", [0]).cast(pl.Datetime("us", "UTC")), pl.lit("A").alias("asset")
    )
    timed = time_rows(frame, options, "here")
    assert part._scanned(timed, listings(timed.keyed.symbols, options)) is None


def test_plain_rows_are_not_left_to_the_door() -> None:
    rows: list[tuple[float, ...]] = [(10.5 + number, 11.0, 9.0, 10.5, 1000.0 * number) for number in range(50)]
    found, expected = both(rows, ("0.0001", "1"))
    assert found is not None
    assert np.array_equal(found.found, expected.found)
