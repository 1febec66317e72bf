"""A build leaves out what its desk rules out, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from rustybt.kernel import flags, state

from .builds import COMPILED, compiled_only

if COMPILED:
    from numba.core import bytecode, ir
    from numba.core.interpreter import Interpreter

    from rustybt.kernel.native import DESK, PLAIN, USUAL, type_of_desk
    from rustybt.kernel.prune import close_branches

pytestmark = compiled_only
HAS_FEES, HAS_MARGIN, MEET = flags.HAS_FEES, flags.HAS_MARGIN, state.MEET


def margin(desk: Any) -> int:
    return 1 if desk.flags & HAS_MARGIN != 0 else 2


def either(desk: Any) -> int:
    return 1 if desk.flags & (HAS_FEES | HAS_MARGIN) != 0 else 2


def named(desk: Any) -> int:
    parts = desk.parts
    if parts & MEET != 0 and desk.assets == 1:
        return 1
    return 2


def changed(desk: Any) -> int:
    parts = desk.parts
    if desk.assets > 5:
        parts = 0
    if parts & HAS_FEES != 0:
        return 1
    return 2


def turned(desk: Any) -> int:
    if not desk.errand:
        return 1
    return 2


def other(number: Any) -> int:
    return 1 if number & HAS_MARGIN != 0 else 2


def returned(function: Any, kind: Any) -> set[int]:
    """The numbers that a function can still give back after its branches were closed."""
    made = Interpreter(bytecode.FunctionIdentity.from_function(function)).interpret(
        bytecode.ByteCode(bytecode.FunctionIdentity.from_function(function))
    )
    while close_branches(made, (kind,)):
        pass
    lines = [line for block in made.blocks.values() for line in block.body if isinstance(line, ir.Assign)]
    return {line.value.value for line in lines if isinstance(line.value, ir.Const) and line.value.value in {1, 2}}


@pytest.mark.parametrize(
    ("function", "by_kind"),
    [
        (margin, {"DESK": {1, 2}, "USUAL": {2}, "PLAIN": {2}}),
        (either, {"DESK": {1, 2}, "USUAL": {1, 2}, "PLAIN": {2}}),
        (named, {"DESK": {1, 2}, "USUAL": {1, 2}, "PLAIN": {1}}),
        (changed, {"DESK": {1, 2}, "USUAL": {1, 2}, "PLAIN": {1}}),
        (turned, {"DESK": {1, 2}, "USUAL": {1}, "PLAIN": {1}}),
        (other, {"DESK": {1, 2}, "USUAL": {1, 2}, "PLAIN": {1, 2}}),
    ],
)
def test_only_decided_branches_are_closed(function: Any, by_kind: dict[str, set[int]]) -> None:
    kinds = {"DESK": DESK, "USUAL": USUAL, "PLAIN": PLAIN}
    if function is other:
        from numba import int64

        kinds = dict.fromkeys(kinds, int64)
    assert {name: returned(function, kind) for name, kind in kinds.items()} == by_kind


def test_every_flag_is_known_to_the_builds() -> None:
    bits = [value for name, value in vars(flags).items() if name.startswith("HAS_")]
    assert sum(bits) == flags.EVERY_FLAG
    assert all(bit.bit_count() == 1 for bit in bits)


@pytest.mark.parametrize("name", sorted(name for name in vars(state) if name.startswith("HAS_")))
def test_a_run_with_a_rule_gets_a_build_that_has_it(name: str) -> None:
    flag = getattr(state, name)
    desk = state.Desk(parts=state.ALL, assets=1, sleeves=1, slots=1, gross=PLAIN.known["gross"])
    assert type_of_desk(desk, None) is PLAIN
    desk.set(flags=flag)
    found = type_of_desk(desk, None)
    assert found in {USUAL, DESK}
    assert found.off & flag == 0
    desk.set(flags=0, errand=1)
    assert type_of_desk(desk, None) is DESK
