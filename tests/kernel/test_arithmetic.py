"""`a * b / s` with one declared rounding, and values of positions, against Python's unbounded integers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.kernel.given import inverse
from rustybt.kernel.limits import BAD, CEIL, DOWN, FLOOR, HALF_EVEN, LIMIT
from rustybt.model.decimals import MODES

from .batches import answers, each_fits, each_mul_div, each_mul_div_by, each_ratio, each_share_of, each_value
from .builds import COMPILED, compiled_only, twin

ROUNDINGS = {"floor": int(FLOOR), "ceiling": int(CEIL), "down": int(DOWN), "half_even": int(HALF_EVEN)}
FULL = 2**62
"""The quotient from which on `mul_div` may say BAD."""
Case = tuple[int, int, int]

EDGES = sorted(
    {0, 1, 2, 3, 7}
    | {2**k + near for k in (31, 32, 53, 61) for near in (-1, 0, 1)}
    | {10**k + near for k in (6, 8, 12, 18) for near in (-1, 0, 1)}
    | {FULL - 1, FULL}
)


def exact(a: int, b: int, s: int, mode: int) -> int:
    """The rounding as a school book has it."""
    n = a * b
    if mode == FLOOR:
        return n // s
    if mode == CEIL:
        return -(-n // s)
    if mode == DOWN:
        return abs(n) // s * (1 if n >= 0 else -1)
    nearest, tie = divmod(2 * n + s, 2 * s)
    return nearest - 1 if tie == 0 and nearest % 2 else nearest


def wrong(cases: Sequence[Case], mode: int, function: Any = each_mul_div) -> list[str]:
    """The cases in which a result is neither exact nor, where it is too large, refused by `fits`."""
    found = answers(function, *zip(*cases, strict=True), mode)
    expected = [exact(*case, mode) for case in cases]
    pairs = zip(cases, found, expected, strict=True)
    return [f"{case}: {got}, not {want}" for case, got, want in pairs if got != want and not (abs(want) >= FULL and abs(got) >= LIMIT)]


def at_edges() -> Iterator[Case]:
    """Every combination of numbers at which something could wrap."""
    for a in EDGES:
        for b in EDGES:
            for s in EDGES[1:]:
                yield a, b, s
                yield -a, b, s


def of_all_magnitudes(seed: int, count: int) -> Iterator[Case]:
    """Numbers of random lengths, in two's and in ten's powers, of both signs."""
    dice = random.Random(seed)
    for _ in range(count):
        a, b, s = (dice.getrandbits(dice.randint(1, 62)) for _ in range(3))
        if dice.random() < 0.3:
            s = 10 ** dice.randint(0, 18)
        yield dice.choice((a, -a)), dice.choice((b, -b)), max(s, 1)


def around_ties(seed: int, count: int) -> Iterator[Case]:
    """Products that are a whole number and a half, and their neighbours; most need two words."""
    dice = random.Random(seed)
    for _ in range(count):
        base = dice.choice((2, 10))
        most = 57 if base == 2 else 17
        power = dice.randint(1, most)
        left = dice.randint(0, power)
        # a = odd x base^left, b = odd x base^(power - left), s = 2 x base^power: a x b / s is odd / 2
        a = (2 * dice.getrandbits(dice.randint(1, 30)) + 1) * base**left
        b = (2 * dice.getrandbits(dice.randint(1, 30)) + 1) * base ** (power - left)
        s = 2 * base**power
        if max(a, b) < FULL:
            for near in (-1, 0, 1):
                yield a + near, b, s
                yield -a - near, b, s


@pytest.mark.parametrize("name", ROUNDINGS)
def test_every_combination_of_edges_is_exact_or_refused(name: str) -> None:
    assert wrong(list(at_edges()), ROUNDINGS[name])[:3] == []


@pytest.mark.parametrize("name", ROUNDINGS)
def test_numbers_of_every_magnitude_are_exact_or_refused(name: str) -> None:
    assert wrong(list(of_all_magnitudes(1, 40_000 if COMPILED else 8_000)), ROUNDINGS[name])[:3] == []


@pytest.mark.parametrize("name", ROUNDINGS)
def test_ties_and_their_neighbours_are_rounded_as_declared(name: str) -> None:
    cases = list(around_ties(2, 4_000 if COMPILED else 1_000))
    ties = sum(2 * (a * b % s) == s for a, b, s in cases)
    assert ties > len(cases) // 4
    assert wrong(cases, ROUNDINGS[name])[:3] == []


@pytest.mark.parametrize(("name", "expected"), [("floor", -4), ("ceiling", -3), ("down", -3), ("half_even", -4)])
def test_minus_three_and_a_half_goes_where_the_mode_says(name: str, expected: int) -> None:
    assert answers(each_mul_div, [-7], [1], [2], ROUNDINGS[name]) == [expected]


def test_halves_go_to_the_even_neighbour() -> None:
    assert answers(each_mul_div, [1, 3, 5, 7, -1, -3, -5], [1] * 7, [2] * 7, ROUNDINGS["half_even"]) == [0, 2, 2, 4, 0, -2, -2]


def test_the_modes_are_those_of_decimal() -> None:
    cases = [case for case in of_all_magnitudes(3, 300) if abs(case[0] * case[1]) < case[2] * FULL]
    for name, mode in ROUNDINGS.items():
        expected = [int((Decimal(a * b) / Decimal(s)).to_integral_value(MODES[name])) for a, b, s in cases if abs(a * b) < 10**26]
        small = [case for case in cases if abs(case[0] * case[1]) < 10**26]
        assert len(small) > 50
        assert answers(each_mul_div, *zip(*small, strict=True), mode) == expected


def test_a_quotient_that_does_not_fit_is_bad_or_beyond_every_limit() -> None:
    cases = [
        (FULL, 2, 1),
        (FULL, FULL, 1),
        (-FULL, FULL, 3),
        (2**61, 2**61, 2**59),
        (LIMIT, 1, 1),
        (-int(LIMIT), 1, 1),
        (2**62, 2**62, 2**62 - 1),
    ]
    rows = [(int(a), int(b), s) for a, b, s in cases]
    for mode in ROUNDINGS.values():
        found = answers(each_mul_div, *zip(*rows, strict=True), mode)
        assert answers(each_fits, found) == [0] * len(found)
    assert answers(each_mul_div, [FULL], [FULL], [1], ROUNDINGS["floor"]) == [int(BAD)]


def test_fits_holds_strictly_inside_the_limit_and_never_for_bad() -> None:
    limit = int(LIMIT)
    assert limit == 2**61
    assert answers(each_fits, [0, limit - 1, 1 - limit, limit, -limit, limit + 1, int(BAD), FULL]) == [1, 1, 1, 0, 0, 0, 0, 0]


def by_inverse(cases: list[Case]) -> list[int]:
    """What multiplying by the inverse gives for ``a * b / s``."""
    inverses = [inverse(max(2, s)) for _, _, s in cases]
    return answers(each_mul_div_by, *zip(*cases, strict=True), [m for m, _ in inverses], [shift for _, shift in inverses])


def test_multiplying_by_the_inverse_is_dividing_half_even() -> None:
    cases = [*at_edges(), *of_all_magnitudes(6, 8_000), *around_ties(7, 1_000)]
    divided = answers(each_mul_div, *zip(*cases, strict=True), ROUNDINGS["half_even"])
    assert by_inverse(cases) == divided


def test_a_share_of_what_is_not_negative_is_dividing_half_even() -> None:
    cases = [
        (abs(a), abs(b), s) for a, b, s in (*at_edges(), *of_all_magnitudes(12, 8_000), *around_ties(13, 1_000)) if min(a, b) > -(2**63)
    ]
    divided = answers(each_mul_div, *zip(*cases, strict=True), ROUNDINGS["half_even"])
    assert answers(each_share_of, *zip(*cases, strict=True)) == divided
    assert len(set(divided)) > 1_000


@settings(max_examples=300)
@given(st.integers(2, 2**62), st.integers(0, 2**62), st.integers(-2, 2))
def test_an_inverse_gives_the_quotient_beside_every_multiple(divisor: int, factor: int, off: int) -> None:
    m, shift = inverse(divisor)
    n = max(0, min(2**63, (factor % (2**63 // divisor + 1)) * divisor + off))
    assert n * (m % 2**64) // 2**64 // 2**shift == n // divisor


@pytest.mark.parametrize("name", ROUNDINGS)
def test_ratio_is_mul_div(name: str) -> None:
    cases = [*of_all_magnitudes(4, 500), *around_ties(5, 200)]
    assert wrong(cases, ROUNDINGS[name], each_ratio)[:3] == []


whole = st.integers(0, 62).flatmap(lambda bits: st.integers(-(2**bits), 2**bits))


@settings(max_examples=150)
@given(whole, whole, whole.map(lambda s: max(1, abs(s))))
def test_any_numbers_in_any_mode_are_exact_or_refused(a: int, b: int, s: int) -> None:
    for mode in ROUNDINGS.values():
        assert wrong([(a, b, s)], mode) == []


@settings(max_examples=150)
@given(whole, whole.map(abs), st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_value_is_rounded_once_half_even_or_refused(lots: int, price: int, up: int, down: int) -> None:
    (found,) = answers(each_value, [lots], [price], [up], [down])
    worth = price * up
    expected = exact(lots, worth, down, int(HALF_EVEN))
    if worth < LIMIT and abs(expected) < LIMIT:
        assert found == expected
    else:
        assert not -LIMIT < found < LIMIT


def test_values_at_the_limit_of_what_a_lot_may_be_worth() -> None:
    limit = int(LIMIT)
    rows = [
        (1, limit - 1, 1, 1),
        (1, limit, 1, 1),
        (1, limit // 2, 2, 1),
        (0, 100, 1, 1),
        (-3, 5, 1, 2),
        (-1, 5, 1, 2),
        (2, limit // 2, 1, 1),
    ]
    found = answers(each_value, *zip(*rows, strict=True))
    assert found[0] == limit - 1
    assert found[1:3] == [int(BAD)] * 2
    assert found[3:6] == [0, -8, -2]
    assert answers(each_fits, found[6:]) == [0]


@compiled_only
@pytest.mark.parametrize("name", ROUNDINGS)
def test_compiled_and_interpreter_agree_wherever_a_result_may_be_kept(name: str) -> None:
    mul_div = twin_module("unbounded").mul_div
    cases, mode = [*of_all_magnitudes(6, 5_000), *around_ties(7, 1_000)], ROUNDINGS[name]
    found = answers(each_mul_div, *zip(*cases, strict=True), mode)
    for case, got in zip(cases, found, strict=True):
        other = mul_div(*case, mode)
        assert got == other or not (-LIMIT < got < LIMIT or -LIMIT < other < LIMIT), case


@pytest.mark.parametrize("name", ROUNDINGS)
def test_long_division_line_by_line_on_words_that_wrap(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source of the two-word division, run by the interpreter on NumPy's 64-bit words."""
    wide = twin_module("wide")
    monkeypatch.setattr(wide, "multiply", wrapped_product)
    monkeypatch.setattr(wide, "multiply_wide", two_words)
    monkeypatch.setattr(wide, "divide", floor_and_rest)
    mode, doubled = ROUNDINGS[name], 0
    with np.errstate(over="ignore"):
        for a, b, s in [*of_all_magnitudes(8, 600), *around_ties(9, 60), *list(at_edges())[::97]]:
            expected = exact(a, b, s, mode)
            found = int(wide.mul_div(np.int64(a), np.int64(b), np.int64(s), mode))
            assert found == expected if abs(expected) < FULL else abs(found) >= LIMIT, (a, b, s)
            doubled += not -(2**63) <= a * b < 2**63
    assert doubled > 300


