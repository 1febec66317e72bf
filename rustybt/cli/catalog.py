"""``rustybt catalog``: what there is, what changed, whether it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rustybt._output import written
from rustybt.cli import options as o
from rustybt.cli import show

if TYPE_CHECKING:
    from rustybt.data.quality.aside import Aside

SHOWN = 20
"""Repairs that are shown as a table."""
NameArgument = Annotated[str, typer.Argument(help="Dataset, or dataset@snapshot.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the command with its verbs."""
    verbs = typer.Typer(help="Datasets: check, mend, list, show, diff, verify, repair, export, remove.", no_args_is_help=True)
    for add in (_check, _mend, _list, _show, _diff, _verify, _repair, _export, _remove):
        add(verbs)
    app.add_typer(verbs, name="catalog")


def _check(verbs: typer.Typer) -> None:
    @verbs.command("check")
    def check_(
        source: Annotated[str, typer.Argument(help="File or glob of bars, csv:FILE, or a dataset.", show_default=False)],
        calendar: o.CalendarOption = None,
        stamp: o.StampOption = None,
        interval: o.IntervalOption = None,
        asset_class: o.ClassOption = "equity",
        timezone: o.ZoneOption = None,
        column: o.ColumnOption = None,
        events: o.EventsOption = None,
        out: Annotated[str | None, typer.Option("--out", help="File for every finding, .parquet.", show_default=False)] = None,
        page: Annotated[
            str | None, typer.Option("--page", help="File for a page with a chart of the coverage, .html.", show_default=False)
        ] = None,
        json: o.JsonOption = False,
    ) -> None:
        """Look for defects in bars, before they are ingested; nothing is changed."""
        from rustybt.data.quality import check_bars

        columns = o.pairs(column, "--column close=Last") or None
        reading: dict[str, Any] = {"calendar": calendar, "stamp": stamp, "interval": interval, "timezone": timezone}
        for path, what in ((out, "the findings"), (page, "the page")):
            o.report_file(path, what)
        with show.working("checking", quiet=json):
            found = check_bars(source, asset_class=asset_class, columns=columns, events=events, **reading)
        if out is not None:
            with written(Path(out), "the findings", folders=True) as part:
                found.findings.write_parquet(part)
        if page is not None:
            found.page(page)
        told = {"ok": found.ok, "rows": found.rows, "counts": found.counts, "aside": _aside(found.aside), "out": out, "page": page}
        _say(told, [], json, str(found))
        if not found.ok:
            raise typer.Exit(1)


