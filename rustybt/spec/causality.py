"""The dynamic check beside the guard: evaluate on the user's own bars, cut off, and compare bit for bit.

In: a strategy and bars. Out: a list of `Check`. It holds for what the guard can only be told: declared callbacks, plugins, and bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import RustyBTError
from rustybt.model import Asset, Panel
from rustybt.spec.bounds import Bounds, analyse
from rustybt.spec.reach import Stamps, first_needed

RELATIVE = 1e-6
"""How far a float window may differ when it starts at another row: rounding, not reading."""


class Terms(Protocol):
    """What can be checked: terms by name."""

    def terms(self) -> dict[str, pl.Expr]:
        """Expressions by term name."""


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        name: what was compared, such as ``truncation 'target'``.
        ok: whether it held.
        detail: how much was compared, or the first difference.
    """

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class _Bars:
    frame: pl.DataFrame
    units: Any
    ts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, bars: Panel | pl.DataFrame, assets: Iterable[Asset] | None) -> _Bars:
        frame = bars.frame if isinstance(bars, Panel) else bars
        units: Any = bars
        if not isinstance(bars, Panel):
            units = (
                tuple(assets) if assets is not None else tuple(Asset(str(symbol)) for symbol in frame["asset"].unique(maintain_order=True))
            )
        return cls(frame, units, frame["ts"].cast(pl.Datetime("us", "UTC")).cast(pl.Int64).to_numpy())

    def part(self, keep: npt.NDArray[np.bool_]) -> pl.DataFrame:
        return self.frame.filter(pl.Series(keep))


def until(frame: pl.DataFrame, ts: datetime) -> pl.DataFrame:
    """The rows of a frame known at an instant.

    Example:
        >>> frame = pl.DataFrame({"ts": [datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)]})
        >>> until(frame, datetime(2024, 1, 2, tzinfo=UTC)).height
        1
    """
    return frame.filter(pl.col("ts") <= ts)


