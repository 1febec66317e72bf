"""Which build of the kernel's source this copy is."""

from __future__ import annotations

import os

MODE = {"rustybt.kernel_python": "python", "rustybt.kernel_float": "float"}.get(
    __package__ or "", "python" if os.environ.get("RUSTYBT_KERNEL") == "python" else "compiled"
)
"""How this copy of the source is built."""
