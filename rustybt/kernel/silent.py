"""Functions that never raise are not asked whether they did.

Numba asks after every call, in eleven instructions and two branches. LLVM finds out that nothing raises and drops them, but only where
it sees what is called; a function that is kept out of its callers takes an address for what it might have raised, always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from llvmlite.ir import Constant, Function, Undefined
from llvmlite.ir.instructions import CallInstr, Ret

from .beside import settle

RAISED = "excinfo"
"""The second argument of a compiled function: where it says what it raised. What it gives is written where the first one points."""


def replacements() -> list[tuple[Any, str, Callable[[Any], Any]]]:
    """As those of `rustybt.kernel.hurry`; none where numba calls functions in another way."""
    from numba.core import base, callconv, codegen

    if not all(hasattr(callconv.CPUCallConv, name) for name in ("_get_arg_packer", "get_return_type")) or not hasattr(
        callconv, "excinfo_ptr_t"
    ):
        return []
    silent = so_far()
    return [
        (codegen.CPUCodeLibrary, "add_ir_module", lambda own: noting(own, silent)),
        (base, "user_function", lambda own: unasked(own, silent)),
        (base.BaseContext, "call_internal", lambda own: unasked_inside(own, silent)),
    ]


class Silent:
    """The functions that never raise: whose every end returns the constant that says so.

    Of some only LLVM finds out, as of a loop over a tuple that checks a place which is always good. It is asked when somebody calls them.
    """

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.in_doubt: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        library = self.in_doubt.pop(name, None)
        if library is not None:
            settle(library)
            made = str(library._final_module.get_function(name))  # noqa: SLF001
            if set(re.findall(r"\bret i32 (\S+)", made)) == {"0"} and made.count(f"%{RAISED}") == 1:  # named where it is given, no more
                self.known.add(name)
        return name in self.known

    def note(self, library: Any, module: Any) -> None:
        """Look at the functions of a module that was added to a library."""
        for function in module.functions:
            if not function.blocks or len(function.args) < 2 or function.args[1].name != RAISED:
                continue
            ends = [block.terminator for block in function.blocks if isinstance(block.terminator, Ret)]
            written = any(one is function.args[1] for block in function.blocks for inst in block.instructions for one in inst.operands)
            if not written and all(getattr(end.return_value, "constant", None) == 0 for end in ends):
                self.known.add(function.name)
            elif all(called.name in self for called in calls_of(function)):
                self.in_doubt[function.name] = library


@cache
def so_far() -> Silent:
    """Those of this process: what numba brings along is compiled once, and called by several builds. Names are never used again."""
    return Silent()


def noting(own: Any, silent: Silent) -> Any:
    """Notes what a module holds when it is added to a library."""

    def add_ir_module(self: Any, module: Any) -> None:
        own(self, module)
        silent.note(self, module)

    return add_ir_module


def calls_of(function: Any) -> Iterator[Any]:
    """The functions that a function calls by their names."""
    for block in function.blocks:
        for one in block.instructions:
            if isinstance(one, CallInstr) and isinstance(one.callee, Function) and not one.callee.name.startswith("llvm."):
                yield one.callee


def unasked(own: Any, silent: Silent) -> Any:
    """What calls a compiled function. One that never raises is not asked whether it has."""
    from numba.core.imputils import impl_ret_new_ref

    def user_function(fndesc: Any, libs: Any) -> Any:
        known = own(fndesc, libs)

        def imp(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            if not is_plain(context, fndesc, silent) or sig.return_type != fndesc.restype:
                return known(context, builder, sig, args)
            value = call(context, builder, fndesc, args)
            return impl_ret_new_ref(context, builder, fndesc.restype, value)

        imp.signature, imp.libs = known.signature, known.libs  # type: ignore[attr-defined]
        return imp

    return user_function


def unasked_inside(own: Any, silent: Silent) -> Any:
    """The same for functions that numba brings along."""

    def call_internal(self: Any, builder: Any, fndesc: Any, sig: Any, args: Any) -> Any:
        if not is_plain(self, fndesc, silent) or sig.return_type != fndesc.restype or sig.args != fndesc.argtypes:
            return own(self, builder, fndesc, sig, args)
        return call(self, builder, fndesc, args)

    return call_internal


def is_plain(context: Any, fndesc: Any, silent: Silent) -> bool:
    """Whether a call can be written by `call`."""
    from numba import types
    from numba.core import callconv

    return (
        not context.enable_nrt
        and fndesc.llvm_func_name in silent
        and type(context.call_conv) is callconv.CPUCallConv
        and not isinstance(fndesc.restype, types.Optional)
    )


def call(context: Any, builder: Any, fndesc: Any, args: Any) -> Any:
    """Write a call of a function that never raises: it writes its result, always, and nothing else of what it is given."""
    from numba.core.callconv import excinfo_ptr_t

    conv = context.call_conv
    callee = context.declare_function(builder.module, fndesc)
    with builder.goto_entry_block():
        result = builder.alloca(conv.get_return_type(fndesc.restype).pointee)
    given = conv._get_arg_packer(fndesc.argtypes).as_arguments(builder, args)  # noqa: SLF001
    builder.call(callee, [result, Constant(excinfo_ptr_t.as_pointer(), Undefined), *given])
    return context.get_returned_value(builder, fndesc.restype, builder.load(result))
