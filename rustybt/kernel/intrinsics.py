"""The few things that the kernel says to LLVM directly."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_WORD, _PAIR = ir.IntType(64), ir.IntType(128)


@intrinsic
def multiply(typing: Any, a: Any, b: Any) -> Any:
    """The wrapped product and whether it overflowed."""
    result = types.Tuple((types.int64, types.boolean))

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        both = builder.smul_with_overflow(*args)
        parts = [builder.extract_value(both, 0), builder.extract_value(both, 1)]
        return context.make_tuple(builder, signature.return_type, parts)

    return result(types.int64, types.int64), emit


@intrinsic
def multiply_wide(typing: Any, a: Any, b: Any) -> Any:
    """High and low word of the signed 128-bit product."""
    result = types.UniTuple(types.int64, 2)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.mul(*[builder.sext(word, _PAIR) for word in args])
        high = builder.trunc(builder.ashr(product, ir.Constant(_PAIR, 64)), _WORD)
        return context.make_tuple(builder, signature.return_type, [high, builder.trunc(product, _WORD)])

    return result(types.int64, types.int64), emit


@intrinsic
def apart(typing: Any) -> Any:
    """Keeps the function that says it out of its callers: rarely taken paths, inlined everywhere, would triple the time to compile."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), emit


@intrinsic
def call_run(typing: Any, address: Any, desk: Any, start: Any, stop: Any, margin: Any) -> Any:
    """Calls the machine code of `rustybt.kernel.step.run` at an address, with a desk at an address: its result, or -1 where it raised.

    A function that calls `run` by its name would be compiled together with the whole kernel once more.
    """
    words = (types.int64,) * 5

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.IntType(32), [_WORD.as_pointer(), pointer.as_pointer(), pointer, _WORD, _WORD, _WORD])
        result, raised = builder.alloca(_WORD), builder.alloca(pointer)
        function, held = builder.inttoptr(args[0], kind.as_pointer()), builder.inttoptr(args[1], pointer)
        status = builder.call(function, [result, raised, held, *args[2:]])
        good = builder.icmp_signed("==", status, ir.Constant(ir.IntType(32), 0))
        return builder.select(good, builder.load(result), ir.Constant(_WORD, -1))

    return types.int64(*words), emit
