"""``rustybt search``: good parameters without trying all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.cli.sweep import add_span, check_files, spans, write_rows
from rustybt.spec import Range, StrategyFunction

SpaceOption = Annotated[
    list[str] | None,
    typer.Option("--space", help="Where to look: fast=2..50, fast=2..50:4, part=0.1..0.9 or kind=a,b,c.", show_default=False),
]
MetricOption = Annotated[list[str] | None, typer.Option("--metric", help="What to look for; several make a Pareto front.")]
MethodOption = Annotated[str, typer.Option("--method", help="random, tpe, gp, nsga2 or cmaes.")]
CountOption = Annotated[int, typer.Option("--count", help="Variants to ask for.")]
BatchOption = Annotated[int | None, typer.Option("--batch", help="Variants asked for at once.", show_default=False)]
SeedOption = Annotated[int, typer.Option("--seed", help="Of the random numbers.")]
RequireOption = Annotated[
    str | None, typer.Option("--require", help='Condition on the results, such as "max_drawdown > -0.3".', show_default=False)
]
StorageOption = Annotated[
    str | None, typer.Option("--storage", help="File from which a search that was killed goes on.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("search")
    @o.with_groups
    def search(
        strategy: o.StrategyArgument,
        data: o.DataOption,
        *,
        space: SpaceOption = None,
        method: MethodOption = "tpe",
        metric: MetricOption = None,
        count: CountOption = 100,
        batch: BatchOption = None,
        where: o.WhereOption = None,
        require: RequireOption = None,
        seed: SeedOption = 0,
        prune: Annotated[float | None, typer.Option("--prune", help="Share of the bars after which poor variants are given up.")] = None,
        storage: StorageOption = None,
        settings: o.SettingsOption = None,
        reading: o.Reading,
        account: o.Account,
        place: o.Place,
        out: o.RowsOption = None,
        report: o.PageOption = None,
        trials: o.TrialsOption = None,
        judge: o.JudgeOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """Look for good parameters: random, Bayesian, genetic or evolutionary, a whole generation at once."""
        import rustybt as rbt

        found = o.find_strategy(strategy)
        wanted = o.account_settings(settings, account)
        check_files(report, out)
        metrics = metric or ["sharpe"]
        panel = o.load_panel(data, reading)
        show.compile_if_cold(sweeps=True)
        with show.interruptible(lambda: left_in(storage)), show.bar("trials", quiet=json) as progress:
            done = rbt.search(
                found, panel, space=space_from(found, space), method=method, metric=metrics, trials=count, batch=batch, where=where,
                require=require, seed=seed, prune=prune, storage=storage, progress=progress, registry=trials, **place, **wanted,
            )  # fmt: skip
        write_rows(done.frame, out)
        best = done.pareto if len(metrics) > 1 else done.top(10)
        judgement = None if judge is False else done.judgement(limit=o.judging(judge))
        if report:
            done.report(report)
        if json:
            show.emit(
                {
                    "trials": done.frame.height,
                    "evaluated": done.evaluated,
                    "failed": done.failed,
                    "best": done.best,
                    "pareto": done.pareto.select(*done.parameters, *metrics).to_dicts(),
                    "out": out,
                    "report": report,
                    "counted": done.tally.trials,
                    "judgement": None if judgement is None else judgement.to_dict(),
                    "warnings": list(done.notes),
                }
            )
            return
        show.out.print(f"{done.frame.height:,} trials by {method}, {done.evaluated:,} variants run, {done.failed:,} failed\n")
        shown = [
            *done.parameters,
            *metrics,
            *(n for n in ("total_return", "max_drawdown", "fills", "deflated_sharpe") if n in best.columns),
        ]
        show.out.print(show.frame_table(best.select(list(dict.fromkeys(shown))).head(10)))
        for note in done.notes:
            show.out.print(f"[yellow]note:[/] {escape(note)}")
        show.out.print(f"[dim]{escape(done.luck)}[/]")
        show.say_judgement(judgement, best["trial"][0] if best.height else None)


def left_in(storage: str | None) -> str:
    """What an interrupted search has left behind, and how to go on."""
    if storage is None:
        return "nothing was written; with --storage FILE the same command goes on where it was"
    from rustybt.sweeps.kept import KeptRows

    count = KeptRows(storage).count() if Path(storage).is_file() else 0
    if not count:
        return "nothing was written: no generation was done"
    return (
        f"{count:,} row{'' if count == 1 else 's'} {'is' if count == 1 else 'are'} kept in {storage}; the same command goes on from there"
    )


def space_from(strategy: StrategyFunction, given: list[str] | None) -> dict[str, Any] | None:
    """``fast=2..50`` (or with a step ``2..50:4``) as a range, ``kind=a,b`` as values; None = what the annotations say.

    Raises:
        ConfigError: not of that form, not of the parameter's type, or a parameter that is given twice.
    """
    if not given:
        return None
    found: dict[str, Any] = {}
    for text in given:
        ends, colon, step = text.partition(":")
        name, values = spans(strategy, ends if ".." in ends else text)
        if colon and isinstance(values, Range):
            values = Range(values.low, values.high, spans(strategy, f"{name}={step}")[1][0])
        add_span(found, name, values)
    return found
