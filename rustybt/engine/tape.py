"""What the costs of a run read of the data beside the prices."""

from __future__ import annotations

from rustybt.engine.config import RunConfig
from rustybt.engine.feeds import feed_table, gather, volume_in_lots
from rustybt.model import Panel, Tables, Tape


def build_tape(panel: Panel, tables: Tables, config: RunConfig) -> Tape | None:
    """The columns that the rules of a run read; None where they read none.

    Raises:
        DataError: the data lack what a cost needs.
        SpecError: a term of slippage is negative, or may see the future.
    """
    if panel.whole is not None:
        told = build_tape(panel.whole, tables, config)
        return None if told is None else told.part(panel.history, panel.whole.bars)
    day = panel.days if tables.tiers.shape[1] else None
    feeds = tuple(gather(config.costs, panel.assets)[1].feeds)
    by_volume = frozenset(asset.symbol for asset in panel.assets if config.costs.of(asset.symbol).by_volume)
    if day is None and not feeds and not by_volume:
        return None
    return Tape(
        day,
        volume_in_lots(panel, by_volume) if by_volume else None,
        feed_table(feeds, panel) if feeds else None,
    )
