"""What LLVM does beside numba is done in order and before anybody needs it, and leaves numba as it was."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from .builds import COMPILED, compiled_only

if COMPILED:
    import numba
    from numba.core.codegen import CPUCodeLibrary
    from numba.core.registry import cpu_target

    from rustybt.kernel.beside import beside, settle

pytestmark = compiled_only


@pytest.fixture
def library() -> Any:
    return cpu_target.target_context.codegen().create_library("as numba makes it")


def test_a_library_is_filled_by_another_thread_in_the_order_asked_for(library: Any) -> None:
    from llvmlite import ir

    done: list[int] = []
    with beside(library) as ask:
        other = library.codegen.create_library("other")
        for number in range(20):
            module = other.create_ir_module(f"part {number}")
            function = ir.Function(module, ir.FunctionType(ir.IntType(64), []), f"f{number}")
            ir.IRBuilder(function.append_basic_block()).ret(ir.IntType(64)(number))
            other.add_ir_module(module)
            ask(other, lambda number=number: done.append(len(list(other._final_module.functions))))  # type: ignore[misc]
        settle(other)
        assert done == list(range(1, 21))
        assert {made.name for made in other._final_module.functions} == {f"f{number}" for number in range(20)}


def test_what_is_raised_there_is_raised_here(library: Any) -> None:
    with beside(library) as ask:
        ask(library, lambda: None)
        ask(library, lambda: 1 // 0)  # type: ignore[arg-type]
        with pytest.raises(ZeroDivisionError):
            settle(library)
        settle(library)


def test_numba_is_left_as_it_was(library: Any) -> None:
    def now() -> list[Any]:
        return [CPUCodeLibrary.__init__, CPUCodeLibrary.add_ir_module, numba.core.typed_passes.llvm.newpassmanagers.dump_refprune_stats]

    before, switch = now(), sys.getswitchinterval()
    with suppress(KeyError), beside(library):
        assert not any(one is own for one, own in zip(now(), before, strict=True))
        raise KeyError
    assert now() == before
    assert sys.getswitchinterval() == pytest.approx(switch)


def test_a_library_that_is_not_as_expected_is_filled_at_once() -> None:
    before, done = CPUCodeLibrary.add_ir_module, []
    with beside(SimpleNamespace(_name="another numba")) as ask:
        ask(None, lambda: done.append(1))
        assert done == [1]
        assert CPUCodeLibrary.add_ir_module is before
