"""What LLVM does with a function that was written, in a thread beside the one in which numba writes the next.

LLVM reads the text of a function, checks it and simplifies it without holding the interpreter's lock. Everything is done in the order
in which it was asked for, and all of it before the whole is linked, so the program does not depend on the threads.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

SWITCH = 0.0005
"""Seconds after which a thread that waits for the interpreter is given it. It needs it for an instant each time."""
JOBS = "_rustybt_jobs"
KNOWN = {
    "_codegen",
    "_name",
    "_recorded_timings",
    "_dynamic_globals",
    "_reload_init",
    "_linking_libraries",
    "_final_module",
    "_shared_module",
}
"""What a library consists of, beside its name and what `enable_object_caching` adds."""
CACHED = {"_object_caching_enabled", "_compiled_object", "_compiled"}


def settle(library: Any) -> None:
    """Wait until what was asked for a library is done, and raise what was raised there."""
    for job in library.__dict__.pop(JOBS, ()):
        job.result()


@contextmanager
def beside(entry: Any) -> Iterator[Callable[[Any, Callable[[], None]], None]]:
    """While it lasts, libraries are made and filled by another thread.

    Args:
        entry: a library as numba makes it. Where it is not as expected everything is done at once.

    Yields:
        What has something done for a library, after all that was asked before.
    """
    if set(vars(entry)) - CACHED != KNOWN:
        yield lambda library, job: job()
        return

    from llvmlite import binding
    from numba.core import cgutils
    from numba.core.codegen import CodeLibrary, CPUCodeLibrary, JITCodeLibrary

    make, add = CPUCodeLibrary.__init__, CPUCodeLibrary.add_ir_module
    stats = binding.newpassmanagers.dump_refprune_stats
    switch = sys.getswitchinterval()

    def ask(library: Any, job: Callable[[], None]) -> None:
        done: Future[None] = thread.submit(job)
        library.__dict__.setdefault(JOBS, []).append(done)

    def __init__(self: Any, codegen: Any, name: str) -> None:  # noqa: N807
        if type(self) is not JITCodeLibrary:
            make(self, codegen, name)
            return
        CodeLibrary.__init__(self, codegen, name)
        self._linking_libraries, self._shared_module = [], None
        text = str(codegen._create_empty_module(name))  # noqa: SLF001

        def begin() -> None:
            self._final_module = binding.parse_assembly(text)
            self._final_module.name = cgutils.normalize_ir_text(name)

        ask(self, begin)

    def add_ir_module(self: Any, module: Any) -> None:
        self._raise_if_finalized()
        text, name = cgutils.normalize_ir_text(str(module)), module.name

        def fill() -> None:
            made = binding.parse_assembly(text)
            made.name = name
            made.verify()
            self.add_llvm_module(made)

        ask(self, fill)

    none = binding.newpassmanagers.PruneStats(0, 0, 0, 0)
    with ThreadPoolExecutor(1) as thread:
        CPUCodeLibrary.__init__, CPUCodeLibrary.add_ir_module = __init__, add_ir_module
        binding.newpassmanagers.dump_refprune_stats = lambda printout=False: none  # asks LLVM, before and after each function
        sys.setswitchinterval(SWITCH)
        try:
            yield ask
        finally:
            sys.setswitchinterval(switch)
            binding.newpassmanagers.dump_refprune_stats = stats
            CPUCodeLibrary.__init__, CPUCodeLibrary.add_ir_module = make, add
