"""Evaluated targets become whole lots, money units or 1e-12 weights, offered to the kernel bar by bar."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import ConfigError, SpecError
from rustybt.model import Asset, Panel, Plan, TargetKind
from rustybt.model.decimals import LIMIT, WEIGHT
from rustybt.model.panel import Ints

Floats = npt.NDArray[np.float64]
Picked = tuple[pl.Series, npt.NDArray[np.int32], npt.NDArray[np.int32]]
"""Targets in user units without nulls, their bars and their asset columns."""
NEAR = 1e-9
MOST = 10**38
"""More than a Decimal of Polars can hold."""


@dataclass(frozen=True)
class Targets:
    """The target of one sleeve on evaluated rows.

    Attributes:
        kind: what the numbers mean.
        bar: (rows,) bar index; column: (rows,) asset column; value: (rows,) Int64 in units of the kind. Null targets are left out.
            Sorted by (column, bar).
    """

    kind: TargetKind
    bar: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    value: Ints


def quantise(
    values: pl.Series | Floats, columns: npt.NDArray[np.int32], kind: TargetKind, assets: tuple[Asset, ...], money_scale: int
) -> Ints:
    """Targets as whole numbers.

    Args:
        values: null-free numbers in user units: weight, money or quantity; floats may come as an array.
        columns: asset column of each value.
        kind: what they mean.
        assets: in column order.
        money_scale: decimals of a money unit.

    Returns:
        (rows,) Int64. Weights and money are rounded half-even. A quantity in Float64 within one part in 1e9 of a whole number of lots is
        that number; else quantities are cut toward zero. Decimals are worked on exactly, with any number of digits.

    Raises:
        SpecError: a value too large to hold.
    """
    if kind is TargetKind.WEIGHT:
        return _fit(np.rint(_scaled(values, float(WEIGHT))), columns, assets)
    if kind is TargetKind.NOTIONAL:
        if isinstance(values, pl.Series) and values.dtype.is_decimal():
            return _decimals(values, Fraction(10**money_scale), True, columns, assets)
        return _fit(np.rint(_scaled(values, float(10**money_scale))), columns, assets)
    sizes = {asset.lot_size for asset in assets}
    if isinstance(values, pl.Series) and are_units(values, kind, assets):
        return _integers(values, columns, assets)
    if isinstance(values, pl.Series) and values.dtype.is_decimal() and len(sizes) == 1:
        return _decimals(values, 1 / Fraction(next(iter(sizes))), False, columns, assets)
    per_unit = np.array([_as_float(1 / asset.lot_size) for asset in assets])
    exact = _scaled(values, per_unit[0] if len(sizes) == 1 else per_unit[columns])
    nearest = np.rint(exact)
    with np.errstate(invalid="ignore"):
        close = np.abs(exact - nearest) <= NEAR * np.maximum(1.0, np.abs(nearest))
    return _fit(np.where(close, nearest, np.trunc(exact)), columns, assets)


def are_units(values: pl.Series, kind: TargetKind, assets: tuple[Asset, ...]) -> bool:
    """Whether targets in user units are whole units as they are."""
    return kind is TargetKind.QUANTITY and values.dtype.is_integer() and all(asset.lot_size == 1 for asset in assets)


def _scaled(values: pl.Series | Floats, factor: Any) -> Floats:
    """Floats in units; what overflows becomes infinite and is refused later."""
    floats = values.cast(pl.Float64).to_numpy() if isinstance(values, pl.Series) else values
    with np.errstate(over="ignore"):
        scaled: Floats = floats * factor
    return scaled


def _as_float(number: object) -> float:
    return float(str(number))


def _integers(values: pl.Series, columns: npt.NDArray[np.int32], assets: tuple[Asset, ...]) -> Ints:
    """Whole lots as they are; what Int64 cannot hold has become null."""
    whole = values.cast(pl.Int64, strict=False)
    units: Ints = (whole.fill_null(LIMIT) if whole.null_count() else whole).to_numpy()
    if len(units) and (units.min() <= -LIMIT or units.max() >= LIMIT):
        _check((units <= -LIMIT) | (units >= LIMIT), values, columns, assets)
    return units


def _decimals(values: pl.Series, per_unit: Fraction, halves: bool, columns: npt.NDArray[np.int32], assets: tuple[Asset, ...]) -> Ints:
    """Decimals in units, in whole numbers all the way: rounded half-even, or cut toward zero."""
    assert isinstance(values.dtype, pl.Decimal)
    rough = _scaled(values, float(per_unit))
    _check(np.abs(rough) >= LIMIT, rough, columns, assets)
    share = per_unit / 10**values.dtype.scale
    if share.denominator > MOST:
        return np.zeros(len(values), dtype=np.int64)  # less than a lot, whatever they are
    above, below = (pl.lit(number, dtype=pl.Int128) for number in (share.numerator, share.denominator))
    exact = pl.DataFrame({"x": values.to_physical()}).select(x=pl.col("x") * above).with_columns(units=pl.col("x") // below)
    units, rest = pl.col("units"), pl.col("x") - pl.col("units") * below
    if halves:
        more = (rest > below - rest) | ((rest == below - rest) & (units % 2 != 0))
    else:
        more = (pl.col("x") < 0) & (rest != 0)
    found: Ints = exact.select((units + more.cast(pl.Int128)).cast(pl.Int64)).to_series().to_numpy()
    return found


def _fit(numbers: npt.NDArray[np.float64], columns: npt.NDArray[np.int32], assets: tuple[Asset, ...]) -> Ints:
    with np.errstate(invalid="ignore"):
        bad = ~(np.abs(numbers) < LIMIT)
    _check(bad, numbers, columns, assets)
    return numbers.astype(np.int64)


def _check(bad: npt.NDArray[np.bool_], numbers: Any, columns: npt.NDArray[np.int32], assets: tuple[Asset, ...]) -> None:
    """Refuse targets, naming the first bad one."""
    if bad.any():
        where = int(np.flatnonzero(bad)[0])
        raise SpecError(
            f"a target is NaN, infinite or too large ({float(numbers[where]):g} units)",
            where=f"target, asset {assets[int(columns[where])].symbol!r}",
            do="guard divisions with pl.when(...), or use a coarser lot_size",
            row=where,
        )


def changes(targets: Targets) -> Targets:
    """Only the rows whose value differs from the one before of the same asset, and each asset's first."""
    rows = _changed(targets.value, targets.column)
    return targets if rows is None else Targets(targets.kind, targets.bar[rows], targets.column[rows], targets.value[rows])


