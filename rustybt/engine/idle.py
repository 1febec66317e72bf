"""Why a strategy traded nothing, for runs in which nothing happened."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rustybt.engine.tables import Sleeves
from rustybt.engine.targets import Signals, decision_bars, masked_target, warmup_bars
from rustybt.model import Log, Panel, Status
from rustybt.spec import Strategy


def idle_notes(sleeves: Sleeves, panel: Panel, signals: Mapping[str, Signals], log: Log) -> list[str]:
    """One sentence for each strategy without a fill."""
    notes: list[str] = []
    done = log.having(Status.FILLED)
    if len(sleeves) == 1 and len(done) and log.filled[np.argmax(done)] != 0 and done.any():
        return notes  # the usual case, without a look at every row
    filled = (log.filled != 0) & done
    traded = set(range(len(sleeves)))
    if len(sleeves) > 1 or not filled.any():
        traded = set(np.unique(log.slot[filled] // len(panel.assets)).tolist())
    for number, (name, strategy) in enumerate(sleeves.items()):
        if number not in traded:
            sent = np.flatnonzero(
                (log.slot // len(panel.assets) == number) & ~np.isin(log.status, (Status.APPLIED, Status.ACCRUED, Status.VIOLATED))
            )
            why = _unfilled(log, sent) if len(sent) else _unsent(strategy, panel, signals[name])
            notes.append(f"strategy {name!r} traded nothing: {why}.")
    return notes


def _unfilled(log: Log, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    counts = [
        (int((log.status[rows] == status).sum()), status.name.lower()) for status in (Status.REJECTED, Status.CANCELLED, Status.WORKING)
    ]
    return "of its orders " + ", ".join(f"{count} {said}" for count, said in counts if count) + ", 0 filled"


def _unsent(strategy: Strategy, panel: Panel, signals: Signals) -> str:
    if strategy.target is None:
        return "its callback sent no order" if strategy.on_bar is not None else "no order's condition held with a size of a lot or more"
    warmup = warmup_bars(strategy, signals.plan)
    bars = panel.history + panel.bars
    if bars <= warmup:
        return f"its warm-up of {warmup} bars is not over at the last of {bars} bars"
    due = decision_bars(strategy, signals.plan, panel)
    frame = signals.frame
    if due is not None:
        if not due.any():
            return "its schedule fires at no bar after the warm-up"
        frame = frame.filter(due[panel.row_bar[frame["row"].to_numpy()]])
    rows = f"{frame.height:,} rows that decide"
    if "universe" in frame.columns and not frame["universe"].any():
        return f"its universe is true on none of {rows}"
    targets = masked_target(frame)
    if targets.null_count() == frame.height:
        return f"its target is null on all {rows}"
    if not (targets.drop_nulls() != 0).any():
        return f"its target is 0 or null on all {rows}"
    return f"no target on its {rows} comes to a whole lot"
