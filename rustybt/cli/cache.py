"""``rustybt cache``: downloads that are kept, how often they answered, and how to fill or empty them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.errors import ConfigError

SHOWN = ("source", "symbol", "frequency", "start", "until", "asked", "rows", "bytes", "hits")


def register(app: typer.Typer) -> None:
    """Add the command with its verbs."""
    verbs = typer.Typer(help="Downloads that are kept: stats, warm, clear.", no_args_is_help=True)
    for add in (_stats, _warm, _clear):
        add(verbs)
    app.add_typer(verbs, name="cache")


def _stats(verbs: typer.Typer) -> None:
    @verbs.command("stats")
    def stats(json: o.JsonOption = False) -> None:
        """What is kept, how far it reaches, and how often it answered."""
        from rustybt.data import Cache

        found = Cache().stats()
        if json:
            show.emit(found)
            return
        rate = "-" if found["hit_rate"] is None else f"{found['hit_rate']:.0%}"
        megabytes, limit = found["bytes"] / 1e6, found["limit_bytes"] / 1e6
        show.out.print(
            f"{found['entries']} requests, {found['rows']:,} rows, {megabytes:,.1f} of {limit:,.0f} MB in {found['folder']}", markup=False
        )
        said = ", ".join(f"{name} {number}" for name, number in found["counts"].items() if number)
        show.out.print(f"answered without the source: {rate}{f' ({said})' if said else ''}", markup=False)
        if found["kept"]:
            show.out.print(show.rows_table([{name: row[name] for name in SHOWN} for row in found["kept"]]))


def _warm(verbs: typer.Typer) -> None:
    @verbs.command("warm")
    def warm_(
        source: Annotated[str, typer.Argument(help="A vendor and its symbols: yfinance:AAPL,MSFT.", show_default=False)],
        start: Annotated[str, typer.Option("--start", help="First date.", show_default=False)],
        end: o.EndOption = None,
        frequency: o.FrequencyOption = None,
        setting: o.VendorSettingOption = None,
        freshness: o.FreshnessOption = None,
        workers: o.DownloadsOption = 4,
        json: o.JsonOption = False,
    ) -> None:
        """Download what is not kept yet, without making a dataset of it."""
        from rustybt.data import warm

        settings = o.vendor_settings(setting)
        with show.bar(f"warming {source}", quiet=json) as progress:
            how = warm(
                source, start=start, end=end, frequency=frequency or "1d", settings=settings,
                freshness=freshness, workers=workers, progress=progress,
            )  # fmt: skip
        if json:
            show.emit({"symbols": how})
            return
        counts = ", ".join(f"{number} {name}" for name, number in sorted(Counter(how.values()).items()))
        show.out.print(f"{len(how)} symbols are kept: {counts}", markup=False)


def _clear(verbs: typer.Typer) -> None:
    @verbs.command("clear")
    def clear(
        source: Annotated[str | None, typer.Option("--source", help="Only of this source, as stats names it.", show_default=False)] = None,
        symbol: Annotated[str | None, typer.Option("--symbol", help="Only of this symbol.", show_default=False)] = None,
        json: o.JsonOption = False,
    ) -> None:
        """Forget what is kept; datasets stay as they are."""
        from rustybt.data import Cache

        for name, value in (("--source", source), ("--symbol", symbol)):
            if value == "":
                raise ConfigError(f"{name} is empty", where=name, do="leave it out for all")
        gone = Cache().clear(source, symbol)
        if json:
            show.emit({"cleared": gone})
            return
        show.out.print(f"{gone} requests were forgotten", markup=False)
