"""``rustybt demo``: two strategies on real prices, proven before the reader's eyes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from rustybt.cli import options as o
from rustybt.cli import show
from rustybt.cli.run import document
from rustybt.cli.verify import against_reference
from rustybt.execution import bps

CASH, RATE, BENCHMARK = "100000", 10, "IBM"
GRID = {"fast": range(10, 60, 10), "slow": range(50, 250, 50)}
STRATEGIES = {
    "momentum": ("expressions.strategies.momentum", {"lookback": 252, "skip": 21, "top": 2}),
    "sma_cross": ("expressions.strategies.sma_cross", {"fast": 50, "slow": 200}),
}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("demo")
    def demo(
        out: Annotated[str, typer.Option("--out", help="Folder for the reports and the run directories.")] = "runs/demo",
        json: o.JsonOption = False,
    ) -> None:
        """Momentum and SMA cross on five stocks, 2000-2013: proof, money, a small sweep and a report."""
        import rustybt as rbt
        from rustybt.engine import same_run, walk
        from rustybt.engine.bulk import sleeves_of

        folder = Path(out)
        for name in STRATEGIES:
            o.out_folder(str(folder / name))
        began = time.perf_counter()
        show.compile_if_cold()
        panel = rbt.demo_data()
        say = show.err.print if json else show.out.print
        say(
            f"[bold]RustyBT {rbt.__version__}[/]  {len(panel.assets)} stocks ({', '.join(panel.symbols)}), {panel.bars:,} sessions, "
            f"{len(panel.events)} splits and dividends, all real"
        )
        results: dict[str, Any] = {}
        checks: list[dict[str, Any]] = []
        for name, (place, parameters) in STRATEGIES.items():
            strategy = o.find_strategy(place)(**parameters)
            say(f"\n[bold]{name}[/]  {', '.join(f'{key}={value}' for key, value in parameters.items())}")
            say(f"[green]✓[/] no look-ahead: proven on the expressions; they read back {rbt.explain(strategy).verdict.needs}")
            with show.working(f"{name}: all bars at once", quiet=json):
                result = rbt.run(strategy, panel, cash=CASH, costs=rbt.costs(commission=bps(RATE)), benchmark=BENCHMARK)
            with show.working(f"{name}: bar by bar, then in Decimal", quiet=json):
                parity = same_run("bulk = bar by bar", result, walk(sleeves_of(strategy), panel, result.config))
                mine = [{"name": parity.name, "ok": parity.ok, "detail": parity.detail}, against_reference(result)]
            mine.append({"name": "books", "ok": True, "detail": str(result.verdict)})
            if not json:
                show.out.print(show.checks_table(mine))
            results[name] = result
            checks += [{**check, "strategy": name} for check in mine]
        done = sweep_grid(rbt, panel, quiet=json)
        paths = write(results, folder)
        took = time.perf_counter() - began
        ok = all(check["ok"] for check in checks)
        if json:
            runs = {name: document(result) for name, result in results.items()}
            show.emit({"ok": ok, "runs": runs, "checks": checks, "variants": done.frame.height, "failed": done.failed, **paths})
        else:
            show.out.print(f"\n[bold]results[/]  {int(CASH):,} USD, commission {RATE} bps a side\n")
            show.out.print(show.metrics_table({name: result.metrics for name, result in results.items()}))
            show.out.print(f"\n[bold]sweep[/]  sma_cross, {done.frame.height} variants, best by Sharpe (the best of many is partly luck)\n")
            best = done.top(3)
            show.out.print(show.frame_table(best))
            show.say_judgement(done.judgement(), best["variant"][0])
            show.out.print(f"\nreports  {paths['report']}  {paths['report_sma_cross']}")
            show.out.print(f"frames   {folder}/momentum, {folder}/sma_cross (Parquet, manifest.json)")
            show.out.print(f"[dim]{took:.1f} s[/]")
        raise typer.Exit(0 if ok else 1)


def sweep_grid(rbt: Any, panel: Any, *, quiet: bool) -> Any:
    """A small grid of the SMA strategy."""
    found = o.find_strategy(STRATEGIES["sma_cross"][0])
    with show.bar("sweep", quiet=quiet) as progress:
        return rbt.sweep(found, panel, grid=GRID, where="fast < slow", progress=progress, cash=CASH, costs=rbt.costs(commission=bps(RATE)))


def write(results: dict[str, Any], folder: Path) -> dict[str, str]:
    """Run directories and reports."""
    paths = {}
    for name, result in results.items():
        place = result.save(folder / name)
        page = result.report(place / "report.html")
        paths["report" if name == "momentum" else f"report_{name}"] = str(page)
    return paths
