"""Less to say to LLVM: what numba writes for every function and LLVM throws away again is not written.

Numba keeps a variable that several blocks use in memory, clears it when it is no longer needed, and keeps a loop's number in a structure
in memory beside a step that might be zero. LLVM finds out that the memory need not be and that nothing reads the zeros; here that is
known before: less than half of the text, and of all that is done with it. What is not as simple (references that are counted,
generators, handlers of exceptions) is left to numba.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite.ir.instructions import InsertValue


def replacements() -> list[tuple[Any, str, Callable[[Any], Any]]]:
    """As those of `rustybt.kernel.hurry`."""
    from numba.core import base, codegen, lowering, postproc

    return [
        (postproc.PostProcessor, "run", without_ends),
        (lowering.Lower, "_find_singly_assigned_variable", in_registers),
        (lowering.Lower, "storevar", over_nothing),
        (lowering.BaseLower, "lower_block", without_notes),
        (lowering.Lower, "lower_inst", at_once),
        (base.BaseContext, "get_function", counting),
        (base.BaseContext, "pair_first", lambda own: of_pair(own, 0)),
        (base.BaseContext, "pair_second", lambda own: of_pair(own, 1)),
        (codegen.CPUCodeLibrary, "_optimize_functions", of_its_own),
    ]


def without_ends(own: Any) -> Any:
    """How long variables live is asked where references are counted, and for generators; nothing else is done at the end of a life."""
    from numba.core.targetconfig import ConfigStack
    from numba.core.transforms import canonicalize_cfg

    def run(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
        if self.func_ir.is_generator or (emit_dels and (extend_lifetimes or counts(ConfigStack.top_or_none()))):
            own(self, emit_dels, extend_lifetimes)
        else:
            self.func_ir.blocks = canonicalize_cfg(self.func_ir.blocks)

    return run


def counts(flags: Any) -> bool:
    """Whether a function that is compiled with these flags counts references, or is to be looked at by a debugger."""
    return flags is None or bool(flags.nrt) or bool(flags.debuginfo)


def in_registers(own: Any) -> Any:
    """Variables that need no memory: assigned once, and before any use on every way. `own` takes those of a single block only.

    Beside them it notes those that name a function and are only called, whose value nobody needs.
    """
    from numba.core import ir, types
    from numba.core.analysis import compute_cfg_from_blocks, must_use_alloca
    from numba.core.unsafe.eh import exception_check

    def _find_singly_assigned_variable(self: Any) -> None:
        self.named_only = set()
        if counts(self.flags) or self.func_ir.is_generator:
            own(self)
            return
        place: dict[str, Any] = {}
        away: dict[str, set[Any]] = {}
        memory: set[str] = must_use_alloca(self.blocks)
        functions: set[str] = set()
        values: set[str] = set()
        for label, block in self.blocks.items():
            for inst in block.body:
                made = inst.value if type(inst) is ir.Assign else None
                if isinstance(made, (ir.Global, ir.FreeVar)):
                    if made.value is exception_check:
                        own(self)  # a call that raises leaves a block in its middle
                        return
                    if isinstance(self.typeof(inst.target.name), types.Dispatcher):
                        functions.add(inst.target.name)
                used = (
                    inst.list_vars()
                    if made is None
                    else [made]
                    if type(made) is ir.Var
                    else made.list_vars()
                    if isinstance(made, ir.Inst)
                    else ()
                )
                called = made.func.name if isinstance(made, ir.Expr) and made.op == "call" else None
                for one in used:
                    if place.get(one.name) != label:
                        away.setdefault(one.name, set()).add(label)
                    if one.name != called:
                        values.add(one.name)
                if made is not None:
                    name = inst.target.name
                    if name in place:
                        memory.add(name)
                    place[name] = label
        above = compute_cfg_from_blocks(self.blocks).dominators() if away else {}
        for name, labels in away.items():
            first = place.get(name)
            if first is None or not all(first < label and first in above[label] for label in labels):
                memory.add(name)
        self.named_only = functions - values
        self._singly_assigned_vars = place.keys() - memory
        self._blk_local_varmap = {}

    return _find_singly_assigned_variable


def over_nothing(own: Any) -> Any:
    """A value that is stored where one was, which `own` reads first in order to let it go."""

    def storevar(self: Any, value: Any, name: str, argidx: Any = None) -> None:
        if counts(self.flags):
            own(self, value, name, argidx)
        elif name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
        else:
            self._alloca_var(name, self.typeof(name))
            self.builder.store(value, self.getvar(name))

    return storevar


def without_notes(own: Any) -> Any:
    """The instructions of a block. What is said of each in case that it fails is said when it fails."""
    from numba.core import lowering

    def lower_block(self: Any, block: Any) -> None:
        if counts(self.flags):
            own(self, block)
            return
        self.pre_block(block)
        for inst in block.body:
            self.loc = inst.loc
            try:
                self.lower_inst(inst)
            except Exception as error:
                with lowering.new_error_context(
                    'lowering "{inst}" at {loc}', inst=inst, loc=self.loc, errcls_=partial(lowering.LoweringError, loc=self.loc)
                ):
                    raise error
        self.post_block(block)

    return lower_block


def at_once(own: Any) -> Any:
    """An instruction; `own` writes each down, for a debugger."""
    from numba.core import config, ir

    def lower_inst(self: Any, inst: Any) -> Any:
        kind = type(inst)
        if self._loc_notify_registry or config.DEBUG_JIT or counts(self.flags):
            return own(self, inst)
        if kind is ir.Assign:
            name = inst.target.name
            if name in getattr(self, "named_only", ()):
                value = self.context.get_dummy_value()
            else:
                value = self.lower_assign(self.typeof(name), inst)
            self.storevar(value, name, inst.value.index + 1 if isinstance(inst.value, ir.Arg) else None)
        elif kind is ir.Jump:
            self.builder.branch(self.blkmap[inst.target])
        else:
            return own(self, inst)
        return None

    return lower_inst


def of_its_own(own: Any) -> Any:
    """The functions of a module are optimised with one manager. `own` makes one for each, for those too that are only declared."""
    from numba.core import config

    def _optimize_functions(self: Any, module: Any) -> None:
        if config.LLVM_PASS_TIMINGS:
            own(self, module)
            return
        module.data_layout = self._codegen._data_layout  # noqa: SLF001
        manager, builder = self._codegen._function_pass_manager()  # noqa: SLF001
        for function in module.functions:
            if not function.is_declaration:
                manager.run(function, builder)

    return _optimize_functions


def counting(own: Any) -> Any:
    """Loops over ``range`` in steps of one. `own` keeps their state in structures in memory, and asks each whether its step is zero."""
    from numba.core import types

    whole, state, walk = types.int64, types.range_state64_type, types.range_iter64_type

    def get_function(self: Any, fn: Any, sig: Any, _firstcall: bool = True) -> Any:
        if not self.enable_nrt:
            if sig.args in {(whole,), (whole, whole)} and getattr(fn, "typing_key", None) is range:
                return lambda builder, args, loc=None: pack(
                    self, builder, state, [*[whole_number(0)][len(args) - 1 :], *args, whole_number(1)]
                )
            if fn == "getiter" and sig.args == (state,):
                return lambda builder, args, loc=None: begin(self, builder, args[0]) or own(self, fn, sig)(builder, args)
            if fn == "iternext" and sig.args == (walk,):
                return lambda builder, args, loc=None: advance(self, builder, sig, args[0])
        return own(self, fn, sig, _firstcall)

    return get_function


def whole_number(value: int) -> Any:
    """A constant of 64 bits."""
    from llvmlite import ir

    return ir.Constant(ir.IntType(64), value)


def pack(context: Any, builder: Any, kind: Any, parts: list[Any]) -> Any:
    """A structure of these parts."""
    from llvmlite import ir

    made = ir.Constant(context.get_value_type(kind), ir.Undefined)
    for place, one in enumerate(parts):
        made = builder.insert_value(made, one, place)
    return made


def part_of(builder: Any, value: Any, place: int) -> Any:
    """A part of a structure: what was put there, where that is known."""
    made = value
    while isinstance(made, InsertValue):
        if tuple(made.indices) == (place,):
            return made.operands[1]
        made = made.operands[0]
    return builder.extract_value(value, place)


def of_pair(own: Any, place: int) -> Any:
    """One of two values; `own` writes both to memory to read it."""

    def part(self: Any, builder: Any, val: Any, ty: Any) -> Any:
        return own(self, builder, val, ty) if self.enable_nrt else part_of(builder, val, place)

    return part


def begin(context: Any, builder: Any, numbers: Any) -> Any:
    """What walks through a ``range``; None where its step is not known to be one."""
    from numba.core import types

    start, stop, step = (part_of(builder, numbers, place) for place in range(3))
    if getattr(step, "constant", None) != 1:
        return None
    with builder.goto_entry_block():
        at, left = builder.alloca(start.type), builder.alloca(start.type)
    size = builder.sub(stop, start)
    builder.store(start, at)
    builder.store(builder.select(builder.icmp_signed(">", size, whole_number(0)), size, whole_number(0)), left)
    return pack(context, builder, types.range_iter64_type, [at, stop, step, left])


def advance(context: Any, builder: Any, sig: Any, walk: Any) -> Any:
    """The next number and whether there is one."""
    at, step, left = (part_of(builder, walk, place) for place in (0, 2, 3))
    number, rest = builder.load(at), builder.load(left)
    builder.store(builder.sub(rest, whole_number(1)), left)
    builder.store(builder.add(number, step), at)
    return pack(context, builder, sig.return_type, [number, builder.icmp_signed(">", rest, whole_number(0))])
