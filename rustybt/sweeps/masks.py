"""Sixty-four comparisons as the bits of one number, which numba does not make of a loop: what is set is looked for bit by bit."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_WORD, _BITS = ir.IntType(64), 64


def _loaded(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    """Sixty-four items of an array from a place on."""
    from numba.np.arrayobj import make_array

    data = make_array(kind)(context, builder, array).data
    vector = ir.VectorType(data.type.pointee, _BITS).as_pointer()
    return builder.load(builder.bitcast(builder.gep(data, [place]), vector), align=kind.dtype.bitwidth // 8)


@intrinsic
def changes(typing: Any, a: Any, first: Any) -> Any:
    """Bit k: whether item ``first + k`` of a Float64 array differs from the one before, which there has to be; NaN differs from all."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        before = builder.sub(args[1], ir.Constant(_WORD, 1))
        now, then = (_loaded(context, builder, signature.args[0], args[0], place) for place in (args[1], before))
        return builder.bitcast(builder.fcmp_unordered("!=", now, then), _WORD)

    return types.uint64(a, types.int64), emit


@intrinsic
def known(typing: Any, ok: Any, first: Any) -> Any:
    """Bit k: whether item ``first + k`` of a UInt8 array is not 0."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        flags = _loaded(context, builder, signature.args[0], args[0], args[1])
        return builder.bitcast(builder.icmp_unsigned("!=", flags, ir.Constant(flags.type, None)), _WORD)

    return types.uint64(ok, types.int64), emit


@intrinsic
def lowest(typing: Any, bits: Any) -> Any:
    """The place of the lowest bit that is set, of which there is one."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), emit
