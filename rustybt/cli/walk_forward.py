"""``rustybt walk-forward``: choose on the past, trade on what follows, and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.cli.search import SpaceOption, space_from
from rustybt.cli.sweep import check_files, grid_from, write_rows
from rustybt.errors import ConfigError
from rustybt.spec import StrategyFunction

if TYPE_CHECKING:
    from rustybt.sweeps import WalkForward

LENGTH = "bars such as 250, or a time such as 2y, 6mo, 3w, 10d"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("walk-forward")
    @o.with_groups
    def walk_forward(
        strategy: o.StrategyArgument,
        data: o.DataOption,
        *,
        train: Annotated[str, typer.Option("--train", help=f"Length of the training: {LENGTH}.", show_default=False)],
        test: Annotated[str, typer.Option("--test", help="Length of each test.", show_default=False)],
        grid: Annotated[
            list[str] | None, typer.Option("--grid", help="Values of a parameter: fast=5,10,20 or fast=5:50:5.", show_default=False)
        ] = None,
        method: Annotated[
            str | None, typer.Option("--method", help="Search instead of a grid: random, tpe, gp or cmaes.", show_default=False)
        ] = None,
        space: SpaceOption = None,
        count: Annotated[int | None, typer.Option("--count", help="Variants of a search in each window.", show_default="50")] = None,
        seed: Annotated[int | None, typer.Option("--seed", help="Of the search.", show_default="0")] = None,
        where: o.WhereOption = None,
        validation: Annotated[str | None, typer.Option("--validation", help="Length between the two.", show_default=False)] = None,
        embargo: Annotated[str, typer.Option("--embargo", help="Length that is left out between stretches.")] = "0",
        mode: Annotated[str, typer.Option("--mode", help="rolling, expanding or anchored.")] = "rolling",
        metric: Annotated[str, typer.Option("--metric", help="What chooses.")] = "sharpe",
        pick: Annotated[str, typer.Option("--pick", help="peak or plateau.")] = "peak",
        positions: Annotated[str, typer.Option("--positions", help="flat, or carry them from window to window.")] = "flat",
        settings: o.SettingsOption = None,
        reading: o.Reading,
        account: o.Account,
        place: o.Place,
        out: Annotated[str | None, typer.Option("--out", help="Parquet file for the windows.", show_default=False)] = None,
        report: o.PageOption = None,
        trials: o.TrialsOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """Choose parameters on one stretch of the data, trade them on the next, and walk on."""
        import rustybt as rbt

        found = o.find_strategy(strategy)
        wanted = o.account_settings(settings, account)
        check_files(report, out)
        tried = _tried(found, grid, method, {"space": space, "count": count, "seed": seed})
        panel = o.load_panel(data, reading)
        show.compile_if_cold(sweeps=True)
        with show.bar("variants", quiet=json) as progress:
            done = rbt.walk_forward(
                found, panel, train=length(train), test=length(test), validation=None if validation is None else length(validation),
                embargo=length(embargo), mode=mode, metric=metric, pick=pick, positions=positions, where=where, progress=progress,
                trials=trials, **place, **tried, **wanted,
            )  # fmt: skip
        write_rows(done.windows, out)
        if report:
            done.report(report)
        _show(done, json=json, out=out, report=report)


def length(text: str) -> int | str:
    """Bars or a time."""
    return int(text) if text.strip().lstrip("-").isdecimal() else text


def _tried(strategy: StrategyFunction, grid: list[str] | None, method: str | None, search: dict[str, Any]) -> dict[str, Any]:
    """What is tried in each window.

    Raises:
        ConfigError: both a grid and a search, or neither, or a setting of a search beside a grid.
    """
    if (grid is None or not grid) == (method is None):
        raise ConfigError(
            "both --grid and --method" if grid else "neither --grid nor --method",
            where="--grid",
            do="give one of the two: --grid fast=5,10,20",
        )
    if grid:
        idle = [name for name, value in search.items() if value not in (None, [])]
        if idle:
            what = f"--{idle[0]} is of a search, and a grid runs whole"
            raise ConfigError(what, where=f"--{idle[0]}", do="leave it out, or give --method and --space instead of --grid")
        return {"grid": grid_from(strategy, grid)}
    count, seed = search["count"], search["seed"]
    usual = {"trials": 50 if count is None else count, "seed": 0 if seed is None else seed}
    return {"search": usual | {"space": space_from(strategy, search["space"]), "method": method}}


def _show(done: WalkForward, *, json: bool, out: str | None, report: str | None) -> None:
    """What was found, for people or for programs."""
    if json:
        show.emit(
            {
                "windows": done.windows.to_dicts(),
                "final_equity": str(done.windows["final_equity"][-1]),
                "efficiency": done.efficiency,
                "metrics": dict(done.metrics),
                "compared": done.compared().to_dicts(),
                "out": out,
                "report": report,
                "trials": done.tally.trials,
                "warnings": list(done.notes),
            }
        )
        return
    shown = [
        "step",
        "test_from",
        "test_to",
        *done.parameters,
        "in_sample",
        "out_of_sample",
        "efficiency",
        "fills",
        "final_equity",
        "error",
    ]
    show.out.print(f"{done.windows.height} windows; in and out of sample by {done.choice.metric}\n")
    show.out.print(show.frame_table(done.windows.select(shown)))
    show.out.print()
    show.out.print(show.frame_table(done.compared()))
    efficiency = "-" if done.efficiency is None else f"{done.efficiency:.2f}"
    show.out.print(f"\nwalk-forward efficiency {efficiency} (yearly growth of the tests over that of the trainings)")
    for note in done.notes:
        show.out.print(f"[yellow]note:[/] {escape(note)}")
    show.out.print(f"[dim]{escape(done.luck)}[/]")
