"""What made a result: our code and the libraries that its bits may depend on."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
from functools import cache
from pathlib import Path

LIBRARIES = ("polars", "numpy", "numba", "exchange-calendars")


@cache
def versions() -> dict[str, str]:
    """Python, our code (SHA-256 of all its files, in short), the libraries, and the kind of processor."""
    digest, home = hashlib.sha256(), Path(__file__).parents[2]
    for path in sorted(path for kind in ("*.py", "*.json") for path in home.rglob(kind)):
        digest.update(str(path.relative_to(home)).encode() + b"\0" + path.read_bytes())
    known = {"python": ".".join(map(str, sys.version_info[:2])), "the code of rustybt": digest.hexdigest()[:16]}
    return known | {name: importlib.metadata.version(name) for name in LIBRARIES} | {"the processor": platform.machine()}
