"""``rustybt warm``: compile the kernel before the first run."""

from __future__ import annotations

import gc
import time

import typer

from rustybt.cli import options as o
from rustybt.cli import show


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("warm")
    def warm(json: o.JsonOption = False) -> None:
        """Compile the exact kernel once and keep it; later processes load it in a fraction of a second."""
        from rustybt import kernel

        if not json:
            show.err.print(
                "compiling what is not kept yet of the kernel and what goes with it (all of it: about half a minute on two cores) ..."
            )
        was = gc.isenabled()
        gc.disable()
        began = time.perf_counter()
        place = kernel.warm(also=["rustybt.sweeps.warming", "rustybt.data.compiling"])
        took = time.perf_counter() - began
        gc.freeze()  # a search of the compiler's heap for cycles takes a second, and this process ends
        if was:
            gc.enable()
        if json:
            show.emit({"seconds": round(took, 3), "cache": None if place is None else str(place)})
        else:
            show.err.print(f"kernel ready in {took:.1f} s, {'but nothing could be kept' if place is None else f'kept in {place}'}")
