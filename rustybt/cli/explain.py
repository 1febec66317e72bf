"""``rustybt explain``: what a strategy reads."""

from __future__ import annotations

import typer

from rustybt.cli import options as o
from rustybt.cli import show


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("explain")
    def explain(strategy: o.StrategyArgument, set_: o.SetOption = None, json: o.JsonOption = False) -> None:
        """Show the window bounds of every term, the stages of the plan and the identity of the spec."""
        import rustybt as rbt

        found = rbt.explain(o.build_strategy(strategy, set_))
        if json:
            show.emit(found.to_dict())
        else:
            show.out.print(str(found), markup=False)
