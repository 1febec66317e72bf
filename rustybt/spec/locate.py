"""Locate: Python objects by ``module:name`` or ``file.py:name``."""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from rustybt.errors import RustyBTError, SpecError

PREFIX = "rustybt_file_"
"""Start of the module names given to strategy files."""


def split(reference: str) -> tuple[str, str]:
    """The module or file of a reference, and the name in it (empty when there is none).

    Example:
        >>> split("my/strategies.py:cross"), split("expressions.strategies.sma_cross")
        (('my/strategies.py', 'cross'), ('expressions.strategies.sma_cross', ''))
    """
    if reference.endswith(".py"):
        return reference, ""
    head, colon, name = reference.rpartition(":")
    return (head, name) if colon else (reference, "")


def import_place(place: str) -> ModuleType:
    """Import a module by dotted name, or a file by a path that ends in ``.py``.

    A file's folder is added to the end of the import path, so that it can import its neighbours. A file that has not changed
    is imported once.

    Raises:
        SpecError: it does not exist or fails to import; the message holds the file, the line and the original error.
    """
    return _import_file(Path(place)) if place.endswith(".py") else _import_module(place)


def find(place: str, name: str) -> Any:
    """The object of a dotted name in a module or file.

    Raises:
        SpecError: the place cannot be imported, or there is no such name.
    """
    found: Any = import_place(place)
    for part in name.split("."):
        if not hasattr(found, part):
            raise SpecError(f"there is no {name!r} in {place!r}", where=place, do="check the name")
        found = getattr(found, part)
    return found


def place_of(module: str) -> str:
    """The place from which another process can import a module: the module's name, or the path of its file.

    Example:
        >>> place_of("rustybt.errors")
        'rustybt.errors'
    """
    loaded = sys.modules.get(module)
    path = getattr(loaded, "__file__", None)
    return str(Path(path).resolve()) if path and (module == "__main__" or module.startswith(PREFIX)) else module


def _import_module(name: str) -> ModuleType:
    if not all(name.split(".")):
        raise SpecError(
            f"{name!r} is neither a module nor a file.py", where=f"reference {name!r}", do="write file.py:name or package.module:name"
        )
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  # see _import_file
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise SpecError(
                f"there is no module {error.name!r}", where=f"reference {name!r}", do="check the name, or give a file.py"
            ) from None
        raise _failure(name, error) from None


def _import_file(given: Path) -> ModuleType:
    if not given.is_file():
        raise SpecError(f"there is no file {str(given)!r}", where=f"folder {Path.cwd()}", do="check the path")
    path = given.resolve()
    content = path.read_bytes()
    name = PREFIX + path.stem + "_" + hashlib.sha256(str(path).encode()).hexdigest()[:8]
    version = hashlib.sha256(content).hexdigest()
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__rustybt_version__", None) == version:
        return loaded
    module = ModuleType(name)
    module.__dict__.update(__file__=str(path), __rustybt_version__=version)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module
    try:
        # Not through an import loader: its bytecode cache takes a file changed within the same second for the old one.
        exec(compile(content, str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:  # a strategy file may also exit, or make Polars panic, while it is imported
        del sys.modules[name]
        if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
            raise
        raise _failure(str(given), error) from None
    return module


def _failure(place: str, error: BaseException) -> SpecError:
    file, line = place, 0
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno or 0
    else:
        frames = traceback.extract_tb(error.__traceback__)
        outside = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
        own = [f for f in outside if place.endswith(".py") and Path(f.filename) == Path(place).resolve()] or outside
        if own:
            file, line = own[-1].filename, own[-1].lineno or 0
    detail = error.what if isinstance(error, RustyBTError) else " ".join(str(error).split())
    said = f"{type(error).__name__}: {detail}" if detail else type(error).__name__
    do = error.do if isinstance(error, RustyBTError) and error.do else "correct the file"
    return SpecError(f"cannot import {place!r}: {said}", where=f"{file}, line {line}" if line else file, do=do)
