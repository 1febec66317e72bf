"""Files as sources of the same protocol as vendors: ``csv:prices/`` and ``parquet:prices/``.

In: a file, a folder or a glob. Out: a `rustybt.model.source.Source`, whose numbers are the texts of the file, never floats. What is not
said (delimiter, dates, decimal comma) is found out by `detect`, or refused where two answers are possible.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.data.files.source import FileSource, open_csv, open_parquet
else:
    lazily(
        __name__,
        {
            "source": ("FileSource", "open_csv", "open_parquet"),
        },
    )

__all__ = ["FileSource", "open_csv", "open_parquet"]
