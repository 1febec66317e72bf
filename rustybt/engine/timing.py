"""When orders of a run can be filled: what the user says about it, and what that means for the bars of a panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rustybt import execution
from rustybt.errors import ConfigError, DataError
from rustybt.model import Detail, FillAt, Intrabar, Log, Panel, Timing, bars_clock
from rustybt.spec.orders import CANCEL_POLICIES

if TYPE_CHECKING:
    from rustybt.execution import Bands, Halts, Latency, Stale

PARTS = ("latency", "halts", "bands", "stale")
"""Settings that `rustybt.execution` has a function for, and a class."""


@dataclass(frozen=True)
class TimingRules:
    """What a run says about time and access.

    Attributes:
        intrabar: which of stop and target comes first in a bar that reaches both.
        finer: finer bars that are asked about such a bar.
        latency: how long orders are under way.
        halts, bands, stale: when nothing can be filled.
        cancel_policy: what becomes of requested orders that still work when a session ends; None = as each strategy says.
    """

    intrabar: Intrabar = Intrabar.PESSIMISTIC
    finer: Panel | None = None
    latency: Latency | None = None
    halts: Halts | None = None
    bands: Bands | None = None
    stale: Stale | None = None
    cancel_policy: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest and the run id: only what differs from the default."""
        found: dict[str, Any] = {} if self.intrabar is Intrabar.PESSIMISTIC else {"intrabar": self.intrabar.name.lower()}
        if self.cancel_policy is not None:
            found["cancel_policy"] = self.cancel_policy
        if self.finer is not None:
            found["finer"] = self.finer.snapshot
        return found | {name: part.to_dict() for name in PARTS if (part := getattr(self, name)) is not None}


def timing_rules(given: Mapping[str, Any]) -> TimingRules:
    """Checked rules from what users type; see `rustybt.run` for the meaning of each.

    Raises:
        ConfigError: naming the setting and its value.

    Example:
        >>> timing_rules({"intrabar": "nearest"}).intrabar.name
        'NEAREST'
    """
    wanted = {name: value for name, value in given.items() if value is not None}
    policy = str(wanted.pop("intrabar", "pessimistic"))
    if policy.upper() not in Intrabar.__members__:
        known = ", ".join(repr(kind.name.lower()) for kind in Intrabar)
        raise ConfigError(f"intrabar {policy!r} is unknown", where="run, intrabar", do=f"use one of {known}")
    made: dict[str, Any] = {"cancel_policy": wanted.pop("cancel_policy", None)}
    if made["cancel_policy"] not in (None, *CANCEL_POLICIES):
        known = ", ".join(map(repr, CANCEL_POLICIES))
        raise ConfigError(f"cancel_policy {made['cancel_policy']!r} is unknown", where="run, cancel_policy", do=f"use one of {known}")
    finer = wanted.pop("finer", None)
    if finer is not None and not isinstance(finer, Panel):
        from rustybt.data import load

        try:
            finer = load(finer)
        except DataError as error:
            raise DataError(error.what, where=f"run, finer{', ' * bool(error.where)}{error.where}", do=error.do) from None
    for name in [name for name in PARTS if name in wanted]:
        value, kind, make = wanted[name], getattr(execution, name.title()), getattr(execution, name)
        made[name] = value if isinstance(value, kind) else make(value)
    return TimingRules(Intrabar[policy.upper()], finer, **made)


def delays_of(rules: TimingRules) -> tuple[int, ...]:
    """Delays as `rustybt.model.Tables` takes them."""
    return () if rules.latency is None else rules.latency.units()


def timing_of(rules: TimingRules, panel: Panel, fill_at: FillAt) -> Timing | None:
    """What the rules mean for the bars of a panel; None where they change nothing.

    Raises:
        ConfigError: finer bars with other increments, or halts of an asset that the data do not have.
    """
    if panel.whole is not None:
        known = timing_of(rules, panel.whole, fill_at)
        return None if known is None else known.after(panel.history, len(panel.assets))
    clock = None
    if rules.latency is not None and any(delays_of(rules)):
        from rustybt.engine.clock import clock_of

        clock = bars_clock(panel.bars, fill_at is FillAt.SAME_BAR_CLOSE) if rules.latency.bars else clock_of(panel, rules.latency.bar)
    barred = None
    if rules.halts or rules.bands or rules.stale:
        from rustybt.engine.barred import barred_bars

        barred = barred_bars(panel, rules.halts, rules.bands, rules.stale)
    finer = None
    if rules.finer is not None:
        from rustybt.engine.finer import finer_of

        finer = finer_of(panel, rules.finer)
    return None if clock is None and barred is None and finer is None else Timing(clock, barred, finer)


def timing_notes(rules: TimingRules, panel: Panel, log: Log) -> list[str]:
    """What a reader should know about it, one sentence each."""
    notes = []
    if rules.intrabar is Intrabar.OPTIMISTIC:
        notes.append(
            "intrabar='optimistic' takes the target first wherever a bar reaches stop and target: treat the result as an upper bound."
        )
    if rules.finer is not None:
        left = int(np.count_nonzero(log.having(Detail.UNRESOLVED)))
        if left:
            policy = rules.intrabar.name.lower()
            notes.append(f"{left} exits fell in a bar that reached stop and target and that no finer bar explains: {policy} decided.")
    if rules.latency is not None and delays_of(rules) and not rules.latency.bars and rules.latency.bar is None and panel.calendar is None:
        notes.append(
            "latency: without a calendar a bar is taken to open one spacing of the bars before its ts; say latency(..., bar=) if not."
        )
    return notes
