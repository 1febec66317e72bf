"""``rustybt report``: the HTML page of a saved run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rustybt.cli import options as o
from rustybt.cli import show


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("report")
    def report(
        folder: Annotated[str, typer.Argument(help="A run directory.", show_default=False)],
        out: Annotated[
            str | None, typer.Option("--out", help="The page; default: report.html in the run directory.", show_default=False)
        ] = None,
        json: o.JsonOption = False,
    ) -> None:
        """Write the HTML report of a saved run: one file that works offline."""
        from rustybt.engine.store import read_manifest, report_of

        path = report_of(Path(folder), Path(out) if out else None)
        found = read_manifest(Path(folder))
        if json:
            show.emit({"report": str(path), "run_id": found["identity"]["run_id"]})
        else:
            show.out.print(f"report: {path}", markup=False)
