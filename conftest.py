"""For every test, the examples in docstrings too: trials are counted in a temporary file, never in the user's registry."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ["RUSTYBT_TRIALS"] = str(Path(tempfile.mkdtemp(prefix="rustybt-trials-")) / "trials.sqlite")
