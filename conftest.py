"""For every test, the examples in docstrings too.

Trials are counted in a temporary file, never in the user's registry. All rooms are imported before any test is collected: of a module
whose room is not, pytest makes a second one and puts it where the room has a function of that name.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ["RUSTYBT_TRIALS"] = str(Path(tempfile.mkdtemp(prefix="rustybt-trials-")) / "trials.sqlite")

import rustybt

for name in rustybt.__all__:
    getattr(rustybt, name)
