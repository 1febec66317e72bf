"""Exact: rolling sums, means and variances of plain prices and volumes, computed on whole ticks.

In: a rolling node over ``close``, ``volume``, ``adj_open``, ... Out: an expression over running totals of ``ticks_<column>``.
Totals are Int64 and may wrap: a difference of two is exact as long as the window's own sum fits. So a value depends on the bars in its
window alone, never on where the frame starts, and equal sums give equal means.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model import Asset, Panel
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import body, call, kind

PRICES = ("open", "high", "low", "close")
PLAIN = frozenset({*PRICES, "volume", *(f"adj_{name}" for name in (*PRICES, "volume"))})
"""Columns that have whole ticks beside them."""
WINDOWS = frozenset({"Sum", "Mean", "Var", "Std"})
TIE_LIMIT = 2**53


@dataclass(frozen=True)
class Units:
    """What one tick of each asset is worth: the key from whole ticks back to prices and volumes.

    Args:
        assets: assets of the frame, any order.
        adj_digits: further decimals of adjusted ticks (`Panel.adj_digits`).

    Example:
        >>> Units((Asset.of("A", tick_size="0.05"),)).step("close", "A")
        Fraction(1, 20)
    """

    assets: tuple[Asset, ...]
    adj_digits: int = 0

    @classmethod
    def of(cls, source: Units | Panel | Iterable[Asset]) -> Units:
        """From a panel, or from assets whose adjusted ticks are as coarse as the raw ones."""
        if isinstance(source, Units):
            return source
        if isinstance(source, Panel):
            return cls(source.assets, source.adj_digits)
        return cls(tuple(source))

    def step(self, column: str, symbol: str) -> Fraction:
        """Price or volume of one tick."""
        asset = next(a for a in self.assets if a.symbol == symbol)
        return self._step(column, asset)

    def steps(self, column: str) -> dict[str, Fraction]:
        """Price or volume of one tick, by symbol."""
        return {asset.symbol: self._step(column, asset) for asset in self.assets}

    def common(self, column: str) -> Fraction | None:
        """The step of all assets, None when they differ."""
        found = {self._step(column, asset) for asset in self.assets}
        return found.pop() if len(found) == 1 else None

    def _step(self, column: str, asset: Asset) -> Fraction:
        raw = Fraction(asset.volume_step if column.endswith("volume") else asset.tick_size)
        return raw / 10**self.adj_digits if column.startswith("adj_") else raw


@dataclass(frozen=True)
class Rolling:
    """A rolling window over a plain column.

    Attributes:
        column: frame column, such as ``close``.
        function: ``Sum``, ``Mean``, ``Var`` or ``Std``.
        size: bars in the window.
        least: values it needs (min_samples).
        ddof: delta degrees of freedom of ``Var`` and ``Std``.
    """

    column: str
    function: str
    size: int
    least: int
    ddof: int = 1

    @property
    def squares(self) -> bool:
        """Whether it needs sums of squares."""
        return self.function in ("Var", "Std")


def rolling_of(tree: Tree, column: str | None) -> Rolling | None:
    """The exact window of a rolling node whose input is a plain column; None when it is not one."""
    if column not in PLAIN or kind(tree) != "Function" or call(tree)[0] != "RollingExpr":
        return None
    held = body(tree)["function"]["RollingExpr"]
    options, function = held["options"], held["function"]
    if function not in WINDOWS or options["weights"] is not None or options["center"]:
        return None
    ddof = (options["fn_params"] or {}).get("Var", {}).get("ddof", 1)
    return Rolling(str(column), function, options["window_size"], options["min_periods"], ddof)


def fits(ticks: npt.NDArray[np.int64], size: int) -> bool:
    """Whether the variance of every window of a size fits 64 bits: ``size * range`` at most 2^32.

    The scaled variance ``n * sum(x^2) - sum(x)^2`` is at most ``(n * range / 2)^2``. Wider ticks take 128 bits.

    Example:
        >>> fits(np.array([0, 10**6]), 20), fits(np.array([0, 10**9]), 20)
        (True, False)
    """
    return len(ticks) == 0 or (int(ticks.max()) - int(ticks.min())) * size <= isqrt(2**64)


def tie_warning(windows: Iterable[Rolling], largest: dict[str, int]) -> str | None:
    """A sentence when means of two windows over one column may compare wrongly; None when ties are ties.

    Two correctly rounded means are equal exactly when the exact means are, as long as ``max(ticks) * f * s`` is below 2^53.

    Args:
        windows: exact windows of the plan.
        largest: largest magnitude of the ticks, by column.
    """
    for column in sorted({w.column for w in windows if w.function == "Mean"}):
        sizes = sorted({w.size for w in windows if w.column == column and w.function == "Mean"})[-2:]
        if len(sizes) == 2 and largest.get(column, 0) * sizes[0] * sizes[1] >= TIE_LIMIT:
            return (
                f"means of {column!r} over {sizes[0]} and {sizes[1]} bars reach {largest[column]} ticks: near-ties may compare by rounding;"
                " a coarser tick size keeps them exact"
            )
    return None


class Totals(Protocol):
    """Where running totals are read: at the row itself, and before the first row of its window."""

    def now(self, name: str) -> pl.Expr:
        """Running total at the row."""

    def before(self, name: str, size: int, whole: bool) -> pl.Expr:
        """Running total before the window; ``whole``: null where the window starts before the asset's first bar."""

    def bars(self, size: int) -> pl.Expr:
        """Bars in the window, fewer at the start of an asset."""


