"""Compiling in a hurry gives the same code, and leaves numba as it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from .builds import COMPILED, compiled_only

if COMPILED:
    import numba

    from rustybt.kernel import hurry

pytestmark = compiled_only


def inner(a: int, b: int) -> int:
    return max(a, b) - min(a, b) if a != b else -a


def outer(numbers: Any, flag: bool) -> int:
    total = 0
    for i in range(numbers.size):
        if flag and numbers[i] < 0:
            continue
        total += inner(numbers[i], 3) // 2
        total += abs(numbers[i]) & 7
        if numbers[i] + 0.5 < total * 1.5:  # the same operators, other types
            total += flag + np.int8(total)
    return total


def code(make: Callable[[Any], Any]) -> str:
    """The program that numba writes for `outer`, without names that are counted up."""
    below = make(inner)
    made = make(FunctionType(outer.__code__, {"inner": below, "max": max, "range": range, "abs": abs, "np": np}, "outer"))
    made.compile((numba.int64[:], numba.boolean))
    (text,) = made.inspect_llvm().values()
    return re.sub(r"v\d+B|\d{6,}|[A-Za-z0-9_$.]*(inner|outer)[A-Za-z0-9_$.%@]*|B\d+[a-z0-9A-Z_]*", "", text)


def test_the_same_program() -> None:
    plainly = code(numba.njit)
    with hurry.hurried():
        quickly = code(numba.njit)
    assert len(plainly.splitlines()) > 50
    assert sorted(quickly.splitlines()) == sorted(plainly.splitlines())


def test_numba_is_left_as_it_was() -> None:
    found: list[Any] = []

    def fail() -> None:
        with hurry.hurried():
            found.extend(vars(owner)[name] for owner, name, _ in hurry.replacements())
            raise ZeroDivisionError

    before = [vars(owner)[name] for owner, name, _ in hurry.replacements()]
    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(found) > 5
    assert not any(now is own for now, own in zip(found, before, strict=True))
    assert [vars(owner)[name] for owner, name, _ in hurry.replacements()] == before


def test_what_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        pass

    monkeypatch.setattr(hurry, "replacements", lambda: [(Other, "missing", lambda own: None), (object(), "compile", lambda own: None)])
    with hurry.hurried():
        assert not hasattr(Other, "missing")


def test_declarations_are_looked_for_once_in_each_context() -> None:
    looked: list[int] = []
    refresh = hurry.once(lambda context: looked.append(1))
    for _ in range(100):  # one that is gone leaves its place to the next
        context = object()
        refresh(context)
        refresh(context)
    assert len(looked) == 100
