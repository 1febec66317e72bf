"""``rustybt sql``: a query over the catalog and over a saved run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rustybt.cli import options as o
from rustybt.cli import show


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("sql")
    def sql_(
        query: Annotated[
            str,
            typer.Argument(
                help="It only reads. Tables: datasets by name; snapshots, versions, symbols, files, runs, repairs; reference.assets, ...",
                show_default=False,
            ),
        ],
        run: Annotated[
            str | None, typer.Option("--run", help="A saved run, whose frames are run.fills, run.equity, ...", show_default=False)
        ] = None,
        json: o.JsonOption = False,
    ) -> None:
        """Answer a query with DuckDB."""
        from rustybt.data.catalog import Catalog, sql
        from rustybt.engine.store import read_manifest

        if run is not None:
            read_manifest(Path(run))
        found = sql(Catalog(), query, Path(run) if run is not None else None, say=lambda said: show.err.print(said, markup=False))
        rows = [
            {name: value if value is None or isinstance(value, (int, float, str)) else str(value) for name, value in row.items()}
            for row in found.to_dicts()
        ]
        if json:
            show.emit({"columns": found.columns, "rows": rows})
            return
        table = Table(*found.columns)
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        show.out.print(table)
