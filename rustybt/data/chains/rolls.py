"""Which contract is in front at each bar: decided by what was known before it, and never taken back.

1. The first front is the nearest contract, or by ``volume`` and ``open_interest`` the one with the most at the first bar.
2. ``calendar``: a contract is left on its day, some sessions before its last trading day. The other rules leave it then too, at the latest.
3. ``volume``, ``open_interest``: after a session in which a later contract had more than the front, for some sessions in a row, it is next.
4. The roll is at the first bar after that which both contracts have. A front that has expired, or that a schedule of the user's leaves, is
   left at the first bar of the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.data.hours import Days
from rustybt.errors import ConfigError
from rustybt.model.panel import Ints

RULES = ("calendar", "volume", "open_interest")
GIVEN = "given"
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """Contracts of one root, nearest first, and their bars.

    Attributes:
        names: (contracts,) ids.
        has: (bars, contracts) whether there is a bar.
        days: (bars,) session of each bar, days since 1970-01-01.
        expiry: (contracts,) last trading day.
        leave: (contracts,) session from which each is not in front any more.
        votes: (sessions, contracts) volume or open interest of each session, NaN = unknown; None = by the calendar.
        at_first: (contracts,) the same at the first bar alone.
    """

    names: tuple[str, ...]
    has: Mask
    days: Days
    expiry: Ints
    leave: Ints
    votes: Floats | None = None
    at_first: Floats | None = None


@dataclass(frozen=True)
class Roll:
    """A change of the front.

    Attributes:
        bar: first bar of the new front.
        before, after: places of the contracts in the chain.
        reason: ``calendar``, ``volume``, ``open_interest`` or ``given``.
        decided: session by whose end it was known, days since 1970-01-01; that of the bar for ``calendar`` and ``given``.
        measured: last bar before that both contracts have, else the bar itself if both have it, else -1: there is no gap to measure.
        tradable: whether both have the bar, so that a position can be rolled there.
        votes: volume or open interest of the two by which it was decided; NaN = by none.
    """

    bar: int
    before: int
    after: int
    reason: str
    decided: int
    measured: int
    tradable: bool
    votes: tuple[float, float]


@dataclass
class Front:
    """The contract in front while the bars go by."""

    chain: Chain
    rule: str
    confirm: int
    delay: int
    given: Sequence[tuple[int, int]] = ()
    now: int = -1
    begun: int = -1
    next: int = -1
    leader: int = -1
    streak: int = 0
    decided: int = -1
    weighed: tuple[float, float] = (np.nan, np.nan)
    rolls: list[Roll] = field(default_factory=list)

    def walk(self) -> None:
        """All bars, session by session."""
        there = np.flatnonzero(self.chain.has.any(axis=1))
        sessions, starts = np.unique(self.chain.days[there], return_index=True)
        since = np.where(self.chain.has.any(axis=0), self.chain.has.argmax(axis=0), len(self.chain.days))
        edges = [*starts.tolist(), len(there)]
        for number, day in enumerate(sessions.tolist()):
            self._by_schedule(day)
            if self.now < 0 or self.next >= 0 or day >= self.chain.leave[self.now]:
                for bar in there[edges[number] : edges[number + 1]].tolist():
                    self._meet(bar, day, since)
            if self.chain.votes is not None and self.now >= 0 and self.next < 0:
                self._vote(number, day)

    def _meet(self, bar: int, day: int, since: Ints) -> None:
        """A bar at which the front may change."""
        chain = self.chain
        if self.now < 0:
            self._begin(bar, day)
            return
        forced = day >= chain.leave[self.now]
        after, reason = self.next, self.rule
        if (after < 0 or chain.leave[after] <= day) and forced:
            later = np.flatnonzero((chain.expiry > chain.expiry[self.now]) & (chain.leave > day) & (since <= bar))
            after, reason = int(later[0]) if len(later) else -1, "calendar"
        if after < 0 or not chain.has[bar, after]:
            return
        both = bool(chain.has[bar, self.now])
        if both or day > chain.expiry[self.now] or reason == GIVEN:
            self._roll(bar, after, reason, day)

    def _begin(self, bar: int, day: int) -> None:
        chain = self.chain
        open_ = chain.has[bar] & (chain.leave > day)
        if not open_.any():
            return
        best = int(np.flatnonzero(open_)[0])
        if chain.at_first is not None and not np.isnan(chain.at_first[open_]).all():
            best = int(np.nanargmax(np.where(open_, chain.at_first, np.nan)))
        scheduled = [place for since, place in self.given if since <= day]
        self.now, self.begun, self.next = (scheduled[-1] if scheduled else best), bar, -1

    def _roll(self, bar: int, after: int, reason: str, day: int) -> None:
        chain = self.chain
        both = chain.has[bar, self.now] and chain.has[bar, after]
        common = np.flatnonzero(chain.has[:bar, self.now] & chain.has[:bar, after])
        measured = int(common[-1]) if len(common) else bar if both else -1
        voted = reason in ("volume", "open_interest")
        self.rolls.append(
            Roll(
                bar=bar,
                before=self.now,
                after=after,
                reason=reason,
                decided=self.decided if voted else day,
                measured=measured,
                tradable=bool(both),
                votes=self.weighed if voted else (np.nan, np.nan),
            )
        )
        self.now, self.next, self.leader, self.streak = after, -1, -1, 0

    def _by_schedule(self, day: int) -> None:
        """The contract that a schedule of the user's puts in front from a day on."""
        due = [place for since, place in self.given if since <= day]
        if due and self.now >= 0 and due[-1] != self.now:
            self.next = due[-1]

    def _vote(self, number: int, day: int) -> None:
        """What a session, or an earlier one that is known by its end, says about the next front."""
        chain, at = self.chain, number - self.delay
        if at < 0 or chain.votes is None:
            return
        votes = chain.votes[at]
        if np.isnan(votes[self.now]):
            return
        more = (chain.expiry > chain.expiry[self.now]) & (chain.leave > day) & (votes > votes[self.now])
        if not more.any():
            self.leader, self.streak = -1, 0
            return
        best = int(np.nanargmax(np.where(more, votes, np.nan)))
        self.leader, self.streak = best, self.streak + 1 if best == self.leader else 1
        if self.streak >= self.confirm:
            self.next, self.decided = best, day
            self.weighed = float(votes[self.now]), float(votes[best])


