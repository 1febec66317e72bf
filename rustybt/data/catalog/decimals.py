"""Bars as exact decimals: whole numbers of the last decimal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import polars as pl

from rustybt.model import Asset, Panel

DIGITS = 18
"""Of a decimal that is kept as a whole number."""
LONG = 10**DIGITS
"""Ticks that are not."""
SIGN = 63
"""Place of the sign in a word."""


class Bars(Protocol):
    """Bars in order of asset and time, wherever they lie.

    Attributes:
        assets: in byte order of their symbols.
        height: rows.
        trusted: names of the extra columns.
        whole: the panel that they are of, where all of it is in memory.
    """

    @property
    def assets(self) -> tuple[Asset, ...]: ...  # noqa: D102 - of the class
    @property
    def height(self) -> int: ...  # noqa: D102
    @property
    def trusted(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def whole(self) -> Panel | None: ...  # noqa: D102

    def part(self, rows: slice) -> pl.DataFrame:
        """Some rows: ``ts``, ``asset``, ``session``, ``ticks_open`` .. ``ticks_volume`` and the extra columns."""

    def largest(self, name: str) -> int:
        """The ticks of a column that are farthest from zero, without their sign."""


class Exact:
    """Prices or volumes as decimals.

    Args:
        assets: in the order of their numbers.
        name: ``open`` .. ``volume``.
        largest: the ticks that are farthest from zero.

    Attributes:
        scale: decimals.
        short: whether they have at most `DIGITS` digits.
    """

    def __init__(self, assets: Sequence[Asset], name: str, largest: int) -> None:
        setting, scale = ("volume_step", "volume_scale") if name == "volume" else ("tick_size", "price_scale")
        self.name, self.scale = name, max(getattr(asset, scale) for asset in assets)
        self._units = [int(getattr(asset, setting).scaleb(self.scale)) for asset in assets]
        self.short = largest * max(self._units) < LONG

    def whole(self, rows: pl.DataFrame) -> pl.Series:
        """Rows as whole numbers of the last decimal: Int64 where they are short, else Int128."""
        kind = pl.Int64() if self.short else pl.Int128()
        ticks, units = rows[f"ticks_{self.name}"].cast(kind), pl.Series(self._units, dtype=kind)
        if set(self._units) == {1}:
            return ticks
        return ticks * (units[:1] if len(set(self._units)) == 1 else units.gather(rows["asset"].to_physical()))

    def same(self, here: pl.Series, rows: pl.DataFrame) -> bool:
        """Whether decimals that were read are those of rows."""
        if here.dtype != pl.Decimal(here.dtype.precision, self.scale) or here.null_count():  # type: ignore[attr-defined]
            return False
        whole = self.whole(rows)
        if not self.short:
            return here.to_physical().equals(whole)
        # Polars reads 128 bits. Their low word is the number, and the high one its sign.
        wide, want = here.to_arrow(), whole.to_numpy()
        words = np.frombuffer(wide.buffers()[1], np.int64).reshape(-1, 2)[wide.offset : wide.offset + len(wide)]
        return np.array_equal(words[:, 0], want) and np.array_equal(words[:, 1], want >> SIGN)

    def arrow(self, rows: pl.DataFrame) -> Any:
        """Rows as an Arrow array of decimals."""
        import pyarrow as pa

        whole = self.whole(rows)
        if not self.short:
            return whole.reinterpret(dtype=pl.Decimal(38, self.scale)).to_arrow()
        return pa.Array.from_buffers(pa.decimal64(DIGITS, self.scale), len(whole), [None, pa.py_buffer(whole.to_numpy())])
