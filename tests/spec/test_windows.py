"""Windows evaluated on their own have the bits of a plan."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.model import Panel
from rustybt.spec.planner import plan_terms
from rustybt.spec.tree import parse
from rustybt.spec.windows import Windows
from rustybt.testing import markets

PANELS = [
    markets.panel(assets=1, bars=60, seed=1),
    markets.panel(assets=3, bars=50, seed=2),
    markets.panel(assets=4, bars=40, seed=3, gaps=0.2),
    markets.panel(assets=1, bars=2, seed=4),
]


@settings(max_examples=150, deadline=None)
@given(
    panel=st.sampled_from(PANELS),
    column=st.sampled_from(["close", "volume", "high"]),
    name=st.sampled_from(["sum", "mean", "var", "std"]),
    size=st.integers(1, 70),
    least=st.integers(1, 70),
    every=st.sampled_from([None, 1, 3, 7]),
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_windows_have_the_bits_of_a_plan(panel: Panel, column: str, name: str, size: int, least: int, every: int | None) -> None:
    expr = getattr(pl.col(column), f"rolling_{name}")(size, min_samples=min(size, least))
    mask = None if every is None else (np.arange(panel.frame.height) % every == 0)
    windows = Windows(panel, mask)
    window = windows.read(parse(expr))
    assert window is not None
    values, known = windows.values(window)
    wanted = plan_terms({"target": expr}).evaluate(panel.frame, panel, rows=mask)["target"]
    there = wanted.is_not_null().to_numpy()
    assert there.tolist() == (np.ones(len(there), dtype=bool) if known is None else known).tolist()
    assert values[there].tobytes() == wanted.drop_nulls().to_numpy().tobytes()
    assert not values[~there].any()


@pytest.mark.parametrize(
    "expr",
    [
        pl.col("close"),
        pl.col("close").rolling_max(5),
        pl.col("close").shift(1).rolling_mean(5),
        pl.col("close").rolling_mean(5, center=True),
        pl.col("close").rolling_mean(5, weights=[1.0] * 5),
        pl.col("close").rolling_mean(0),
        pl.col("close").rolling_mean(3, min_samples=0),
        pl.col("clothes").rolling_mean(5),
        pl.col("close").rolling_mean(5).over("asset"),
    ],
    ids=str,
)
def test_what_is_left_to_a_plan(expr: pl.Expr) -> None:
    assert Windows(PANELS[0], None).read(json.loads(expr.meta.serialize(format="json"))) is None