@dataclass(frozen=True)
class Facts:
    """What the data say about one exact window.

    Attributes:
        step: price of a tick when all assets share it, else None (columns ``__num_<column>`` and ``__den_<column>`` hold it).
        nulls: whether the ticks have nulls.
        wide: whether squares need 128 bits.
    """

    step: Fraction | None
    nulls: bool = False
    wide: bool = False


def window_expr(window: Rolling, facts: Facts, totals: Totals) -> pl.Expr:
    """The expression of an exact window in price or volume units."""
    whole = window.least >= window.size and not facts.nulls

    def total(name: str) -> pl.Expr:
        return totals.now(f"{name}_{window.column}") - totals.before(f"{name}_{window.column}", window.size, whole)

    if facts.nulls:
        count: Any = total("__count")
    else:
        count = window.size if whole else totals.bars(window.size)
    value = _value(window, facts, count, total)
    if whole or (window.least == 0 and window.function == "Sum"):
        return value
    return pl.when(count >= max(window.least, 1)).then(value)


def _value(window: Rolling, facts: Facts, count: Any, total: Any) -> pl.Expr:
    num: Any
    den: Any
    if facts.step is None:
        num, den = pl.col(f"__num_{window.column}"), pl.col(f"__den_{window.column}")
    else:
        num, den = facts.step.numerator, facts.step.denominator
    if window.function == "Sum":
        return _ratio(_times(total("__sum"), num), den)
    if window.function == "Mean":
        return _ratio(_times(total("__sum"), num), count * den)
    one, two = total("__sum"), total("__wide" if facts.wide else "__square")
    if facts.wide:
        one = one.cast(pl.Int128)
        spread: Any = two * (count.cast(pl.Int128) if isinstance(count, pl.Expr) else pl.lit(count, dtype=pl.Int128)) - one * one
    else:
        spread = (two * count - one * one).reinterpret(signed=False)
    scale = _float(num) * _float(num)
    below = _float(count) * (_float(count) - float(window.ddof)) * (_float(den) * _float(den))
    variance = spread.cast(pl.Float64) / below if isinstance(num, int) and num == 1 else spread.cast(pl.Float64) * scale / below
    value = variance.sqrt() if window.function == "Std" else variance
    enough = count > window.ddof
    return pl.when(enough).then(value) if isinstance(count, pl.Expr) else (value if enough else pl.lit(None, dtype=pl.Float64))


def _times(ticks: pl.Expr, num: Any) -> pl.Expr:
    return ticks if isinstance(num, int) and num == 1 else ticks * num


def _ratio(ticks: pl.Expr, den: Any) -> pl.Expr:
    return ticks.cast(pl.Float64) if isinstance(den, int) and den == 1 else ticks / _float(den)


def _float(value: Any) -> Any:
    return value.cast(pl.Float64) if isinstance(value, pl.Expr) else float(value)


def running(ticks: pl.Series, name: str) -> tuple[pl.Series, pl.Series]:
    """Running total of ticks, and the total before each row. Name: ``__sum``, ``__square``, ``__wide`` or ``__count``.

    Example:
        >>> [s.to_list() for s in running(pl.Series([3, None, 4]), "__sum")]
        [[3, 3, 7], [0, 3, 3]]
    """
    if name == "__wide":
        wide = ticks.fill_null(0).cast(pl.Int128)
        after = (wide * wide).cum_sum()
        return after, after.shift(1, fill_value=0)
    if name == "__count":
        values = ticks.is_not_null().to_numpy().astype(np.int64)
    else:
        values = (ticks.fill_null(0) if ticks.null_count() else ticks).to_numpy()
    if name == "__square":
        values = values * values
    held = np.empty(len(values) + 1, np.int64)
    held[0] = 0
    np.cumsum(values, out=held[1:])
    return pl.Series(held[1:]), pl.Series(held[:-1])
