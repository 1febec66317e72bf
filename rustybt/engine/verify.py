"""Proofs on the user's own data: no look-ahead, enough history, one behaviour."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rustybt.engine.bulk import panel_of, run_configured, sleeves_of
from rustybt.engine.compare import outcome_difference, signal_difference
from rustybt.engine.config import configured
from rustybt.engine.incremental import walk
from rustybt.engine.result import Result
from rustybt.errors import ConfigError
from rustybt.ledger import check_journal
from rustybt.model import Panel
from rustybt.spec import Strategy
from rustybt.spec.causality import Check, truncation, window_sufficiency
from rustybt.spec.guard import check


@dataclass(frozen=True)
class Verification:
    """The verdict of `verify`.

    Attributes:
        checks: name, verdict and detail of each check, in order.
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(one.ok for one in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"ok": self.ok, "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in self.checks]}

    def __str__(self) -> str:
        return "\n".join(f"{'ok  ' if c.ok else 'FAIL'}  {c.name}: {c.detail}" for c in self.checks)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'✓' if c.ok else '✗'}</td><td>{html.escape(c.name)}</td><td>{html.escape(c.detail)}</td></tr>" for c in self.checks
        )
        return f"<table>{rows}</table>"


def verify(
    strategy: Strategy,
    data: Any,
    *,
    points: int = 12,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
    **settings: Any,
) -> Verification:
    """Check a strategy on data: static bounds, truncation, window sufficiency, bulk = bar by bar, books, journal.

    Args:
        strategy: to check.
        data: a Panel or anything `rustybt.load` takes.
        points: instants at which the data are cut.
        seed: chooses the instants.
        progress: called with the name of each check before it runs.
        **settings: of the run that is compared: ``cash``, ``costs``, ``controls`` ... as in `rustybt.run`.

    Returns:
        A `Verification`; nothing is raised for a check that fails.

    Raises:
        ConfigError: points or a seed that are none, or wrong settings.
        SpecError: not a strategy.

    Example:
        >>> import rustybt as rbt
        >>> hold = rbt.Strategy("hold", target=rbt.weight(0.2))
        >>> rbt.verify(hold, rbt.load("demo", start="2012-01-01"), points=3).ok
        True
    """
    for name, number, least in (("points", points, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise ConfigError(
                f"{name} {number!r} is not a whole number from {least}", where=f"verify, {name}", do="give one, or leave it out"
            )
    say = progress or _silent
    sleeves = sleeves_of(strategy)
    panel = panel_of(data)
    config = configured(settings, "verify")
    say("window bounds")
    verdict = check(strategy)
    checks = [Check("window bounds", True, f"{len(verdict.terms)} terms read nothing later than their bar; warm-up: {verdict.needs}")]
    checks += known_in_time(panel)
    say("truncation")
    checks += truncation(strategy, panel, points=points, seed=seed)
    say("window sufficiency")
    checks += window_sufficiency(strategy, panel, points=points, seed=seed)
    say("bulk = bar by bar")
    bulk = run_configured(sleeves, panel, config)
    checks.append(same_run("bulk = bar by bar", bulk, walk(sleeves, panel, config)))
    checks.append(Check("books", True, str(bulk.verdict)))
    checks.append(Check("journal", True, check_journal(bulk.journal, bulk.equity, bulk.positions)))
    return Verification(tuple(checks))


def known_in_time(panel: Panel) -> list[Check]:
    """Whether every row of a slower frame stands beside bars from the instant on at which it was known, and none before."""
    found = []
    for name in panel.attached:
        since = panel.frame[f"{name}_ts"]
        early = int((since > panel.frame["ts"]).sum())
        detail = (
            f"{early} bars show a row before it was known" if early else f"{len(since) - since.null_count():,} bars show rows known by then"
        )
        found.append(Check(f"attached {name!r}", not early, detail))
    return found


def _silent(name: str) -> None:
    """Nobody watches."""


def same_run(name: str, first: Result, second: Result) -> Check:
    """Whether two runs are identical: signals bit for bit, orders, fills and balances to the last digit."""
    found = signal_difference(first, second) or outcome_difference(first.outcome, second.outcome)
    counts = first.counts()
    detail = f"{first.signals.height:,} signal rows, {counts['orders']:,} orders, {counts['bars']:,} balances identical"
    return Check(name, not found, found or detail)
