from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.sweeps.sensitivity import curve, pick, stability, surface


def grid(function: Any, fast: Any = range(10), slow: Any = range(10)) -> pl.DataFrame:
    rows = [{"fast": f, "slow": s, "sharpe": function(i, j)} for (i, f), (j, s) in itertools.product(enumerate(fast), enumerate(slow))]
    return pl.DataFrame(rows)


def hill(i: int, j: int) -> float:
    return 1.0 - ((i - 6) ** 2 + (j - 6) ** 2) / 100 + (3.0 if (i, j) == (1, 2) else 0.0)


def test_a_curve_holds_the_quantiles_of_the_others() -> None:
    found = curve(grid(lambda i, j: float(10 * i + j)), "fast").row(3, named=True)
    assert found == {"fast": 3, "variants": 10, "low": 30.0, "q25": 32.25, "median": 34.5, "q75": 36.75, "high": 39.0}


def test_a_surface_has_a_cell_for_each_pair() -> None:
    found = surface(grid(lambda i, j: float(10 * i + j)), "fast", "slow")
    assert found.columns == ["slow", *map(str, range(10))]
    assert found["7"].to_list() == [70.0 + j for j in range(10)]


def test_a_needle_is_the_peak_and_not_the_plateau() -> None:
    found = pick(grid(hill), ["fast", "slow"])
    assert (found.peak["fast"], found.peak["slow"]) == (1, 2)
    assert (found.plateau["fast"], found.plateau["slow"]) == (6, 6)
    assert found.plateau["neighbours"] == 9


def test_less_can_be_better() -> None:
    found = pick(grid(lambda i, j: -hill(i, j)), ["fast", "slow"], largest=False)
    assert (found.plateau["fast"], found.plateau["slow"]) == (6, 6)
    assert found.plateau["neighbourhood"] == pytest.approx(-0.99, abs=0.01)


@pytest.mark.parametrize(("times", "plus"), [(1.0, 0.0), (1e-6, 0.0), (250.0, -40.0)])
def test_the_scale_of_metric_and_parameters_does_not_matter(times: float, plus: float) -> None:
    plain = grid(hill)
    scaled = grid(lambda i, j: times * hill(i, j) + plus, fast=[2.0**k for k in range(10)], slow=[k**3 for k in range(10)])
    one, other = stability(plain, ["fast", "slow"]), stability(scaled, ["fast", "slow"])
    assert other == pytest.approx(one, abs=1e-9)
    assert pick(scaled, ["fast", "slow"]).plateau["slow"] == 6**3


def test_noise_has_no_stability_and_a_plane_has_much() -> None:
    rng = np.random.default_rng(3)
    noise = [stability(grid(lambda i, j: float(rng.normal())), ["fast", "slow"]) or 0.0 for _ in range(30)]
    assert np.mean(noise) == pytest.approx(0.0, abs=0.05)
    assert stability(grid(lambda i, j: float(i + j)), ["fast", "slow"]) > 0.7  # type: ignore[operator]
    assert stability(grid(lambda i, j: float((i + j) % 2)), ["fast", "slow"]) < -0.9  # type: ignore[operator]
    assert stability(grid(lambda i, j: 1.0), ["fast", "slow"]) is None


def test_stability_worked_by_hand() -> None:
    """Values 0, 1, 3: neighbours differ by 1 and 2, mean 3/2; any two by 1, 3 and 2, mean 2; 1 - 3/4."""
    assert stability(pl.DataFrame({"n": [1, 5, 100], "m": [0, 1, 3]}), ["n"], "m") == 0.25


def test_holes_failed_variants_and_words() -> None:
    frame = grid(hill).filter((pl.col("fast") + pl.col("slow")) % 7 != 0)
    frame = frame.with_columns(pl.when(pl.col("fast") == 9).then(None).otherwise(pl.col("sharpe")).alias("sharpe"))
    assert pick(frame, ["fast", "slow"]).plateau["fast"] in (5, 6)
    both = pl.concat([grid(hill).with_columns(kind=pl.lit(kind)) for kind in ("a", "b")])
    assert stability(both, ["fast", "slow", "kind"]) == pytest.approx(stability(grid(hill), ["fast", "slow"]), rel=0.02)
    assert pick(both, ["fast", "slow", "kind"]).plateau["neighbours"] == 9


def test_the_order_of_the_rows_does_not_matter() -> None:
    frame = grid(hill)
    one, other = pick(frame, ["fast", "slow"]), pick(frame.sample(fraction=1.0, shuffle=True, seed=4), ["fast", "slow"])
    assert one.plateau == other.plateau
    assert one.stability == pytest.approx(other.stability)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda f: curve(f, "fats"), "no column 'fats'"),
        (lambda f: curve(f, "fast", "luck"), "no column 'luck'"),
        (lambda f: surface(f, "fast", "fast"), "both sides are 'fast'"),
        (lambda f: stability(f, []), "no parameters"),
        (lambda f: pick(f.head(1), ["fast", "slow"]), "no variant has two neighbours"),
        (lambda f: pick(f.with_columns(sharpe=pl.lit(None)), ["fast"]), "no variant has a 'sharpe'"),
        (lambda f: pick(f.with_columns(sharpe=pl.lit("x")), ["fast"]), "holds String, not numbers"),
    ],
)
def test_what_cannot_be_shown_is_said(wrong: Any, words: str) -> None:
    with pytest.raises(rbt.ConfigError, match=words):
        wrong(grid(hill))
