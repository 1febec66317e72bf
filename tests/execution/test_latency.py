from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from statistics import NormalDist, median
from typing import Any

import numpy as np
import pytest

from rustybt.errors import ConfigError
from rustybt.execution import Latency, latency, latency_profiles
from rustybt.execution.costs.latency import DRAWS, lognormal_table


@pytest.mark.parametrize(
    ("written", "microseconds"),
    [
        ("350us", 350),
        ("250ms", 250_000),
        ("2s", 2_000_000),
        ("1m", 60_000_000),
        ("6h30m", 23_400_000_000),
        (timedelta(seconds=3), 3_000_000),
    ],
)
def test_times_are_read_to_the_microsecond(written: object, microseconds: int) -> None:
    assert latency(written).units() == (microseconds,)


def test_no_time_is_no_latency() -> None:
    assert latency("0ms").units() == ()


def test_whole_bars_are_half_bars_of_the_clock() -> None:
    assert latency(bars=3).units() == (6,)


def test_a_sum_of_fixed_times_is_a_fixed_time() -> None:
    assert (latency("20ms") + latency("5ms") + latency(profile="iex")).units() == (25_350,)


def test_uniform_draws_fill_their_range_evenly() -> None:
    drawn = latency(uniform=("1ms", "5ms"), seed=7).units()
    assert len(drawn) == DRAWS
    assert 1_000 <= min(drawn) < 1_010
    assert 4_990 < max(drawn) <= 5_000
    assert abs(sum(drawn) / DRAWS - 3_000) < 60


def test_lognormal_draws_have_their_median_and_spread() -> None:
    drawn = latency(lognormal=("40ms", "0.5"), seed=3).units()
    assert abs(median(drawn) - 40_000) < 1_500
    logs = np.log(np.array(drawn))
    assert abs(float(logs.std()) - 0.5) < 0.03


def test_the_lognormal_table_is_the_distribution_in_whole_microseconds() -> None:
    table = lognormal_table(40_000, 500_000)
    normal = NormalDist()
    wanted = [40_000 * math.exp(0.5 * normal.inv_cdf((2 * i + 1) / 2048)) for i in range(1024)]
    assert all(abs(one - other) <= 1 for one, other in zip(table, wanted, strict=True))
    assert list(table) == sorted(table)


def test_a_history_is_drawn_from_and_nothing_else() -> None:
    drawn = latency(history=["31ms", "38ms", "120ms"], seed=1).units()
    assert set(drawn) == {31_000, 38_000, 120_000}


def test_a_seed_gives_the_same_draws_and_another_seed_others() -> None:
    ways: list[Callable[[int], Latency]] = [
        lambda seed: latency(uniform=("1ms", "5ms"), seed=seed),
        lambda seed: latency(lognormal=("40ms", "0.5"), seed=seed),
        lambda seed: latency(history=["1ms", "2ms"], seed=seed),
    ]
    for way in ways:
        assert way(5).units() == way(5).units()
        assert way(5).units() != way(6).units()


def test_two_parts_of_a_sum_with_one_seed_are_drawn_apart() -> None:
    one = latency(uniform=("0ms", "5ms"), seed=2)
    both = (one + one).units()
    assert both != tuple(2 * time for time in one.units())
    assert max(both) <= 10_000


def test_every_profile_says_who_measured_it_and_when() -> None:
    profiles = latency_profiles()
    assert set(profiles) == {"hyperliquid-tokyo", "iex", "indian-broker-api"}
    for name, source in profiles.items():
        assert "https://" in source
        assert "(2026-11-24)" in source
        made = latency(profile=name)
        assert made.units()
        assert all(delay.source == source for delay in made.delays)
    assert latency(profile="iex").units() == (350,)


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "0 latencies given"),
    ({"delay": "1ms", "bars": 1}, "2 latencies given: delay, bars"),
    ({"delay": "soon"}, "delay 'soon' is not a time"),
    ({"delay": "-5ms"}, "delay '-5ms' is not a time"),
    ({"delay": "5"}, "delay '5' is not a time"),
    ({"delay": 5}, "delay 5 is not a time"),
    ({"delay": "999999999h"}, "is not a time"),
    ({"delay": timedelta(seconds=-1)}, "is not a time"),
    ({"bars": -1}, "bars -1 is not a whole number"),
    ({"bars": 1.5}, "bars 1.5 is not a whole number"),
    ({"bars": 10**6}, "give 1 or more, below 1000000"),
    ({"uniform": ("5ms", "1ms")}, "uniform ends at 1000 us below its start 5000 us"),
    ({"uniform": ("5ms",)}, r"uniform \('5ms',\) is not 2 values"),
    ({"uniform": "5ms"}, "uniform '5ms' is not 2 values"),
    ({"lognormal": ("40ms", "0")}, "sigma 0 is outside"),
    ({"lognormal": ("40ms", "9")}, "sigma 9 is outside"),
    ({"lognormal": ("0ms", "1")}, "a median of '0ms'"),
    ({"lognormal": ("2s", "1")}, "a median of '2s'"),
    ({"history": []}, "a history of no times"),
    ({"history": ["1ms", "x"]}, "history 'x' is not a time"),
    ({"profile": "the moon"}, "there is no profile 'the moon'"),
    ({"uniform": ("1ms", "2ms"), "seed": -1}, "seed -1 is not a whole number"),
    ({"delay": "1ms", "bar": "0s"}, "a bar of no length"),
    ({"delay": "1ms", "bar": "x"}, "bar 'x' is not a time"),
]


@pytest.mark.parametrize(("settings", "words"), BAD)
def test_nonsense_is_refused_by_name(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        latency(**settings)
    assert refused.value.where.startswith("latency")


def test_bars_and_times_do_not_add_up() -> None:
    with pytest.raises(ConfigError, match="bars and times cannot be added"):
        latency(bars=1) + latency("1ms")
    with pytest.raises(ConfigError, match="two lengths of a bar"):
        latency("1ms", bar="1h") + latency("1ms", bar="2h")
