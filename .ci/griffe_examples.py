"""For the site: the heading ``Example:`` of our docstrings is what griffe calls ``Examples:``, code and not an admonition."""

from __future__ import annotations

import re
from typing import Any

import griffe

HEADING = re.compile(r"^(\s*)Example:(?=\s*\n)", re.MULTILINE)


class ExampleHeadings(griffe.Extension):  # type: ignore[misc]
    """Rewrite the heading in every docstring as it is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by griffe for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = HEADING.sub(r"\1Examples:", obj.docstring.value)
