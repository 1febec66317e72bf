"""``rustybt sweep``: a grid of parameters."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.errors import ConfigError
from rustybt.spec import StrategyFunction

GridOption = Annotated[list[str], typer.Option("--grid", help="Values of a parameter: fast=5,10,20 or fast=5:50:5.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("sweep")
    @o.with_reading
    def sweep(
        strategy: o.StrategyArgument,
        data: o.DataOption,
        reading: o.Reading,
        grid: GridOption,
        where: Annotated[str | None, typer.Option("--where", help='Condition, such as "fast < slow".', show_default=False)] = None,
        by: Annotated[str, typer.Option("--by", help="Metric of the leaderboard.")] = "sharpe",
        settings: o.SettingsOption = None,
        cash: o.CashOption = None,
        commission_bps: o.CommissionOption = None,
        costs_profile: o.ProfileOption = None,
        slippage_bps: o.SlippageOption = None,
        volume_cap: o.VolumeCapOption = None,
        out: Annotated[str | None, typer.Option("--out", help="Parquet file for the rows.", show_default=False)] = None,
        trials: o.TrialsOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """Run every combination of a grid of parameters."""
        import rustybt as rbt

        found = o.find_strategy(strategy)
        costs = o.build_costs(commission_bps, None, None, None, slippage_bps, costs_profile, volume_cap)
        wanted = o.build_settings(settings, cash=cash, costs=costs)
        panel = o.load_panel(data, reading)
        show.say_if_cold()
        with show.bar("variants", quiet=json) as progress:
            done = rbt.sweep(
                found,
                panel,
                grid=dict(values(found, text) for text in grid),
                where=where,
                progress=progress,
                trials=trials,
                **wanted,
            )
        best = done.top(10, by=by)
        if out:
            try:
                done.frame.write_parquet(out)
            except OSError as error:
                raise ConfigError(f"cannot write the rows: {error}", where=out, do="choose a file that can be written") from None
        if json:
            show.emit(
                {
                    "variants": done.frame.height,
                    "failed": done.failed,
                    "best": best.head(1).to_dicts()[0] if best.height else None,
                    "out": out,
                    "trials": done.tally.trials,
                    "warnings": list(done.notes),
                }
            )
            return
        show.out.print(f"{done.frame.height:,} variants, {done.failed:,} failed; best by {by}\n")
        show.out.print(show.frame_table(best))
        if done.failed:
            why = done.frame["error"].drop_nulls()[0].splitlines()[0]
            show.out.print(f"[yellow]note:[/] the first that failed: {escape(why)}")
        for note in done.notes:
            show.out.print(f"[yellow]note:[/] {escape(note)}")
        show.out.print(f"[dim]{escape(done.luck)}[/]")


def values(strategy: StrategyFunction, text: str) -> tuple[str, list[Any]]:
    """``fast=5,10`` or ``fast=5:50:5`` (first, last, step) as typed values.

    Raises:
        ConfigError: not of that form, or not of the parameter's type.
    """
    name, equals, given = text.partition("=")
    if not equals or not given:
        raise ConfigError(f"--grid {text!r} has no values", where="--grid", do="write --grid fast=5,10,20 or fast=5:50:5")
    if name not in strategy.parameters:
        known = ", ".join(strategy.parameters)
        raise ConfigError(f"strategy {strategy.name!r} has no parameter {name!r}", where="--grid", do=f"use one of {known}")
    if ":" in given:
        try:
            first, last, *step = (int(part) for part in given.split(":"))
            each = [str(value) for value in range(first, last + 1, *step)]
        except (TypeError, ValueError):
            raise ConfigError(f"--grid {text!r} is not first:last:step", where="--grid", do="write --grid fast=5:50:5") from None
    else:
        each = given.split(",")
    return name, [strategy.parse({name: one.strip()})[name] for one in each]
