"""Which finer bars lie inside which bar."""

from __future__ import annotations

import numpy as np

from rustybt.engine.clock import spacing
from rustybt.errors import ConfigError
from rustybt.model import Finer, Panel


def finer_of(panel: Panel, finer: Panel) -> Finer:
    """The finer bars inside the bars of a panel.

    A finer bar lies inside the first bar whose ``ts`` is not before its own. Those after the last bar belong to none.

    Raises:
        ConfigError: an asset has another tick size in the finer bars, these have none of the assets, or they are coarser.
    """
    if len(panel.ts) > 1 and len(finer.ts) > 1 and spacing(finer.ts) > spacing(panel.ts):
        raise ConfigError("the finer bars are coarser than the bars", where="run, finer", do="give bars of a shorter interval")
    if panel.assets and not set(panel.symbols) & set(finer.symbols):
        some = ", ".join(map(str, panel.symbols[:10]))
        raise ConfigError(
            f"the finer bars are of none of the assets, but of {finer.symbols[0]!r}", where="run, finer", do=f"give bars of {some}"
        )
    assets, places, rows = len(panel.assets), [], []
    known = {asset.symbol: column for column, asset in enumerate(finer.assets)}
    edges = finer.offsets.tolist()
    for column, asset in enumerate(panel.assets):
        other = known.get(asset.symbol)
        if other is None:
            continue
        if finer.assets[other].tick_size != asset.tick_size:
            raise ConfigError(
                f"the finer bars have ticks of {finer.assets[other].tick_size}, the bars of {asset.tick_size}",
                where=f"run, finer, asset {asset.symbol!r}",
                do="load both with the same tick_size",
            )
        own = np.arange(edges[other], edges[other + 1])
        bar = np.searchsorted(panel.ts, finer.ts[finer.row_bar[own]])
        inside = bar < panel.bars
        places.append(bar[inside] * assets + column)
        rows.append(own[inside])
    place = np.concatenate([*places, np.zeros(0, dtype=np.int64)])
    order = np.argsort(place, kind="stable")
    row = np.concatenate([*rows, np.zeros(0, dtype=np.int64)])[order].astype(np.int64)
    start = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=panel.bars * assets))]).astype(np.int64)
    prices = (finer.frame[f"ticks_{name}"].to_numpy()[row] for name in ("open", "high", "low"))
    return Finer(start, *(np.ascontiguousarray(price) for price in prices))
