"""What is not written for LLVM made no difference: the same results, and no longer machine code."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .builds import COMPILED, compiled_only

if COMPILED:
    import numba

    from rustybt.kernel import hurry, silent

pytestmark = compiled_only
PLACES = (5, 7, 11, 13)


def pick(i: int) -> int:
    return PLACES[i]


def smaller(a: int, b: int) -> int:
    found = 0
    for one in (a, b, 3):
        found = one if one < found else found  # noqa: FURB136 - numba's own `min` may have been compiled before
    return found


def loops(n: int, step: int) -> int:
    total, last = 0, -1
    for i in range(n):
        if i == 7:
            break
        for j in range(i, n - i):
            if j & 1:
                continue
            total += 3 * j - last
            last = j
    for k in range(n, 0, step):
        total, last = last, total + k
    while last > 100:
        last //= 3
    return 1000 * total + last


def branches(n: int, step: int) -> int:
    first, second, kept = n, step, 0
    for _ in range(abs(n) % 9):
        first, second = second, first + 1
        if first > second:
            kept = first
        elif first == 3:
            kept -= second
    late = kept if n > 2 else -kept
    if step > 1:
        late += smaller(late, n)
    return late * 31 + first


def raises(n: int, step: int) -> int:
    found = 0
    for i in range(n):
        found += pick(i) + smaller(i, step)
    return found


def handles(n: int, step: int) -> int:
    found = step
    for i in range(n):
        try:
            found += pick(i)
        except Exception:  # noqa: BLE001 - numba knows no other
            found = -found
    return found


FUNCTIONS = {function.__name__: function for function in (pick, smaller, loops, branches, raises, handles)}


def build(name: str) -> Any:
    """One of them, compiled with all that it calls as a function of the kernel is."""
    below = {one: build(one) for one in FUNCTIONS[name].__code__.co_names if one in FUNCTIONS}
    known = {"PLACES": PLACES, "range": range, "abs": abs, "Exception": Exception, **below}
    return numba.njit(_nrt=False, error_model="numpy")(FunctionType(FUNCTIONS[name].__code__, known, name))


def both(name: str) -> tuple[Any, Any]:
    """Compiled by numba alone, and with less."""
    kinds = (numba.int64,) * FUNCTIONS[name].__code__.co_argcount
    plainly, quickly = build(name), build(name)
    plainly.compile(kinds)
    with hurry.hurried():
        quickly.compile(kinds)
    return plainly, quickly


def outcome(function: Callable[..., int], *given: int) -> Any:
    """What it gives, or what it raises."""
    try:
        return function(*given)
    except (IndexError, ValueError) as error:
        return type(error), str(error)


@pytest.fixture(scope="module")
def built() -> dict[str, tuple[Any, Any]]:
    return {name: both(name) for name in ("loops", "branches", "raises", "handles")}


@pytest.mark.parametrize("name", ["loops", "branches", "raises", "handles"])
@given(n=st.integers(-3, 12), step=st.integers(-4, 6))
@settings(max_examples=60, deadline=None)
def test_the_same_results(name: str, n: int, step: int, built: dict[str, tuple[Any, Any]]) -> None:
    plainly, quickly = built[name]
    assert outcome(quickly, n, step) == outcome(plainly, n, step)


def test_results_are_those_of_python(built: dict[str, tuple[Any, Any]]) -> None:
    for n, step in ((0, 1), (9, -1), (4, -2), (3, 5), (-2, 3)):
        assert built["branches"][1](n, step) == branches(n, step)
        if step < 0:
            assert built["loops"][1](n, step) == loops(n, step)
    assert built["raises"][1](4, 2) == raises(4, 2)
    with pytest.raises(IndexError, match="tuple index out of range"):
        built["raises"][1](5, 2)
    with pytest.raises(ValueError, match="must not be zero"):
        built["loops"][1](5, 0)


def instructions(made: Any) -> int:
    """How many its machine code has."""
    (text,) = made.inspect_asm().values()
    return sum(line.startswith("\t") and not line.startswith("\t.") for line in text.splitlines())


@pytest.mark.parametrize("name", ["loops", "branches", "raises"])
def test_machine_code_is_no_longer(name: str, built: dict[str, tuple[Any, Any]]) -> None:
    plainly, quickly = built[name]
    assert 50 < instructions(quickly) <= instructions(plainly)


def written(name: str) -> str:
    """The function as LLVM is given it, before anything is optimised."""
    found: list[str] = []
    made = build(name)
    with pytest.MonkeyPatch.context() as patch, hurry.hurried():
        library = numba.core.codegen.CPUCodeLibrary
        own = library.add_ir_module

        def add_ir_module(self: Any, module: Any) -> None:
            found.append(str(module))
            own(self, module)

        patch.setattr(library, "add_ir_module", add_ir_module)
        made.compile((numba.int64,) * FUNCTIONS[name].__code__.co_argcount)
    (text,) = (text for text in found if "define i32" in text and f"{name}B" in text.partition("define")[2].partition("(")[0])
    return text


def test_variables_of_one_value_are_not_kept_in_memory() -> None:
    text = written("branches")
    assert not re.search(r'%"(n|step|late)" = alloca', text)
    assert "try_state" not in text  # nothing that it calls is asked whether it raised


def test_what_may_raise_is_asked() -> None:
    text = written("raises")
    assert text.count("try_state") > 1
    assert "try_state" in written("handles")


def test_only_what_never_raises_is_silent() -> None:
    with hurry.hurried():
        for name in ("loops", "branches", "raises", "handles"):
            build(name).compile((numba.int64, numba.int64))
        found = {name: {one in silent.so_far() for one in seen(name)} for name in FUNCTIONS}
    assert {name for name, said in found.items() if said == {True}} == {"smaller", "branches"}


def seen(name: str) -> list[str]:
    """All symbols of a function that are known or in doubt; one more that is neither."""
    known = silent.so_far()
    return [one for one in known.known | known.in_doubt.keys() if f"{len(name)}{name}B" in one] or [name]
