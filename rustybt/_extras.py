"""Optional libraries, imported where they are used; a missing one is answered with the install command."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from rustybt.errors import MissingExtraError


def require(module: str, *, extra: str) -> ModuleType:
    """The module, or the command that installs it.

    Args:
        module: import name, such as ``plotly.graph_objects``.
        extra: the extra of RustyBT that provides it.

    Returns:
        The imported module.

    Raises:
        MissingExtraError: when it is not installed. A library that is installed but broken raises its own ImportError.

    Example:
        >>> require("json", extra="report").dumps([1])
        '[1]'
        >>> require("no_such_library", extra="report")
        Traceback (most recent call last):
        rustybt.errors.MissingExtraError: 'no_such_library' is not installed
          do:    pip install 'rustybt[report]'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise
        raise MissingExtraError(f"{top!r} is not installed", do=f"pip install 'rustybt[{extra}]'", module=module, extra=extra) from error
