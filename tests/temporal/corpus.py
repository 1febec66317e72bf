"""Leaks beside their clean look-alikes, as data: (name, leak, clean).

To add one: a pair here. A leak must be refused with the offending part shown; its look-alike must pass, and must really be past-only.
``HIDING`` puts every one of ``BARE`` where an author might not notice it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import polars as pl

warnings.simplefilter("ignore", DeprecationWarning)

c, o, h, low, v = (pl.col(name) for name in ("close", "open", "high", "low", "volume"))
ts, asset, vendor, n, label, flag = (pl.col(name) for name in ("ts", "asset", "vendor", "n", "label", "flag"))
day = ts.dt.date()

type Pair = tuple[str, pl.Expr, pl.Expr]

ROWS: list[Pair] = [
    ("shift", c.shift(-1), c.shift(1)),
    ("shift by five", h.shift(-5), h.shift(5)),
    ("shift of a sum", (c + o).shift(-2), (c + o).shift(2)),
    ("shift and fill", c.shift(-1, fill_value=0.0), c.shift(1, fill_value=0.0)),
    ("shift filled from the end", c.shift(1, fill_value=o.last()), c.shift(1).fill_null(o.first())),
    ("shift by a column", c.shift(n.last()), c.shift(pl.lit(2))),
    ("shift by a computed number", c.shift(-pl.lit(1)), c.shift(pl.lit(1, dtype=pl.Int8))),
    ("diff", c.diff(-1), c.diff(1)),
    ("diff by three", v.diff(-3), v.diff(3)),
    ("pct_change", c.pct_change(-1), c.pct_change(1)),
    ("forward return", c.pct_change(5).shift(-5), c.pct_change(5).shift(5)),
    ("forward label", (c.shift(-1) > c).cast(pl.Int8), (c > c.shift(1)).cast(pl.Int8)),
    ("two shifts", c.shift(3).shift(-4), c.shift(3).shift(4)),
    ("shift half undone", c.shift(-2).shift(1), c.shift(1).shift(1)),
    ("scoped shift", c.shift(-1).over("asset"), c.shift(1).over("asset")),
    ("shift in a session", c.shift(-1).over("asset", "session"), c.shift(1).over("asset", "session")),
    ("overnight gap", o.shift(-1) / c, o / c.shift(1)),
    ("tomorrow's high", h.shift(-1) > h.rolling_max(5), h > h.rolling_max(5).shift(1)),
    ("backward fill", vendor.backward_fill(), vendor.forward_fill()),
    ("backward fill, limited", vendor.backward_fill(2), vendor.forward_fill(2)),
    ("fill strategy", vendor.fill_null(strategy="backward"), vendor.fill_null(strategy="forward")),
    ("fill strategy, limited", vendor.fill_null(strategy="backward", limit=1), vendor.fill_null(strategy="forward", limit=1)),
    ("fill with the minimum", vendor.fill_null(strategy="min"), vendor.fill_null(strategy="zero")),
    ("fill with the maximum", vendor.fill_null(strategy="max"), vendor.fill_null(strategy="one")),
    ("fill with the mean", vendor.fill_null(strategy="mean"), vendor.fill_null(vendor.mean().over("ts"))),
    ("fill with the median", vendor.fill_null(vendor.median()), vendor.fill_null(0.0)),
    ("interpolate", vendor.interpolate(), vendor.forward_fill().rolling_mean(2)),
    ("interpolate nearest", vendor.interpolate("nearest"), vendor.forward_fill(1)),
    ("interpolate by time", vendor.interpolate_by("ts"), vendor.ewm_mean_by("ts", half_life="2h")),
    ("peak", c.peak_max(), (c.shift(1) > c) & (c.shift(1) > c.shift(2))),
    ("trough", c.peak_min(), (c.shift(1) < c) & (c.shift(1) < c.shift(2))),
    ("reverse", c.reverse(), -c),
    ("sort", c.sort(), c.sort().over("ts")),
    ("sort by", c.sort_by("volume"), c.sort_by("volume").last().over("ts")),
    ("arg sort", c.arg_sort(), c.arg_sort().over("ts")),
]

WINDOWS: list[Pair] = [
    ("mean", c.mean(), c.rolling_mean(5)),
    ("demean", c - c.mean(), c - c.rolling_mean(5)),
    ("z-score", (c - c.mean()) / c.std(), (c - c.rolling_mean(9)) / c.rolling_std(9)),
    ("scoped mean", c.mean().over("asset"), c.mean().over("ts")),
    ("min-max scaling", (c - c.min()) / (c.max() - c.min()), (c - c.rolling_min(9)) / (c.rolling_max(9) - c.rolling_min(9))),
    ("sum", v.sum(), v.rolling_sum(5)),
    ("std", c.std(), c.rolling_std(5)),
    ("variance", c.var(), c.rolling_var(5)),
    ("median", c.median(), c.rolling_median(5)),
    ("quantile", c.quantile(0.9), c.rolling_quantile(0.9, window_size=7)),
    ("skew", c.skew(), c.rolling_skew(7)),
    ("kurtosis", c.kurtosis(), c.rolling_kurtosis(7)),
    ("rank", c.rank(), c.rank().over("ts")),
    ("percentile rank", c.rank() / pl.len(), c.rank().over("ts") / pl.len().over("ts")),
    ("rolling rank", c.rank().over("asset"), c.rolling_rank(8)),
    ("correlation", pl.corr("close", "volume"), pl.rolling_corr(c, v, window_size=8)),
    ("covariance", pl.cov("close", "volume"), pl.rolling_cov(c, v, window_size=8)),
    ("quantile bins", c.qcut(4).cast(pl.String), c.qcut(4, allow_duplicates=True).cast(pl.String).over("ts")),
    ("even bins", c.bin_intervals(4, labels=False), c.bin_intervals([9.9, 10.0, 10.1], labels=False)),
    ("rank bins", c.bin_ranks(2, labels=False), c.bin_ranks(2, labels=False).over("ts")),
    ("quantile bins, scoped", c.bin_quantiles(2, labels=False), c.bin_quantiles(2, labels=False).over("ts")),
    ("centred mean", c.rolling_mean(5, center=True), c.rolling_mean(5)),
    ("centred maximum", h.rolling_max(3, center=True), h.rolling_max(3)),
    ("centred minimum", low.rolling_min(4, center=True), low.rolling_min(4)),
    ("centred sum", v.rolling_sum(3, center=True), v.rolling_sum(3, min_samples=1)),
    ("centred median", c.rolling_median(3, center=True), c.rolling_median(3)),
    ("centred deviation", c.rolling_std(5, center=True), c.rolling_std(5)),
    ("centred quantile", c.rolling_quantile(0.5, window_size=3, center=True), c.rolling_quantile(0.5, window_size=3)),
    ("centred weights", c.rolling_mean(3, weights=[1.0, 2.0, 1.0], center=True), c.rolling_mean(3, weights=[1.0, 2.0, 3.0])),
    ("window moved ahead", c.rolling_mean(5).shift(-2), c.rolling_mean(5).shift(2)),
    ("by another column", c.rolling_mean_by("n", "2i"), c.rolling_mean_by("ts", "2h")),
    ("sum by another column", v.rolling_sum_by(n, "2i"), v.rolling_sum_by("ts", "6h", closed="both")),
    ("maximum by a shifted time", c.rolling_max_by(ts.shift(-1), "3h"), c.rolling_max_by("ts", "3h", closed="left")),
    ("offset window", c.sum().rolling("ts", period="3h", offset="-1h"), c.sum().rolling("ts", period="3h", offset="-4h")),
    ("window ahead", c.max().rolling("ts", period="3h", offset="0h"), c.max().rolling("ts", period="3h")),
    ("centred duration", c.mean().rolling("ts", period="4h", offset="-2h"), c.mean().rolling("ts", period="4h", offset="-4h")),
    ("window along another column", c.mean().rolling("n", period="2i"), c.mean().rolling("ts", period="1d", closed="both")),
    ("reverse cumulative sum", c.cum_sum(reverse=True), c.cum_sum()),
    ("reverse cumulative maximum", c.cum_max(reverse=True), c.cum_max()),
    ("reverse cumulative minimum", c.cum_min(reverse=True), c.cum_min()),
    ("reverse cumulative product", (1 + c.pct_change()).cum_prod(reverse=True), (1 + c.pct_change()).cum_prod()),
    ("reverse cumulative count", vendor.cum_count(reverse=True), vendor.cum_count()),
    ("reverse of the reverse", c.reverse().cum_max().reverse(), c.cum_max()),
    ("drawdown from the high to come", c / c.max() - 1, c / c.cum_max() - 1),
    ("share of the total", v.cum_sum() / v.sum(), v / v.cum_sum()),
    ("decay by another column", c.ewm_mean_by("n", half_life="2i"), c.ewm_mean_by("ts", half_life="3h")),
    ("decay backwards", c.reverse().ewm_mean(span=3).reverse(), c.ewm_mean(span=3)),
    ("deviation", c - c.ewm_mean(span=3).last(), c - c.ewm_mean(span=3).shift(1)),
    ("decaying deviation", c.ewm_std(span=4).max(), c.ewm_std(span=4)),
    ("decaying variance", c.ewm_var(span=4).mean(), c.ewm_var(span=4)),
]

PLACES: list[Pair] = [
    ("last", c.last(), c.first()),
    ("get", c.get(-1), c.get(0)),
    ("get in the middle", c.get(3), c.shift(3)),
    ("first known", vendor.shift(9).first(ignore_nulls=True), vendor.forward_fill()),
    ("last known", vendor.last(ignore_nulls=True), vendor.cum_count()),
    ("row from the end", pl.len() - pl.int_range(pl.len()), pl.int_range(pl.len())),
    ("length", pl.len(), pl.row_index()),
    ("session close", c.last().over("asset", "session"), c.first().over("asset", "session")),
    ("session high", h.max().over("asset", "session"), h.cum_max().over("asset", "session")),
    ("session volume", v.sum().over("asset", day), v.cum_sum().over("asset", day)),
    ("day's average", c.mean().over("asset", day), (c * v).cum_sum().over("asset", day) / v.cum_sum().over("asset", day)),
    ("week's range", h.max().over("asset", ts.dt.truncate("1w")), h.cum_max().over("asset", ts.dt.truncate("1w"))),
    ("bars left in the session", pl.len().over("asset", "session"), vendor.is_null().cum_sum().over("asset", "session")),
    ("session of all assets", c.mean().over("session"), c.mean().over("ts")),
    ("day of all assets", c.max().over(day), c.max().over("ts", "session")),
    ("month", c.mean().over(ts.dt.month()), c.mean().over("ts", "sector")),
    ("sector", c.mean().over("sector"), c.mean().over("sector", "ts")),
    ("regime mean", c.mean().over("asset", "flag"), c.cum_max().over("asset", "flag")),
    ("regime shift", c.shift(-1).over("asset", "flag"), c.shift(1).over("asset", "flag")),
    ("sector rank", c.rank().over("sector"), c.rank().over("ts", "sector")),
    ("whole frame", c.cum_sum().over("sector"), c.cum_sum().over("asset")),
    ("no partition", c.sum().over(order_by="ts"), c.sum().over("ts")),
    ("ordered by price", c.cum_sum().over("asset", order_by="close"), c.cum_sum().over("asset", order_by="ts")),
    ("ordered down", c.cum_max().over("asset", order_by="ts", descending=True), c.cum_max().over("asset", order_by="ts")),
    ("shift in another order", c.shift(1).over("asset", order_by="vendor"), c.shift(1).over("asset", order_by="ts")),
    ("order of the assets", v.cum_sum().over("asset", order_by=-v), v.cum_sum().over("ts", order_by=-v)),
    ("order by tomorrow", v.cum_sum().over("ts", order_by=c.shift(-1)), v.cum_sum().over("ts", order_by=c.shift(1))),
    ("key from tomorrow", c.mean().over("ts", flag.shift(-1)), c.mean().over("ts", flag.shift(1))),
    ("key from the whole column", c.mean().over("ts", c > c.median()), c.mean().over("ts", c > c.rolling_median(5))),
    ("key that is a bin", c.rank().over("ts", v.qcut(2).cast(pl.String)), c.rank().over("ts", (v > 1000.0).cast(pl.String))),
    ("exploded mapping", c.sort().over("asset", mapping_strategy="explode"), c.sort().over("ts")),
    ("exploded mapping of plain rows", c.over("asset", "flag", mapping_strategy="explode"), c.over("asset", "flag")),
    ("first distinct", n.is_last_distinct(), n.is_first_distinct()),
    ("unique", label.is_unique(), label.is_first_distinct()),
    ("duplicated", label.is_duplicated(), ~label.is_first_distinct()),
    ("run id backwards", label.reverse().rle_id().reverse(), label.rle_id()),
    ("gather", c.gather(pl.int_range(pl.len()) + 1, null_on_oob=True), c.shift(1)),
    ("arg max", c.arg_max(), c.arg_max().over("ts")),
    ("count", vendor.count(), vendor.count().over("ts")),
    ("null count", vendor.null_count(), vendor.null_count().over("ts")),
    ("any", flag.any(), flag.any().over("ts")),
    ("all", flag.all(), flag.all().over("ts")),
    ("number of labels", label.n_unique(), label.n_unique().over("ts")),
    ("most frequent label", n.mode().first(), n.mode().max().over("ts")),
    ("entropy", v.entropy(), v.entropy().over("ts")),
    ("product", n.product(), n.product().over("ts")),
    ("dot", (c * v).sum() / v.sum(), ((c * v).sum() / v.sum()).over("ts")),
    ("is sorted", c.is_sorted(), c.is_null()),
    ("has nulls", vendor.has_nulls(), vendor.is_null()),
    ("max by", c.max_by("volume"), c.max_by("volume").over("ts")),
    ("top values", c.top_k(3).mean(), c.top_k(3).mean().over("ts")),
    ("top values by", c.top_k_by("volume", 2).mean(), c.top_k_by("volume", 2).mean().over("ts")),
    ("filtered mean", c.filter(flag).mean(), c.filter(flag).mean().over("ts")),
    ("first where", c.filter(flag).first(), c.filter(asset == "A0").first().over("ts")),
    ("head", c.head(3).mean(), c.head(3).mean().over("ts")),
    ("tail", c.tail(3).mean(), c.tail(2).mean().over("ts")),
    ("search", c.search_sorted(10.0), pl.lit(pl.Series([9.0, 9.5, 10.0, 10.5])).search_sorted(c)),
    ("index of", n.index_of(2), n == 2),
    ("unique count", n.unique().len(), n.unique().len().over("ts")),
    ("joined text", label.str.join("-"), pl.concat_str(label, pl.lit("-"), n.cast(pl.String))),
    ("every other", c.gather_every(2).mean(), c.gather_every(2).mean().over("ts")),
]

ARGUMENTS: list[Pair] = [
    ("is in a column", c.is_in(o.implode()), c.is_in([9.9, 10.0])),
    ("is in a plain column", c.is_in(o), c.is_in(pl.concat_list(o, h))),
    ("is in a constant series", n.is_in(n.filter(flag).implode()), n.is_in([1, 3])),
    ("is in the bar's column", n.is_in(n.unique().implode()), n.is_in(n.implode().over("ts"))),
    ("replace from a column", n.replace(n.unique(), n.unique().reverse()), n.replace({1: 10, 2: 20})),
    ("replace, strictly", n.replace_strict(n.unique(), n.unique() * 2, default=0), n.replace_strict({1: 10}, default=0)),
    ("replace, default", n.replace_strict({1: 10.0}, default=c.mean()), n.replace_strict({1: 10.0}, default=c)),
    ("contains any of a column", label.str.contains_any(label.unique()), label.str.contains_any(["up", "do"])),
    ("clip at the maximum", c.clip(upper_bound=o.max()), c.clip(upper_bound=o.rolling_max(5))),
    ("clip at quantiles", v.clip(v.quantile(0.1), v.quantile(0.9)), v.clip(v.quantile(0.1).over("ts"), v.quantile(0.9).over("ts"))),
    ("between quantiles", v.is_between(v.min() + 1, v.max() - 1), v.is_between(500, 2000)),
    ("when", pl.when(c.shift(-1) > c).then(1.0).otherwise(0.0), pl.when(c > c.shift(1)).then(1.0).otherwise(0.0)),
    ("then", pl.when(flag).then(c.shift(-1)).otherwise(c), pl.when(flag).then(c.shift(1)).otherwise(c)),
    ("otherwise", pl.when(flag).then(c).otherwise(c.mean()), pl.when(flag).then(c).otherwise(c.rolling_mean(3))),
    (
        "when chained",
        pl.when(flag).then(1).when(h > h.max() - 0.1).then(2).otherwise(3),
        pl.when(flag).then(1).when(h > h.cum_max() - 0.1).then(2).otherwise(3),
    ),
    ("coalesce", pl.coalesce(vendor, vendor.shift(-1)), pl.coalesce(vendor, vendor.shift(1))),
    ("fill from tomorrow", vendor.fill_null(vendor.shift(-1)), vendor.fill_null(vendor.shift(1))),
    ("fill NaN from the mean", (vendor / 0).fill_nan(c.mean()), (vendor / 0).fill_nan(c.mean().over("ts"))),
    ("horizontal maximum", pl.max_horizontal(c, o.shift(-1)), pl.max_horizontal(c, o.shift(1))),
    ("horizontal sum", pl.sum_horizontal(c, c.sum()), pl.sum_horizontal(c, c.rolling_sum(2))),
    ("horizontal any", pl.any_horizontal(flag, flag.shift(-1)), pl.any_horizontal(flag, flag.shift(1))),
    ("struct", pl.struct(a=c, b=c.shift(-1)).struct.field("b"), pl.struct(a=c, b=c.shift(1)).struct.field("b")),
    (
        "with fields",
        pl.struct(c).struct.with_fields(pl.field("close").shift(-1).alias("z")).struct.field("z"),
        pl.struct(c).struct.with_fields((pl.field("close") * 2).alias("z")).struct.field("z"),
    ),
    (
        "with fields, mean",
        pl.struct(c).struct.with_fields(pl.field("close").mean().alias("z")).struct.field("z"),
        pl.struct(c).struct.with_fields(pl.field("close").abs().alias("z")).struct.field("z"),
    ),
    (
        "with fields of the row before, whoever's it is",
        pl.struct(c).struct.with_fields(pl.field("close").shift(1).alias("z")).struct.field("z"),
        pl.struct(z=c.shift(1)).struct.field("z"),
    ),
    ("list", pl.concat_list(c, c.shift(-1)).list.max(), pl.concat_list(c, c.shift(1)).list.max()),
    ("list eval", c.implode().list.eval(pl.element().max()).list.first(), pl.concat_list(c, o).list.eval(pl.element().max()).list.first()),
    ("list of everything", c.implode().list.mean(), pl.concat_list(c, o, h).list.mean()),
    ("list sorted", pl.concat_list(c, c.max()).list.sort().list.last(), pl.concat_list(c, o).list.sort().list.first()),
    ("list reversed", pl.concat_list(c, c.last()).list.reverse().list.get(0), pl.concat_list(c, o).list.reverse().list.get(0)),
    ("list shift", pl.concat_list(c.shift(-1), c).list.shift(1).list.last(), pl.concat_list(c, o, h).list.shift(-1).list.first()),
    ("cumulative eval backwards", c.reverse().cumulative_eval(pl.element().max()).reverse(), c.cumulative_eval(pl.element().max())),
    ("cumulative eval of the future", c.shift(-1).cumulative_eval(pl.element().mean()), c.shift(1).cumulative_eval(pl.element().last())),
    ("text", pl.format("{}", c.shift(-1)), pl.format("{}", c.shift(1))),
    ("text contains", label.str.contains(label.last()), label.str.contains(label.shift(1))),
    ("text replaced", label.str.replace("up", label.shift(-1), literal=True), label.str.replace("up", "down")),
    ("text split", label.str.join("").str.split("").list.len(), label.str.split("o").list.len()),
    ("truncated time", c.mean().over(ts.dt.truncate("1d")), c.cum_min().over("asset", ts.dt.truncate("1d"))),
    ("month end known from the next bar", ts.dt.month() != ts.shift(-1).dt.month(), ts.dt.month() != ts.shift(1).dt.month()),
    (
        "session end known from the next bar",
        pl.col("session") != pl.col("session").shift(-1),
        pl.col("session") != pl.col("session").shift(1),
    ),
    ("time to the next bar", ts.shift(-1) - ts, ts - ts.shift(1)),
    ("last bar of all", ts == ts.max(), ts.dt.hour() == 18),
    ("days to the end", (ts.max() - ts).dt.total_days(), (ts - ts.first()).dt.total_days()),
    ("category codes", label.cast(pl.Categorical).to_physical(), label.cast(pl.Enum(["down", "flat", "up"])).to_physical()),
    ("category codes of a bin", c.qcut(3).to_physical().over("ts"), c.cut([9.9, 10.0]).to_physical()),
    ("category codes, physical", label.cast(pl.Categorical).cat.physical(), asset.to_physical()),
    ("claimed order", c.set_sorted() > 10.0, c > 10.0),
    ("claimed order of time", c.set_sorted().is_between(9.9, 10.1), c.is_between(9.9, 10.1)),
    ("literal series", c + pl.lit(pl.Series(range(201))), c + pl.lit(1)),
    ("round at the mean", c - (c / c.mean()).round(2), (c / c.rolling_mean(3)).round(2)),
    ("power of the last", c ** (n.last() / 2), c ** (n / 2)),
    ("cast of tomorrow", c.shift(-1).cast(pl.Int64), c.shift(1).cast(pl.Int64)),
    ("alias", c.shift(-1).alias("close"), c.shift(1).alias("close")),
    ("kept name", c.shift(-1).alias("x").name.keep(), c.shift(1).alias("x").name.keep()),
    ("suffix", c.shift(-1).name.suffix("_1"), c.shift(1).name.suffix("_1")),
]

NESTED: list[Pair] = [
    ("rank of tomorrow", c.shift(-1).over("asset").rank().over("ts"), c.shift(1).over("asset").rank().over("ts")),
    ("tomorrow's rank", c.rank().over("ts").shift(-1), c.rank().over("ts").shift(1)),
    ("tomorrow's rank, scoped", c.rank().over("ts").shift(-1).over("asset"), c.rank().over("ts").shift(1).over("asset")),
    ("mean rank", c.rank().over("ts").mean(), c.rank().over("ts").rolling_mean(3)),
    ("demeaned, then averaged", (c - c.mean().over("ts")).mean(), (c - c.mean().over("ts")).rolling_mean(3)),
    ("beta to the market", pl.corr(c, c.mean().over("ts")), pl.rolling_corr(c, c.mean().over("ts"), window_size=9)),
    ("index in a window", c.mean().over("ts").rolling_max(5, center=True), c.mean().over("ts").rolling_max(5)),
    ("sector neutral", c - c.mean().over("sector"), c - c.mean().over("ts", "sector")),
    ("ranked twice", c.rank().over("ts").rank(), c.rank().over("ts").rank().over("ts", "sector")),
    ("breadth", (c > c.mean().over("asset")).mean().over("ts"), (c > c.rolling_mean(4)).over("asset").mean().over("ts")),
    ("momentum rank", (c.shift(-3) / c).over("asset").rank().over("ts"), (c / c.shift(3)).over("asset").rank().over("ts")),
    ("volatility share", c.std().over("asset") / c.std().over("ts"), c.rolling_std(5).over("asset") / c.std().over("ts")),
    (
        "three hops",
        c.diff(1).over("asset").sum().over("ts").diff(-1).over("asset"),
        c.diff(1).over("asset").sum().over("ts").diff(1).over("asset"),
    ),
    (
        "a lag of the bar's best lag",
        c.shift(-3).over("asset").max().over("ts").shift(2),
        c.shift(3).over("asset").max().over("ts").shift(2),
    ),
    ("cross-section, then cumulative", c.mean().over("ts").cum_sum(reverse=True), c.mean().over("ts").cum_sum()),
    ("benchmark tomorrow", c.filter(asset == "A0").first().over("ts").shift(-1), c.filter(asset == "A0").first().over("ts").shift(1)),
    (
        "session high of the market",
        c.max().over("ts").max().over("asset", "session"),
        c.max().over("ts").cum_max().over("asset", "session"),
    ),
    (
        "filter by tomorrow",
        c.filter(c.shift(-1).over("asset") > 10).mean().over("ts"),
        c.filter(c.shift(1).over("asset") > 10).mean().over("ts"),
    ),
    ("weighted by the total", ((c * v).sum() / v.sum()).over("asset"), ((c * v).sum() / v.sum()).over("ts")),
]

GROUPS: dict[str, list[Pair]] = {"rows": ROWS, "windows": WINDOWS, "places": PLACES, "arguments": ARGUMENTS, "nested": NESTED}

BARE: list[Pair] = [
    ("shift", c.shift(-1), c.shift(1)),
    ("mean", c.mean(), c.rolling_mean(4)),
    ("centre", c.rolling_max(3, center=True), c.rolling_max(3)),
    ("cumulative", c.cum_sum(reverse=True), c.cum_sum()),
    ("fill", vendor.backward_fill(), vendor.forward_fill()),
    ("rank", c.rank(), c.rank().over("ts")),
]

HIDING: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "in a sum": lambda x: o + x * 2,
    "in a condition": lambda x: pl.when(x > 10).then(1.0).otherwise(-1.0),
    "in a branch": lambda x: pl.when(flag).then(0.0).otherwise(x),
    "in a cast": lambda x: (x > 10).cast(pl.Int8).alias("signal"),
    "in an absolute value": lambda x: (o - x).abs().round(4),
    "under a window": lambda x: (o - x).rolling_sum(3),
    "under a session": lambda x: x.over("asset").cum_max().over("asset", "session"),
    "under a cross-section": lambda x: x.over("asset").mean().over("ts"),
    "in a filter": lambda x: o.filter(x.over("asset") > 10).mean().over("ts"),
    "in a struct": lambda x: pl.struct(a=o, b=x).struct.field("b"),
    "in a list": lambda x: pl.concat_list(o, x).list.eval(pl.element() * 2).list.last(),
    "in a fill": lambda x: vendor.fill_null(x),
    "in a bound": lambda x: o.clip(upper_bound=x),
    "in a coalesce": lambda x: pl.coalesce(vendor, x),
    "in a key": lambda x: o.mean().over("ts", x > 10),
}


def _hidden() -> list[Pair]:
    pairs = []
    for place, wrap in HIDING.items():
        for name, leak, clean in BARE:
            if not (place in ("under a cross-section", "in a filter", "under a session") and name == "rank"):
                pairs.append((f"{name} {place}", wrap(leak), wrap(clean)))
    return pairs


def pairs() -> list[Pair]:
    """Every pair, under a name of its own."""
    return [(f"{group}: {name}", leak, clean) for group, held in GROUPS.items() for name, leak, clean in held] + [
        (f"hidden: {name}", leak, clean) for name, leak, clean in _hidden()
    ]
