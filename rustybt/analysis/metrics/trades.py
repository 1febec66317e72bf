"""Statistics of round trips."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.analysis.metrics.curve import Floats, Ints
from rustybt.errors import DataError

_NEEDED = ("pnl", "return", "bars_held")


@dataclass(frozen=True)
class Trades:
    """Closed round trips as arrays of equal length, in order of exit.

    Attributes:
        pnl: Float64 profit after fees, currency of the account.
        returns: Float64 profit / entry notional.
        bars_held: Int64 bars from entry to exit.
        long: whether each was long.
        open: round trips not closed by the last bar; they are in no statistic.
        mae, mfe: worst and best excursion as a fraction of the entry price (mae <= 0 <= mfe), where known.
    """

    pnl: Floats
    returns: Floats
    bars_held: Ints
    long: npt.NDArray[np.bool_]
    open: int = 0
    mae: Floats | None = None
    mfe: Floats | None = None

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Trades:
        """Read a trades frame.

        Args:
            frame: columns ``pnl`` and ``return`` (``pnl_home`` and ``return_home`` where it has them: a run of several currencies) and
                ``bars_held``; ``side`` ("long" / "short") or a signed ``quantity``; ``exit_ts``
                null while open; ``mae`` and ``mfe`` if known. Decimal columns are read as the nearest Float64.

        Raises:
            DataError: a column is missing.

        Example:
            >>> frame = pl.DataFrame({"pnl": [12.5, -4.0], "return": [0.05, -0.02], "bars_held": [3, 1], "side": ["long", "short"]})
            >>> Trades.from_frame(frame).long.tolist()
            [True, False]
        """
        missing = [name for name in _NEEDED if name not in frame.columns]
        if missing:
            raise DataError(f"no column {', '.join(missing)}", where="trades frame", do=f"give the columns {', '.join(_NEEDED)}")
        total = frame.height
        if "exit_ts" in frame.columns:
            frame = frame.filter(pl.col("exit_ts").is_not_null()).sort("exit_ts", maintain_order=True)
        return cls(
            pnl=_floats(frame, "pnl_home" if "pnl_home" in frame.columns else "pnl"),
            returns=_floats(frame, "return_home" if "return_home" in frame.columns else "return"),
            bars_held=frame["bars_held"].cast(pl.Int64).to_numpy(),
            long=_long(frame),
            open=total - frame.height,
            mae=_floats(frame, "mae") if "mae" in frame.columns else None,
            mfe=_floats(frame, "mfe") if "mfe" in frame.columns else None,
        )

    def statistics(self) -> dict[str, float]:
        """The numbers of the round trips.

        A trade wins when its profit after fees is above zero and loses when it is below; one of exactly zero does neither but counts.
        ``win_rate`` = wins / trades; ``profit_factor`` = sum of wins / |sum of losses|, NaN without a loss; ``payoff_ratio`` = average
        win / |average loss|; ``expectancy`` = mean profit, ``expectancy_return`` = mean return per trade.
        Source: Tharp, Trade Your Way to Financial Freedom, 2nd ed.

        Example:
            >>> trades = Trades(np.array([30.0, -10.0]), np.array([0.03, -0.01]), np.array([4, 2]), np.array([True, True]))
            >>> trades.statistics()["profit_factor"], trades.statistics()["expectancy"]
            (3.0, 10.0)
        """
        n = len(self.pnl)
        won, lost = self.pnl[self.pnl > 0], self.pnl[self.pnl < 0]
        gain, loss = float(won.sum()), -float(lost.sum())
        average_win, average_loss = _mean(won), _mean(lost)
        out = {
            "trades": float(n),
            "open_trades": float(self.open),
            "long_trades": float(np.count_nonzero(self.long)),
            "short_trades": float(n - np.count_nonzero(self.long)),
            "win_rate": len(won) / n if n else math.nan,
            "profit_factor": gain / loss if loss > 0 else math.nan,
            "average_win": average_win,
            "average_loss": average_loss,
            "payoff_ratio": average_win / -average_loss if len(won) and len(lost) else math.nan,
            "expectancy": _mean(self.pnl),
            "expectancy_return": _mean(self.returns),
            "best_trade": float(self.returns.max()) if n else math.nan,
            "worst_trade": float(self.returns.min()) if n else math.nan,
            "average_bars_held": _mean(self.bars_held),
            "longest_winning_run": float(longest_run(self.pnl > 0)),
            "longest_losing_run": float(longest_run(self.pnl < 0)),
        }
        if self.mae is not None:
            out["average_mae"] = _mean(self.mae)
        if self.mfe is not None:
            out["average_mfe"] = _mean(self.mfe)
        return out


def longest_run(flags: npt.NDArray[np.bool_]) -> int:
    """Length of the longest unbroken run of True.

    Example:
        >>> longest_run(np.array([True, False, True, True]))
        2
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0


def _mean(values: Floats | Ints) -> float:
    return float(values.mean()) if len(values) else math.nan


def _floats(frame: pl.DataFrame, name: str) -> Floats:
    return frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _long(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    if "side" in frame.columns:
        side = frame["side"]
        if side.dtype.is_numeric():
            return (side > 0).to_numpy()
        return side.cast(pl.String).str.to_lowercase().is_in(["long", "buy"]).to_numpy()
    if "quantity" in frame.columns:
        return (frame["quantity"].cast(pl.Float64) > 0).to_numpy()
    return np.ones(frame.height, dtype=np.bool_)
