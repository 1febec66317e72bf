"""What a reader of text files failed at, with its line: for messages."""

from __future__ import annotations

import re

from rustybt.data.text.lines import line_not_utf8, line_of_text, line_too_long
from rustybt.errors import DataError

PARSED = re.compile(r"could not parse `(?P<text>.*?)` as dtype `(?P<kind>\w+).*?` at column '(?P<column>.*?)'", re.DOTALL)
"""What Polars says of a field."""
BINARY = (".parquet", ".arrow", ".ipc", ".feather")


def failure_of(path: str, error: BaseException, mark: str = ",") -> DataError | None:
    """The message with a line, or None where the error is of the whole file.

    Args:
        path: of the file.
        error: of who read it.
        mark: between fields.
    """
    said = str(error)
    if path.lower().endswith(BINARY):
        return None
    try:
        if "more fields" in said and (line := line_too_long(path, mark)):
            return DataError("a line has more fields than the heading", where=f"{path}, line {line}", do="repair or drop the line")
        if ("utf-8" in said.lower() or "utf8" in said.lower()) and (line := line_not_utf8(path)):
            do = "save the file as UTF-8, or repair the line where it is damaged"
            return DataError("a line has bytes that are not UTF-8", where=f"{path}, line {line}", do=do)
        if (found := PARSED.search(said)) and (line := line_of_text(path, found["column"], found["text"], mark)):
            kind = "date or time" if found["kind"].startswith("date") else "number" if found["kind"][0] in "fiu" else "value"
            what = f"{found['column']} holds {found['text']!r}, which is no {kind} like the others"
            return DataError(what, where=f"{path}, line {line}", do="repair or drop the line")
    except (OSError, EOFError):
        return None
    return None
