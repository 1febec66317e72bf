"""Tested stretches put one behind the other, to the last digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.metrics import Curve, measure
from rustybt.data.cut import until
from rustybt.engine import Result, RunConfig, run_configured
from rustybt.ledger.money import decimal_column
from rustybt.model import Panel
from rustybt.spec import Strategy
from rustybt.sweeps.splits import Span, instant


@dataclass(frozen=True)
class Piece:
    """One tested stretch.

    Attributes:
        span: bars of the data.
        curve: balances after each of them; it opens with what the piece before ended with.
        opening: cash at its beginning.
        fills: executions.
        metrics: of the stretch.
    """

    span: Span
    curve: Curve
    opening: Decimal
    fills: int
    metrics: Mapping[str, Any]

    @property
    def final(self) -> Decimal:
        """Equity after the last bar."""
        return Decimal(int(self.curve.equity[-1])).scaleb(-self.curve.money_scale)

    @property
    def held(self) -> float:
        """Gross value of what is held after the last bar, as a fraction of equity."""
        equity = int(self.curve.equity[-1])
        return int(self.curve.gross[-1]) / equity if equity > 0 else 0.0

    @property
    def bankrupt(self) -> bool:
        """Whether nothing is left to begin the next stretch with."""
        return int(self.curve.equity[-1]) <= 0


def run_span(strategy: Strategy, panel: Panel, span: Span, config: RunConfig) -> Result:
    """A strategy on some bars, which begins there with the cash of the configuration and knows the bars before."""
    first, stop = span
    return run_configured({strategy.name: strategy}, until(panel, stop), replace(config, trade_from=instant(panel, first)))


def cash_piece(panel: Panel, span: Span, cash: Decimal, config: RunConfig) -> Piece:
    """A stretch in which cash is held."""
    at, units = slice(*span), int(cash.scaleb(config.money_scale))
    same = np.full(span[1] - span[0], units, dtype=np.int64)
    curve = Curve(panel.ts[at], panel.sessions[at], same, same, np.zeros_like(same), config.money_scale, units)
    return Piece(span, curve, cash, 0, measure(curve))


def joined(pieces: Sequence[Piece], config: RunConfig) -> Curve:
    """One curve through all pieces. Nothing is scaled: each piece was run with what the one before has left.

    Raises:
        AssertionError: a piece does not begin with that, which is a fault of the program.
    """
    for before, after in pairwise(pieces):
        assert after.curve.opening == int(before.curve.equity[-1]), "a window does not begin with what the one before has left"
    parts = [piece.curve for piece in pieces]
    names = ("ts", "sessions", "equity", "cash", "gross")
    ts, sessions, equity, cash, gross = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    return Curve(ts, sessions, equity, cash, gross, money_scale=config.money_scale, opening=parts[0].opening)


def stitched_frame(pieces: Sequence[Piece], config: RunConfig) -> pl.DataFrame:
    """Balances through all pieces.

    Returns:
        ts (Datetime us UTC), session (Date), step (UInt32: the window), equity (Decimal).
    """
    frames = [
        pl.DataFrame(
            {
                "ts": pl.Series(piece.curve.ts).cast(pl.Datetime("us", "UTC")),
                "session": pl.Series(piece.curve.sessions.astype(np.int32)).cast(pl.Date),
                "step": pl.Series([at] * piece.curve.bars, dtype=pl.UInt32),
                "equity": decimal_column("equity", piece.curve.equity, config.money_scale),
            }
        )
        for at, piece in enumerate(pieces)
    ]
    return pl.concat(frames)
