"""Explain a strategy: what each term reads, how far back, and what the planner will run."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, overload

from rustybt.errors import ConfigError
from rustybt.spec.guard import Verdict, check
from rustybt.spec.tree import parse, render

if TYPE_CHECKING:
    from rustybt.spec.bounds import Bounds
    from rustybt.spec.strategy import Strategy


@dataclass(frozen=True)
class Explanation:
    """What a strategy reads, proven. Prints as text, shows as a table in a notebook, and goes to JSON through `to_dict`.

    Attributes:
        name: of the strategy.
        spec_id: its identity; empty when it has none.
        verdict: of the guard.
        expressions: text of each term.
        stages: what the planner computes, in order.
    """

    name: str
    spec_id: str
    verdict: Verdict
    expressions: dict[str, str]
    stages: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = self.verdict
        lines = [f"strategy {self.name!r}" + (f"  spec {self.spec_id[:12]}" if self.spec_id else "")]
        for term, bounds in verdict.terms.items():
            lines += ["", f"{term} = {self.expressions[term]}"]
            lines += [f"  {label + ':':<15} {text}" for label, text in _facts(bounds)]
        proven = "none, proven on the expression trees" + (", not on what is opaque" if verdict.opaque else "")
        lines += ["", f"{'look-ahead:':<17} {proven}", f"{'warm-up:':<17} {verdict.needs}"]
        if verdict.trusted:
            lines.append(
                f"{'trusted columns:':<17} {', '.join(verdict.trusted)} (from your data; no check can see whether they hold the future)"
            )
        if verdict.opaque:
            lines.append(f"{'opaque:':<17} {', '.join(verdict.opaque)} (declared; rbt.verify checks them on data)")
        if self.stages:
            lines += ["stages:", *(f"  {number:>2}. {stage}" for number, stage in enumerate(self.stages, 1))]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in self._cells(term, bounds)) + "</tr>"
            for term, bounds in self.verdict.terms.items()
        )
        heads = "".join(f"<th style='text-align:left'>{word}</th>" for word in ("term", "expression", "reads back", "columns", "notes"))
        stages = "".join(f"<li><code>{html.escape(stage)}</code></li>" for stage in self.stages)
        below = f"<p>warm-up: {html.escape(self.verdict.needs)}</p>"
        below += f"<p>trusted columns: {html.escape(', '.join(self.verdict.trusted))}</p>" if self.verdict.trusted else ""
        below += f"<details><summary>stages</summary><ol>{stages}</ol></details>" if stages else ""
        return f"<div><b>strategy {html.escape(repr(self.name))}</b><table><tr>{heads}</tr>{rows}</table>{below}</div>"

    def _cells(self, term: str, bounds: Bounds) -> list[str]:
        notes = ["cross-section"] if bounds.cross else []
        notes += [str(reason) for reason in bounds.reasons]
        return [term, self.expressions[term], bounds.lookback, ", ".join(sorted(bounds.columns)), "; ".join(notes)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON.

        Example:
            >>> from rustybt.spec import Strategy, quantity
            >>> sorted(explain(Strategy("hold", target=quantity(1))).to_dict())
            ['expressions', 'name', 'spec_id', 'stages', 'verdict']
        """
        return {
            "name": self.name,
            "spec_id": self.spec_id,
            "verdict": self.verdict.to_dict(),
            "expressions": dict(self.expressions),
            "stages": list(self.stages),
        }

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=2)


class Explained[T](Protocol):
    """What explains itself, such as the plan of a sweep."""

    def explained(self) -> T:
        """What to show."""


@overload
def explain(strategy: Strategy) -> Explanation: ...
@overload
def explain[T](strategy: Explained[T]) -> T: ...
def explain(strategy: Any) -> Any:
    """What a strategy reads, how far back, and what will be run; or what a sweep would do.

    Args:
        strategy: checked again, so that what is shown is what the guard proves now; or what would be run, from `rustybt.plan`; or a
            sweep that has run.

    Raises:
        ConfigError: something else, such as a ``@strategy`` function that was not called.
        LookaheadError, SpecError: as the guard does.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec import Strategy, weight
        >>> up = pl.col("close") > pl.col("close").rolling_mean(20)
        >>> print(str(explain(Strategy("trend", target=weight(up.cast(pl.Float64))))).splitlines()[2])
        target = (close > close.rolling_mean(20)).cast(Float64)
    """
    if hasattr(strategy, "explained"):
        return strategy.explained()
    if not hasattr(strategy, "terms"):
        do = "give a strategy such as cross(fast=5, slow=20), what rustybt.plan gives, or a sweep"
        raise ConfigError(f"{strategy!r} does not explain itself", where="explain", do=do)
    verdict = check(strategy)
    expressions = {term: render(parse(expr), 240) for term, expr in strategy.terms().items()}
    return Explanation(strategy.name, str(getattr(strategy, "spec_id", "")), verdict, expressions, _stages(strategy))


def _facts(bounds: Bounds) -> list[tuple[str, str]]:
    facts = [("reads back", bounds.lookback), ("columns", ", ".join(sorted(bounds.columns)) or "none")]
    if bounds.cross:
        facts.append(("cross-section", "needs every asset of the bar"))
    facts += [("because it", str(reason)) for reason in bounds.reasons]
    return facts


def _stages(strategy: Strategy) -> tuple[str, ...]:
    from rustybt.spec.planner import plan

    return tuple(plan(strategy).stages) if strategy.terms() else ()
