"""Load: find a strategy by file or module name, as the command line names it."""

from __future__ import annotations

from types import ModuleType

from rustybt.errors import SpecError
from rustybt.spec.decorate import StrategyFunction
from rustybt.spec.locate import import_place, split


def load_strategy(reference: str) -> StrategyFunction:
    """The `@strategy` function that a reference names.

    Args:
        reference: ``path/to/file.py:name``, ``package.module:name``, or a file or module alone that defines exactly one.

    Raises:
        SpecError: the file or module does not exist or fails to import (the message holds file, line and the original error), the name is
            not there or not a strategy, or there are none or several to choose from.

    Example:
        >>> load_strategy("nowhere.to_be_found:cross")
        Traceback (most recent call last):
        rustybt.errors.SpecError: there is no module 'nowhere'
          where: reference 'nowhere.to_be_found'
          do:    check the name, or give a file.py
    """
    place, name = split(reference)
    module = import_place(place)
    known = _strategies(module)
    names = ", ".join(known)
    if name:
        found = getattr(module, name, None)
        if isinstance(found, StrategyFunction):
            return found
        what = (
            f"there is no {name!r} in {place!r}" if found is None else f"{name!r} in {place!r} is a {type(found).__name__}, not a strategy"
        )
        raise SpecError(
            what, where=f"reference {reference!r}", do=f"it has: {names}" if known else "put @rustybt.strategy above the function"
        )
    if len(known) == 1:
        return next(iter(known.values()))
    if not known:
        raise SpecError(f"there is no strategy in {place!r}", where=f"reference {reference!r}", do="put @rustybt.strategy above a function")
    first = next(iter(known))
    raise SpecError(
        f"there are {len(known)} strategies in {place!r}: {names}", where=f"reference {reference!r}", do=f"name one: {place}:{first}"
    )


def _strategies(module: ModuleType) -> dict[str, StrategyFunction]:
    """Strategies defined in a module; those it imports count only when it defines none."""
    found = {name: value for name, value in vars(module).items() if isinstance(value, StrategyFunction)}
    return {name: value for name, value in found.items() if value.__module__ == module.__name__} or found
