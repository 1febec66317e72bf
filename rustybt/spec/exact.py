"""Exact: which rolling sums, means and variances are computed on whole ticks, and what ticks are worth.

In: a rolling node over ``close``, ``volume``, ``adj_open``, ... Out: its window, which `rustybt.spec.running` computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.errors import SpecError
from rustybt.model import Asset, Panel
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import body, call, kind

PRICES = ("open", "high", "low", "close")
PLAIN = frozenset({*PRICES, "volume", *(f"adj_{name}" for name in (*PRICES, "volume"))})
"""Columns that have whole ticks beside them."""
WINDOWS = frozenset({"Sum", "Mean", "Var", "Std"})
TIE_LIMIT, NARROW = 2**53, 2**32
MOST_BELOW = 2.0**52
"""What rolled sums are divided by is less."""
MOST_BARS = 2**32
"""Bars of a window beyond which it is taken as of so many: no frame has them, and their number times a price step fits 64 bits."""


@dataclass(frozen=True)
class Units:
    """What one tick of each asset is worth: the key from whole ticks back to prices and volumes.

    Args:
        assets: assets of the frame, any order.
        adj_digits: further decimals of adjusted ticks (`Panel.adj_digits`).

    Example:
        >>> Units((Asset.of("A", tick_size="0.05"),)).steps("close")
        {'A': Fraction(1, 20)}
    """

    assets: tuple[Asset, ...]
    adj_digits: int = 0
    _steps: dict[str, dict[str, Fraction]] = field(default_factory=dict, repr=False, compare=False)
    _shared: dict[Decimal, Fraction] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, source: Units | Panel | Iterable[Asset]) -> Units:
        """From a panel, or from assets whose adjusted ticks are as coarse as the raw ones."""
        if isinstance(source, Units):
            return source
        if isinstance(source, Panel):
            return cls(source.assets, source.adj_digits)
        return cls(tuple(source))

    def steps(self, column: str) -> dict[str, Fraction]:
        """Price or volume of one tick, by symbol."""
        if column not in self._steps:
            self._steps[column] = {asset.symbol: self._step(column, asset) for asset in self.assets}
        return self._steps[column]

    def along(self, column: str, symbols: Sequence[str], lengths: npt.NDArray[np.int64]) -> Step:
        """The steps of a frame's rows.

        Args:
            column: a plain column.
            symbols: assets of the frame, in the order of their rows.
            lengths: rows of each.

        Raises:
            SpecError: an asset of the frame is not among the assets.
        """
        steps = self.steps(column)
        try:
            found = [steps[symbol] for symbol in symbols]
        except KeyError as missing:
            do = "give the assets of the frame's panel"
            raise SpecError(f"no tick size is known for asset {missing.args[0]!r}", where="signal frame", do=do) from None
        one = found[0] if found else Fraction(1)
        if all(step is one or step == one for step in found):
            return Step(one.numerator, one.denominator)
        return Step(np.repeat([s.numerator for s in found], lengths), np.repeat([s.denominator for s in found], lengths))

    def _step(self, column: str, asset: Asset) -> Fraction:
        size = asset.volume_step if column.endswith("volume") else asset.tick_size
        size = size.scaleb(-self.adj_digits) if column.startswith("adj_") else size
        return self._shared.setdefault(size, Fraction(size))


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

    def rolls(self, step: Step) -> bool:
        """Whether its values are sums of ticks over one whole number that is not too large, and so can be rolled."""
        return not self.squares and np.ndim(step.num) == 0 and step.num == 1 and step.den * self.size < MOST_BELOW


def rolling_of(tree: Tree, column: str | None) -> Rolling | None:
    """The exact window of a rolling node whose input is a plain column; None when it is not one."""
    if column not in PLAIN or kind(tree) != "Function" or call(tree)[0] != "RollingExpr":
        return None
    held = body(tree)["function"]["RollingExpr"]
    options, function = held["options"], held["function"]
    if not isinstance(function, str) or function not in WINDOWS or options["weights"] is not None or options["center"]:
        return None
    ddof = (options["fn_params"] or {}).get("Var", {}).get("ddof", 1)
    size, least = (min(options[name], MOST_BARS) for name in ("window_size", "min_periods"))  # a longer one is never full either
    return Rolling(str(column), function, size, least, ddof)


def fits(ticks: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], size: int) -> bool:
    """Whether the variance of every window of a size fits 64 bits: ``size * range`` of each asset at most 2^32.

    The scaled variance ``n * sum(x^2) - sum(x)^2`` is at most ``(n * range / 2)^2``. Wider ticks take 128 bits, with the same result.

    Args:
        ticks: of all assets, one after the other.
        starts: first row of each asset.
        size: bars in the window.

    Example:
        >>> start = np.array([0, 1])
        >>> fits(np.array([0, 10**12]), start, 20), fits(np.array([0, 10**12]), start[:1], 20)
        (True, False)
    """
    return spread_of(ticks, starts) * size <= NARROW


def spread_of(ticks: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> int:
    """The widest range of the ticks of an asset, as `fits` takes it: one for all sizes.

    Example:
        >>> spread_of(np.array([0, 10**12]), np.array([0, 1])), spread_of(np.array([0, 9]), np.array([0]))
        (0, 9)
    """
    return int((np.maximum.reduceat(ticks, starts) - np.minimum.reduceat(ticks, starts)).max()) if len(ticks) else 0


def compared(windows: Iterable[Rolling]) -> dict[str, list[int]]:
    """Columns of which there are means of several lengths, which may be compared, and the two longest lengths of each.

    Example:
        >>> compared([Rolling("close", "Mean", size, size) for size in (5, 50, 20)] + [Rolling("open", "Mean", 5, 5)])
        {'close': [20, 50]}
    """
    sizes: dict[str, set[int]] = {}
    for window in windows:
        if window.function == "Mean":
            sizes.setdefault(window.column, set()).add(window.size)
    return {column: sorted(found)[-2:] for column, found in sorted(sizes.items()) if len(found) > 1}


def tie_warning(windows: Iterable[Rolling], largest: dict[str, int]) -> str | None:
    """A sentence when means of two windows over one column may compare wrongly; None when ties are ties.

    Two correctly rounded means are equal exactly when the exact means are, as long as ``max(ticks) * f * s`` is below 2^53.

    Args:
        windows: exact windows of the plan.
        largest: largest magnitude of the ticks, by column.
    """
    for column, sizes in compared(windows).items():
        if largest.get(column, 0) * sizes[0] * sizes[1] >= TIE_LIMIT:
            return (
                f"means of {column!r} over {sizes[0]} and {sizes[1]} bars reach {largest[column]} ticks: near-ties may compare by rounding;"
                " a coarser tick size keeps them exact"
            )
    return None


@dataclass(frozen=True)
class Facts:
    """What the data say about one exact window.

    Attributes:
        nulls: whether the ticks have nulls.
        wide: whether squares need 128 bits.
    """

    nulls: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Step:
    """Price or volume of one tick as a fraction, one for all rows or one per row."""

    num: Any
    den: Any

    def at(self, rows: Any) -> Step:
        """The step of some rows."""
        return self if np.ndim(self.num) == 0 else Step(self.num[rows], self.den[rows])