def leave_days(expiry: Ints, lead: int | str, sessions: Days | None) -> Ints:
    """The session from which each contract is not in front any more.

    Args:
        expiry: last trading days, since 1970-01-01.
        lead: sessions before the last trading day (0 = that day itself), ``"10d"`` = days before it, ``"month"`` = the
            first of its month.
        sessions: of the exchange, enough of them; None = Mondays to Fridays.

    Raises:
        ConfigError: it is none of these.

    Example:
        >>> from datetime import date
        >>> day = np.array([(date(2013, 12, 20) - date(1970, 1, 1)).days])
        >>> [str(np.datetime64(int(leave_days(day, lead, None)[0]), "D")) for lead in (0, 5, "7d", "month")]
        ['2013-12-20', '2013-12-13', '2013-12-13', '2013-12-01']
    """
    if lead == "month":
        months: Ints = expiry.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        return months
    if isinstance(lead, str) and lead.endswith("d") and lead[:-1].isdigit():
        return expiry - int(lead[:-1])
    if isinstance(lead, bool) or not isinstance(lead, int) or lead < 0:
        raise ConfigError(f"lead {lead!r} is not known", where="continuous, lead", do='give sessions (5), days ("10d") or "month"')
    if sessions is None:
        days = expiry.astype("datetime64[D]")
        return np.busday_offset(days, -lead, roll="backward").astype(np.int64) if lead else expiry
    place = np.searchsorted(sessions, expiry, side="right") - 1 - lead
    left: Ints = np.where(place >= 0, sessions[np.maximum(place, 0)], expiry).astype(np.int64)
    return left if lead else expiry


def read_schedule(given: Any, names: Sequence[str]) -> list[tuple[int, int]]:
    """A schedule of the user's: days since 1970-01-01 and the place of the contract that is in front from then on.

    Args:
        given: a frame or dicts with ``contract`` and ``from_ts`` (the first session).
        names: of the contracts.

    Raises:
        ConfigError: a contract that is not in the chain, or no date.
    """
    from rustybt.data.metadata import days_of

    do = 'give a frame, or dicts, with contract and from_ts: {"contract": "ESH4", "from_ts": "2013-12-13"}'
    rows = given.iter_rows(named=True) if hasattr(given, "iter_rows") else given
    found = []
    for number, row in enumerate(rows):
        where = f"continuous, roll, row {number}"
        if not isinstance(row, Mapping) or not {"contract", "from_ts"} <= row.keys():
            raise ConfigError(f"{row!r} is not a roll", where=where, do=do)
        if row["contract"] not in names:
            raise ConfigError(f"{row['contract']!r} is not in the chain", where=where, do=f"it has {', '.join(names[:8])}")
        found.append((days_of(row["from_ts"], "from_ts"), names.index(row["contract"])))
    return sorted(found)
