"""``python -m rustybt`` is the command ``rustybt``."""

from __future__ import annotations

import sys

from rustybt.cli import main

if __name__ == "__main__":
    sys.exit(main())
