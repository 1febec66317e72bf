"""How much of the best of many is luck: what every leaderboard is shown with.

All variants are run once more for their returns, and none is left out: a test on some of them would say nothing of the rest. Where that
would take long it is left to those who ask for it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.honesty import (
    LEADING,
    Contest,
    Draw,
    Interval,
    Overfitting,
    PartSums,
    Superiority,
    intervals,
    leading_block,
    overfitting_of,
    part_sums,
)
from rustybt.analysis.metrics.curve import Floats
from rustybt.errors import ConfigError
from rustybt.sweeps.again import Tried
from rustybt.sweeps.batch import working_bytes
from rustybt.sweeps.names import METRICS
from rustybt.sweeps.options import Site
from rustybt.sweeps.within import LIMIT, Within

AT_ONCE = 2.5
"""Seconds that the tests may be expected to take for a leaderboard that did not ask for them."""
LEADERS = 10
"""Rows of a leaderboard that have intervals."""
BUDGET = 2 * 10**9
"""Bytes of a judgement where nothing else is said, as of a sweep."""
COUNT, PARTS = 1000, 16
"""Resamples, and parts of the sessions."""
SHORTEST = 10
"""Sessions of a part."""
A_SESSION, A_SPLIT, AN_INTERVAL = 1.4e-7, 9.5e-9, 1.6e-5
"""Seconds for a variant: of the tests by session and by split, of its intervals by session; see docs/decisions/performance.md."""
SHAPE: dict[str, Any] = {"variant": pl.UInt32, "metric": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}


@dataclass(frozen=True, eq=False)
class Judgement:
    """The best of many, and how much of it is luck.

    Attributes:
        variants: how many were tried and ran.
        sessions: returns of each.
        overfitting: probability of backtest overfitting by CSCV; see `rustybt.analysis.honesty.overfitting`. None where ``notes`` say why.
        reality_check: White's test that no variant beats holding cash; see `rustybt.analysis.honesty.reality_check`.
        superior_ability: Hansen's; see `rustybt.analysis.honesty.superior_ability`.
        intervals: variant (UInt32), metric, value, low, high (Float64): 95 % of 1,000 block resamples, of each row of the leaderboard
            alone.
        notes: what is missing, and why; one sentence each.
    """

    variants: int
    sessions: int
    overfitting: Overfitting | None = None
    reality_check: Superiority | None = None
    superior_ability: Superiority | None = None
    intervals: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SHAPE))
    notes: tuple[str, ...] = ()

    @property
    def cut(self) -> bool:
        """Whether something was left out for lack of memory."""
        return any(LIMIT in note for note in self.notes)

    @property
    def tested(self) -> bool:
        """Whether the tests over all variants were made."""
        return self.reality_check is not None

    def interval(self, variant: int, metric: str) -> tuple[float, float] | None:
        """The ends of an interval; None where there is none."""
        found = self.intervals.filter((pl.col("variant") == variant) & (pl.col("metric") == metric))
        if not found.height or found["low"][0] is None:
            return None
        return found["low"][0], found["high"][0]

    def sentences(self) -> list[str]:
        """The tests in words, one line each, and what is missing."""
        said = []
        if self.overfitting is not None:
            count = len(self.overfitting.logits)
            said.append(
                f"Probability of overfitting {self.overfitting.probability:.3f}: the share of {count:,} splits of the sessions in which the"
                f" best of {self.variants:,} variants in one half was at or below the middle in the other (CSCV)."
            )
        if self.reality_check is not None and self.superior_ability is not None:
            said.append(
                f"Chance of a best variant this good if none were better than cash: {self.superior_ability.p_value:.3f} (Hansen's SPA),"
                f" {self.reality_check.p_value:.3f} (White's reality check); {self.superior_ability.count:,} resamples in blocks of"
                f" {self.superior_ability.block:.1f} sessions."
            )
        return [*said, *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """All of it but the splits one by one, for JSON."""
        found = self.overfitting
        splits = None if found is None else {"probability": found.probability, "loss": found.loss, "slope": _number(found.slope)}
        return {
            "variants": self.variants,
            "sessions": self.sessions,
            "overfitting": None if found is None or splits is None else splits | {"splits": len(found.logits)},
            "reality_check": None if self.reality_check is None else asdict(self.reality_check),
            "superior_ability": None if self.superior_ability is None else asdict(self.superior_ability),
            "intervals": self.intervals.to_dicts(),
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return f"Judgement({self.variants:,} variants, {self.sessions:,} sessions)\n" + "\n".join(self.sentences())


@dataclass(frozen=True)
class Asking:
    """What is wanted of a judgement.

    Attributes:
        leaders: variants that get intervals.
        site: who runs them again.
        limit: seconds that it may be expected to take; None = any.
        how: what to call when it would take longer.
        known: a judgement of the same variants, whose tests are taken over.
        budget: bytes of memory that it may take on one machine beside the data and the rows.
    """

    leaders: Sequence[int]
    site: Site
    limit: float | None
    how: str
    known: Judgement | None = None
    budget: int = BUDGET

    def __post_init__(self) -> None:
        if self.limit is not None and (not isinstance(self.limit, int | float) or not self.limit >= 0):
            raise ConfigError(f"limit {self.limit!r} is no number of seconds", where="judgement, limit", do="give 2.5, or None for any")


def parts_for(sessions: int) -> int | None:
    """Parts that sessions are cut into: 16, or fewer so that each has ten sessions; None below forty sessions.

    Example:
        >>> [parts_for(count) for count in (2520, 100, 30)]
        [16, 10, None]
    """
    found = min(PARTS, sessions // SHORTEST // 2 * 2)
    return found if found >= 4 else None


def expected(tried: Tried, sessions: int) -> float | None:
    """Seconds that the tests over all variants take; None where nobody knows how long the runs take."""
    if tried.seconds is None:
        return None
    parts = parts_for(sessions)
    splits = 0 if parts is None else math.comb(parts, parts // 2)
    return tried.rows.height * (sessions * A_SESSION + splits * A_SPLIT + tried.seconds)


def judge(tried: Tried, asking: Asking) -> Judgement:
    """Intervals of the leaders, and the tests over all variants where they are wanted or take no time worth talking of.

    What does not fit into the budget is left out, and a note says so.

    Raises:
        RustyBTError: a variant that ran cannot be run again.
    """
    sessions = 0
    try:
        sessions = tried.sessions()
        within = within_of(tried, sessions, asking)
        if not within.chunk:
            said = within.sentence("The intervals and the tests over all variants were", within.least, asking.how)
            return Judgement(tried.rows.height, sessions, notes=(said,))
        return _judged(replace(tried, room=min(tried.room, within.features), most=within.chunk), asking, within)
    except ConfigError as error:
        return Judgement(tried.rows.height, sessions, notes=(f"Nothing was tested: {error.what}.",))


def within_of(tried: Tried, sessions: int, asking: Asking) -> Within:
    """What it takes."""
    panels, parts = tried.panels, parts_for(sessions)
    bars, working = max(panel.bars for panel in panels), max(map(working_bytes, panels))
    return Within(asking.budget, tried.rows.height, sessions, bars, working, asking.site.beside, COUNT, parts)


def _judged(tried: Tried, asking: Asking, within: Within) -> Judgement:
    sessions = within.sessions
    blank = Judgement(tried.rows.height, sessions)
    if asking.limit is not None and tried.seconds is None:
        tried = replace(tried, seconds=_timed(tried, asking))
    first = (tried.seconds or 0.0) * (LEADING + len(asking.leaders)) + AN_INTERVAL * sessions * len(asking.leaders)
    if asking.limit is not None and first > asking.limit:
        return replace(blank, notes=(_too_long("The intervals and the tests over all variants were", tried, sessions, asking),))
    leading = tried.leading(LEADING)
    wanted = sorted({*leading, *asking.leaders})
    known = dict(zip(wanted, np.concatenate(list(tried.returns(wanted, asking.site)), axis=1).T, strict=True))
    if within.threads:
        workers = min(asking.site.workers, within.threads)
        blank = replace(blank, intervals=_intervals(tried, {number: known[number] for number in asking.leaders}, workers))
    else:
        blank = replace(blank, notes=(within.sentence("The intervals were", 2 * within.around, asking.how),))
    if asking.known is not None and asking.known.tested:
        return replace(asking.known, intervals=blank.intervals, notes=(*blank.notes, *asking.known.notes))
    found, seconds = blank, expected(tried, sessions)
    if asking.limit is not None and (seconds is None or seconds > asking.limit):
        return replace(found, notes=(*found.notes, _too_long("The tests over all variants were", tried, sessions, asking)))
    return _tested(found, tried, np.column_stack([_kept(known[number]) for number in leading]), (asking, within))


def _timed(tried: Tried, asking: Asking) -> float:
    """Seconds of a run, the second where the first, for which things are made that stay, did not take too long already."""
    took = 0.0
    for _ in range(2):
        began = time.monotonic()
        list(tried.returns(tried.numbers[:1], asking.site))
        took = time.monotonic() - began
        if asking.limit is not None and took > asking.limit:
            break
    return took


def _tested(found: Judgement, tried: Tried, leading: Floats, asked: tuple[Asking, Within]) -> Judgement:
    """With the tests over all variants, as far as they fit."""
    asking, sessions, notes = asked[0], found.sessions, list(found.notes)
    if sessions < SHORTEST:
        return replace(found, notes=(*notes, f"Nothing was tested: {sessions} sessions are too few to resample."))
    contest, splits = _prepared(leading, asked, notes)
    if contest is None and splits is None:
        return replace(found, notes=tuple(notes))
    lost = 0
    for table in tried.returns(tried.numbers, asking.site):
        lost += int((~np.isfinite(table)).any(axis=0).sum())
        table = _kept(table)
        for each in (contest, splits):
            if each is not None:
                each.add(table)
    if lost:
        said = f"{lost:,} variants lost everything; their sessions after that count as returns of zero."
        notes.insert(len(found.notes), said)
    check = better = None
    if contest is not None:
        check = contest.reality_check()
        try:
            better = contest.superior_ability()
        except ConfigError as error:
            notes.append(f"Superior ability was not tested: {error.what}.")
    split = None if splits is None else overfitting_of(splits.found())
    if split is not None and not split.logits.any():  # equal ranks everywhere: the measure would call it 1
        split = None
        notes.append("The probability of overfitting was not computed: all variants did the same.")
    return replace(found, overfitting=split, reality_check=check, superior_ability=better, notes=tuple(notes))


def _prepared(leading: Floats, asked: tuple[Asking, Within], notes: list[str]) -> tuple[Contest | None, _Parts | None]:
    """What variants are added to for the tests; None for one that is left out, which is noted."""
    asking, within = asked
    tested, split = within.fitting()
    if not tested:
        notes.append(within.sentence("The tests against cash were", 2 * within.tests, asking.how))
    if within.parts is None:
        few = f"{within.sessions} sessions are too few, {4 * SHORTEST} are needed"
        notes.append(f"The probability of overfitting was not computed: {few}.")
    elif within.variants < 2:
        notes.append("The probability of overfitting was not computed: one variant has nothing to be ranked among.")
    elif not split:
        needed = 2 * (within.splits + (within.tests if tested else 0))
        notes.append(within.sentence("The probability of overfitting was", needed, asking.how))
    else:
        return Contest(within.sessions, leading_block(leading), COUNT) if tested else None, _Parts(within.parts, within.variants)
    return Contest(within.sessions, leading_block(leading), COUNT) if tested else None, None


class _Parts:
    """The sums of each part of the sessions, in the place that they have in the end.

    Args:
        parts: of the sessions.
        variants: that will come.
    """

    def __init__(self, parts: int, variants: int) -> None:
        self.sums, self.squares = np.empty((parts, variants)), np.empty((parts, variants))
        self.counts, self.reached = np.empty(0), 0

    def add(self, table: Floats) -> None:
        """Further variants: (sessions, variants) returns."""
        own, at = part_sums(table, len(self.sums)), slice(self.reached, self.reached + table.shape[1])
        self.sums[:, at], self.squares[:, at], self.counts, self.reached = own.sums, own.squares, own.counts, at.stop

    def found(self) -> PartSums:
        """All of them."""
        return PartSums(self.sums, self.squares, self.counts)


def _intervals(tried: Tried, returns: Mapping[int, Floats], workers: int) -> pl.DataFrame:
    """Intervals of variants; null where a variant lost everything or has too few sessions."""
    periods, none = dict(tried.rows.select("variant", "periods_per_year").iter_rows()), Interval(None, None, None)

    def one(number: int) -> Mapping[str, Interval]:
        try:
            return intervals(returns[number], periods[number] or 0.0, Draw(COUNT))
        except ConfigError:
            return dict.fromkeys(METRICS, none)

    with ThreadPoolExecutor(workers) as pool:
        found = zip(returns, pool.map(one, returns), strict=True)
        rows = [(number, name, own[name].value, own[name].low, own[name].high) for number, own in found for name in METRICS]
    return pl.DataFrame(rows, schema=SHAPE, orient="row")


def _kept(returns: Floats) -> Floats:
    """An account that lost everything stays where it is."""
    return np.where(np.isfinite(returns), returns, 0.0)


def _too_long(what: str, tried: Tried, sessions: int, asking: Asking) -> str:
    seconds = expected(tried, sessions)
    takes = "" if seconds is None else f" would take about {_time(seconds)}"
    return f"{what} not computed: running {tried.rows.height:,} variants again{takes or ' may take long'}; {asking.how} computes them."


def _time(seconds: float) -> str:
    """A length of time for people.

    Example:
        >>> _time(9.6), _time(840.0), _time(9000.0)
        ('10 seconds', '14 minutes', '2.5 hours')
    """
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def leaders_of(best: pl.DataFrame, column: str = "variant") -> list[int]:
    """Numbers of the rows of a leaderboard that get intervals."""
    found: Iterable[int] = best[column].head(LEADERS).to_list()
    return list(found)
