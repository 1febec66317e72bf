"""The machine code of ways into the kernel as files of their own, one for each build, that LLVM loads without numba.

To load what it kept itself numba imports all it compiles with, and the source of every rule: 0.3 s of a process that runs once. The
object code is the same, and it is called as compiled code calls it (`rustybt.kernel.intrinsics.call_run`). It is written when numba
keeps a build. Whatever is not as it was then (processor, versions, a symbol that lacks, a damaged file) leaves the way in to numba.
"""

from __future__ import annotations

import ctypes
import json
import struct
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .sealed import SEAL, drop_if_damaged, seal

ONLY_WRAPPER = ("numba_unpickle", "numba_do_raise", "numba_runtime_build_excinfo_struct")
"""What numba's own way in from Python calls where something was raised. It is in the file, and nobody takes it: where numba is not there
to give them, they end the process. Numba puts its own in their place when it is imported."""
PLAIN = ("memcpy", "memmove", "memset")
"""What else it may take, beside names of Python: what LLVM makes of loops. Anything else would have to be set up by numba first."""


class Way(NamedTuple):
    """A way in.

    Attributes:
        signature: what the code must be to LLVM: the status, where the result goes, what was raised, what it is given.
        call: calls it without holding the lock of the interpreter, as ``nogil`` does.
    """

    signature: str
    call: Any


def way(*given: Any) -> Way:
    """The way into a function of such arguments.

    Example:
        >>> way(ctypes.c_void_p, ctypes.c_int64).signature
        'i32 (ptr, ptr, ptr, i64)'
    """
    kinds = (ctypes.c_void_p, ctypes.c_void_p, *given)
    return Way(f"i32 ({', '.join(WORDS[kind] for kind in kinds)})", ctypes.CFUNCTYPE(ctypes.c_int32, *kinds))


WORDS: dict[Any, str] = {ctypes.c_void_p: "ptr", ctypes.c_int64: "i64", ctypes.c_double: "double"}
"""What LLVM calls them."""
RUN = way(ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
"""`rustybt.kernel.step.run`: desk, start, stop and margin."""
ROLL = way(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_double)
"""`rustybt.kernel.rolling.roll`: values, scratch and results, how many, size and divisor."""
_engines: list[Any] = []
"""What holds loaded code; never let go, as numba's is."""


def path_of(home: Path, build: str) -> Path:
    """The file of a build in the folder of compiled code, which several Pythons may share."""
    return home / f"{build}.{sys.implementation.cache_tag}.image"


def machine() -> dict[str, str]:
    """What the code was made for and what loads it."""
    import llvmlite
    from llvmlite import binding

    return {
        "python": str(sys.implementation.cache_tag),
        "llvmlite": llvmlite.__version__,
        "triple": binding.get_process_triple(),
        "cpu": binding.get_host_cpu_name(),
        "features": binding.get_host_cpu_features().flatten(),
    }


def write(path: Path, library: Any, symbol: str) -> None:
    """Write the code of a build that was just compiled.

    Args:
        path: of the file.
        library: of numba, finished, with its object code.
        symbol: the function.

    Raises:
        OSError: it cannot be written.
    """
    try:
        code = library._get_compiled_object()  # noqa: SLF001 - what numba keeps of it too
        kind = str(library._final_module.get_function(symbol).global_value_type)  # noqa: SLF001
    except (AttributeError, NameError, RuntimeError):  # another numba: the file says that there is nothing to load
        code, kind = b"", ""
    head = {"machine": machine(), "symbol": symbol, "signature": kind, "needs": undefined(code)}
    content = json.dumps(head).encode() + b"\n" + code
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        aside.write_bytes(content + seal(content))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def undefined(code: bytes) -> list[str] | None:
    """Names that object code takes from elsewhere; None where it is no ELF of 64 bits, little end first.

    Example:
        >>> undefined(b"something else") is None
        True
    """
    if code[:6] != b"\x7fELF\x02\x01":
        return None
    table, size, count = struct.unpack_from("<Q", code, 40)[0], *struct.unpack_from("<HH", code, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", code, table + size * place) for place in range(count)]
    found = []
    for _, kind, _, _, offset, length, link, *_ in sections:
        if kind != 2:  # a table of symbols
            continue
        names = sections[link][4]
        for place in range(offset, offset + length, 24):
            name, _, _, section = struct.unpack_from("<IBBH", code, place)
            if section == 0 and name:
                found.append(code[names + name : code.index(b"\0", names + name)].decode())
    return found


def load(path: Path, way: Way = RUN) -> Callable[..., int] | None:
    """The code of a build as a function; None where numba has to give it.

    Args:
        path: of the file.
        way: what is in it.
    """
    if not path.exists() or not drop_if_damaged(str(path)):
        return None
    head, _, code = path.read_bytes()[:-SEAL].partition(b"\n")
    about = json.loads(head)
    if about["needs"] is None or not all(name.startswith("Py") or name in ONLY_WRAPPER + PLAIN for name in about["needs"]):
        return None
    if about["signature"] != way.signature or about["machine"] != machine():
        return None
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    triple = about["machine"]["triple"]
    target = binding.Target.from_triple(triple).create_target_machine(jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(f'target triple = "{triple}"'), target)
    # From here on LLVM knows the symbols of the process. One that it did not find when it links would end the process.
    lacking = [name for name in about["needs"] if binding.address_of_symbol(name) is None]
    end = binding.address_of_symbol("abort")
    if end is None or not set(lacking) <= set(ONLY_WRAPPER):
        return None
    for name in lacking:
        binding.add_symbol(name, end)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(about["symbol"])
    if not address:
        return None
    _engines.append(engine)
    made: Callable[..., int] = way.call(address)
    return made


def is_wanted() -> bool:
    """Whether code may be loaded past numba: not where it was told to do something unusual."""
    from .cache import is_set

    numba = sys.modules.get("numba")
    return not is_set() and not (numba is not None and numba.config.DISABLE_JIT)
