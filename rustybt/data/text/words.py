"""Eight letters at a time, as one whole number whose lowest byte is the first letter.

A letter less "0" is its digit, or more than 9; one question is put to all eight at once, and three products make a number of them
("SIMD within a register"). Nothing is read beyond the text: whoever asks makes sure that eight letters are there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from rustybt.data.text.native import inlined

LETTERS = 8
ZEROS = np.uint64(0x3030303030303030)
ABOVE, LOW, HIGH = np.uint64(0x7676767676767676), np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
"""What lifts 10 and more to the highest bit of a byte; all the other bits; that bit."""
BYTE, WORD = np.uint64(8), np.uint64(64)
NOTHING, ONE, THREE = np.uint64(0), np.uint64(1), np.uint64(3)
TENS, PAIR = np.uint64(2561), np.uint64(0x00FF00FF00FF00FF)
HUNDREDS, FOUR = np.uint64(6_553_601), np.uint64(0x0000FFFF0000FFFF)
THOUSANDS, HALF = np.uint64(42_949_672_960_001), np.uint64(32)
TWO_BYTES = np.uint64(16)


@intrinsic
def eight(typing: Any, text: Any, at: Any) -> Any:
    """The letters from a place on. Numba takes an address as it is only through LLVM: an array of words begins at a multiple of eight."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        word = builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(text, types.intp), emit


@intrinsic
def zeros_below(typing: Any, word: Any) -> Any:
    """How many bits are zero below the lowest that is one."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), emit


@inlined
def others(letters: Any) -> Any:
    """The highest bit of each byte that is no digit; of letters less "0"."""
    return (((letters & LOW) + ABOVE) | letters) & HIGH


@inlined
def joined(digits: Any) -> Any:
    """The number that eight digits make."""
    pairs = ((digits * TENS) >> BYTE) & PAIR
    fours = ((pairs * HUNDREDS) >> TWO_BYTES) & FOUR
    return (fours * THOUSANDS) >> HALF
