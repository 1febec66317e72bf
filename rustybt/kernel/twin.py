"""Other builds of the same source, for tests and benchmarks. Users have no business here.

``python``: by the interpreter on unbounded integers: what wraps in the compiled build differs here, and coverage can be measured.
``float``: compiled with float money, to measure what exactness costs. Never cached.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent


def load(build: str) -> ModuleType:
    """The package `rustybt.kernel` once more, built another way.

    Args:
        build: ``python`` or ``float``.

    Returns:
        A package with `simulate`, `Book` and the rest of its own. Asked again, the same one.

    Example:
        >>> from rustybt.kernel.example import one_asset
        >>> load("python").simulate(*one_asset([100, 101], offers={0: 10})).cash
        array([1000000,  998990])
    """
    name = f"rustybt.kernel_{build}"
    if build not in {"python", "float"}:
        raise ValueError(f"there is no build {build!r}")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / "__init__.py", submodule_search_locations=[str(HERE)])
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