def test_multiplying_by_the_inverse_line_by_line_on_words_that_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = twin_module("wide")
    for name, word in (("multiply", wrapped_product), ("multiply_wide", two_words), ("multiply_high", high_word)):
        monkeypatch.setattr(wide, name, word)
    with np.errstate(over="ignore"):
        for a, b, s in [*of_all_magnitudes(10, 600), *around_ties(11, 60), *list(at_edges())[::97]]:
            expected, given = exact(a, b, s, int(HALF_EVEN)), (*inverse(max(2, s)),)
            found = int(wide.mul_div_by(*(np.int64(word) for word in (a, b, s, *given))))
            assert found == expected if abs(expected) < FULL else abs(found) >= LIMIT, (a, b, s)


def floor_and_rest(a: Any, s: Any) -> tuple[Any, Any]:
    """A quotient of words."""
    return a // s, a % s


def high_word(a: Any, b: Any) -> Any:
    """That of the product of two words without a sign."""
    return np.uint64(int(a) % 2**64 * (int(b) % 2**64) >> 64).astype(np.int64)


def wrapped_product(a: Any, b: Any) -> tuple[Any, bool]:
    """What the processor says: the wrapped product, and whether it overflowed."""
    product = int(a) * int(b)
    return np.uint64(product % 2**64).astype(np.int64), not -(2**63) <= product < 2**63


