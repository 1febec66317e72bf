"""The only wiring: it knows every room and holds no rule of its own.

In: strategies, a panel and the run's settings. Out: a `Result`. `bulk.run` takes all bars at once; `incremental.Incremental` takes one
    bar at a time and gives the same bytes; `verify` proves it on the user's data; `verify_saved` checks a run directory.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.engine.attached import attached
    from rustybt.engine.bulk import run, run_configured
    from rustybt.engine.config import RunConfig, configure
    from rustybt.engine.incremental import Bar, Incremental, bars_of, walk
    from rustybt.engine.result import Result
    from rustybt.engine.saved import verify_saved
    from rustybt.engine.settings import settings
    from rustybt.engine.verify import Verification, same_run, verify
else:
    lazily(
        __name__,
        {
            "attached": ("attached",),
            "bulk": ("run", "run_configured"),
            "config": ("RunConfig", "configure"),
            "incremental": ("Bar", "Incremental", "bars_of", "walk"),
            "result": ("Result",),
            "saved": ("verify_saved",),
            "settings": ("settings",),
            "verify": ("Verification", "same_run", "verify"),
        },
    )

__all__ = [
    "Bar",
    "Incremental",
    "Result",
    "RunConfig",
    "Verification",
    "attached",
    "bars_of",
    "configure",
    "run",
    "run_configured",
    "same_run",
    "settings",
    "verify",
    "verify_saved",
    "walk",
]
