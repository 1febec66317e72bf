"""Compiling a way into the kernel in one piece.

Numba optimises a function together with all that it calls, and makes machine code of it, before it turns to the caller: a
function that is called through eight others is optimised nine times. Here the called functions are only linked, and the whole is
optimised once: half the time to compile, the same program. This leans on inner names of numba; where they are missing, numba does
it its own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from .beside import beside, settle
from .hurry import hurried

NEEDED = ("_raise_if_finalized", "_linking_libraries", "_reload_init", "_get_module_for_linking", "_finalize_dynamic_globals")
"""What a library of numba must have."""
IDLE_UNTYPED = (
    "WithLifting",
    "InlineClosureLikes",
    "RewriteSemanticConstants",
    "DeadBranchPrune",
    "GenericRewrites",
    "RewriteDynamicRaises",
    "MakeFunctionToJitFunction",
    "InlineInlinables",
    "FindLiterallyCalls",
    "LiteralUnroll",
    "LiteralPropagationSubPipelinePass",
)
IDLE_TYPED = ("InlineOverloads", "NopythonRewrites", "DumpParforDiagnostics", "AnnotateTypes", "NoPythonSupportedFeatureValidation")
"""Passes of numba for what the kernel does not use: closures, tuples, strings, exceptions, array expressions."""


@cache
def pipeline() -> Any:
    """The compiler of an entry, for ``numba.njit(pipeline_class=...)``; None where numba is not as expected."""
    from numba.core.codegen import CPUCodeLibrary, JITCPUCodegen
    from numba.core.compiler import Compiler

    parts = all(hasattr(CPUCodeLibrary, name) for name in NEEDED[:1] + NEEDED[3:]) and "finalize" in vars(CPUCodeLibrary)
    if not (parts and "set_env" in vars(JITCPUCodegen) and hasattr(Compiler, "compile_extra")):
        return None

    class Whole(part()):  # type: ignore[misc]
        """Compiles an entry and everything below it as one module."""

        def compile_extra(self, func: Any) -> Any:
            library = self.state.targetctx.codegen().create_library(func.__qualname__)
            if not all(hasattr(library, name) for name in NEEDED):
                return super().compile_extra(func)
            library.enable_object_caching()
            self.state.library = library
            with _only(library), hurried():
                return super().compile_extra(func)

    return Whole


@cache
def part() -> Any:
    """The compiler of a function, for ``numba.njit(pipeline_class=...)``: numba's own without the passes that find nothing to do here."""
    from numba.core import typed_passes, untyped_passes
    from numba.core.compiler import Compiler

    from .prune import Prune

    idle = {getattr(room, name, None) for room, names in ((untyped_passes, IDLE_UNTYPED), (typed_passes, IDLE_TYPED)) for name in names}

    class Part(Compiler):  # type: ignore[misc]
        """Compiles one function."""

        def define_pipelines(self) -> Any:
            (made,) = super().define_pipelines()
            made.passes[:] = [step for step in made.passes if step[0] not in idle]
            made.add_pass_after(Prune, untyped_passes.FixupArgs)
            made.finalize()
            return [made]

    return Part


def _below(library: Any) -> list[Any]:
    """All libraries that a library calls, through others too, each once.

    Callers come before what they call: LLVM links a function of this kind only where something asks for it.
    """
    found: dict[Any, None] = {}

    def visit(above: Any) -> None:
        for one in above._linking_libraries:  # noqa: SLF001
            if one not in found:
                visit(one)
                found[one] = None

    visit(library)
    return list(found)[::-1]


@contextmanager
def _only(entry: Any) -> Iterator[None]:
    """While it lasts, no other library is optimised or turned into machine code. Numba holds its own lock meanwhile."""
    from numba.core.codegen import CPUCodeLibrary, JITCPUCodegen

    finalize, set_env = CPUCodeLibrary.finalize, JITCPUCodegen.set_env

    def link(library: Any) -> None:
        if library is entry:
            settle(entry)
            library._linking_libraries[:] = _below(library)  # noqa: SLF001 - each once, so none carries copies of others
            for one in library._linking_libraries:  # noqa: SLF001
                settle(one)
            finalize(library)
            return
        library._raise_if_finalized()  # noqa: SLF001 - what `finalize` does, without linking and the optimiser
        library._finalized = True  # noqa: SLF001

        def mark() -> None:
            for made in library._final_module.functions:  # noqa: SLF001
                if not made.is_declaration and made.linkage.name == "external":
                    made.linkage = "linkonce_odr"  # as numba marks what is linked into several, which saves it a copy
            library._finalize_dynamic_globals()  # noqa: SLF001

        ask(library, mark)

    def keep_env(codegen: Any, name: str, env: Any) -> None:
        if entry._finalized and codegen._engine.get_global_value_address(name):  # noqa: SLF001
            set_env(codegen, name, env)  # a function that is only linked has no place for it

    with beside(entry) as ask:
        CPUCodeLibrary.finalize, JITCPUCodegen.set_env = link, keep_env
        try:
            yield
        finally:
            CPUCodeLibrary.finalize, JITCPUCodegen.set_env = finalize, set_env
