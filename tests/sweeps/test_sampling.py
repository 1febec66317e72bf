from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import rustybt as rbt
from rustybt.model.sizes import bytes_of
from rustybt.sweeps.sampling import Drawing, sampled


def test_a_latin_hypercube_hits_every_slice_of_every_parameter() -> None:
    found = sampled({"x": rbt.Range(0.0, 1.0), "n": rbt.Range(1, 20)}, Drawing(20, "latin", seed=4))
    assert sorted(int(x * 20) for x in found.columns["x"]) == list(range(20))
    assert sorted(found.columns["n"]) == list(range(1, 21))


@pytest.mark.parametrize("method", ["random", "latin"])
def test_samples_differ_meet_the_condition_and_repeat_for_a_seed(method: Any) -> None:
    space = {"fast": rbt.Range(2, 40), "slow": rbt.Range(5, 60, step=5), "mode": ["a", "b"]}
    one, again = (sampled(space, Drawing(150, method, seed=1), "fast < slow") for _ in range(2))
    assert one == again
    assert one.count == 150
    rows = [tuple(row.values()) for row in (one[at] for at in range(one.count))]
    assert len(set(rows)) == 150
    assert all(fast < slow and slow % 5 == 0 and 2 <= fast <= 40 for fast, slow, _ in rows)
    assert one != sampled(space, Drawing(150, method, seed=2), "fast < slow")


def test_a_small_space_is_drawn_in_full_and_no_more() -> None:
    assert sorted(sampled({"n": rbt.Range(1, 5)}, Drawing(100)).columns["n"]) == [1, 2, 3, 4, 5]


def test_logarithms_spread_and_decimals_stay_decimals() -> None:
    found = sampled({"x": rbt.Range(0.001, 1000.0)}, Drawing(600, "latin", log=("x",)))
    assert sum(x < 1 for x in found.columns["x"]) == 300
    exact = sampled({"x": rbt.Range(Decimal(0), Decimal(1))}, Drawing(3))
    assert all(isinstance(x, Decimal) and 0 <= x <= 1 for x in exact.columns["x"])


@pytest.mark.parametrize(
    ("space", "options", "where", "words"),
    [
        ({}, {}, None, "no parameters"),
        ({"n": []}, {}, None, "no choices"),
        ({"n": "abc"}, {}, None, "neither a range nor a list"),
        ({"n": rbt.Range(1)}, {}, None, "no end"),
        ({"n": rbt.Range(0, 5)}, {"log": ("n",)}, None, "no logarithm"),
        ({"n": [1]}, {"log": ("m",)}, None, "'m'"),
        ({"n": rbt.Range(1, 5)}, {}, "n > 9", "leaves none"),
        ({"n": rbt.Range(1, 5)}, {"method": "sobol"}, None, "'sobol'"),
    ],
)
def test_a_bad_space_is_refused(space: Any, options: Any, where: str | None, words: str) -> None:
    with pytest.raises(rbt.ConfigError, match=words):
        sampled(space, Drawing(10, **options), where)


@pytest.mark.parametrize("given", ["", "two", "-1", 0, "3 XB", True])
def test_a_budget_that_is_no_size_is_refused(given: Any) -> None:
    with pytest.raises(rbt.ConfigError, match="budget"):
        bytes_of(given)
