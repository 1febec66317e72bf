"""``rustybt adjust``: bars restated for their corporate actions."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.cli.continuous import write


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("adjust")
    def adjust_(
        data: Annotated[str, typer.Argument(help='File or glob of bars, a dataset, or "demo".', show_default=False)],
        mode: Annotated[str, typer.Option("--mode", help="raw, split, total_return or as_known.", show_default=False)],
        out: Annotated[str, typer.Option("--out", help="File for the bars, .parquet or .csv.", show_default=False)],
        factors: Annotated[str | None, typer.Option("--factors", help="File for the exact factors.", show_default=False)] = None,
        as_of: Annotated[str | None, typer.Option("--as-of", help="As they looked on this day.", show_default=False)] = None,
        reinvest: Annotated[str, typer.Option("--reinvest", help="Where a dividend buys: before or after the ex-date's open.")] = "before",
        stamp: o.StampOption = None,
        calendar: o.CalendarOption = None,
        tick_size: o.TickOption = None,
        events: o.EventsOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """Restate bars for splits and dividends, exactly."""
        from rustybt.data import adjusted

        given = {"stamp": stamp, "calendar": calendar, "tick_size": tick_size, "events": events}
        options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        rules: dict[str, Any] = {"as_of": as_of, "reinvest": reinvest}
        with show.working("adjusting", quiet=json):
            made = adjusted(data, mode, **rules, **options)  # type: ignore[arg-type]
        write(made.frame, out)
        if factors is not None:
            write(made.factors, factors)
        told = {"mode": mode, "bars": made.frame.height, "assets": len(made.assets), "pieces": made.factors.height}
        if json:
            show.emit({**told, "out": out, "factors": factors})
            return
        show.out.print(f"{mode}: {told['bars']:,} bars of {told['assets']} assets, {told['pieces']} factors, written: {out}", markup=False)
