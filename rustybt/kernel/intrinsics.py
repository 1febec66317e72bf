"""The few things that the kernel says to LLVM directly."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .state import LINE, TRAY_ROWS

_WORD, _PAIR = ir.IntType(64), ir.IntType(128)
_LANES, _MASK = 8, 64
_VECTOR = ir.VectorType(ir.DoubleType(), _LANES)


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
def multiply_high(typing: Any, a: Any, b: Any) -> Any:
    """The high word of the product of two words taken as unsigned."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.mul(*[builder.zext(word, _PAIR) for word in args])
        return builder.trunc(builder.lshr(product, ir.Constant(_PAIR, 64)), _WORD)

    return types.int64(types.int64, types.int64), emit


@intrinsic
def divide(typing: Any, a: Any, s: Any) -> Any:
    """Floor and remainder of ``a / s``, s > 0. Python's ``//`` asks first whether s is 0 or -1, and branches on signs."""
    result = types.UniTuple(types.int64, 2)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number, divisor = args
        quotient = builder.sdiv(number, divisor)
        rest = builder.sub(number, builder.mul(quotient, divisor))
        below = builder.ashr(rest, ir.Constant(_WORD, 63))  # all ones where the rest is negative, and the floor one less
        parts = [builder.add(quotient, below), builder.add(rest, builder.and_(divisor, below))]
        return context.make_tuple(builder, signature.return_type, parts)

    return result(types.int64, types.int64), emit


@intrinsic
def divide_counts(typing: Any, a: Any, s: Any) -> Any:
    """The same of a number from 0 on: half as many instructions, without a sign to look at."""
    result = types.UniTuple(types.int64, 2)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        quotient = builder.udiv(*args)
        return context.make_tuple(builder, signature.return_type, [quotient, builder.sub(args[0], builder.mul(quotient, args[1]))])

    return result(types.int64, types.int64), emit


@intrinsic
def fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), emit


@intrinsic
def add_powers(typing: Any, a: Any, first: Any, n: Any, mean: Any, found: Any) -> Any:
    """Adds the second, third and fourth powers of ``n`` numbers of ``a`` less ``mean``, number i in lane i % 8 of ``found`` (24,).

    Numba does not turn eight sums that stand side by side into one sum of vectors. ``n`` is a multiple of eight, at least eight.
    """
    kinds = (a, types.int64, types.int64, types.float64, found)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def powers(numbers: Any) -> list[Any]:
            middle = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), args[3], ir.Constant(ir.IntType(32), 0))
            middle = builder.shuffle_vector(middle, middle, ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES))
            off = builder.fsub(numbers, middle)
            square = builder.fmul(off, off)
            return [square, builder.fmul(square, off), builder.fmul(square, square)]

        return _in_lanes(context, builder, signature, args, powers)

    return types.none(*kinds), emit


@intrinsic
def add_lanes(typing: Any, a: Any, first: Any, n: Any, found: Any) -> Any:
    """Adds n numbers in eight lanes, as `add_powers` does: ``found`` is (8,). Arrays, or pointers to their first items."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _in_lanes(context, builder, signature, args, lambda numbers: [numbers])

    return types.none(a, types.int64, types.int64, found), emit


def _in_lanes(context: Any, builder: Any, signature: Any, args: Any, terms: Any) -> Any:
    """The loop over eight numbers at a time that adds terms made of them, and writes the sums to the last argument."""
    from numba.core import cgutils
    from numba.np.arrayobj import make_array

    def data_of(at: int) -> Any:
        kind = signature.args[at]
        return args[at] if isinstance(kind, types.CPointer) else make_array(kind)(context, builder, args[at]).data

    a, found = data_of(0), data_of(-1)

    def taken(at: Any) -> list[Any]:
        place = builder.bitcast(builder.gep(a, [builder.add(args[1], at)]), _VECTOR.as_pointer())
        return list(terms(builder.load(place, align=8)))

    begin, step = ir.Constant(_WORD, 0), ir.Constant(_WORD, _LANES)
    sums = [cgutils.alloca_once_value(builder, term) for term in taken(begin)]
    with cgutils.for_range_slice(builder, step, args[2], step, intp=_WORD) as (at, _):
        for total, term in zip(sums, taken(at), strict=True):
            builder.store(builder.fadd(builder.load(total), term), total)
    for number, total in enumerate(sums):
        place = builder.bitcast(builder.gep(found, [ir.Constant(_WORD, _LANES * number)]), _VECTOR.as_pointer())
        builder.store(builder.load(total), place, align=8)
    return context.get_dummy_value()


@intrinsic
def apart(typing: Any) -> Any:
    """Keeps the function that says it out of its callers: rarely taken paths, inlined everywhere, would triple the time to compile."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), emit


@intrinsic
def fetch(typing: Any, array: Any, place: Any) -> Any:
    """Asks the processor for the line of memory of an item that will be read soon. Any place will do, nothing is read now."""
    if not isinstance(array, types.CPointer):
        return None

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
        asked = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        at = builder.bitcast(builder.gep(args[0], [args[1]]), pointer)
        builder.call(asked, [at, *(ir.Constant(flag, number) for number in (0, 3, 1))])  # to read; keep it near; data
        return context.get_dummy_value()

    return types.none(array, types.int64), emit


@intrinsic
def pour(typing: Any, log: Any, place: Any, tray: Any) -> Any:
    """Copies all rows of a tray to a place in a log, without bringing the log's lines of memory into the cache. Both lie on whole lines."""
    if not isinstance(log, types.CPointer) or log != tray:
        return None

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        line, size = ir.VectorType(_WORD, _LANES), context.get_abi_sizeof(context.get_value_type(signature.args[0].dtype))
        into = builder.bitcast(builder.gep(args[0], [args[1]]), line.as_pointer())
        out_of = builder.bitcast(args[2], line.as_pointer())
        past = builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)])
        for number in range(TRAY_ROWS * size // LINE):
            at = [ir.Constant(_WORD, number)]
            written = builder.store(builder.load(builder.gep(out_of, at), align=LINE), builder.gep(into, at), align=LINE)
            written.set_metadata("nontemporal", past)
        return context.get_dummy_value()

    return types.none(log, types.int64, tray), emit


@intrinsic
def settle_writes(typing: Any) -> Any:
    """Waits until what was written past the cache can be read by anybody."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("seq_cst")
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


def _loaded(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    """Sixty-four items of an array from a place on, whose comparisons are the bits of one number: numba does not make that of a loop."""
    from numba.np.arrayobj import make_array

    data = make_array(kind)(context, builder, array).data
    vector = ir.VectorType(data.type.pointee, _MASK).as_pointer()
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
