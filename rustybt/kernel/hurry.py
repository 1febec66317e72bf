"""What numba does again and again while it compiles, done once.

For the length of one compilation some of numba's own functions are replaced by ones that give the same and take less time. Each
replacement stands alone: one whose name is not found is left out, and numba does it its own way.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def hurried() -> Iterator[None]:
    """While it lasts, numba compiles with less work. It holds its own lock meanwhile."""
    with ExitStack() as undo:
        for owner, name, made in replacements():
            own = vars(owner).get(name) if hasattr(owner, "__dict__") else None
            if own is not None:
                setattr(owner, name, made(own))
                undo.callback(setattr, owner, name, own)
        was = gc.isenabled()
        gc.disable()  # the collector of cycles would search a growing heap of live objects again and again
        if was:
            undo.callback(gc.enable)
        yield


def replacements() -> list[tuple[Any, str, Callable[[Any], Any]]]:
    """Where, what, and what to put in its place."""
    from llvmlite import ir
    from numba.core import base, dispatcher, event, interpreter, postproc, types, typing
    from numba.core import ir as parsed

    return [
        (types.functions.BaseFunction, "get_call_type", remembered),
        (event, "broadcast", lambda own: unheard),
        (dispatcher.Dispatcher, "compile", at_hand),
        (ir.Type, "get_abi_size", sized_once),
        (postproc.PostProcessor, "run", at_the_end),
        (typing.context.BaseContext, "refresh", once),
        (base.BaseContext, "refresh", once),
        (parsed.Inst, "_rec_list_vars", leaves_first),
        (interpreter, "peep_hole_delete_with_exit", lambda own: as_it_is),
        (interpreter, "peep_hole_fuse_dict_add_updates", lambda own: as_it_is),
    ]


def remembered(own: Any) -> Any:
    """The signature of an operator for numbers, asked for once: `own` tries dozens of templates."""
    from numba.core import types

    known: dict[Any, Any] = {}

    def get_call_type(self: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws or not all(isinstance(kind, (types.Number, types.Boolean)) for kind in args):
            return own(self, context, args, kws)
        found = known.get((self, args))
        if found is None:
            sig = own(self, context, args, kws)
            found = known[self, args] = sig, self._impl_keys.get(sig.args) if sig is not None else None
        if found[0] is not None:
            self._impl_keys[found[0].args] = found[1]
        return found[0]

    return get_call_type


def unheard(given: Any) -> None:
    """Nobody listens: numba times each function for itself, through all that it is called by."""


def at_hand(own: Any) -> Any:
    """A function that was compiled for these types is taken as it is; `own` sets up clocks and locks before it looks."""

    def compile(self: Any, sig: Any) -> Any:  # noqa: A001 - numba's name
        made = self.overloads.get(sig) if isinstance(sig, tuple) else None
        return own(self, sig) if made is None else made.entry_point

    return compile


def sized_once(own: Any) -> Any:
    """The size of a type, asked for once: `own` has LLVM read a module for each."""
    known: dict[str, int] = {}

    def get_abi_size(self: Any, target: Any, context: Any = None) -> int:
        name = str(self)
        if name not in known:
            known[name] = own(self, target, context)
        return known[name]

    return get_abi_size


def once(own: Any) -> Any:
    """Declarations are looked for once: none is added while the kernel compiles."""
    done: set[int] = set()

    def refresh(self: Any) -> None:
        if id(self) not in done:
            own(self)
            done.add(id(self))

    return refresh


def at_the_end(own: Any) -> Any:
    """How long variables live is asked before code is made of them, and not after each pass before that."""
    from numba.core.transforms import canonicalize_cfg

    def run(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
        if emit_dels or self.func_ir.is_generator:
            own(self, emit_dels, extend_lifetimes)
        else:
            self.func_ir.blocks = canonicalize_cfg(self.func_ir.blocks)

    return run


def leaves_first(own: Any) -> Any:
    """The variables of an instruction. Most of what it holds is a place, a name or a number, which `own` finds out last."""
    from numba.core import ir as parsed

    variable, leaves = parsed.Var, {parsed.Loc, str, int, bool, type(None)}

    def _rec_list_vars(self: Any, val: Any) -> list[Any]:
        kind = type(val)
        if kind is dict:
            return [one for part in val.values() if type(part) not in leaves for one in _rec_list_vars(self, part)]
        return [] if kind in leaves else [val] if kind is variable else own(self, val)

    return _rec_list_vars


def as_it_is(function: Any) -> Any:
    """Nothing to rewrite: a kernel has neither ``with`` nor dictionaries."""
    return function
