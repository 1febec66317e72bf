"""``rustybt verify``: prove a strategy on data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("verify")
    @o.with_groups
    def verify(
        strategy: Annotated[str, typer.Argument(help="A strategy as in run, or a run directory.", show_default=False)],
        *,
        data: Annotated[str | None, typer.Option("--data", help="As in run. A run directory needs none.", show_default=False)] = None,
        set_: o.SetOption = None,
        points: Annotated[int, typer.Option("--points", help="Instants at which the data are cut.", min=1)] = 12,
        seed: Annotated[int, typer.Option("--seed", help="Chooses the instants.")] = 0,
        settings: o.SettingsOption = None,
        reading: o.Reading,
        account: o.Account,
        reference: Annotated[bool, typer.Option("--reference/--no-reference", help="Also run the Decimal reference simulator.")] = True,
        json: o.JsonOption = False,
    ) -> None:
        """Prove it: window bounds, truncation, enough history, bulk = bar by bar = reference, books. Or audit a saved run."""
        import rustybt as rbt

        if (Path(strategy) / "manifest.json").is_file():
            raise typer.Exit(told(audit(Path(strategy)), json))
        if data is None and Path(strategy).is_dir():
            raise ConfigError(
                "there is no run here", where=strategy, do="name a folder written by rustybt run --out, or a strategy and --data"
            )
        if data is None:
            raise ConfigError("there are no bars to verify the strategy on", where="--data", do='name a file of bars, or "demo"')
        made = o.build_strategy(strategy, set_)
        wanted = o.account_settings(settings, account)
        panel = o.load_panel(data, reading)
        show.compile_if_cold()
        with show.working("verifying", quiet=json):
            verdict = rbt.verify(made, panel, points=points, seed=seed, **wanted)
            found: dict[str, Any] = verdict.to_dict()
            if reference and made.on_bar is None:  # the orders of a callback come from Python: there is no plan to give the reference
                found["checks"].append(against_reference(rbt.run(made, panel, **wanted)))
                found["ok"] = all(check["ok"] for check in found["checks"])
        raise typer.Exit(told(found, json))


def audit(folder: Path) -> dict[str, Any]:
    """The checks of a run directory, from its own files."""
    from rustybt.engine import verify_saved

    return verify_saved(folder).to_dict()


def told(found: dict[str, Any], json: bool) -> int:
    """Print the checks; the exit code."""
    if json:
        show.emit(found)
    else:
        show.out.print(show.checks_table(found["checks"]))
    return 0 if found["ok"] else 1


def against_reference(result: Any) -> dict[str, Any]:
    """Whether the Decimal reference gives the same log and balances as the kernel, from the same targets."""
    from rustybt.engine.compare import outcome_difference
    from rustybt.engine.offers import build_plan
    from rustybt.engine.tape import build_tape
    from rustybt.engine.targets import build_requests
    from rustybt.engine.timing import timing_of
    from rustybt.kernel import TimedMarket
    from rustybt.reference import simulate

    panel = result.panel
    plan = build_plan([signals.targets for signals in result.evaluated.values()], panel.bars, len(panel.assets))
    if any(strategy.orders for strategy in result.sleeves.values()):
        plan = replace(plan, requests=build_requests(result.sleeves, panel, result.evaluated, result.config))
    timing = timing_of(result.config.timing, panel, result.config.fill)
    market = TimedMarket(panel.open, panel.high, panel.low, panel.close, timing)
    tape = build_tape(panel, result.tables, result.config)
    found = outcome_difference(result.outcome, simulate(result.tables, market, plan, panel.events, tape))
    rows = f"{result.outcome.log.rows:,} log rows and {panel.bars:,} balances identical to the last digit"
    return {"name": "kernel = Decimal reference", "ok": not found, "detail": found or rows}
