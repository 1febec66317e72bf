"""Rooms whose public names are loaded when they are first used: a run needs half of the modules, and each takes a millisecond to import."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

_HOMES: dict[str, dict[str, str]] = {}
"""By package: the module in which a public name is; empty where the name is a module itself."""


class Room(ModuleType):
    """A package that knows where its public names are.

    A module of the package may bear the name of the function in it (``engine/verify.py``). Importing it would put the module in the
    function's place, so the name stays the function's, as if the package had imported it.
    """

    def __getattr__(self, name: str) -> Any:
        """Load a public name, once; only asked for names that are not there yet."""
        home = _HOMES[self.__name__].get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        module = import_module(f"{self.__name__}.{home or name}")
        value = vars(self)[name] = getattr(module, name) if home else module
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        """As for any module, except that a module does not take the place of a public name that is in it."""
        if not (_HOMES[self.__name__].get(name) and isinstance(value, ModuleType) and value.__name__ == f"{self.__name__}.{name}"):
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """By its name: cloudpickle knows how to send a module only where it is of the plain type."""
        return import_module, (self.__name__,)

    def __dir__(self) -> list[str]:
        """The names that are there, and those that are still to come."""
        return sorted({*super().__dir__(), *_HOMES[self.__name__]})


def lazily(package: str, names: Mapping[str, Sequence[str]]) -> None:
    """Let a package load its public names from its modules when they are used.

    The names stand under ``TYPE_CHECKING`` too, where type checkers and the docs find them; a test compares the two.

    Args:
        package: its ``__name__``.
        names: public names by module of the package; a module without names is itself the public name.

    Example:
        >>> import rustybt.analysis
        >>> "metrics" in dir(rustybt.analysis)
        True
    """
    _HOMES[package] = {name: module if given else "" for module, given in names.items() for name in given or (module,)}
    sys.modules[package].__class__ = Room
