"""``rustybt ingest``: bars into the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.errors import ConfigError

if TYPE_CHECKING:
    from rustybt.data.catalog import Version
    from rustybt.model import Panel


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("ingest")
    def ingest(
        source: Annotated[
            str, typer.Argument(help='File or glob of bars, "demo", or a vendor and its symbols: yfinance:AAPL,MSFT.', show_default=False)
        ],
        name: Annotated[str, typer.Option("--name", help="Name of the dataset.", show_default=False)],
        stamp: o.StampOption = None,
        calendar: o.CalendarOption = None,
        interval: o.IntervalOption = None,
        timezone: o.ZoneOption = None,
        column: o.ColumnOption = None,
        asset_class: o.ClassOption = "equity",
        tick_size: o.TickOption = None,
        lot_size: o.LotOption = None,
        events: o.EventsOption = None,
        start: o.StartOption = None,
        end: o.EndOption = None,
        frequency: o.FrequencyOption = None,
        setting: o.VendorSettingOption = None,
        reference: Annotated[
            bool, typer.Option("--reference-data", "--reference", help="Symbols, terms and events by the reference data of the catalog.")
        ] = False,
        repairs: Annotated[
            str | None, typer.Option("--repairs", help="Log of rustybt catalog mend, kept with the dataset.", show_default=False)
        ] = None,
        freshness: o.FreshnessOption = None,
        fresh: Annotated[
            bool, typer.Option("--fresh", help="Ask for all anew: neither the cache nor an interrupted download counts.")
        ] = False,
        offline: Annotated[bool, typer.Option("--offline", help="Answer from the cache alone, or say what it lacks.")] = False,
        workers: o.DownloadsOption = 4,
        strict: Annotated[bool, typer.Option("--strict", help="Refuse the source at its first unusable row.")] = False,
        json: o.JsonOption = False,
    ) -> None:
        """Keep bars in the catalog, as an immutable snapshot."""
        from rustybt.data import Catalog, ingest

        given: dict[str, Any] = {
            "stamp": stamp,
            "calendar": calendar,
            "interval": interval,
            "timezone": timezone,
            "columns": o.pairs(column, "--column close=Last") or None,
            **({} if asset_class == "equity" else {"asset_class": asset_class}),
            "tick_size": tick_size,
            "lot_size": lot_size,
            "events": events,
            "start": start,
            "end": end,
            "dirty": "refuse" if strict else "quarantine",
            "frequency": frequency,
            "settings": o.vendor_settings(setting),
            "repairs": repairs,
            "resume": not fresh,
            "freshness": "never" if fresh else freshness,
            "offline": offline,
            "workers": workers,
        }
        if fresh and (freshness or offline):
            what = "--freshness" if freshness else "--offline"
            raise ConfigError(f"--fresh and {what} were given", where=what, do="leave one out")
        shelf = Catalog()
        if reference:
            given["reference"] = shelf.reference
        show.say_if_reader_cold(source)
        with show.bar(f"ingesting {source}", quiet=json) as progress:
            made = ingest(source, name, catalog=shelf, progress=progress, **given)
            panel = shelf.open(made.name)
        _show(made, panel, json=json)


def _show(made: Version, panel: Panel, *, json: bool) -> None:
    """What was kept, for people or for programs."""
    found = {
        "dataset": made.dataset,
        "snapshot": made.snapshot,
        "new": made.new,
        "assets": len(panel.assets),
        "bars": panel.frame.height,
        "quarantined": panel.quarantine.height,
        "warnings": list(panel.warnings),
    }
    if json:
        show.emit(found)
        return
    show.out.print(f"{made.name}{'' if made.new else ' (unchanged)'}: {found['bars']:,} bars of {found['assets']} assets", markup=False)
    for warning in panel.warnings:
        show.out.print(f"- {warning}", markup=False)
