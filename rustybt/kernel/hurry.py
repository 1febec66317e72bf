"""What numba does again and again while it compiles, done once.

For the length of one compilation some of numba's own functions are replaced by ones that give the same and take less time. Each
replacement stands alone: one whose name is not found is left out, and numba does it its own way.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from operator import is_
from types import BuiltinFunctionType, FunctionType
from typing import Any

from . import lean, silent


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
    from numba.core import base, compiler_machinery, dispatcher, event, interpreter, ssa, typeinfer, types, typing
    from numba.core import ir as parsed

    return [
        (types.functions.BaseFunction, "get_call_type", remembered),
        (event, "broadcast", lambda own: unheard),
        (dispatcher.Dispatcher, "compile", at_hand),
        (ir.Type, "get_abi_size", sized_once),
        (typing.context.BaseContext, "refresh", once),
        (base.BaseContext, "refresh", once),
        (parsed.Inst, "_rec_list_vars", leaves_first),
        (interpreter, "peep_hole_delete_with_exit", lambda own: as_it_is),
        (interpreter, "peep_hole_fuse_dict_add_updates", lambda own: as_it_is),
        (event, "start_event", lambda own: unheard),
        (event, "end_event", lambda own: unheard),
        (compiler_machinery.PassManager, "_runPass", straight),
        (base, "_has_loc", by_object),
        (typing.context.BaseContext, "resolve_value_type", by_function),
        (typing.context.BaseContext, "resolve_getattr", plain_fields),
        (typeinfer.CallConstraint, "resolve", unless_known),
        (typeinfer.ConstraintNetwork, "propagate", at_a_stretch),
        (typeinfer, "new_error_context", in_case),
        (ssa, "_run_ssa_block_pass", of_its_variable),
        *lean.replacements(),
        *silent.replacements(),
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


def unheard(*given: Any, **more: Any) -> None:
    """Nobody listens: numba times each function for itself, through all that it is called by."""


def straight(own: Any) -> Any:
    """A pass over a function; `own` writes its types and flags down before each, in case somebody listens."""
    from numba.core import compiler_machinery, errors, ir_utils, postproc, transforms

    def _runPass(self: Any, index: int, pss: Any, state: Any) -> None:  # noqa: N802 - numba's name
        if self._print_before or self._print_after or self._print_wrap or not self._ENFORCING:
            own(self, index, pss, state)
            return
        pss.analysis = self._analysis
        try:
            changed = [part(state) for part in (pss.run_initialization, pss.run_pass, pss.run_finalizer)]
        except errors.NumbaError as error:
            error.add_context(f"Pass {pss.name()}")
            raise
        if isinstance(pss, compiler_machinery.FunctionPass):
            ir_utils.enforce_no_dels(state.func_ir)
        if compiler_machinery._pass_registry.get(type(pss)).mutates_CFG:  # noqa: SLF001
            if any(changed):
                postproc.PostProcessor(state.func_ir).run()
            else:
                state.func_ir.blocks = transforms.canonicalize_cfg(state.func_ir.blocks)

    return _runPass


def by_object(own: Any) -> Any:
    """An answer about a function, which depends on nothing else."""
    known: dict[Any, Any] = {}

    def ask(function: Any) -> Any:
        if function not in known:
            known[function] = own(function)
        return known[function]

    return ask


def by_function(own: Any) -> Any:
    """The type of a function or class that is named in the code."""
    known: dict[int, tuple[Any, Any]] = {}
    asked = (FunctionType, BuiltinFunctionType, type)

    def resolve_value_type(self: Any, val: Any) -> Any:
        if not isinstance(val, asked):
            return own(self, val)
        if id(val) not in known:
            known[id(val)] = own(self, val), val  # held, so that no other object has its number
        return known[id(val)][0]

    return resolve_value_type


def plain_fields(own: Any) -> Any:
    """The type of a field that is a number or a pointer."""
    from numba import types

    known: dict[Any, Any] = {}
    plain = (types.Number, types.Boolean, types.CPointer)

    def resolve_getattr(self: Any, typ: Any, attr: str) -> Any:
        found = known.get((typ, attr))
        if found is None:
            found = own(self, typ, attr)
            if isinstance(found, plain):
                known[typ, attr] = found
        return found

    return resolve_getattr


def unless_known(own: Any) -> Any:
    """The type of a call, asked for again only when the types of what it is given have changed."""
    from numba import types

    def resolve(self: Any, typeinfer: Any, typevars: Any, fnty: Any) -> None:
        if self.kws or self.vararg is not None:
            own(self, typeinfer, typevars, fnty)
            return
        given = [typevars[one.name] for one in self.args]
        key = (typevars, fnty, *[one.type for one in given]) if all(one.type is not None for one in given) else None
        before = getattr(self, "resolved", None)
        if before is not None and key is not None and len(before) == len(key) and all(map(is_, before, key)):
            return
        own(self, typeinfer, typevars, fnty)
        made = self.signature
        if made is not None and isinstance(made.return_type, (types.Number, types.Boolean, types.NoneType)):
            self.resolved = key

    return resolve


def at_a_stretch(own: Any) -> Any:
    """All constraints one after the other. Where one fails `own` begins again, with errors and warnings kept apart."""
    from numba.core import errors

    def propagate(self: Any, typeinfer: Any) -> list[Any]:
        place = self.constraints[0].loc if self.constraints else None
        if place is None:
            return []
        try:
            with typeinfer.warnings.catch_warnings(filename=place.filename, lineno=place.line):
                for constraint in self.constraints:
                    constraint(typeinfer)
        except errors.NumbaError:
            return list(own(self, typeinfer))
        return []

    return propagate


def in_case(own: Any) -> Any:
    """Says where an error was met, when there is one."""

    class Context:
        def __init__(self, *said: Any, **more: Any) -> None:
            self.said, self.more = said, more

        def __enter__(self) -> None:
            pass

        def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
            if error is not None:
                with own(*self.said, **self.more):
                    raise error

    return Context


def of_its_variable(own: Any) -> Any:
    """The statements of a block, changed where they name the variable at hand."""
    from numba.core import ir as parsed

    names: dict[int, tuple[set[str], Any]] = {}

    def _run_ssa_block_pass(states: Any, blk: Any, handler: Any) -> Iterator[Any]:
        name = states.get("varname")
        for stmt in blk.body:
            if name is not None:
                found = names.get(id(stmt))
                if found is None:
                    found = names[id(stmt)] = {one.name for one in stmt.list_vars()}, stmt
                if name not in found[0]:
                    yield stmt
                    continue
            yield handler.on_assign(states, stmt) if isinstance(stmt, parsed.Assign) else handler.on_other(states, stmt)

    return _run_ssa_block_pass


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
    """Declarations are looked for once for each function: none is added while it is put into words.

    The contexts of functions are kept meanwhile: another one at the place of one that is gone would pass for that one, and lack what its
    function declares.
    """
    done: dict[int, Any] = {}

    def refresh(self: Any) -> None:
        if id(self) not in done:
            own(self)
            done[id(self)] = self

    return refresh


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