def altered(values: pl.Series, bar: npt.NDArray[np.int32], column: npt.NDArray[np.int32]) -> Picked:
    """The same of values in user units: equal ones come to equal units, so only these need be turned into units."""
    if not (values.dtype.is_float() or values.dtype.is_integer()):
        return values, bar, column
    numbers = values.to_numpy()
    rows = _changed(numbers, column)
    return (values, bar, column) if rows is None else (pl.Series(numbers[rows]), bar[rows], column[rows])


def _changed(value: npt.NDArray[Any], column: npt.NDArray[np.int32]) -> npt.NDArray[np.intp] | None:
    """Rows whose value differs from the one before of the same asset, and each asset's first; None = all. A NaN differs from all."""
    keep = np.empty(len(value), dtype=bool)
    keep[:1] = True
    np.not_equal(value[1:], value[:-1], out=keep[1:])
    if len(column) and column[0] != column[-1]:
        keep[1:] |= column[1:] != column[:-1]
    return None if keep.all() else np.flatnonzero(keep)


def check_weights(targets: Targets, gross: int, ts: Ints) -> None:
    """Refuse weights whose magnitudes sum to more than the gross limit at some bar.

    Raises:
        ConfigError: naming the first such bar, the sum and the limit.
    """
    if targets.kind is not TargetKind.WEIGHT or not len(targets.value):
        return
    limit = gross * (WEIGHT // 10**8)
    if targets.column[0] == targets.column[-1]:
        sums, bars = np.abs(targets.value), targets.bar
        slack = 1
    else:
        sums = np.bincount(targets.bar, weights=np.abs(targets.value))
        bars = np.arange(len(sums), dtype=np.int32)
        slack = int(targets.column.max()) + 2
    over = sums > limit + slack
    if over.any():
        first = int(np.flatnonzero(over)[0])
        when = np.datetime64(int(ts[bars[first]]), "us")
        raise ConfigError(
            f"target weights add up to {sums[first] / WEIGHT:.6g} but max_gross is {gross / 10**8:g}",
            where=f"target, {when}Z",
            do=f"scale the weights down or pass max_gross={float(np.ceil(sums[first] / WEIGHT * 100) / 100):g}",
        )


def build_plan(sleeves: list[Targets], bars: int, assets: int) -> Plan:
    """The offers of all sleeves in bar order, then slot order."""
    if len(sleeves) == 1 and (not len(sleeves[0].column) or sleeves[0].column[0] == sleeves[0].column[-1]):
        only = sleeves[0]
        bar, slot, value = only.bar, only.column, only.value
    else:
        bar = np.concatenate([s.bar for s in sleeves])
        slot = np.concatenate([s.column + np.int32(k * assets) for k, s in enumerate(sleeves)])
        value = np.concatenate([s.value for s in sleeves])
        order = np.lexsort((slot, bar))
        bar, slot, value = bar[order], slot[order], value[order]
    return Plan(bars, bar, slot, value, sound=True)


def row_columns(panel: Panel, rows: npt.NDArray[np.integer] | None) -> npt.NDArray[np.int32]:
    """Asset column of frame rows; of all rows when None."""
    if len(panel.assets) == 1:
        return np.broadcast_to(np.int32(0), panel.frame.height if rows is None else len(rows))
    if rows is None:
        return np.repeat(np.arange(len(panel.assets), dtype=np.int32), np.diff(panel.offsets))
    return np.repeat(np.arange(len(panel.assets), dtype=np.int32), np.diff(np.searchsorted(rows, panel.offsets)))