def two_words(a: Any, b: Any) -> tuple[Any, Any]:
    """High and low word of the product."""
    product = int(a) * int(b)
    return np.int64(product >> 64), np.uint64(product % 2**64).astype(np.int64)


def twin_module(name: str) -> ModuleType:
    """A module of the interpreter twin."""
    import importlib

    return importlib.import_module(f"{twin().__name__}.{name}")


def test_the_processor_is_asked_for_the_words_that_python_finds() -> None:
    """Compiles two lines here and now, whatever lies in the cache."""
    import numba

    from rustybt.kernel.intrinsics import apart, divide, multiply, multiply_high, multiply_wide

    @numba.njit
    def words(a: int, b: int) -> Any:
        apart()
        return multiply(a, b), multiply_wide(a, b), multiply_high(a, b), divide(a, max(1, b))

    for a, b in ((3, 5), (-3, 5), (2**62, 2), (2**62, -2), (2**62, 2**62), (-(2**62), 2**61 + 7), (0, -1)):
        (product, over), (high, low), unsigned, quotient = words(a, b)
        assert (product, bool(over)) == (int(wrapped_product(a, b)[0]), wrapped_product(a, b)[1])
        assert (high, low) == tuple(int(word) for word in two_words(a, b))
        assert unsigned == int(high_word(a, b))
        assert quotient == divmod(a, max(1, b))
