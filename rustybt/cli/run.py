"""``rustybt run``: backtest one strategy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from rustybt.cli import options as o
from rustybt.cli import show


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("run")
    @o.with_groups
    def run(
        strategy: o.StrategyArgument,
        data: o.DataOption,
        *,
        set_: o.SetOption = None,
        settings: o.SettingsOption = None,
        reading: o.Reading,
        cash: o.CashOption = None,
        commission_bps: o.CommissionOption = None,
        commission_per_share: o.PerShareOption = None,
        commission_per_trade: o.PerTradeOption = None,
        commission_minimum: o.MinimumOption = None,
        costs_profile: o.ProfileOption = None,
        slippage_bps: o.SlippageOption = None,
        volume_cap: o.VolumeCapOption = None,
        fill: o.FillOption = None,
        sizing: o.SizingOption = None,
        max_gross: o.GrossOption = None,
        benchmark: o.BenchmarkOption = None,
        intrabar: o.IntrabarOption = None,
        finer: o.FinerOption = None,
        latency: o.LatencyOption = None,
        halts: o.HaltsOption = None,
        bands: o.BandsOption = None,
        stale: o.StaleOption = None,
        cancel_policy: o.CancelPolicyOption = None,
        out: Annotated[str | None, typer.Option("--out", help="Folder for Parquet frames and the manifest.", show_default=False)] = None,
        report: Annotated[str | None, typer.Option("--report", help="File for the HTML report.", show_default=False)] = None,
        beancount: Annotated[str | None, typer.Option("--beancount", help="File for the books as plain text.", show_default=False)] = None,
        intervals: Annotated[bool, typer.Option("--intervals", help="Add 95 % confidence intervals of the headline numbers.")] = False,
        trials: o.TrialsOption = None,
        json: o.JsonOption = False,
    ) -> None:
        """Backtest a strategy over a file of bars."""
        import rustybt as rbt
        from rustybt.sweeps.registry import count_run, open_registry

        open_registry(trials)
        folder, page, plain = o.out_folder(out), o.report_file(report), o.report_file(beancount, "the ledger")
        costs = o.build_costs(
            commission_bps, commission_per_share, commission_per_trade, commission_minimum, slippage_bps, costs_profile, volume_cap
        )
        made = o.build_strategy(strategy, set_)
        access = {"latency": latency, "halts": halts, "bands": bands, "stale": stale, "cancel_policy": cancel_policy}
        wanted = o.build_settings(
            settings,
            cash=cash,
            costs=costs,
            fill=fill,
            sizing=sizing,
            max_gross=max_gross,
            benchmark=benchmark,
            intrabar=intrabar,
            finer=finer,
            **access,
        )
        with show.working("reading bars", quiet=json):
            panel = o.load_panel(data, reading)
        show.compile_if_cold()
        with show.working(f"running {made.name} on {len(panel.assets)} assets x {panel.bars:,} bars", quiet=json):
            result = rbt.run(made, panel, **wanted)
        with show.working("writing", quiet=json):
            written = write(result, folder, page, plain)
        around = result.intervals() if intervals else None
        tally, uncounted = count_run(result, trials)
        if json:
            told = document(result)
            told |= {"trials": None if tally is None else tally.trials, "warnings": [*told["warnings"], *uncounted]}
            show.emit({**told, **written, **({} if around is None else {"intervals": around.to_dicts()})})
            return
        _print(result, written)
        for note in uncounted:
            show.out.print(f"[yellow]note:[/] {escape(note)}")
        if tally is not None and tally.trials > 1:
            show.out.print(f"[dim]{tally.trials:,} trials were run on this data; the more, the more of the best is luck[/]")
        if around is not None:
            show.out.print("\n95 % confidence, by resampling in blocks\n")
            show.out.print(show.frame_table(around))


def write(result: Any, folder: Path | None, page: Path | None, plain: Path | None) -> dict[str, str | None]:
    """Write what was asked for; where each thing is."""
    from rustybt.data import Catalog

    written = {"out": str(result.save(folder)) if folder else None, "report": str(result.report(page)) if page else None}
    if folder:
        Catalog().record_run(result.identity["run_id"], folder, result.panel)
    return written | ({"beancount": str(result.to_beancount(plain))} if plain else {})


def document(result: Any) -> dict[str, Any]:
    """What ``--json`` prints of a run."""
    return {
        "identity": dict(result.identity),
        "final_equity": result.final_equity,
        **result.counts(),
        "trades": result.trades.height,
        "metrics": dict(result.metrics),
        "books": str(result.verdict),
        "warnings": list(result.warnings),
    }


def _print(result: Any, written: dict[str, str | None]) -> None:
    counts, name = result.counts(), escape(", ".join(result.sleeves))
    show.out.print(f"[bold]{name}[/] on {counts['assets']} assets x {counts['bars']:,} bars\n")
    show.out.print(show.metrics_table({name: result.metrics}))
    show.out.print(
        f"\nfinal equity {show.money(result.final_equity, result.config.currency)}   "
        f"{counts['decisions']:,} targets -> {counts['orders']:,} orders -> {counts['fills']:,} fills "
        f"({counts['rejected']:,} rejected, {counts['working']:,} still working)"
    )
    show.out.print(f"[dim]{result.verdict}[/]")
    show.out.print(f"[dim]run {result.identity['run_id'][:16]}[/]")
    for warning in result.warnings:
        show.out.print(f"[yellow]note:[/] {escape(warning)}")
    for what, path in written.items():
        if path:
            show.out.print(f"{what}: {escape(path)}")
