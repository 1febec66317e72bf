"""``rustybt migrate``: a Zipline bundle into the catalog, verified or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rustybt._output import written
from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("migrate")
    def migrate_(
        folder: Annotated[
            str, typer.Argument(help="Folder of a Zipline bundle, HDF5 file of daily bars, or csvdir folder.", show_default=False)
        ],
        name: Annotated[str, typer.Option("--name", help="Name of the dataset.", show_default=False)],
        kind: Annotated[str, typer.Option("--kind", help="daily or minute.")] = "daily",
        calendar: o.CalendarOption = None,
        no_events: Annotated[
            bool, typer.Option("--no-events", help="Leave splits and dividends out: prices are adjusted already.")
        ] = False,
        report: Annotated[str | None, typer.Option("--report", help="File for the report, .parquet.", show_default=False)] = None,
        json: o.JsonOption = False,
    ) -> None:
        """Bring a Zipline bundle into the catalog; every number is compared, and nothing stays where one differs."""
        from rustybt.data import migrate

        if kind not in ("daily", "minute"):
            raise ConfigError(f"unknown kind {kind!r}", where="--kind", do="use daily or minute")
        o.report_file(report)
        with show.bar(f"migrating {folder}", quiet=json) as progress:
            made = migrate(folder, name, kind=kind, calendar=calendar, with_events=not no_events, progress=progress)  # type: ignore[arg-type]
        if report is not None:
            known = f"{made.version.name} is in the catalog, and the same call writes its report again"
            with written(Path(report), "the report", folders=True, then=known) as part:
                made.report.write_parquet(part)
        rows, aside = int(made.report["rows"].sum()), int(made.report["set_aside"].sum())
        if json:
            about = {"dataset": made.version.dataset, "snapshot": made.version.snapshot, "new": made.version.new, "rows": rows}
            counts = {"set_aside": aside, "empty": made.empty, "events": made.events, "notes": list(made.notes)}
            show.emit({**about, **counts, "ok": True, "assets": made.report.to_dicts(), "report": report})
            return
        show.out.print(f"{made.version.name}: {rows:,} rows of {made.report.height} assets, {made.events} corporate actions", markup=False)
        show.out.print("every row, sum and checksum is that of the bundle", markup=False)
        said = [f"{made.empty} rows of zeros stand for bars that there were not."] if made.empty else []
        said += [f"{aside} rows are in quarantine: rustybt catalog show {made.version.dataset}."] if aside else []
        for note in (*said, *made.notes):
            show.out.print(f"- {note}", markup=False)
        show.out.print(show.frame_table(made.report.with_columns(made.report["sha256"].str.slice(0, 12)).head(20)))
