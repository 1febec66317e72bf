"""Rests of wide products, and correlations compared without a root, against Python's unbounded integers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from rustybt.model import Control, Detail

from .batches import answers, each_beyond, each_code, each_remainder

MOST = 2**61
ONE = 10**8


def numbers(seed: int, count: int) -> Iterator[int]:
    """Numbers of random lengths from 1 on."""
    dice = random.Random(seed)
    for _ in range(count):
        yield dice.getrandbits(dice.randint(1, 61)) + 1


def test_every_control_has_the_detail_of_its_name() -> None:
    assert answers(each_code, list(Control)) == [Detail[control.name] for control in Control]


def test_the_rest_of_a_wide_product_is_exact() -> None:
    cases = [(a, b, s) for a, b, s in zip(*(numbers(seed, 4_000) for seed in range(3)), strict=True) if a * b // s < 2**62]
    assert len(cases) > 2_000
    assert answers(each_remainder, *zip(*cases, strict=True)) == [a * b % s for a, b, s in cases]


def test_a_correlation_exactly_at_the_limit_is_not_beyond_it_and_a_hair_above_is() -> None:
    """Squares of the limit itself, as large as fits, and one more or less on each side."""
    cases = []
    for limit in (0, 1, 3, 50_000_000, 70_710_678, 99_999_999, ONE):
        for scale in (1, 7, 10**4, 22_000_000_000):
            own, others, common = ONE * scale, ONE * scale, limit * scale
            for near in (-1, 0, 1):
                if 0 <= common + near <= own < MOST:
                    cases += [(side * (common + near), own + wide, others, limit) for side in (-1, 1) for wide in (0, 1)]
    found = answers(each_beyond, *zip(*cases, strict=True))
    assert found == [int(c * c * ONE * ONE > r * r * a * b) for c, a, b, r in cases]
    assert 0 < sum(found) < len(found)


@given(
    pairs=st.lists(st.tuples(st.integers(-(10**5), 10**6), st.integers(-(10**5), 10**6)), min_size=2, max_size=40),
    limit=st.integers(0, ONE),
)
def test_a_correlation_is_compared_as_its_square(pairs: list[tuple[int, int]], limit: int) -> None:
    n, (x, y) = len(pairs), zip(*pairs, strict=True)
    common = n * sum(a * b for a, b in pairs) - sum(x) * sum(y)
    own, others = n * sum(a * a for a in x) - sum(x) ** 2, n * sum(b * b for b in y) - sum(y) ** 2
    assert answers(each_beyond, [common], [own], [others], [limit]) == [int(common * common * ONE * ONE > limit * limit * own * others)]
