"""``rustybt assets``: reference data of the catalog: what was listed under which symbol, when, and on which terms."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rustybt._output import written
from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

OnOption = Annotated[str | None, typer.Option("--on", help="The day: 2015-01-02.", show_default=False)]
KnownOption = Annotated[
    str | None, typer.Option("--known", help="See nothing that became known after this day.", show_default="all that is known")
]
TABLES = ("assets", "events", "rates")


def register(app: typer.Typer) -> None:
    """Add the command with its verbs."""
    verbs = typer.Typer(help="Reference data: add, find, show, list, chain, export, log.", no_args_is_help=True)
    for add in (_add, _find, _show, _list, _chain, _export, _log):
        add(verbs)
    app.add_typer(verbs, name="assets")


def _add(verbs: typer.Typer) -> None:
    @verbs.command("add")
    def add_(
        file: Annotated[str | None, typer.Argument(help="File of assets: .csv, .parquet, .arrow.", show_default=False)] = None,
        events: Annotated[str | None, typer.Option("--events", help="File of corporate actions.", show_default=False)] = None,
        rates: Annotated[str | None, typer.Option("--rates", help="File of currency rates.", show_default=False)] = None,
        dataset: Annotated[
            str | None,
            typer.Option("--dataset", help="A dataset whose assets are taken, those that are not there yet.", show_default=False),
        ] = None,
        json: o.JsonOption = False,
    ) -> None:
        """Take rows in: all of them, or with one wrong row none."""
        from rustybt.data.catalog import Catalog

        files = [given for given in (file, events, rates) if given is not None]
        if bool(files) == (dataset is not None):
            what = "files and a dataset at once" if files else "there is nothing to add"
            raise ConfigError(what, where="rustybt assets add", do="name a file of assets, --events or --rates, or --dataset alone")
        with show.working("adding", quiet=json):
            shelf = Catalog()
            made = shelf.enlist(dataset) if dataset is not None else shelf.reference.add(file, events=events, rates=rates)
        if json:
            show.emit(made.__dict__)
            return
        said = f"revision {made.number}: {made.added} rows came, {made.dropped} hold no more" if made.new else "nothing changed"
        show.out.print(said, markup=False)


def _find(verbs: typer.Typer) -> None:
    @verbs.command("find")
    def find_(
        symbol: Annotated[str, typer.Argument(help="As it was traded under.", show_default=False)],
        on: OnOption = None,
        venue: Annotated[str | None, typer.Option("--venue", help="Where it was traded.", show_default=False)] = None,
        known: KnownOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """The asset that a symbol meant on a day, with the terms in force."""
        from rustybt.data.catalog import Catalog

        _say_one(Catalog().reference.find(symbol, on, venue=venue, known=known).to_dict(), json)


def _show(verbs: typer.Typer) -> None:
    @verbs.command("show")
    def show_(
        asset: Annotated[str, typer.Argument(help="Id of an asset.", show_default=False)],
        on: OnOption = None,
        known: KnownOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """An asset with all its names, and its terms on a day."""
        from rustybt.data.catalog import Catalog

        listed = Catalog().reference
        found = listed.get(asset, on, known=known)
        names = [
            {"symbol": name, "venue": venue, "first": _edge(first), "last": _edge(last)}
            for first, last, name, venue in listed.entry(asset).names()
        ]
        _say_one({**found.to_dict(), "names": names, "events": len(listed.events([asset], known=known))}, json)


def _list(verbs: typer.Typer) -> None:
    @verbs.command("list")
    def list_(
        on: OnOption = None,
        kind: Annotated[
            str | None, typer.Option("--kind", help="equity, etf, future, crypto, perpetual, fx, index.", show_default=False)
        ] = None,
        known: KnownOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """The assets that were listed on a day, or all."""
        from rustybt.data.catalog import Catalog

        _say_rows("assets", Catalog().reference.assets(on, kind=kind, known=known), json, "no assets: rustybt assets add FILE")


def _chain(verbs: typer.Typer) -> None:
    @verbs.command("chain")
    def chain_(
        root: Annotated[str, typer.Argument(help="Root of futures: ES.", show_default=False)],
        known: KnownOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """The contracts of a root and their last trading days."""
        import polars as pl

        from rustybt.data.catalog import Catalog

        found = Catalog().reference.chain(root, known=known)
        frame = pl.DataFrame({"asset": list(found), "expiry": list(found.values())})
        _say_rows("contracts", frame, json, "")


def _export(verbs: typer.Typer) -> None:
    @verbs.command("export")
    def export_(
        folder: Annotated[str, typer.Argument(help="Folder for assets.csv, events.csv and rates.csv.", show_default=False)],
        json: o.JsonOption = False,
    ) -> None:
        """Write what holds to files that add takes."""
        from rustybt.data.catalog import Catalog

        listed, made = Catalog().reference, []
        for name in TABLES:
            path = Path(folder) / f"{name}.csv"
            if path.exists():
                raise ConfigError("the file exists", where=str(path), do="choose another folder")
        for name in TABLES:
            table, path = listed.table(name), Path(folder) / f"{name}.csv"
            with written(path, do="choose a folder that can be written", folders=True) as part:
                table.write_csv(part)
            made.append({"file": str(path), "rows": table.height})
        if json:
            show.emit({"files": made})
            return
        for one in made:
            show.out.print(f"{one['file']}: {one['rows']} rows", markup=False)


def _log(verbs: typer.Typer) -> None:
    @verbs.command("log")
    def log_(json: o.JsonOption = False) -> None:
        """Every change of the reference data, oldest first."""
        import polars as pl

        from rustybt.data.catalog import Catalog

        rows = [{name: value for name, value in one.__dict__.items() if name != "new"} for one in Catalog().reference.revisions()]
        _say_rows("revisions", pl.DataFrame(rows), json, "no reference data: rustybt assets add FILE")


def _edge(day: date) -> str | None:
    return None if day in (date.min, date.max) else day.isoformat()


def _say_one(document: dict[str, Any], json: bool) -> None:
    if json:
        show.emit(document)
        return
    table = Table(show_header=False, show_edge=False, pad_edge=False, box=None)
    for name, value in document.items():
        if value is not None and name != "names":
            table.add_row(name, str(value))
    for name in document.get("names", ()):
        table.add_row("name", f"{name['symbol']} {name['first'] or ''} .. {name['last'] or ''}")
    show.out.print(table)


def _say_rows(name: str, frame: pl.DataFrame, json: bool, empty: str) -> None:
    if json:
        show.emit({name: frame.to_dicts()})
    elif frame.height:
        show.out.print(show.frame_table(frame))
    else:
        show.out.print(empty, markup=False)