def telling_points(frame: pl.DataFrame, count: int = 12, seed: int = 0) -> list[int]:
    """Instants at which a leak would show: the first, the last, the edges of long null runs and of suspensions, and some at random.

    Args:
        frame: signal frame sorted by (asset, ts).
        count: how many at most, 3 or more; the first and last are always among them.
        seed: of the random ones.

    Returns:
        Increasing UTC microseconds.

    Example:
        >>> days = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 9), "1d", eager=True).dt.replace_time_zone("UTC")
        >>> points = telling_points(pl.DataFrame({"ts": days, "asset": ["A"] * 9}), count=4)
        >>> points[0] == 1704067200000000, len(points)
        (True, 4)
    """
    ts = frame["ts"].cast(pl.Datetime("us", "UTC")).cast(pl.Int64).to_numpy()
    instants = np.unique(ts)
    chosen = {int(instants[0]), int(instants[-1])} if len(instants) else set()
    for edge in _edges(frame, ts):
        if len(chosen) < max(2, count // 2 + 1):
            chosen.add(edge)
    rest = np.setdiff1d(instants, np.fromiter(chosen, np.int64, len(chosen)))
    random = np.random.default_rng(seed)
    extra = random.choice(rest, size=min(max(count - len(chosen), 0), len(rest)), replace=False)
    return sorted(chosen | {int(point) for point in extra})


def _edges(frame: pl.DataFrame, ts: npt.NDArray[np.int64]) -> list[int]:
    """Bars just before, inside and just after the longest null runs and gaps."""
    asset = frame["asset"].cast(pl.String).rle_id().to_numpy()
    found: list[tuple[int, int]] = []
    for name in frame.columns:
        missing = frame[name].is_null().to_numpy()
        if not missing.any():
            continue
        runs = (
            pl.DataFrame({"asset": asset, "missing": missing})
            .with_columns(run=pl.struct("asset", "missing").rle_id())
            .with_row_index("row")
        )
        long = (
            runs.filter("missing").group_by("run").agg(pl.len(), pl.col("row").min()).sort("len", "row", descending=[True, False]).head(2)
        )
        for row, length in long.select("row", "len").iter_rows():
            found += [(length, int(ts[at])) for at in (row, row + length - 1, min(row + length, len(ts) - 1))]
    same = asset[1:] == asset[:-1]
    gaps = np.where(same, np.diff(ts), 0)
    if len(gaps) and gaps.max() > np.median(gaps):
        for at in np.argsort(-gaps, kind="stable")[:2]:
            found += [(1, int(ts[at])), (1, int(ts[at + 1]))]
    return [edge for _, edge in sorted(found, key=lambda pair: -pair[0])]


def truncation(
    strategy: Terms,
    bars: Panel | pl.DataFrame,
    points: int | Sequence[int] = 12,
    seed: int = 0,
    assets: Iterable[Asset] | None = None,
) -> list[Check]:
    """Whether any value changes when later bars are taken away: it must not, to the last bit.

    Args:
        strategy: its terms are checked, through the planner.
        bars: a panel, or a signal frame sorted by (asset, ts).
        points: how many instants to cut at, or the instants (UTC microseconds).
        seed: of the random ones.
        assets: of a frame that is no panel; None makes plain ones from its symbols.

    Returns:
        One check per term; a failed one names the first asset and instant that differ.

    Example:
        >>> days = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 9), "1d", eager=True).dt.replace_time_zone("UTC")
        >>> frame = pl.DataFrame({"asset": ["A"] * 9, "ts": days, "close": [float(n) for n in range(9)]})
        >>> Study = type("Study", (), {"terms": lambda self: {"tomorrow": pl.col("close").shift(-1)}})
        >>> truncation(Study(), frame)[0].ok
        False
    """
    from rustybt.spec.planner import plan

    given = _Bars.of(bars, assets)
    planned = plan(strategy)
    full = planned.evaluate(given.frame, given.units)
    cuts = telling_points(given.frame, points, seed) if isinstance(points, int) else sorted(points)
    names = [name for name in full.columns if name != "row"]
    first: dict[str, str] = {}
    compared = 0
    for cut in cuts:
        keep = given.ts <= cut
        part = given.part(keep)
        try:
            short = planned.evaluate(part, given.units)
        except RustyBTError as error:
            first |= {name: f"fails on bars until {_when(cut)}: {error.what}" for name in names if name not in first}
            continue
        rows = full.filter(pl.Series(keep))
        compared += part.height
        for name in names:
            at = _differs(rows[name], short[name])
            if at is not None and name not in first:
                told = f"with bars until {_when(cut)} it is {short[name][at]!r}, with all bars {rows[name][at]!r}"
                first[name] = f"asset {part['asset'][at]!r} at {_when(_instant(part, at))}: {told}"
    held = f"{compared} rows at {len(cuts)} cuts, bit for bit"
    return [Check(f"truncation {name!r}", name not in first, first.get(name, held)) for name in names]


def window_sufficiency(
    strategy: Terms,
    bars: Panel | pl.DataFrame,
    points: int | Sequence[int] = 8,
    seed: int = 0,
    assets: Iterable[Asset] | None = None,
) -> list[Check]:
    """Whether the bars that the bounds ask for are enough: a term on its window alone must equal the term on all bars.

    Terms made of exact windows, shifts and order statistics are compared bit for bit; those with float windows within 1e-6, since
    sums of floats round differently when they start elsewhere. Unbounded terms have no window and pass with a word.

    Args:
        strategy: its terms are checked, each on its own window.
        bars: a panel, or a signal frame sorted by (asset, ts).
        points: how many instants to check, or the instants (UTC microseconds).
        seed: of the random ones.
        assets: of a frame that is no panel; None makes plain ones from its symbols.

    Returns:
        One check per term; a failed one names the first asset and instant that differ.

    Example:
        >>> days = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 9), "1d", eager=True).dt.replace_time_zone("UTC")
        >>> frame = pl.DataFrame({"asset": ["A"] * 9, "ts": days, "close": [float(n) for n in range(9)]})
        >>> Study = type("Study", (), {"terms": lambda self: {"change": pl.col("close").diff(3)}})
        >>> window_sufficiency(Study(), frame)[0].ok
        True
    """
    from rustybt.spec.planner import plan_terms

    given = _Bars.of(bars, assets)
    cuts = telling_points(given.frame, points, seed) if isinstance(points, int) else sorted(points)
    windows = _Windows(given, Stamps.of(given.frame), cuts)
    terms = strategy.terms()
    declared = getattr(strategy, "declared", {})
    universe = {"universe": terms["universe"]} if "universe" in terms else {}
    member = analyse(terms["universe"], declared) if universe else None
    found: dict[str, Check] = {}
    groups: dict[tuple[Bounds, bool], dict[str, pl.Expr]] = {}
    for name, expr in terms.items():
        bounds = analyse(expr, declared, None if name == "universe" else member)
        if bounds.refused:
            found[name] = Check(f"window {name!r}", False, f"the guard refuses it: {bounds.reasons[0]}")
        elif bounds.unbounded:
            found[name] = Check(f"window {name!r}", True, "unbounded: it needs every earlier bar, so there is no window to check")
        else:
            exact = plan_terms(universe | {name: expr}).exact
            groups.setdefault((Bounds(bounds.paths), exact), {})[name] = expr
    for (bounds, exact), group in groups.items():
        found |= windows.compare(universe | group, bounds, exact)
    return [found[name] for name in terms]


@dataclass(frozen=True)
class _Windows:
    given: _Bars
    stamps: Stamps
    cuts: list[int]

    def compare(self, terms: dict[str, pl.Expr], bounds: Bounds, exact: bool) -> dict[str, Check]:
        """Terms with the same bounds, on all bars and on their window before each cut."""
        from rustybt.spec.planner import plan_terms

        planned = plan_terms(terms)
        full = planned.evaluate(self.given.frame, self.given.units)
        wrong: dict[str, str] = {}
        compared, widest = 0, timedelta(0)
        for cut in self.cuts:
            start = first_needed(bounds, self.stamps, cut)
            keep = (self.given.ts >= (cut if start is None else start)) & (self.given.ts <= cut)
            part, here = self.given.part(keep), pl.Series(self.given.ts[keep] == cut)
            expected, got = full.filter(pl.Series(self.given.ts == cut)), planned.evaluate(part, self.given.units).filter(here)
            compared += got.height
            widest = max(widest, timedelta(microseconds=cut - (cut if start is None else start)))
            for name in terms:
                at = _differs(expected[name], got[name]) if exact else _far(expected[name], got[name], full[name])
                if at is not None and name not in wrong:
                    told = f"on its window ({bounds.lookback}) it is {got[name][at]!r}, on all bars {expected[name][at]!r}"
                    wrong[name] = f"asset {part.filter(here)['asset'][at]!r} at {_when(cut)}: {told}"
        how = "bit for bit" if exact else "float windows within rounding"
        held = f"{compared} rows at {len(self.cuts)} instants, {how}; widest window {widest}"
        return {name: Check(f"window {name!r}", name not in wrong, wrong.get(name, held)) for name in terms}


def _differs(left: pl.Series, right: pl.Series) -> int | None:
    """The first row in which two columns differ in any bit, None when there is none. Any NaN equals any other, and so do the two zeros."""
    if left.dtype != right.dtype:
        left, right = left.cast(pl.String, strict=False), right.cast(pl.String, strict=False)
    same = left.eq_missing(right)
    return None if bool(same.all()) else same.arg_min()


def _far(expected: pl.Series, got: pl.Series, full: pl.Series) -> int | None:
    """The first row in which two columns differ by more than rounding; truth values near a tie are left to the truncation check."""
    if not expected.dtype.is_float():
        return None if expected.dtype == pl.Boolean and bool((expected.is_null() == got.is_null()).all()) else _differs(expected, got)
    finite = full.filter(full.is_finite().fill_null(False)).abs()
    scale = float(finite.max() or 0.0)  # type: ignore[arg-type]
    close = (expected - got).abs() <= RELATIVE * pl.select(
        pl.max_horizontal(expected.abs(), got.abs(), pl.lit(scale * RELATIVE))
    ).to_series()
    same = expected.eq_missing(got) | close.fill_null(False)
    return None if bool(same.all()) else same.arg_min()


def _instant(frame: pl.DataFrame, row: int) -> int:
    return int(frame["ts"].cast(pl.Datetime("us", "UTC")).cast(pl.Int64)[row])


def _when(ts: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts)).isoformat(sep=" ").removesuffix("+00:00")
