"""The guard: a strategy is refused unless every term is proven past-only.

In: a `Strategy`. Out: a `Verdict`, or an error that shows the sub-expression at fault. Add a rule in `rustybt.spec.proof`, its words in
`rustybt.spec.hints`, and a leak beside its clean look-alike in ``tests/temporal/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rustybt.errors import LookaheadError, SpecError
from rustybt.spec.bounds import Bounds, Reason, analyse, union

if TYPE_CHECKING:
    from rustybt.spec.strategy import Strategy

FRAME = frozenset(
    [f"{prefix}{name}" for prefix in ("", "adj_", "ticks_", "ticks_adj_") for name in ("open", "high", "low", "close", "volume")]
    + ["ts", "ts_open", "asset", "session"]
)
"""Columns of the signal frame that RustyBT makes itself, past-only by construction."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard found for a strategy that it lets pass.

    Attributes:
        terms: bounds of each term, by name.
        trusted: columns of the source that no check can prove to be past-only.
        opaque: declared plugins and callbacks, and ``on_bar``.
        warmup: bars before the first decision that the author declared, or None.
    """

    terms: Mapping[str, Bounds]
    trusted: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    warmup: int | None = None

    @property
    def whole(self) -> Bounds:
        """All terms taken together."""
        return union(*self.terms.values()) if self.terms else Bounds()

    @property
    def unbounded(self) -> tuple[str, ...]:
        """Terms that read every earlier bar."""
        return tuple(name for name, bounds in self.terms.items() if bounds.unbounded)

    @property
    def rows(self) -> int | None:
        """Bars before the one decided on that the terms need, None when one is unbounded."""
        return self.whole.rows

    @property
    def span(self) -> timedelta | None:
        """Duration needed on top of the rows, None when a term is unbounded."""
        return self.whole.span

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the terms read, sorted."""
        return tuple(sorted(self.whole.columns))

    @property
    def needs(self) -> str:
        """The warm-up in words: ``20 rows``, ``this bar``, ``unbounded (60 bars declared)``."""
        if not self.unbounded:
            return self.whole.lookback
        return "unbounded" if self.warmup is None else f"unbounded ({self.warmup} bars declared)"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "terms": {name: _plain(bounds) for name, bounds in self.terms.items()},
            "trusted": list(self.trusted),
            "opaque": list(self.opaque),
            "columns": list(self.columns),
            "warmup": {"needs": self.needs, "rows": self.rows, "seconds": _seconds(self.span), "declared": self.warmup},
        }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _plain(bounds: Bounds) -> dict[str, Any]:
    return {
        "lookback": bounds.lookback,
        "rows": bounds.rows,
        "seconds": _seconds(bounds.span),
        "session": bounds.session,
        "cross_section": bounds.cross,
        "columns": sorted(bounds.columns),
        "opaque": sorted(bounds.opaque),
        "reasons": [str(reason) for reason in bounds.reasons],
    }


def check(strategy: Strategy, declared: Mapping[str, object] | None = None) -> Verdict:
    """Prove that no term of a strategy can see a later bar.

    Args:
        strategy: anything with ``terms()``, ``declared``, ``name``, ``warmup`` and ``on_bar``.
        declared: bounds of plugins and callbacks, on top of the strategy's own.

    Raises:
        LookaheadError: a term may see the future; the message shows the sub-expression and what to write instead.
        SpecError: a term cannot mean what it says, or a declaration is not understood.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec import Strategy, weight
        >>> close = pl.col("close")
        >>> check(Strategy(target=weight((close > close.rolling_mean(20)).cast(pl.Float64)))).rows
        19
    """
    promises = {**getattr(strategy, "declared", {}), **(declared or {})}
    terms = strategy.terms()
    found: dict[str, Bounds] = {}
    member: Bounds | None = None
    if "universe" in terms:
        member = found["universe"] = _allowed(strategy, "universe", analyse(terms["universe"], promises))
    for name, expr in terms.items():
        if name not in found:
            found[name] = _allowed(strategy, name, analyse(expr, promises, member))
    read = frozenset[str]().union(*(bounds.columns for bounds in found.values()))
    opaque = frozenset[str]().union(*(bounds.opaque for bounds in found.values()))
    hooks = ("on_bar",) if strategy.on_bar is not None else ()
    return Verdict({name: found[name] for name in terms}, tuple(sorted(read - FRAME)), (*sorted(opaque), *hooks), strategy.warmup)


def columns(strategy: Strategy) -> set[str]:
    """Names of the frame columns that the terms of a strategy read; whether the data has them is checked when it runs.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec import Strategy, weight
        >>> sorted(columns(Strategy(target=weight(pl.col("close") / pl.col("open") - 1))))
        ['close', 'open']
    """
    return set(check(strategy).columns)


def _allowed(strategy: Strategy, term: str, bounds: Bounds) -> Bounds:
    if not bounds.refused:
        return bounds
    bad = [reason for reason in bounds.reasons if reason.kind != "unbounded"]
    ahead = [reason for reason in bad if reason.kind == "lookahead"]
    raise _error(strategy, term, (ahead or bad)[0], bad)


def _error(strategy: Strategy, term: str, reason: Reason, bad: list[Reason]) -> SpecError:
    kind = LookaheadError if reason.kind == "lookahead" else SpecError
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    name = getattr(strategy, "name", "")
    return kind(
        f"term {term!r} {reason.what}: {reason.node}{more}",
        where=f"strategy {name!r}, term {term!r}, {reason.node}",
        do=reason.do,
        term=term,
        expression=reason.node,
        reasons=[str(each) for each in bad],
    )