def _mend(verbs: typer.Typer) -> None:
    @verbs.command("mend")
    def mend_(
        source: Annotated[str, typer.Argument(help="File or glob of bars, csv:FILE, or a dataset.", show_default=False)],
        fix: Annotated[list[str], typer.Option("--fix", help="A check to repair: 'null price'. May be repeated.", show_default=False)],
        out: Annotated[str, typer.Option("--out", help="File for the repaired bars, .parquet.", show_default=False)],
        log: Annotated[str | None, typer.Option("--log", help="File for what was done, .parquet.", show_default=False)] = None,
        calendar: o.CalendarOption = None,
        asset_class: o.ClassOption = "equity",
        timezone: o.ZoneOption = None,
        events: o.EventsOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """Repair the defects that are named, in a copy; ingest it for a new snapshot."""
        from rustybt.data.quality import mend

        for path, what in ((out, "the repaired bars"), (log, "the log")):
            o.report_file(path, what)
        with show.working("repairing", quiet=json):
            done = mend(source, fix, calendar=calendar, asset_class=asset_class, timezone=timezone, events=events)
        with written(Path(out), "the repaired bars", folders=True) as part:
            done.frame.write_parquet(part)
        if log is not None:
            with written(Path(log), "the log", folders=True, then=f"the repaired bars are in {out}") as part:
                done.log.write_parquet(part)
        counts = dict(done.log.group_by("check").len().sort("check").iter_rows())
        told = {
            "rows": done.frame.height,
            "done": counts,
            "left": done.quality.counts,
            "aside": _aside(done.quality.aside),
            "out": out,
            "log": log,
        }
        _say(told, [], json, f"{done.log.height} repairs, {done.frame.height} rows\n{done.quality}")


def _list(verbs: typer.Typer) -> None:
    @verbs.command("list")
    def list_(json: o.JsonOption = False) -> None:
        """Every dataset with its newest snapshot."""
        from rustybt.data.catalog import Catalog, table
        from rustybt.data.catalog.damage import REPAIR, glance

        shelf = Catalog()
        facts = {row["id"]: row for row in table(shelf, "snapshots").to_dicts()} if shelf.exists else {}
        wrong = glance(shelf) if shelf.exists else {}
        rows: list[dict[str, Any]] = [
            {
                "dataset": version.dataset,
                "snapshot": version.snapshot,
                **{key: facts[version.snapshot][key] for key in ("bars", "assets", "first", "last", "calendar")},
                "quarantined": version.quarantined,
                "created": version.created,
                "damage": wrong.get(version.snapshot, ""),
            }
            for version in shelf.datasets()
        ]
        damaged = [row for row in rows if row["damage"]]
        for row in damaged:
            show.err.print(f"dataset {row['dataset']!r} is damaged: {row['damage']}: {REPAIR}", markup=False)
        told = {"datasets": rows, "root": str(shelf.root)}
        shown = [{key: value for key, value in row.items() if key != "damage"} for row in rows]
        if damaged:
            shown = [{**plain, "damaged": "yes" if row["damage"] else ""} for plain, row in zip(shown, rows, strict=True)]
        _say(told, shown, json, f"no datasets in {shelf.root}: rustybt ingest FILE --name NAME")


def _show(verbs: typer.Typer) -> None:
    @verbs.command("show")
    def show_(name: NameArgument, json: o.JsonOption = False) -> None:
        """Snapshots, assets, warnings, runs and repairs of one dataset."""
        from rustybt.data.catalog import Catalog, table

        shelf = Catalog()
        found = shelf.find(name)
        versions = [{**version.__dict__, "warnings": list(version.warnings)} for version in shelf.versions(found.dataset)]
        about = table(shelf, "snapshots").filter(id=found.snapshot).to_dicts()[0]
        assets = table(shelf, "symbols").filter(snapshot=found.snapshot).select("asset", "bars", "first", "last").to_dicts()
        runs = table(shelf, "runs").filter(snapshot=found.snapshot).select("run_id", "folder", "created").to_dicts()
        repairs = shelf.repairs(found.name)
        if json:
            show.emit(
                {
                    "versions": versions,
                    "snapshot": {**about, "quarantined": found.quarantined, "warnings": list(found.warnings)},
                    "assets": assets,
                    "runs": runs,
                    "repairs": repairs.to_dicts(),
                }
            )
            return
        show.out.print(
            f"{found.name}: {about['bars']:,} bars of {about['assets']} assets, {about['first']} to {about['last']}", markup=False
        )
        for warning in found.warnings:
            show.out.print(f"- {warning}", markup=False)
        listed = [{key: value for key, value in one.items() if key not in ("new", "warnings", "aside")} for one in versions]
        for title, rows in (("snapshots", listed), ("assets", assets), ("runs", runs)):
            if rows:
                show.out.print(show.rows_table(rows, title))
        if repairs.height:
            more = f", the first {SHOWN}; --json has all" if repairs.height > SHOWN else ""
            show.out.print(show.rows_table(repairs.head(SHOWN).to_dicts(), f"{repairs.height} repairs before it was ingested{more}"))


def _diff(verbs: typer.Typer) -> None:
    @verbs.command("diff")
    def diff_(
        before: NameArgument,
        after: Annotated[str | None, typer.Argument(help="The other; default: the newest.", show_default=False)] = None,
        limit: Annotated[int, typer.Option("--limit", help="Most rows to show.")] = 20,
        json: o.JsonOption = False,
    ) -> None:
        """Which bars changed between two snapshots, and by how much."""
        from rustybt.data.catalog import Catalog, diff

        found = diff(Catalog(), before, after)
        counts = dict(found.unique(["asset", "ts", "change"])["change"].value_counts().sort("change").iter_rows())
        rows = [{key: _plain(value) for key, value in row.items()} for row in found.head(limit).to_dicts()]
        said = ", ".join(f"{n} bars {change}" for change, n in counts.items()) or "no difference"
        if not json:
            show.out.print(said, markup=False)
        _say({"bars": counts, "values": found.height, "rows": rows}, rows, json, "")


def _verify(verbs: typer.Typer) -> None:
    @verbs.command("verify")
    def verify_(
        name: Annotated[str | None, typer.Argument(help="A dataset; default: all.", show_default=False)] = None, json: o.JsonOption = False
    ) -> None:
        """Check every file against its checksum and content."""
        from rustybt.data.catalog import Catalog, verify

        with show.working("checking", quiet=json):
            findings = [finding.__dict__ for finding in verify(Catalog(), name)]
        _say({"ok": not findings, "findings": findings}, findings, json, "ok: every file is as it was written")
        if findings:
            raise typer.Exit(1)


def _repair(verbs: typer.Typer) -> None:
    @verbs.command("repair")
    def repair_(json: o.JsonOption = False) -> None:
        """Make derived files again, remove what dead processes left, set damaged snapshots aside."""
        from rustybt.data.catalog import Catalog, repair

        with show.working("repairing", quiet=json):
            done = repair(Catalog())
        _say({"done": done}, [{"done": line} for line in done], json, "nothing to repair")


def _export(verbs: typer.Typer) -> None:
    @verbs.command("export")
    def export_(name: NameArgument, out: Annotated[str, typer.Argument(help=".parquet or .csv")], json: o.JsonOption = False) -> None:
        """Write the bars of a snapshot, exact, to one file."""
        from rustybt.data.catalog import Catalog, export

        path = export(Catalog(), name, Path(out))
        _say({"out": str(path)}, [], json, f"written: {path}")


def _remove(verbs: typer.Typer) -> None:
    @verbs.command("remove")
    def remove_(
        name: NameArgument,
        force: Annotated[bool, typer.Option("--force", help="Also when saved runs use it.")] = False,
        json: o.JsonOption = False,
    ) -> None:
        """Remove a dataset, or one snapshot of it."""
        from rustybt.data.catalog import Catalog, remove

        gone = [version.name for version in remove(Catalog(), name, force)]
        _say({"removed": gone}, [{"removed": one} for one in gone], json, "")


def _say(document: dict[str, Any], rows: Sequence[dict[str, Any]], json: bool, empty: str) -> None:
    if json:
        show.emit(document)
    elif rows:
        show.out.print(show.rows_table(rows))
    elif empty:
        show.out.print(empty, markup=False)


def _aside(aside: Aside) -> dict[str, Any]:
    """Rows set aside at ingest, for programs."""
    reasons = [{**row, "ts": str(row["ts"])} for row in aside.reasons.to_dicts()]
    return {"rows": aside.rows, "source": aside.source, "reasons": reasons}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value if value is None or isinstance(value, (int, str)) else str(value)
