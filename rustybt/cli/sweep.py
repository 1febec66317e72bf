"""``rustybt sweep``: a grid of parameters."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from rustybt._output import written
from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.errors import ConfigError
from rustybt.spec import StrategyFunction
from rustybt.sweeps.limits import MOST_LISTED, check_count

if TYPE_CHECKING:
    import polars as pl

    from rustybt.sweeps import Sweep, SweepPlan
    from rustybt.sweeps.judgement import Judgement

GridOption = Annotated[
    list[str] | None, typer.Option("--grid", help="Values of a parameter: fast=5,10,20 or fast=5:50:5.", show_default=False)
]
SpaceOption = Annotated[
    list[str] | None,
    typer.Option("--space", help="Values to draw from: fast=5..50, share=0.1..0.5 or mode=a,b. Instead of --grid.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("sweep")
    @o.with_groups
    def sweep(
        strategy: o.StrategyArgument,
        data: o.DataOption,
        *,
        grid: GridOption = None,
        space: SpaceOption = None,
        samples: Annotated[int | None, typer.Option("--samples", help="How many to draw from --space.", show_default="100")] = None,
        method: Annotated[
            str | None, typer.Option("--method", help="How to draw: random, or latin (a Latin hypercube).", show_default="random")
        ] = None,
        seed: Annotated[int | None, typer.Option("--seed", help="Of the drawing.", show_default="0")] = None,
        where: o.WhereOption = None,
        by: Annotated[str, typer.Option("--by", help="Metric of the leaderboard.")] = "sharpe",
        settings: o.SettingsOption = None,
        reading: o.Reading,
        account: o.Account,
        budget: Annotated[str, typer.Option("--budget", help="Most memory beside the data and the rows.")] = "2GB",
        place: o.Place,
        curves: Annotated[bool, typer.Option("--curves", help="Keep every equity curve; needs a directory.")] = False,
        out: Annotated[
            str | None,
            typer.Option("--out", help="Directory, gone on with after a kill; or a .parquet file for the rows.", show_default=False),
        ] = None,
        report: o.PageOption = None,
        trials: o.TrialsOption = None,
        judge: o.JudgeOption = None,
        explain: Annotated[bool, typer.Option("--explain", help="Say what would be done, and stop.")] = False,
        json: o.JsonOption = False,
    ) -> None:
        """Run every combination of a grid of parameters, or a sample of a space."""
        import rustybt as rbt
        from rustybt.sweeps import plan
        from rustybt.sweeps.given import check_leaderboard

        found = o.find_strategy(strategy)
        wanted = o.account_settings(settings, account)
        file = Path(out) if out is not None and out.endswith(".parquet") else None
        if curves and (out is None or file is not None):
            raise ConfigError("curves have no place", where="--curves", do="give --out DIRECTORY")
        if bool(grid) == bool(space):
            what = "--grid and --space are given together" if grid else "there are no variants"
            raise ConfigError(what, where="--grid and --space", do="give one of them, such as --grid fast=5,10 or --space fast=5..50")
        chosen: dict[str, Any] = {} if space else {"grid": grid_from(found, grid)}
        drawing = {name: value for name, value in (("samples", samples), ("method", method), ("seed", seed)) if value is not None}
        if drawing and not space:
            name = next(iter(drawing))
            raise ConfigError(f"--{name} is of a drawing, and a grid runs whole", where=f"--{name}", do="leave it out, or give --space")
        if space:
            chosen |= {"space": space_from(found, space), **drawing}
        chosen |= {"where": where, "budget": budget, **place, **wanted}
        panel = o.load_panel(data, reading)
        check_files(report, None if file is None else str(file))
        if explain:
            say_plan(plan(found, panel, **chosen), json=json)
            return
        check_leaderboard(by, "--by")
        show.compile_if_cold(sweeps=True)
        folder = None if file is not None else out
        with show.interruptible(lambda: left_in(folder)):
            with show.bar("variants", quiet=json) as progress:
                done = rbt.sweep(found, panel, **chosen, out=folder, curves=curves, progress=progress, trials=trials)
            if file is not None:
                write_rows(done.frame, str(file))
            best, judgement = done.top(10, by=by), None if judge is False else done.judgement(by, limit=o.judging(judge))
            if report:
                done.report(report, by=by)
        if json:
            show.emit(document(done, best, judgement) | {"out": out, "report": report, "warnings": list(done.notes)})
        else:
            say(done, best, by)
            show.say_judgement(judgement, best["variant"][0] if best.height else None)
        if done.failed == done.variants.count:
            raise typer.Exit(1)


def left_in(out: str | None) -> str:
    """What an interrupted sweep has left behind, and how to go on."""
    from rustybt.sweeps.store import MANIFEST, Folder

    if out is None:
        return "nothing was written; with --out DIRECTORY the same command goes on where it was"
    folder = Folder(Path(out), {}, {})
    if (Path(out) / MANIFEST).is_file() and folder.finished:
        return f"all rows are in {out}; the same command shows them"
    count = folder.done
    if not count:
        return "nothing was written"
    return f"{count:,} row{'' if count == 1 else 's'} {'is' if count == 1 else 'are'} kept in {out}; the same command goes on from there"


def document(done: Sweep, best: pl.DataFrame, judgement: Judgement | None) -> dict[str, Any]:
    """A sweep for programs."""
    first, tests = best.head(1).to_dicts(), None if judgement is None else judgement.to_dict()
    counts = {"variants": done.frame.height, "failed": done.failed}
    return counts | {"best": first[0] if first else None, "trials": done.tally.trials, "judgement": tests}


def check_files(report: str | None, out: str | None) -> None:
    """Refuse files that cannot be written, before any work is done."""
    from rustybt.engine.page import check_page

    for path, what in ((report, "the report"), (out, "the rows")):
        if path is not None:
            check_page(Path(path), what)


def write_rows(frame: Any, out: str | None) -> None:
    """Rows as Parquet.

    Raises:
        ConfigError: the file cannot be written.
    """
    if out is None:
        return
    with written(Path(out), "the rows", do="choose a file that can be written") as part:
        frame.write_parquet(part)


def say_plan(made: SweepPlan, *, json: bool) -> None:
    """What would be done."""
    if json:
        show.emit(made.to_dict())
    else:
        show.out.print(str(made))


def say(done: Sweep, best: pl.DataFrame, by: str) -> None:
    """The leaderboard and what a reader should know."""
    show.out.print(f"{done.frame.height:,} variants, {done.failed:,} failed; best by {by}\n")
    show.out.print(show.frame_table(best))
    if done.failed:
        why = done.frame["error"].drop_nulls()[0].splitlines()[0]
        show.out.print(f"[yellow]note:[/] the first that failed: {escape(why)}")
    for note in done.notes:
        show.out.print(f"[yellow]note:[/] {escape(note)}")
    show.out.print(f"[dim]{escape(done.luck)}[/]")


def space_from(strategy: StrategyFunction, given: Iterable[str]) -> dict[str, Any]:
    """Where to look by parameter.

    Raises:
        ConfigError: a parameter that is given twice, or as `spans`.
    """
    found: dict[str, Any] = {}
    for text in given:
        add_span(found, *spans(strategy, text))
    return found


def add_span(found: dict[str, Any], name: str, span: Any) -> None:
    """Add where to look, for a parameter that has none yet.

    Raises:
        ConfigError: it has.
    """
    if name in found:
        raise ConfigError(f"--space names {name!r} twice", where="--space", do=f"give one of {name}=5..50 and {name}=5,10,20")
    found[name] = span


def spans(strategy: StrategyFunction, text: str) -> tuple[str, Any]:
    """``fast=5..50`` as a range, anything else as the choices of `values`.

    Raises:
        ConfigError: as `values`.
    """
    from rustybt.spec import Range

    name, equals, given = text.partition("=")
    if not equals or ".." not in given:
        return values(strategy, text, "--space")
    ends = [values(strategy, f"{name}={end}", "--space")[1][0] for end in given.split("..", 1)]
    if ends[0] > ends[1]:
        raise ConfigError(f"--space {text!r}: the first value, {ends[0]}, is above the last, {ends[1]}", where="--space", do="swap them")
    return name, Range(*ends)


def values(strategy: StrategyFunction, text: str, option: str = "--grid") -> tuple[str, list[Any]]:
    """``fast=5,10`` or ``fast=5:50:5`` (first, last, step) as typed values.

    Raises:
        ConfigError: not of that form, or not of the parameter's type.
    """
    name, equals, given = text.partition("=")
    if not equals or not given:
        raise ConfigError(f"{option} {text!r} has no values", where=option, do=f"write {option} fast=5,10,20")
    if name not in strategy.parameters:
        known = ", ".join(strategy.parameters)
        raise ConfigError(f"strategy {strategy.name!r} has no parameter {name!r}", where=option, do=f"use one of {known}")
    each = steps(text, given, option) if ":" in given else given.split(",")
    return name, [strategy.parse({name: one.strip()})[name] for one in each]


def steps(text: str, given: str, option: str) -> list[str]:
    """``5:50:5`` as the numbers from first to last, both included; fractions are exact.

    Raises:
        ConfigError: not of that form, too many, or none.

    Example:
        >>> steps("x=0.1:0.3:0.1", "0.1:0.3:0.1", "--grid")
        ['0.1', '0.2', '0.3']
    """
    try:
        first, last, *more = (Decimal(part.strip()) for part in given.split(":"))
        (step,) = more or (Decimal(1),)
        many = int((last - first) / step) + 1
    except (ValueError, ArithmeticError):
        do = f"write {option} fast=5:50:5: first, last and step, which may be fractions"
        raise ConfigError(f"{option} {text!r} is not first:last:step", where=option, do=do) from None
    if (last - first) * step < 0:
        way = "above" if step > 0 else "below"
        raise ConfigError(f"{option} {text!r}: the first value, {first}, is {way} the last, {last}", where=option, do="swap them")
    check_count(many, option, MOST_LISTED, "take a longer step, or draw: --space fast=5..50 --samples 1000")
    return [str(first + at * step) for at in range(many)]


def grid_from(strategy: StrategyFunction, given: Iterable[str] | None, option: str = "--grid") -> dict[str, list[Any]]:
    """Values by parameter; those of a name that is given again are added.

    Raises:
        ConfigError: as `values`.
    """
    found: dict[str, list[Any]] = {}
    for text in given or ():
        name, each = values(strategy, text, option)
        found.setdefault(name, []).extend(each)
    return found
