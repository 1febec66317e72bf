"""``rustybt cross-validate``: several histories out of sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.cli.sweep import check_files, grid_from, write_rows

if TYPE_CHECKING:
    from rustybt.sweeps import CrossValidation


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("cross-validate")
    @o.with_groups
    def cross_validate(
        strategy: o.StrategyArgument,
        data: o.DataOption,
        *,
        grid: Annotated[list[str], typer.Option("--grid", help="Values of a parameter: fast=5,10,20 or fast=5:50:5.", show_default=False)],
        where: o.WhereOption = None,
        groups: Annotated[int, typer.Option("--groups", help="Parts of equal length that the bars are cut into.")] = 6,
        tests: Annotated[int, typer.Option("--tests", help="Parts that test in each split; the others choose.")] = 2,
        purge: Annotated[int, typer.Option("--purge", help="Bars left out before each test: how long a decision works on.")] = 0,
        embargo: Annotated[int, typer.Option("--embargo", help="Bars left out after each test: how far back windows read.")] = 0,
        metric: Annotated[str, typer.Option("--metric", help="What chooses.")] = "sharpe",
        pick: Annotated[str, typer.Option("--pick", help="peak or plateau.")] = "peak",
        settings: o.SettingsOption = None,
        reading: o.Reading,
        account: o.Account,
        place: o.Place,
        out: Annotated[str | None, typer.Option("--out", help="Parquet file for the paths.", show_default=False)] = None,
        report: o.PageOption = None,
        trials: o.TrialsOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """Choose on every combination of parts of the data, test on the parts left out, and join the tests to paths."""
        import rustybt as rbt

        found = o.find_strategy(strategy)
        wanted = o.account_settings(settings, account)
        check_files(report, out)
        tried: dict[str, Any] = grid_from(found, grid)
        panel = o.load_panel(data, reading)
        show.compile_if_cold(sweeps=True)
        with show.bar("runs", quiet=json) as progress:
            done = rbt.cross_validate(
                found, panel, grid=tried, where=where, groups=groups, tests=tests, purge=purge, embargo=embargo, metric=metric, pick=pick,
                progress=progress, trials=trials, **place, **wanted,
            )  # fmt: skip
        write_rows(done.paths, out)
        if report:
            done.report(report)
        _show(done, json=json, out=out, report=report)


def _show(done: CrossValidation, *, json: bool, out: str | None, report: str | None) -> None:
    """What was found, for people or for programs."""
    if json:
        show.emit(
            {
                "variants": done.variants,
                "splits": done.splits.to_dicts(),
                "paths": done.paths.to_dicts(),
                "summary": done.summary().to_dicts(),
                "overfit": done.overfit,
                "out": out,
                "report": report,
                "trials": done.tally.trials,
                "warnings": list(done.notes),
            }
        )
        return
    counts = f"{done.variants:,} variants, {done.splits.height:,} splits, {done.paths.height:,} paths"
    show.out.print(f"{counts}; chosen by {done.choice.metric}\n")
    show.out.print(show.frame_table(done.paths.select("path", "final_equity", "total_return", "sharpe", "max_drawdown", "fills")))
    show.out.print()
    show.out.print(show.frame_table(done.summary()))
    overfit = "unknown" if done.overfit is None else f"{done.overfit:.0%}"
    show.out.print(f"\nthe choice is at or below the middle of all variants out of sample in {overfit} of the splits")
    for note in done.notes:
        show.out.print(f"[yellow]note:[/] {escape(note)}")
