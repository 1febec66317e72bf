"""For the site: docstrings as griffe reads them.

The heading ``Example:`` is what griffe calls ``Examples:``, code and not an admonition. The facts of an entry of `expressions`, one line
each, become a list instead of one long line.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

HEADING = re.compile(r"^(\s*)Example:(?=\s*\n)", re.MULTILINE)
FACT = re.compile(r"^(Formula|Unit|Lookback|Nulls|Source): ", re.MULTILINE)


class ExampleHeadings(griffe.Extension):  # type: ignore[misc]
    """Rewrite every docstring as it is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by griffe for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = HEADING.sub(r"\1Examples:", obj.docstring.value)
            if obj.path.startswith("expressions."):
                obj.docstring.value = FACT.sub(r"- **\1**: ", obj.docstring.value)
