"""Dividends and gains against the prices: out of scale, next to nothing, paid twice, adjusted wrongly or not at all."""

from __future__ import annotations

import math

import polars as pl

from rustybt.data.quality.findings import rows_where

DIVIDEND, GAIN = ("dividend", "dividends"), ("capital_gain", "capital_gains")
ADJUSTED = ("adj_close", "source_adj_close", "adj close", "adjusted_close")
SPLIT = ("split", "split_ratio", "stock_splits", "splits")
LARGE = 0.1
"""The least share of the close before from which the night has to show at least half of a dividend."""
SLIP = 100.0
"""A dividend that many times smaller than one beside it has slipped from whole units to hundredths."""
NEAR = 0.05
"""How far what the vendor adjusted by may be from the dividend."""
WITHIN = 10
"""Days within which a second dividend of nearly the same amount is taken for the same one."""
ALIKE = 1.5
"""Dividends beside each other are no farther apart, as a multiple: a final one is often larger than an interim one."""
TWOFOLD = 1.9
"""The least ratio of a split that can be told from dividends that vary."""
NOTHING = 0.0003
"""A dividend below that share of the close before is next to nothing: a third of the least yield of four payments a year, 0.1 %."""
FEW = 4
"""So many of them are a habit."""


def find_payments(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Wrong dividends and gains; nothing where there is no column of dividends.

    Args:
        frame: sorted by asset and time.
    """
    names = {kind[0]: next((name for name in frame.columns if name.lower() in kind), None) for kind in (DIVIDEND, GAIN, ADJUSTED, SPLIT)}
    if names["dividend"] is None:
        return []
    paid = _paid(frame, names)
    part, drop = pl.col("__paid") / pl.col("__before"), pl.col("__night") > (1 - pl.col("__part")).log() / 2
    paid = paid.with_columns(part.alias("__part"))
    unseen = (pl.col("__part") >= 1) | ((pl.col("__part") >= LARGE) & drop)
    beside = [pl.col("__paid").shift(by).over("asset") for by in (1, -1)]
    tiny = pl.any_horizontal((pl.col("__paid") * SLIP / one - 1).abs() < NEAR / 10 for one in beside)
    said = pl.format("{} is {} of the close before, and the night shows {}", "__paid", pl.col("__part").round(5), _move())
    again = pl.col("__paid").shift(-1).over("asset") / pl.col("__paid")
    soon = (pl.col("ts").shift(-1).over("asset") - pl.col("ts")).dt.total_days() <= WITHIN
    twice = soon & (again.log().abs() < math.log(1.1))
    paid = paid.with_columns(*_across())
    across = "{} on the day of a split of {}: in the units of its other side it would be {}, like the dividends beside it"
    said = pl.when("__across").then(pl.format(across, "__paid", "__split", pl.col("__fitting").round(6))).otherwise(said)
    found = [
        rows_where(paid, "dividend out of scale", (unseen | tiny | pl.col("__across")).fill_null(value=False), said),
        rows_where(
            paid, "dividend paid twice", twice.fill_null(value=False), pl.format("{} again within {} days", "__paid", pl.lit(WITHIN))
        ),
        _next_to_nothing(paid),
    ]
    return found if names["adj_close"] is None else [*found, *_adjusted(paid)]


def _across() -> list[pl.Expr]:
    """Dividends on the day of a split that are in the units of its other side: whether one is, and what would fit."""
    ratio, paid = pl.col("__split").log(), pl.col("__paid").log()
    # Where the prices show the split, dividends before it were paid for an old unit.
    shown = (pl.col("__night") + ratio).abs() <= ratio.abs() / 2
    beside = [paid.shift(by).over("asset") - (ratio * shown if by > 0 else 0.0) for by in (2, 1, -1, -2)]
    both = beside[1].is_not_null() & beside[2].is_not_null() & (ratio.abs() > math.log(TWOFOLD))

    def like(amount: pl.Expr) -> list[pl.Expr]:
        return [(amount - one).abs() < math.log(ALIKE) for one in beside]

    odd = both & ~pl.any_horizontal(one.fill_null(value=False) for one in like(paid))
    less, more = (odd & pl.all_horizontal(one.fill_null(value=True) for one in like(paid + by)) for by in (-ratio, ratio))
    fitting = pl.when(less).then(paid - ratio).otherwise(paid + ratio).exp()
    return [(less | more).fill_null(value=False).alias("__across"), fitting.alias("__fitting")]


def _next_to_nothing(paid: pl.DataFrame) -> pl.DataFrame:
    """Assets all of whose dividends are tiny, those aside that are a tenth of the price or more and so no habit; at the first one."""
    usual = paid.filter(pl.col("__part") < LARGE)
    counted = usual.with_columns(pl.col("__part").max().over("asset").alias("__most"), pl.len().over("asset").alias("__count"))
    said = pl.format(
        "{} dividends of {} % of the close before at most: one of the two may be in hundredths of the currency, as pence are",
        "__count",
        (pl.col("__most") * 100).round(4),
    )
    tiny = (pl.col("__most") < NOTHING) & (pl.col("__count") >= FEW)
    return rows_where(counted.unique("asset", keep="first", maintain_order=True), "dividends of next to nothing", tiny, said)


def _move() -> pl.Expr:
    return (pl.col("__night").exp() - 1).round(4)


def _paid(frame: pl.DataFrame, names: dict[str, str | None]) -> pl.DataFrame:
    """The rows with a dividend, each with the close before it, its night, its gain, and what the vendor adjusted by."""
    known = frame.filter(pl.col("close").is_not_null() & (pl.col("close") > 0))
    before = pl.col("close").shift(1).over("asset")
    gain = pl.lit(0.0) if names["capital_gain"] is None else pl.col(str(names["capital_gain"])).cast(pl.Float64).fill_null(0.0)
    split = pl.lit(1.0) if names["split"] is None else pl.col(str(names["split"])).cast(pl.Float64).fill_null(1.0)
    columns = [
        pl.col(str(names["dividend"])).cast(pl.Float64).fill_null(0.0).alias("__paid"),
        before.cast(pl.Float64).alias("__before"),
        (pl.col("open").log() - before.log()).alias("__night"),
        gain.alias("__gain"),
        pl.when(split > 0).then(split).otherwise(1.0).alias("__split"),
        split.is_in([0.0, 1.0]).alias("__whole"),
    ]
    if names["adj_close"] is not None:
        factor = pl.col(str(names["adj_close"])).cast(pl.Float64) / pl.col("close").cast(pl.Float64)
        step = factor / factor.shift(1).over("asset")
        columns += [(before * (1 - 1 / step)).alias("__by"), (pl.col("close") * (step - 1)).cast(pl.Float64).alias("__by_close")]
    paid = known.with_columns(columns).filter((pl.col("__paid") > 0) & pl.col("__before").is_not_null())
    if names["adj_close"] is None:
        return paid
    # Vendors divide by the close before or by that of the day: the one that fits better is theirs.
    nearer = (pl.col("__by_close") / pl.col("__paid") - 1).abs() < (pl.col("__by") / pl.col("__paid") - 1).abs()
    return paid.with_columns(pl.when(nearer).then("__by_close").otherwise("__by").alias("__by"))


def _adjusted(paid: pl.DataFrame) -> list[pl.DataFrame]:
    """Where the vendor's adjusted close does not step by the dividend."""
    ratio = pl.col("__by") / pl.col("__paid")
    whole = pl.col("__whole") & pl.col("__by").is_finite()
    twice = (pl.col("__gain") > 0) & ((pl.col("__by") / (pl.col("__paid") + pl.col("__gain")) - 1).abs() < NEAR / 2)
    twice &= (ratio - 1).abs() > NEAR
    absent = ratio.abs() < NEAR / 5
    wrong = ((ratio - 1).abs() > NEAR) & ~twice & ~absent
    said = pl.format("{} was paid, the adjusted close steps by {}", "__paid", pl.col("__by").round(6))
    return [
        rows_where(
            paid,
            "gain counted twice",
            whole & twice,
            pl.format("{} with a gain of {} in it, adjusted by {}", "__paid", "__gain", pl.col("__by").round(4)),
        ),
        rows_where(paid, "dividend not adjusted for", whole & absent & ~twice, said),
        rows_where(paid, "dividend adjusted wrongly", whole & wrong, said),
    ]
