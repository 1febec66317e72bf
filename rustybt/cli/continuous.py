"""``rustybt continuous``: contracts of a root as one series, with the log of its rolls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rustybt._output import written
from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("continuous")
    def continuous_(
        data: Annotated[str, typer.Argument(help="File or glob of bars, or a dataset.", show_default=False)],
        root: Annotated[str, typer.Option("--root", help="Root of the contracts, and what to call the series.", show_default=False)],
        out: Annotated[str, typer.Option("--out", help="File for the series, .parquet or .csv.", show_default=False)],
        log: Annotated[str | None, typer.Option("--log", help="File for the rolls, .parquet or .csv.", show_default=False)] = None,
        expiry: Annotated[
            list[str] | None,
            typer.Option("--expiry", help="A last trading day: --expiry ESH4=2014-03-21. May be repeated.", show_default="reference data"),
        ] = None,
        roll: Annotated[str, typer.Option("--roll", help="calendar, volume or open_interest.")] = "calendar",
        lead: Annotated[
            str, typer.Option("--lead", help="When a contract is left at the latest: sessions before its last day, 10d, or month.")
        ] = "0",
        confirm: Annotated[int, typer.Option("--confirm", help="Sessions in a row that confirm a roll.")] = 1,
        months: Annotated[str | None, typer.Option("--months", help="Delivery months: HMUZ.", show_default="all")] = None,
        adjust: Annotated[str, typer.Option("--adjust", help="none, difference or ratio.")] = "difference",
        anchor: Annotated[str, typer.Option("--anchor", help="first (as known, for signals) or last (for charts).")] = "first",
        stamp: o.StampOption = None,
        calendar: o.CalendarOption = None,
        tick_size: o.TickOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """Chain the contracts of a root."""
        from rustybt.data import Catalog, continuous

        expiries: Any = o.pairs(expiry, "--expiry ESH4=2014-03-21") or Catalog().reference.chain(root)
        given = {"stamp": stamp, "calendar": calendar, "tick_size": tick_size}
        options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if Path(data).suffix:
            options["asset_class"] = "future"
        rules: dict[str, Any] = {"confirm": confirm, "months": months, "adjust": adjust, "anchor": anchor}
        with show.working("chaining", quiet=json):
            made = continuous(
                data, root, expiries=expiries, roll=roll, lead=int(lead) if lead.lstrip("-").isdigit() else lead, **rules, **options
            )
        write(made.frame, out)
        if log is not None:
            write(made.rolls, log)
        if json:
            rolls = [{key: str(value) if value is not None else None for key, value in row.items()} for row in made.rolls.to_dicts()]
            show.emit({"root": root, "bars": made.frame.height, "out": out, "log": log, "rolls": rolls, "notes": list(made.notes)})
            return
        show.out.print(f"{root}: {made.frame.height:,} bars, {made.rolls.height} rolls", markup=False)
        for note in made.notes:
            show.out.print(f"- {note}", markup=False)
        if made.rolls.height:
            show.out.print(show.frame_table(made.rolls.select("session", "before", "after", "reason", "gap", "tradable").tail(20)))


def write(frame: pl.DataFrame, out: str) -> None:
    """A frame as Parquet or CSV, by the suffix.

    Raises:
        ConfigError: the suffix is another one, or the file cannot be written.
    """
    path = Path(out)
    if path.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"unknown file type {path.suffix!r}", where=out, do="use .parquet or .csv")
    with written(path) as part:
        frame.write_parquet(part) if path.suffix == ".parquet" else frame.write_csv(part)
